"""Sizes of StarVR; the defaults are the published ones."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.models.base import MODALITIES
from workbench.models.fusion import check_dropout, check_fusion
from workbench.models.options import check_counts
from workbench.models.reading import check_ocr
from workbench.models.towers.choices import DISTILBERT, SMALL, SPACE_TIME, Acts, check_vision

ACTS = {"bare": tuple(MODALITIES), "block": ("ocr", "fusion"), "score": ("fusion",)}
"""The modalities for which a kind of fusion makes a difference; ``bare`` stands in every record by itself."""
SIZES_OF: Acts = {
    "vision": {
        SPACE_TIME: ("depth", "heads", "image_size", "patch_size", "time_init", "vision_weights"),
        SMALL: ("image_size",),
    },
    "text": {
        DISTILBERT: ("text_depth", "text_heads", "vocabulary", "positions", "dropout", "weights", "tokenizer"),
        SMALL: ("vocabulary", "positions"),
    },
}
"""Options and files that belong to one tower."""


@dataclass(frozen=True)
class StarvrOptions:
    """Everything that decides the shape of the network and of its inputs.

    Attributes:
        modality: ``vision``, ``ocr`` or ``fusion``.
        vision: Who sees frames, as of ``towers.choices.VISION``; ``space_time`` is published, the vectors of frames of
            any other are averaged.
        text: Who reads captions, and in a second copy read text, as of ``towers.choices.TEXT``; ``distilbert`` is
            published.
        dim: Dimensions of a token, of all towers and of the fusion.
        depth: Blocks of the space-time tower.
        heads: Attention heads of the space-time tower.
        image_size: Pixels of a frame's side; a folder's tower has its own.
        patch_size: Pixels of a patch's side; a folder's tower has its own.
        n_frames: Frames per video, and windows of read text.
        time_init: How attention over time starts; see ``towers.space_time.network.TIME_INITS``.
        text_depth: Blocks of each text tower.
        text_heads: Attention heads of each text tower.
        vocabulary: Rows of each text tower's table of word pieces, of ``small`` n-grams.
        positions: The most word pieces of a caption or a word, of ``small`` words; the rest is cut.
        dropout: Of the text towers, in training.
        fusion: How frames and words meet, a name of ``models.fusion.FUSIONS``; only ``bare`` is published.
        fusion_heads: Heads of the attention over query, video and words.
        fusion_depth: Blocks of the fusion ``block``.
        projection: Dimensions of the common space.
        ocr: What is read, a name of ``models.reading.OCR``; only ``words`` is published.
        max_words: Read words per video with ``ocr=words``; the most confident ones are kept.
        places: What is told of a word's place with ``ocr=words``: ``textvr`` (as published) or ``track`` (its
            displacement repaired); see ``pipelines.places``.
        words_per_sentence: Words of the sentence of a window, with ``ocr=windows``; the most confident ones.
        modality_dropout: Share of videos, 0..1, that lose their frames or their words in training; fusion only.
        seed: Of the random weights.
    """

    modality: str = "fusion"
    vision: str = SPACE_TIME
    text: str = DISTILBERT
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
    ocr: str = "words"
    max_words: int = 200
    places: str = "textvr"
    words_per_sentence: int = 16
    modality_dropout: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        pick(MODALITIES, self.modality, "modality")
        check_ocr(self)
        check_fusion(self, ACTS)
        check_dropout(self.modality_dropout, self.modality)
        check_counts(self, "fusion_depth", "words_per_sentence")
        check_vision(self)
        if self.vocabulary < 2:
            raise DataError(f"vocabulary is {self.vocabulary}.", "It must be at least 2.")
