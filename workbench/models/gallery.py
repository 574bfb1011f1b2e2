"""What a model is given of the videos it shall find: frames and words, in the order of the gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Words:
    """Words read in one video, after filters and cut.

    Attributes:
        text: The words, as recognised.
        place: float32 [n, 6 or 12], as the rules of the inputs say (``pipelines.places``); zeros where a word has no
            box. 6: mean centre x, y, width and height of the box in 0..1 of the frame, share of the video's time from
            first to last box, confidence. 12: those of StarVR.
    """

    text: tuple[str, ...] = ()
    place: np.ndarray = field(default_factory=lambda: np.zeros((0, 6), np.float32))


@dataclass(frozen=True)
class Gallery:
    """Inputs of many videos.

    Attributes:
        video_ids: Their ids.
        frames: uint8 [videos, frames, height, width, 3], or None where the model needs none; videos that cannot be read
            hold zeros and stand in ``missing``.
        words: Words of every video.
        missing: Reason by video id, for videos that lack an input the model needs.
        sentences: What is read around each frame of every video, one text per frame; None where nobody asked for it.
        features: float32 [videos, frames, dimensions], vectors of the frames by the frozen tower of one model, in place
            of ``frames``; None where there are none.
    """

    video_ids: tuple[str, ...]
    frames: np.ndarray | None
    words: tuple[Words, ...]
    missing: dict[str, str] = field(default_factory=dict)
    sentences: tuple[tuple[str, ...], ...] | None = None
    features: np.ndarray | None = None

    def take(self, rows: Sequence[int] | np.ndarray) -> Gallery:
        """The videos at these positions."""
        chosen = [int(row) for row in rows]
        return Gallery(
            tuple(self.video_ids[row] for row in chosen),
            None if self.frames is None else self.frames[chosen],
            tuple(self.words[row] for row in chosen),
            self.missing,
            None if self.sentences is None else tuple(self.sentences[row] for row in chosen),
            None if self.features is None else self.features[chosen],
        )
