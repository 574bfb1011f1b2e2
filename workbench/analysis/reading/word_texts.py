"""Which texts in frames hold a word: by engine, video and word."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from workbench.corpus import Corpus
from workbench.corpus.tables import empty
from workbench.ocr.matching import caption_words

TIMES = ("start_s", "end_s", "first_frame", "last_frame")


class WordTexts:
    """Texts in frames of a corpus; a video's are split into words when first asked for.

    Args:
        corpus: None = there are none.
    """

    def __init__(self, corpus: Corpus | None) -> None:
        self._corpus = corpus
        self._split: dict[tuple[str, str], dict[str, list[int]]] = {}

    def rows(self, engine: str | None, video: str, word: str) -> list[int]:
        """Positions of the texts of an engine in a video that hold a normalised word, in the order of the table."""
        if engine is None:
            return []
        key = (engine, video)
        if key not in self._split:
            words: dict[str, list[int]] = {}
            for at in self.of_video(engine, video):
                for one in dict.fromkeys(caption_words(self.texts[at])):
                    words.setdefault(one, []).append(at)
            self._split[key] = words
        return self._split[key].get(word, [])

    def of_video(self, engine: str | None, video: str) -> list[int]:
        """Positions of all texts of an engine in a video."""
        return self._of_video.get((engine, video), [])

    @cached_property
    def texts(self) -> list[str]:
        """The texts."""
        return self._in_frames["text"].to_list()

    @cached_property
    def text_ids(self) -> list[str]:
        """Their ids."""
        return self._in_frames["text_id"].to_list()

    @cached_property
    def times(self) -> dict[str, np.ndarray]:
        """Columns ``TIMES`` of the texts, float64 [texts]: seconds and frames; NaN = not stated."""
        return {name: self._in_frames[name].to_numpy(float, na_value=np.nan) for name in TIMES}

    def begins(self, at: int) -> tuple[float | None, int | None]:
        """Seconds and frame at which a text begins; None = not stated."""
        second, frame = self._begins
        return (None if second[at] != second[at] else second[at]), (None if frame[at] != frame[at] else int(frame[at]))

    @cached_property
    def _begins(self) -> tuple[list[float], list[float]]:
        return self.times["start_s"].tolist(), self.times["first_frame"].tolist()

    @cached_property
    def _in_frames(self) -> pd.DataFrame:
        texts = empty("texts") if self._corpus is None else self._corpus.texts
        return texts[(texts["kind"] == "ocr") & texts["text"].notna()]

    @cached_property
    def _of_video(self) -> dict[tuple[str | None, str], list[int]]:
        """Positions of the texts of each engine and video."""
        found: dict[tuple[str | None, str], list[int]] = {}
        for at, key in enumerate(zip(self._in_frames["engine"], self._in_frames["video_id"], strict=True)):
            found.setdefault(key, []).append(at)
        return found
