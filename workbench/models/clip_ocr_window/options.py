"""Sizes and choices of CLIP with read text."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.models.base import MODALITIES
from workbench.models.fusion import check_dropout, check_fusion
from workbench.models.options import check_counts
from workbench.models.reading import check_ocr
from workbench.models.towers.choices import OWN, SMALL, SPACE_TIME, Acts, check_vision
from workbench.models.towers.dual.model import PRECISIONS
from workbench.models.towers.dual.pixels import FITS

ACTS = {"bare": ("fusion",), "block": tuple(MODALITIES), "score": ("fusion",)}
"""The modalities for which a kind of fusion makes a difference; ``block`` stands in every record by itself."""
SIZES_OF: Acts = {"vision": {SPACE_TIME: ("vision_size", "vision_weights")}}
"""Options and files that belong to one tower."""


@dataclass(frozen=True)
class ClipOcrWindowOptions:
    """Everything that decides the shape of the network and of its inputs.

    Attributes:
        weights: A folder in Hugging Face layout, or a name of ``towers.dual.KNOWN`` in the folder
            ``WORKBENCH_WEIGHTS``.
        modality: ``vision``, ``ocr`` or ``fusion``.
        vision: Who sees frames, as of ``towers.choices.VISION``; the vectors of any but ``own`` are brought into the
            space of the folder ``weights``, which reads.
        vision_size: Of the space-time transformer, a name of ``towers.space_time.SIZES``.
        fit: How a frame comes to the tower's square, a name of ``towers.dual.FITS``.
        n_frames: Frames per video, and windows of read text.
        ocr: What is read, a name of ``models.reading.OCR``.
        words_per_sentence: Words of the sentence of a window, the most confident ones.
        max_words: Read words per video with ``ocr=words``; the most confident ones are kept.
        places: What is told of a word's place with ``ocr=words``, a name of ``models.reading.PLACES``.
        fusion: How frames and read text meet, a name of ``models.fusion.FUSIONS``.
        fusion_depth: Blocks of the fusion ``block``; 4 as in the code of CLIP4Clip (its sequence transformer over
            frames).
        fusion_heads: Attention heads of the fusions ``bare`` and ``block``.
        modality_dropout: Share of videos, 0..1, that lose their frames or their words in training; fusion only.
        freeze_towers: Whether both towers stay as they were loaded; then features of frames may stand for frames, but
            for the space-time transformer, where a frame's vector depends on the others.
        precision: A name of ``towers.dual.model.PRECISIONS``, of the towers while scoring.
        seed: Of the random weights of the fusion.
    """

    weights: str = "clip-vit-base-patch32"
    modality: str = "fusion"
    vision: str = OWN
    vision_size: str = "vit_b16"
    fit: str = "squash"
    n_frames: int = 12
    ocr: str = "windows"
    words_per_sentence: int = 16
    max_words: int = 48
    places: str = "track"
    fusion: str = "block"
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
        check_vision(self)
        if self.freeze_towers and self.vision == SMALL:
            raise DataError("freeze_towers would leave the small convolution at random.", "Leave freeze_towers out.")
        check_ocr(self)
        check_fusion(self, ACTS)
        check_dropout(self.modality_dropout, self.modality)
        check_counts(self, "n_frames", "words_per_sentence", "max_words", "fusion_depth", "fusion_heads")
