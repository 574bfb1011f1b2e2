"""StarVR as the rest of the workbench sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.core.optional import need
from workbench.models.base import MODALITIES, NetworkModel
from workbench.models.gallery import Gallery, Words
from workbench.models.located import located
from workbench.models.textvr_fusion.starvr.options import StarvrOptions
from workbench.models.textvr_fusion.starvr.pieces import FILE, WordPieces, rows_of, text_folder
from workbench.models.textvr_fusion.starvr.weights import load_text_weights
from workbench.models.towers.space_time import load_weights
from workbench.models.towers.space_time.weights import fit_temporal

PLACES = {"textvr": "as published", "track": "with the displacement repaired"}
TEMPORAL = "video_model.temporal_embed"
NOTHING = " "
"""The word of a video in which nothing was read; the published loader fills its lists with it."""


class Starvr(NetworkModel):
    """One similarity, the cosine of caption and video, or a weighted sum of two; see ``network.Network``.

    Args:
        options: Sizes.
        tokenizer: Folder with the vocabulary; None = that of ``weights``, else ``pieces.text_folder``.
        weights: Folder of a DistilBERT in Hugging Face layout, from which both text towers start; None = random.
        vision_weights: File of an image ViT or a space-time transformer, from which the video tower starts.

    Raises:
        UnknownNameError: An unknown modality or choice of places.
        DataError: No vocabulary, or files that do not fit the sizes.
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
    ) -> None:
        pick(PLACES, options.places, "choice of places")
        torch = need("torch", "StarVR")
        need("transformers", "StarVR")
        self.options = options
        self.pieces = WordPieces(text_folder(tokenizer or weights), options.vocabulary, options.positions)
        self.needs = frozenset(MODALITIES[options.modality])
        self.reads: Mapping[str, Any] = {
            "n_frames": options.n_frames, "height": options.image_size, "width": options.image_size,
            "max_words": options.max_words, "filters": "textvr", "places": options.places,
        }  # fmt: skip
        from workbench.models.textvr_fusion.starvr.network import Network

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            self.network = Network(options)
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
        """With the vocabulary that lies beside the weights."""
        return cls(options, tokenizer=folder)

    def fitted(self, weights: Mapping[str, Any]) -> Mapping[str, Any]:
        """With a temporal table of this tower's frames: the first rows, or zeros behind."""
        table = weights.get(TEMPORAL)
        return weights if table is None else {**weights, TEMPORAL: fit_temporal(table, self.options.n_frames, "zeros")}

    def caption_inputs(self, captions: Sequence[str]) -> dict[str, Any]:
        """Captions as tensors on the network's device."""
        return self._tensors(self.pieces.packed([[caption] for caption in captions]))

    def video_inputs(self, gallery: Gallery) -> tuple[Any, dict[str, Any], Any]:
        """Frames, read words and their places as tensors on the network's device.

        Raises:
            DataError: The gallery lacks frames, or has frames or places of another shape.
        """
        return self._inputs(gallery, self._tensors(self.pieces.packed(self._words(gallery))))

    def tile_inputs(self, gallery: Gallery, tiles: Sequence[range]) -> Iterator[tuple[Any, dict[str, Any], Any]]:
        """``video_inputs`` of the videos of each tile; a word is encoded once for the whole gallery.

        Raises:
            DataError: As ``video_inputs``.
        """
        whole = self.pieces.packed(self._words(gallery))
        vectors = self.network.word_vectors(self._tensors(whole)) if "ocr" in self.needs else None
        for tile in tiles:
            packed = self._tensors(rows_of(whole, tile.start, tile.stop))
            yield self._inputs(gallery.take(tile), packed if vectors is None else {**packed, "vectors": vectors})

    def _words(self, gallery: Gallery) -> list[tuple[str, ...]]:
        """The words of every video that are read; none where the model reads none."""
        return [_kept(one, self.options.max_words).text for one in gallery.words] if "ocr" in self.needs else []

    def _inputs(self, gallery: Gallery, packed: dict[str, Any]) -> tuple[Any, dict[str, Any], Any]:
        torch = need("torch", "StarVR")
        options = self.options
        frames = self._frames(gallery, (options.n_frames, options.image_size, options.image_size))
        places = [_kept(one, options.max_words).place for one in gallery.words] if "ocr" in self.needs else []
        place = np.concatenate(places) if places else np.zeros((0, 12))
        read = torch.tensor([bool(one.text) for one in gallery.words], device=self.device)
        return frames, {**packed, "read": read}, torch.from_numpy(place.astype(np.float32)).to(self.device)

    def compare(self, captions: dict[str, Any], videos: dict[str, Any]) -> dict[str, Any]:
        """Cosines, as the published matrices hold them: without the temperature."""
        parts: dict[str, Any] = self.network.cosines(captions, videos)
        return parts

    def files(self) -> Mapping[str, str]:
        """The vocabulary: a checkpoint needs no other file."""
        return {FILE: self.pieces.text()}


def _kept(words: Words, most: int) -> Words:
    """The first words; the blank word at no place where nothing was read.

    Raises:
        DataError: Places of another kind.
    """
    if not words.text:
        return Words((NOTHING,), np.zeros((1, 12), np.float32))
    if words.place.shape[1] != 12:
        raise DataError(
            f"StarVR reads 12 numbers of a word's place, found {words.place.shape[1]}.",
            "Prepare its inputs by its own rules: InputRules(places='textvr').",
        )
    return Words(words.text[:most], words.place[:most])
