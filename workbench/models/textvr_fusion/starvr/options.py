"""Sizes of StarVR; the defaults are the published ones."""

from __future__ import annotations

from dataclasses import dataclass


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
        fusion_heads: Heads of the one attention over query, video and words.
        projection: Dimensions of the common space.
        max_words: Read words per video; the most confident ones are kept.
        places: What is told of a word's place: ``textvr`` (as published) or ``track`` (its displacement repaired);
            see ``pipelines.places``.
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
    fusion_heads: int = 8
    projection: int = 256
    max_words: int = 200
    places: str = "textvr"
    seed: int = 0
