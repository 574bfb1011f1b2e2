"""StarVR as the rest of the workbench sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.optional import need
from workbench.models.base import MODALITIES, NetworkModel
from workbench.models.gallery import Gallery
from workbench.models.interactions import Apart
from workbench.models.located import located
from workbench.models.reading import Texts, nowhere, rules_of, texts_of
from workbench.models.textvr_fusion.starvr.options import StarvrOptions
from workbench.models.textvr_fusion.starvr.pieces import WordPieces, text_folder
from workbench.models.textvr_fusion.starvr.weights import load_text_weights
from workbench.models.towers.choices import DISTILBERT, beside, reader_of, sight_of
from workbench.models.towers.space_time import load_weights
from workbench.models.towers.texts.pieces import FolderPieces, Grams, Pieces, rows_of

TEMPORAL = "video_model.temporal_embed"
NOTHING = " "
"""The word of a video in which nothing was read; the published loader fills its lists with it."""


class Starvr(NetworkModel):
    """One similarity, the cosine of caption and video, or a weighted sum of two; see ``network.Network``.

    Args:
        options: Sizes.
        tokenizer: Folder with DistilBERT's vocabulary; None = that of ``weights``, else ``pieces.text_folder``.
        weights: Folder of a DistilBERT in Hugging Face layout, from which both text towers start; None = random.
        vision_weights: File of an image ViT or a space-time transformer, from which the space-time tower starts.
        checkpoint: A folder that ``save`` wrote, whose description of a tower is taken where ``options.vision`` or
            ``options.text`` is a folder; its weights are set next. None = that folder, weights and all.

    Raises:
        DataError: No vocabulary, or files that do not fit the sizes.
        StateError: The weights of ``options.vision`` or ``options.text`` are not on this machine.
        MissingExtraError: torch or transformers is not installed.
    """

    family = "starvr"
    videos_per_tile = 16

    def __init__(
        self,
        options: StarvrOptions,
        *,
        tokenizer: str | Path | None = None,
        weights: str | Path | None = None,
        vision_weights: str | Path | None = None,
        checkpoint: Path | None = None,
    ) -> None:
        torch = need("torch", "StarVR")
        need("transformers", "StarVR")
        from workbench.models.textvr_fusion.starvr.network import Network

        self._pictures, reading = sight_of(options.vision, checkpoint), reader_of(options.text, checkpoint)
        self.pieces: Pieces
        if reading is not None:
            self.pieces = FolderPieces(reading)
        elif options.text == DISTILBERT:
            self.pieces = WordPieces(text_folder(tokenizer or weights), options.vocabulary, options.positions)
        else:
            self.pieces = Grams(options.vocabulary, options.positions)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            self.network = Network(options, self._pictures, reading)
        if self._pictures is not None:
            options = _of_size(options, int(self.network.video_model.size), checkpoint)
        self.options = options
        windows = {"frames"} if options.ocr == "windows" else set()  # they lie around frames
        self.needs = frozenset(MODALITIES[options.modality] | windows)
        self.reads: Mapping[str, Any] = {
            "n_frames": options.n_frames, "height": options.image_size, "width": options.image_size,
            "caption_words": self.pieces.caption_words, **rules_of(options),
            **({"filters": "textvr"} if options.ocr == "words" else {}),
        }  # fmt: skip
        self._start_from(weights, vision_weights)
        self.network.eval()

    def _start_from(self, weights: str | Path | None, vision_weights: str | Path | None) -> None:
        network = self.network
        if weights is not None:
            towers = [network.text_model] + ([network.ocr_model] if network.ocr else [])
            load_text_weights(towers, located(weights))
        if vision_weights is not None:
            if not network.vision:
                raise DataError("The modality ocr has no video tower.", "Leave vision_weights out.")
            load_weights(network.video_model, located(vision_weights))

    @classmethod
    def reopened(cls, options: StarvrOptions, folder: Path) -> Starvr:
        """With the vocabulary that lies beside the weights, and the descriptions of folders' towers."""
        return cls(options, tokenizer=folder, checkpoint=folder)

    def caption_inputs(self, captions: Sequence[str]) -> dict[str, Any]:
        """Captions as tensors on the network's device."""
        return self._tensors(self.pieces.packed([[caption] for caption in captions]))

    def video_inputs(self, gallery: Gallery) -> tuple[Any, dict[str, Any], Any]:
        """Frames, read words and their places as tensors on the network's device.

        Raises:
            DataError: The gallery lacks frames, or has frames or places of another shape.
        """
        texts = self._texts(gallery)
        return self._inputs(gallery, texts, self._tensors(self._packed(texts)))

    def tile_inputs(self, gallery: Gallery, tiles: Sequence[range]) -> Iterator[tuple[Any, dict[str, Any], Any]]:
        """``video_inputs`` of the videos of each tile; a text is encoded once for the whole gallery.

        Raises:
            DataError: As ``video_inputs``.
        """
        texts = self._texts(gallery)
        whole = self._packed(texts)
        vectors = self.network.word_vectors(self._tensors(whole)) if self.network.ocr else None
        for tile in tiles:
            packed = self._tensors(rows_of(whole, tile.start, tile.stop))
            own = packed if vectors is None else {**packed, "vectors": vectors}
            yield self._inputs(gallery.take(tile), texts[tile.start : tile.stop], own)

    def _texts(self, gallery: Gallery) -> list[Texts]:
        """What is read of every video, windows without text left out; none where the model reads none."""
        return [_filled(one) for one in texts_of(gallery, self.options)] if self.network.ocr else []

    def _packed(self, texts: Sequence[Texts]) -> dict[str, np.ndarray]:
        return self.pieces.packed([one.text or (NOTHING,) for one in texts])

    def _inputs(
        self, gallery: Gallery, texts: Sequence[Texts], packed: dict[str, Any]
    ) -> tuple[Any, dict[str, Any], Any]:
        torch = need("torch", "StarVR")
        n_frames, size = self.options.n_frames, self.options.image_size
        frames = self._frames(gallery, (n_frames, size, size)) if self.network.vision else None
        blank = nowhere(self.options.ocr, 1)
        where = np.concatenate([blank[:0], *(one.where if one.text else blank for one in texts)])
        read = torch.tensor([bool(one.text) for one in texts], device=self.device)
        return frames, {**packed, "read": read}, torch.from_numpy(where).to(self.device)

    def shares(self) -> tuple[float, float]:
        """What cosines with frames and with words count for; see ``models.interactions.TakesApart``."""
        torch = need("torch", "StarVR")
        with torch.inference_mode():
            shares = self.network.shares()
            return float(shares["vision"]), float(shares["ocr"])

    def caption_vectors(self, captions: Sequence[str]) -> np.ndarray:
        """float32 [captions, dimensions], of length 1."""
        torch = need("torch", "StarVR")
        with torch.inference_mode():
            found = self.network.caption(self.caption_inputs(captions))["text"]
            vectors: np.ndarray = torch.nn.functional.normalize(found.float(), dim=-1).cpu().numpy()
        return vectors

    def apart(self, gallery: Gallery) -> list[Apart]:
        """Every video taken apart; see ``models.interactions.TakesApart``."""
        torch = need("torch", "StarVR")
        texts = self._texts(gallery) or [Texts((), nowhere(self.options.ocr, 0))] * len(gallery.video_ids)
        with torch.inference_mode():
            found = self.network.apart(*self.video_inputs(gallery))
        nothing = np.zeros((len(texts), 0, self.options.projection), np.float32)
        frame, word = (nothing if one is None else one.float().cpu().numpy() for one in found)
        return [Apart(frame[row], one.text, word[row, : len(one.text)]) for row, one in enumerate(texts)]

    def compare(self, captions: dict[str, Any], videos: dict[str, Any]) -> dict[str, Any]:
        """Cosines, as the published matrices hold them: without the temperature."""
        parts: dict[str, Any] = self.network.cosines(captions, videos)
        return parts

    def files(self) -> Mapping[str, str]:
        """The vocabulary, and what describes folders' towers: a checkpoint needs no other file."""
        return {**self.pieces.files(), **beside("vision", self._pictures)}


def _of_size(options: StarvrOptions, size: int, checkpoint: Path | None) -> StarvrOptions:
    """The options with the image size of a folder's tower.

    Raises:
        DataError: The options of a checkpoint, which has it, were changed to another.
    """
    if checkpoint is not None and options.image_size != size:
        raise DataError(f"Frames for {options.vision} have {size} pixels.", f"Use image_size={size}.")
    return replace(options, image_size=size)


def _filled(texts: Texts) -> Texts:
    """Without the windows in which nothing was read."""
    kept = [at for at, text in enumerate(texts.text) if text]
    return Texts(tuple(texts.text[at] for at in kept), texts.where[kept])
