"""Sizes and choices of CLIP with windows of read text."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.lookup import pick
from workbench.models.base import MODALITIES
from workbench.models.fusion import check_dropout
from workbench.models.options import check_counts
from workbench.models.towers.dual.model import PRECISIONS
from workbench.models.towers.dual.pixels import FITS


@dataclass(frozen=True)
class ClipOcrWindowOptions:
    """Everything that decides the shape of the network and of its inputs.

    Attributes:
        weights: A folder in Hugging Face layout, or a name of ``towers.dual.KNOWN`` in the folder
            ``WORKBENCH_WEIGHTS``.
        modality: ``vision``, ``ocr`` or ``fusion``.
        fit: How a frame comes to the tower's square, a name of ``towers.dual.FITS``.
        n_frames: Frames per video, and windows of read text.
        words_per_sentence: Words of the sentence of a window, the most confident ones.
        fusion_depth: Blocks of the fusion; 4 as in the code of CLIP4Clip (its sequence transformer over frames).
        fusion_heads: Attention heads of the fusion.
        modality_dropout: Share of videos, 0..1, that lose their frames or their words in training; fusion only.
        freeze_towers: Whether both towers stay as they were loaded; then features of frames may stand for frames.
        precision: A name of ``towers.dual.model.PRECISIONS``, of the towers while scoring.
        seed: Of the random weights of the fusion.
    """

    weights: str = "clip-vit-base-patch32"
    modality: str = "fusion"
    fit: str = "squash"
    n_frames: int = 12
    words_per_sentence: int = 16
    fusion_depth: int = 4
    fusion_heads: int = 8
    modality_dropout: float = 0.0
    freeze_towers: bool = False
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        pick(MODALITIES, self.modality, "modality")
        pick(FITS, self.fit, "fit")
        pick(PRECISIONS, self.precision, "precision")
        check_dropout(self.modality_dropout, self.modality)
        check_counts(self, "n_frames", "words_per_sentence", "fusion_depth", "fusion_heads")
