"""Sizes of StarVR; the defaults are the published ones."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.models.base import MODALITIES
from workbench.models.fusion import check_dropout
from workbench.models.options import check_counts

FUSIONS = {
    "bare": ("one attention without output projection, norm or residual, as published", ("vision", "ocr", "fusion")),
    "block": ("transformer blocks over query, video and words", ("ocr", "fusion")),
    "score": ("no joint token: a learned weighted sum of the similarities with frames and with words", ("fusion",)),
}
"""How frames and words meet: a sentence, and the modalities for which it makes a difference."""


@dataclass(frozen=True)
class StarvrOptions:
    """Everything that decides the shape of the network and of its inputs.

    Attributes:
        modality: ``vision``, ``ocr`` or ``fusion``.
        dim: Dimensions of a token, of all towers and of the fusion.
        depth: Blocks of the video tower.
        heads: Attention heads of the video tower.
        image_size: Pixels of a frame's side.
        patch_size: Pixels of a patch's side.
        n_frames: Frames per video.
        time_init: How attention over time starts; see ``towers.space_time.network.TIME_INITS``.
        text_depth: Blocks of each text tower.
        text_heads: Attention heads of each text tower.
        vocabulary: Rows of each text tower's table of word pieces.
        positions: The most word pieces of a caption or a word; the rest is cut.
        dropout: Of the text towers, in training.
        fusion: How frames and words meet, a name of ``FUSIONS``; the kinds other than ``bare`` are not published.
        fusion_heads: Heads of the attention over query, video and words.
        fusion_depth: Blocks of the fusion ``block``.
        projection: Dimensions of the common space.
        max_words: Read words per video; the most confident ones are kept.
        places: What is told of a word's place: ``textvr`` (as published) or ``track`` (its displacement repaired);
            see ``pipelines.places``.
        modality_dropout: Share of videos, 0..1, that lose their frames or their words in training; fusion only.
        seed: Of the random weights.
    """

    modality: str = "fusion"
    dim: int = 768
    depth: int = 12
    heads: int = 12
    image_size: int = 224
    patch_size: int = 16
    n_frames: int = 4
    time_init: str = "zeros"
    text_depth: int = 6
    text_heads: int = 12
    vocabulary: int = 30_522
    positions: int = 512
    dropout: float = 0.1
    fusion: str = "bare"
    fusion_heads: int = 8
    fusion_depth: int = 1
    projection: int = 256
    max_words: int = 200
    places: str = "textvr"
    modality_dropout: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        pick(MODALITIES, self.modality, "modality")
        pick(FUSIONS, self.fusion, "kind of fusion")
        check_dropout(self.modality_dropout, self.modality)
        check_counts(self, "fusion_depth")
        if self.modality not in FUSIONS[self.fusion][1]:
            raise DataError(
                f"The modality {self.modality} leaves the fusion {self.fusion} nothing to do.", "Use fusion=bare."
            )
