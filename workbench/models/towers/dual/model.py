"""The dual encoder as the rest of the workbench sees it: captions and galleries in, numpy similarities out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.files import sha256_file
from workbench.core.lookup import pick
from workbench.core.optional import need
from workbench.models.base import MODALITIES, NetworkModel
from workbench.models.device import chosen_device
from workbench.models.gallery import Gallery
from workbench.models.options import check_names, names_of, record_of
from workbench.models.towers.dual.opened import opened, placed
from workbench.models.towers.dual.pixels import FITS
from workbench.models.towers.dual.weights import files_of_weights

PRECISIONS = {"auto": "bf16 on a GPU, else float32", "float32": "", "bf16": ""}
OCR_TEXTS = {
    "words": "the words of a video, most confident first, in sentences of words_per_sentence",
    "windows": "one sentence per frame: what is read around it (pipelines.ocr_windows)",
}
TEXTS_PER_TILE, FRAMES_PER_TILE = 256, 128


@dataclass(frozen=True)
class Options:
    """Everything that decides what a dual encoder computes.

    Attributes:
        weights: A folder in Hugging Face layout, or a name of ``KNOWN`` in the folder ``WORKBENCH_WEIGHTS``.
        modality: ``vision`` (frames), ``ocr`` (read text) or ``fusion`` (their sum).
        fit: A name of ``FITS``.
        n_frames: Frames per video.
        max_words: Read words per video; the most confident ones are kept.
        ocr_text: A name of ``OCR_TEXTS``.
        words_per_sentence: Read words that are encoded together, so that none is cut off.
        precision: A name of ``PRECISIONS``; weights stay float32.
        seed: Taken as every model takes one; nothing here is random.
    """

    weights: str = "clip-vit-base-patch32"
    modality: str = "vision"
    fit: str = "squash"
    n_frames: int = 12
    max_words: int = 48
    ocr_text: str = "words"
    words_per_sentence: int = 16
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        pick(MODALITIES, self.modality, "modality")
        pick(FITS, self.fit, "fit")
        pick(OCR_TEXTS, self.ocr_text, "kind of OCR text")
        pick(PRECISIONS, self.precision, "precision")
        for name in ("n_frames", "max_words", "words_per_sentence"):
            if getattr(self, name) < 1:
                raise DataError(f"{name} is {getattr(self, name)}.", "It must be at least 1.")


PRESETS = {"squash": Options(), "letterbox": Options(fit="letterbox")}


class DualEncoder(NetworkModel):
    """A ``RetrievalModel`` around a CLIP, SigLIP or SigLIP 2 model.

    Args:
        options: What decides its numbers.
        checkpoint: A folder that ``save`` wrote, whose description and tokenizer are taken; its weights are set next.
            None = the folder of ``options.weights``, weights and all.
    """

    family = "dual"
    frozen_frames = False  # training changes them

    def __init__(self, options: Options, checkpoint: Path | None = None) -> None:
        need("torch", "A dual encoder")
        self._opened = opened(options.weights, checkpoint)
        from workbench.models.towers.dual.network import DualNetwork

        self.options = options
        self.network = DualNetwork(self._opened, options)
        self.network.to(chosen_device()).eval()
        windows = options.ocr_text == "windows" and self.network.ocr
        self.needs = frozenset(MODALITIES[options.modality]) | (frozenset({"frames"}) if windows else frozenset())
        self.reads: Mapping[str, Any] = {
            "n_frames": options.n_frames, "height": self.network.size, "width": self.network.size,
            "max_words": options.max_words, **({} if options.fit == "squash" else {"fit": options.fit}),
            **({"windows": options.words_per_sentence} if windows else {}),
        }  # fmt: skip

    @classmethod
    def reopened(cls, options: Options, folder: Path) -> DualEncoder:
        """As described beside the weights; the folder that training began from need not be there."""
        return cls(options, folder)

    def caption_inputs(self, captions: Sequence[str]) -> dict[str, Any]:
        """Texts as tokens on the network's device, cut where the model's positions end."""
        return self._opened.tokens(captions, self.device)

    def video_inputs(self, gallery: Gallery) -> tuple[Any, dict[str, Any], Any]:
        """Frames, the different sentences and where they stand, as tensors on the network's device.

        Raises:
            DataError: The gallery lacks what the model needs.
        """
        torch = need("torch", "A dual encoder")
        frames = torch.from_numpy(self._pixels(gallery)).to(self.device) if self.network.vision else None
        unique, place = placed(self._sentences(gallery))
        return frames, self.caption_inputs(unique), torch.from_numpy(place).to(self.device)

    @property
    def encodes_features(self) -> bool:
        """Whether ``encode`` takes vectors of frames in place of frames: wherever it looks at frames."""
        return bool(self.network.vision)

    def frame_features(self, frames: np.ndarray) -> np.ndarray:
        """Vectors of frames for ``Gallery.features``; video by video, so that its company changes no bit of one.

        Args:
            frames: uint8 [videos, frames, height, width, 3].

        Returns:
            float32 [videos, frames, dimensions], of length 1.
        """
        features: np.ndarray = self.network.features(frames)
        return features

    def encode(self, gallery: Gallery) -> list[dict[str, Any]]:
        """What videos are compared by, all in one tile: every frame and every different sentence goes through once.

        Returns:
            ``frame`` [videos, dimensions]; ``sentence`` [different sentences, dimensions] and ``place`` int64
            [videos, most sentences]: which of them stand there, -1 = none.
        """
        torch = need("torch", "A dual encoder")
        found: dict[str, Any] = {}
        with torch.inference_mode():
            if self.network.vision and gallery.features is not None:
                found["frame"] = self.network.mean_of_vectors(torch.from_numpy(gallery.features).to(self.device))
            elif self.network.vision:
                frames, step = torch.from_numpy(self._pixels(gallery)), max(1, FRAMES_PER_TILE // self.options.n_frames)
                found["frame"] = torch.cat([self.network.mean_of_frames(one) for one in frames.split(step)])
            if self.network.ocr:
                unique, place = placed(self._sentences(gallery))
                found |= {"sentence": self.text(unique), "place": torch.from_numpy(place).to(self.device)}
        return [found]

    def text(self, texts: Sequence[str]) -> Any:
        """Unit vectors of texts, a float32 tensor [texts, dimensions] on the device."""
        torch = need("torch", "A dual encoder")
        with torch.inference_mode():
            spans = [texts[at : at + TEXTS_PER_TILE] for at in range(0, len(texts), TEXTS_PER_TILE)]
            return torch.cat([self.network.text(self.caption_inputs(span)) for span in spans])

    def compare(self, captions: dict[str, Any], videos: dict[str, Any]) -> dict[str, Any]:
        """Similarities [captions, videos] by modality; products in float32 whatever the encoders compute in."""
        found = {}
        if self.network.vision:
            found["vision"] = self.network.vision_part(captions["text"], videos["frame"])
        if self.network.ocr:
            found["ocr"] = self.network.ocr_part(captions["text"], videos["sentence"], videos["place"])
        return found

    def files(self) -> Mapping[str, str]:
        """What describes the tower, its pictures and its tokenizer: a checkpoint needs no other file."""
        return self._opened.files

    def stated(self) -> dict[str, Any]:
        """The options, the type of model, and the checksums of its files of weights."""
        files = {path.name: sha256_file(path) for path in files_of_weights(self._opened.folder)}
        return {**asdict(self.options), "family": self.network.model.config.model_type, "sha256": files}

    def _pixels(self, gallery: Gallery) -> np.ndarray:
        if gallery.frames is None:
            raise DataError("The dual encoder looks at frames, and the gallery has none.", "Prepare them (reads).")
        return gallery.frames

    def _sentences(self, gallery: Gallery) -> Sequence[Sequence[str]]:
        """Texts of every video that are encoded, as far as they are not empty; none where it does not read."""
        if not self.network.ocr:
            return [()] * len(gallery.video_ids)
        if self.options.ocr_text == "windows":
            if gallery.sentences is None:
                raise DataError("The gallery holds no sentence per frame.", "Use ocr_text=words.")
            return gallery.sentences
        step, most = self.options.words_per_sentence, self.options.max_words
        lists = [words.text[:most] for words in gallery.words]
        return [[" ".join(text[at : at + step]) for at in range(0, len(text), step)] for text in lists]


def option_names(preset: str | None = None) -> set[str]:
    """The options that ``build`` takes.

    Raises:
        UnknownNameError: An unknown preset.
    """
    pick(PRESETS, preset or "squash", "preset")
    return names_of(Options)


def build(preset: str | None = None, **options: Any) -> DualEncoder:
    """A dual encoder with the weights of a local folder.

    Args:
        preset: A name of ``PRESETS``: ``squash`` (parity with StarVR's frames; the default) or ``letterbox``.
        **options: Fields of ``Options`` that differ from the preset, e.g. ``weights="siglip2-base-patch16-224"``.

    Raises:
        UnknownNameError: An unknown preset or value.
        DataError: An unknown option, or weights that cannot be read.
        StateError: The weights are not on this machine.
        MissingExtraError: torch or transformers is not installed.
    """
    check_names(options, option_names(preset), "The dual encoder")
    base = asdict(PRESETS[preset or "squash"])
    return DualEncoder(record_of(Options, {**base, **options}, "The dual encoder"))
