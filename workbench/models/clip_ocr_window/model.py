"""CLIP with read text as the rest of the workbench sees it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.models.base import MODALITIES
from workbench.models.clip_ocr_window.options import ClipOcrWindowOptions
from workbench.models.gallery import Gallery
from workbench.models.options import names_of, preset_of, varied
from workbench.models.reading import Texts, nowhere, padded, rules_of, texts_of
from workbench.models.towers.dual.base import TowersModel
from workbench.models.towers.dual.opened import Opened, placed

NAME = "clip_ocr_window"
PRESETS = {
    "base": ClipOcrWindowOptions(),
    "tiny": ClipOcrWindowOptions(n_frames=2, words_per_sentence=4, fusion_depth=1, fusion_heads=2),
}


class ClipOcrWindow(TowersModel):
    """The mean of text-video, text-OCR and text-fusion cosines over the temperature; see ``network.Network``.

    Args and errors as of ``TowersModel``.
    """

    family = NAME
    videos_per_tile = 16

    def __init__(self, options: ClipOcrWindowOptions, checkpoint: Path | None = None) -> None:
        super().__init__(options, checkpoint)
        windows = {"frames"} if options.ocr == "windows" else set()  # they lie around frames
        self.needs = frozenset(MODALITIES[options.modality] | windows)
        self.reads: Mapping[str, Any] = {
            "n_frames": options.n_frames, "height": self.network.size, "width": self.network.size, "fit": options.fit,
            "caption_words": self._opened.caption_words,
            **(rules_of(options) if self.network.ocr else {}),
        }  # fmt: skip

    def _built(self, towers: Opened) -> Any:
        from workbench.models.clip_ocr_window.network import Network

        return Network(towers, self.options)

    @property
    def frozen_frames(self) -> bool:
        """Whether training changes nothing about the vectors of frames, so that they may be kept."""
        return self.options.freeze_towers and self.encodes_features

    def video_inputs(self, gallery: Gallery) -> tuple[Any, dict[str, Any], Any]:
        """Frames or their features, the different texts and where they stand, as tensors on the network's device.

        Raises:
            DataError: The gallery lacks frames or texts, or has others than the model reads.
        """
        texts = self._texts(gallery)
        unique, place = placed([one.text for one in texts])
        tensors = self._tensors({"place": place, "where": padded(texts, place.shape[1], self.options.ocr)})
        return self._looks(gallery), {**self.caption_inputs(unique), "where": tensors["where"]}, tensors["place"]

    def _texts(self, gallery: Gallery) -> list[Texts]:
        """What is read of every video; nothing where the model does not read."""
        if self.network.ocr:
            return texts_of(gallery, self.options)
        return [Texts((), nowhere(self.options.ocr, 0))] * len(gallery.video_ids)


def option_names(preset: str | None = None) -> set[str]:
    """The options that ``build`` takes.

    Raises:
        UnknownNameError: An unknown preset.
    """
    return names_of(type(preset_of(PRESETS, preset)))


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
    given = options if weights is None else {**options, "weights": str(weights)}
    return ClipOcrWindow(varied(preset_of(PRESETS, preset), {**given, "modality": modality}, NAME))
