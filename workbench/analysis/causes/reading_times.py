"""When a word stands in a video, against the frames that were looked at."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from workbench.analysis.causes.dropping import filters_of
from workbench.analysis.reading.run_texts import Readings
from workbench.corpus.engines import TRUTH
from workbench.evaluation.runs.run import Run
from workbench.ocr.cleaning import normalise_word

N_SHOWN = 4


class ReadingTimes:
    """Spans of words and frames that were looked at, by video.

    Args:
        run: States the frames that its model saw.
        readings: What was read.
        within: A text was sampled when a sampled frame lies no further from where it was read, seconds.
    """

    def __init__(self, run: Run, readings: Readings, within: float) -> None:
        self.readings, self.within = readings, within
        self.by_list = filters_of(run) is not None  # the model has its words from a list, whatever frames it sees

    @property
    def told(self) -> bool:
        """Whether anything can be said of frames."""
        return self.tells_unread or self.tells_unseen

    @property
    def tells_unread(self) -> bool:
        """Whether it is known what stands in frames that the engine did not look at."""
        return bool(self._looked)

    @property
    def tells_unseen(self) -> bool:
        """Whether it is known which frames the model saw, and its words depend on them."""
        return self.readings.sampled is not None and not self.by_list and self.readings.corpus is not None

    def unread(self, video: str, word: str) -> str:
        """Where a written word stands, if in no frame that the engine looked at; else ""."""
        looked = self._looked.get(video)
        spans = [] if looked is None else self._spans(TRUTH, video, word, "first_frame", "last_frame")
        if looked is None or not spans or _any_within(looked, spans, 0):
            return ""
        first, last = min(first for first, _ in spans), max(last for _, last in spans)
        return f"stands in frames {first:.0f} to {last:.0f}; the OCR looked at {_listed(looked, 'd')}"

    def unseen(self, video: str, word: str) -> str:
        """When a word was read, if far from every frame that the model saw; else ""."""
        if not self.tells_unseen or self.readings.engine is None:
            return ""
        times = np.asarray((self.readings.sampled or {}).get(video, []), float)
        spans = self._spans(self.readings.engine, video, word, "start_s", "end_s")
        if not spans or not len(times) or _any_within(times, spans, self.within):
            return ""
        first, last = min(first for first, _ in spans), max(last for _, last in spans)
        return f"was read from {first:.2f} to {last:.2f} s; the model saw frames at {_listed(times, '.2f')} s"

    def first_time(self, video: str, word: str) -> float | None:
        """When a word was first read, seconds; None = not known."""
        spans = self._spans(self.readings.engine or "", video, normalise_word(word), "start_s", "end_s")
        return min((first for first, _ in spans), default=None)

    def _spans(self, engine: str, video: str, word: str, first: str, last: str) -> list[tuple[float, float]]:
        """Where the texts of an engine in a video stand that have the word; empty where one does not say."""
        times, rows = self.readings.word_texts.times, self.readings.word_texts.rows(engine, video, word)
        spans = [(float(times[first][i]), float(times[last][i])) for i in rows]
        return [] if any(math.isnan(one) for span in spans for one in span) else spans

    @cached_property
    def _looked(self) -> dict[str, np.ndarray]:
        """Frames that the engine looked at, by video; only those that are numbered as the truth numbers them."""
        corpus = self.readings.corpus
        if corpus is None or self.readings.engine is None or not self.readings.written:
            return {}
        table = corpus.text_coverage
        mine, truth = (table[table["engine"] == one].set_index("video_id") for one in (self.readings.engine, TRUTH))
        same = mine["rendition"].eq(truth["rendition"].reindex(mine.index)) & mine["rendition"].notna()
        known = mine.loc[same & mine["frames_read"].notna(), "frames_read"]
        return {str(video): np.asarray(frames, int) for video, frames in known.items() if len(frames)}


def _any_within(points: np.ndarray, spans: list[tuple[float, float]], within: float) -> bool:
    """Whether a point lies in a span, or no further from it."""
    return any(((points >= first - within) & (points <= last + within)).any() for first, last in spans)


def _listed(values: np.ndarray, form: str) -> str:
    shown = ", ".join(format(one, form) for one in values[:N_SHOWN])
    return shown if len(values) <= N_SHOWN else f"{shown} ..."
