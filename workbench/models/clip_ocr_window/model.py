"""CLIP with read text as the rest of the workbench sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.core.optional import need
from workbench.models.base import MODALITIES
from workbench.models.clip_ocr_window.options import SIZES_OF, ClipOcrWindowOptions
from workbench.models.gallery import Gallery
from workbench.models.located import located
from workbench.models.options import names_of, preset_of, varied
from workbench.models.reading import Texts, nowhere, padded, rules_of, texts_of
from workbench.models.towers.choices import SMALL, SPACE_TIME, beside, check_idle, sight_of
from workbench.models.towers.dual.base import TowersModel
from workbench.models.towers.dual.opened import Opened, placed
from workbench.models.towers.space_time import load_weights
from workbench.models.towers.space_time.weights import fit_temporal

NAME = "clip_ocr_window"
TIMES = "time.weight"
"""Rows that say which frame or window a token stands for."""
PRESETS = {
    "base": ClipOcrWindowOptions(),
    "tiny": ClipOcrWindowOptions(n_frames=2, words_per_sentence=4, fusion_depth=1, fusion_heads=2),
}


class ClipOcrWindow(TowersModel):
    """The mean of text-video, text-OCR and text-fusion cosines over the temperature; see ``network.Network``.

    Args and errors as of ``TowersModel``, and ``vision_weights``: the file of an image ViT or a space-time transformer,
    from which the latter starts where it sees.
    """

    family = NAME
    videos_per_tile = 16

    def __init__(
        self,
        options: ClipOcrWindowOptions,
        checkpoint: Path | None = None,
        *,
        vision_weights: str | Path | None = None,
    ) -> None:
        self._pictures = sight_of(options.vision, checkpoint)
        super().__init__(options, checkpoint)
        if vision_weights is not None:
            load_weights(self.network.eyes.tower, located(vision_weights))
        windows = {"frames"} if options.ocr == "windows" else set()  # they lie around frames
        self.needs = frozenset(MODALITIES[options.modality] | windows)
        self.reads: Mapping[str, Any] = {
            "n_frames": options.n_frames, "height": self.network.size, "width": self.network.size, "fit": options.fit,
            "caption_words": self._opened.caption_words,
            **(rules_of(options) if self.network.ocr else {}),
        }  # fmt: skip

    def _built(self, towers: Opened) -> Any:
        from workbench.models.clip_ocr_window.network import Network

        return Network(towers, self.options, self._pictures)

    def files(self) -> Mapping[str, str]:
        """What describes the folder's towers, and another's that sees: a checkpoint needs no other file."""
        return {**super().files(), **beside("vision", self._pictures)}

    def fitted(self, weights: Mapping[str, Any]) -> Mapping[str, Any]:
        """As of ``NetworkModel``, and the fusion's table of times cut, or with rows between its rows."""
        fit = super().fitted(weights)
        table = fit.get(TIMES)
        if table is None:
            return fit
        return {**fit, TIMES: fit_temporal(table[None], self.options.n_frames, "bilinear")[0]}

    @property
    def encodes_features(self) -> bool:
        """Whether vectors of frames may stand for frames while scoring: wherever a CLIP or SigLIP looks at frames."""
        return super().encodes_features and self.options.vision not in (SMALL, SPACE_TIME)

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
        unique, place = placed([one.text for one in texts], self._opened.read)
        tensors = self._tensors({"place": place, "where": padded(texts, place.shape[1], self.options.ocr)})
        return self._looks(gallery), {**self.caption_inputs(unique), "where": tensors["where"]}, tensors["place"]

    def _texts(self, gallery: Gallery) -> list[Texts]:
        """What is read of every video; nothing where the model does not read."""
        if self.network.ocr:
            return texts_of(gallery, self.options)
        return [Texts((), nowhere(self.options.ocr, 0))] * len(gallery.video_ids)

    def _lists(self, gallery: Gallery) -> Sequence[Sequence[str]]:
        return [one.text for one in self._texts(gallery)]

    def shares(self) -> tuple[float, float]:
        """What cosines with frames and with texts count for; see ``models.interactions.TakesApart``."""
        torch = need("torch", "CLIP with read text")
        with torch.inference_mode():
            shares = self.network.shares()
            return float(shares.get("vision", 0.0)), float(shares.get("ocr", 0.0))


def option_names(preset: str | None = None) -> set[str]:
    """The options that ``build`` takes.

    Raises:
        UnknownNameError: An unknown preset.
    """
    return names_of(type(preset_of(PRESETS, preset))) | {"vision_weights"}


def build(
    modality: str = "fusion",
    weights: str | Path | None = None,
    preset: str | None = None,
    vision_weights: str | Path | None = None,
    **options: Any,
) -> ClipOcrWindow:
    """A model around the weights of a local folder; what fuses its modalities has random weights.

    Args:
        modality: ``vision``, ``ocr`` or ``fusion``.
        weights: A folder in Hugging Face layout, or a name of ``towers.dual.KNOWN``; None = the preset's.
        preset: A name of ``PRESETS``; None = ``base``.
        vision_weights: As of ``ClipOcrWindow``.
        **options: Other fields of ``ClipOcrWindowOptions`` that differ from the preset; None = not given.

    Raises:
        UnknownNameError: An unknown modality, preset or value.
        DataError: An unknown option, one of another kind or without effect, or weights that cannot be read.
        StateError: The weights are not on this machine.
        MissingExtraError: torch or transformers is not installed.
    """
    given = {**options, "weights": None if weights is None else str(weights), "modality": modality}
    record = varied(preset_of(PRESETS, preset), given, NAME)
    named = {**given, "vision_weights": vision_weights}
    check_idle([name for name, value in named.items() if value is not None], record, SIZES_OF)
    return ClipOcrWindow(record, vision_weights=vision_weights)
