"""Where words are written against where an engine found text: boxes of the truth and of the engine in one frame."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from workbench.analysis.reading.run_texts import Readings
from workbench.corpus.engines import TRUTH

LEAST_OVERLAP = 0.1
"""Share of a written word's text that a found box must cover."""


class Places:
    """Boxes of a corpus whose truth is known.

    Args:
        readings: What was read.
    """

    def __init__(self, readings: Readings) -> None:
        self.readings = readings
        self._known: dict[tuple[str, str], bool | None] = {}

    @cached_property
    def told(self) -> bool:
        """Whether the corpus has boxes, and knows what is written."""
        corpus = self.readings.corpus
        return bool(self.readings.written) and corpus is not None and corpus.has("boxes")

    def detected(self, video: str, word: str) -> bool | None:
        """Whether the engine found text where a word is written; None = it cannot be told."""
        if (video, word) not in self._known:
            self._known[video, word] = self._look(video, word)
        return self._known[video, word]

    def _look(self, video: str, word: str) -> bool | None:
        corpus = self.readings.corpus
        if not self.told or corpus is None:
            return None
        boxes = corpus.boxes(video)
        written, found = (boxes[boxes["text_id"].isin(ids)] for ids in self._ids(video, word))
        if written.empty:
            return None
        pairs = written.merge(found, on="frame", suffixes=("", "_found"))
        return bool((_covered(pairs) >= LEAST_OVERLAP).any())

    def _ids(self, video: str, word: str) -> tuple[list[str], list[str]]:
        """Texts of the truth that have the word, and all texts of the engine."""
        texts = self.readings.word_texts
        has, of_engine = texts.rows(TRUTH, video, word), texts.of_video(self.readings.engine, video)
        return [texts.text_ids[at] for at in has], [texts.text_ids[at] for at in of_engine]


def _covered(pairs: pd.DataFrame) -> np.ndarray:
    """Share of each first box that the second one covers, by their upright bounding boxes."""
    a, b = (_bounds(pairs, suffix) for suffix in ("", "_found"))
    wide = np.minimum(a[2], b[2]) - np.maximum(a[0], b[0])
    high = np.minimum(a[3], b[3]) - np.maximum(a[1], b[1])
    area = (a[2] - a[0]) * (a[3] - a[1])
    return np.where((wide > 0) & (high > 0), wide * high / np.maximum(area, 1e-12), 0)


def _bounds(boxes: pd.DataFrame, suffix: str) -> tuple[np.ndarray, ...]:
    x, y = (boxes[[f"{axis}{i}{suffix}" for i in range(1, 5)]].to_numpy(float).reshape(-1, 4) for axis in "xy")
    return x.min(axis=1), y.min(axis=1), x.max(axis=1), y.max(axis=1)
