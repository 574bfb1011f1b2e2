"""CLIP with windows of read text as the rest of the workbench sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.core.optional import need
from workbench.models.base import MODALITIES, NetworkModel
from workbench.models.clip_ocr_window.options import ClipOcrWindowOptions
from workbench.models.device import chosen_device
from workbench.models.gallery import Gallery
from workbench.models.options import check_names, names_of, record_of
from workbench.models.towers.dual.opened import opened, placed

NAME = "clip_ocr_window"
PRESETS = {
    "base": ClipOcrWindowOptions(),
    "tiny": ClipOcrWindowOptions(n_frames=2, words_per_sentence=4, fusion_depth=1, fusion_heads=2),
}


class ClipOcrWindow(NetworkModel):
    """The mean of text-video, text-OCR and text-fusion cosines over the temperature; see ``network.Network``.

    Args:
        options: Sizes and choices.
        checkpoint: A folder that ``save`` wrote; its weights are set next. None = the folder of ``options.weights``.

    Raises:
        StateError: The weights are not on this machine.
        DataError: They cannot be read, or do not fit the options.
        MissingExtraError: torch or transformers is not installed.
    """

    family = NAME
    videos_per_tile = 16

    def __init__(self, options: ClipOcrWindowOptions, checkpoint: Path | None = None) -> None:
        torch = need("torch", f"The model {NAME}")
        self._opened = opened(options.weights, checkpoint)
        from workbench.models.clip_ocr_window.network import Network

        self.options = options
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            self.network = Network(self._opened, options)
        self.network.to(chosen_device()).eval()
        self.needs = frozenset(MODALITIES[options.modality]) | {"frames"}  # windows lie around frames
        self.reads: Mapping[str, Any] = {
            "n_frames": options.n_frames, "height": self.network.size, "width": self.network.size, "fit": options.fit,
            **({"windows": options.words_per_sentence} if self.network.ocr else {}),
        }  # fmt: skip

    @classmethod
    def reopened(cls, options: ClipOcrWindowOptions, folder: Path) -> ClipOcrWindow:
        """As described beside the weights; the folder that training began from need not be there."""
        return cls(options, folder)

    @property
    def frozen_frames(self) -> bool:
        """Whether training changes nothing about the vectors of frames, so that they may be kept."""
        return self.options.freeze_towers and self.encodes_features

    @property
    def encodes_features(self) -> bool:
        """Whether vectors of frames may stand for frames while scoring: wherever it looks at frames."""
        return bool(self.network.vision)

    def frame_features(self, frames: np.ndarray) -> np.ndarray:
        """Vectors of frames for ``Gallery.features``; video by video, so that its company changes no bit of one.

        Args:
            frames: uint8 [videos, frames, height, width, 3].

        Returns:
            float32 [videos, frames, dimensions].
        """
        features: np.ndarray = self.network.features(frames)
        return features

    def caption_inputs(self, captions: Sequence[str]) -> dict[str, Any]:
        """Captions as tensors on the network's device."""
        return self._opened.tokens(captions, self.device)

    def video_inputs(self, gallery: Gallery) -> tuple[Any, dict[str, Any], Any]:
        """Frames or their features, the different sentences and where they stand, as tensors on the network's device.

        Raises:
            DataError: The gallery lacks frames or sentences, or has others than the model reads.
        """
        lists: Sequence[Sequence[str]] = [()] * len(gallery.video_ids)
        if self.network.ocr:
            if gallery.sentences is None:
                raise DataError("The gallery holds no sentence per frame.", "Prepare its inputs by the model's rules.")
            lists = gallery.sentences
        unique, place = placed(lists)
        tensors = self._tensors({"place": place, "when": self._when(lists, place.shape[1])})
        sentences = {**self.caption_inputs(unique), "when": tensors["when"]}
        return self._looks(gallery), sentences, tensors["place"]

    def files(self) -> Mapping[str, str]:
        """What describes the towers, their pictures and their tokenizer."""
        return self._opened.files

    def _when(self, lists: Sequence[Sequence[str]], longest: int) -> np.ndarray:
        """int64 [videos, longest]: row of time of each window; a video of fewer windows has wider ones."""
        found = np.zeros((len(lists), longest), np.int64)
        for row, windows in enumerate(lists):
            found[row, : len(windows)] = (
                (2 * np.arange(len(windows)) + 1) * self.options.n_frames // (2 * max(1, len(windows)))
            )
        return found

    def _looks(self, gallery: Gallery) -> Any:
        """Frames, or the features that stand for them, as a tensor; None where the model looks at none."""
        options, size = self.options, self.network.size
        if not self.network.vision:
            return None
        if gallery.features is None:
            return self._frames(gallery, (options.n_frames, size, size))
        if self.network.training and not options.freeze_towers:
            raise DataError("The vision tower is trained, so it needs frames.", "Leave features out.")
        expected = (options.n_frames, self.network.width)
        if gallery.features.shape[1:] != expected:
            raise DataError(
                f"The model reads features {expected}, found {gallery.features.shape[1:]}.", "Make them with its tower."
            )
        return self._tensors({"features": gallery.features.astype(np.float32, copy=False)})["features"]


def option_names(preset: str | None = None) -> set[str]:
    """The options that ``build`` takes.

    Raises:
        UnknownNameError: An unknown preset.
    """
    pick(PRESETS, preset or "base", "preset")
    return names_of(ClipOcrWindowOptions)


def build(
    modality: str = "fusion", weights: str | Path | None = None, preset: str | None = None, **options: Any
) -> ClipOcrWindow:
    """A model around the weights of a local folder; what fuses its modalities has random weights.

    Args:
        modality: ``vision``, ``ocr`` or ``fusion``.
        weights: A folder in Hugging Face layout, or a name of ``towers.dual.KNOWN``; None = the preset's.
        preset: A name of ``PRESETS``; None = ``base``.
        **options: Other fields of ``ClipOcrWindowOptions`` that differ from the preset.

    Raises:
        UnknownNameError: An unknown modality, preset or value.
        DataError: An unknown option or one of another kind, or weights that cannot be read.
        StateError: The weights are not on this machine.
        MissingExtraError: torch or transformers is not installed.
    """
    check_names(options, option_names(preset), NAME)
    given = options if weights is None else {**options, "weights": str(weights)}
    base = asdict(PRESETS[preset or "base"])
    return ClipOcrWindow(record_of(ClipOcrWindowOptions, {**base, **given, "modality": modality}, NAME))
