"""Which word of a caption fits which frame and which read word of a video: the folder ``interactions/`` of a run.

``pairs.parquet`` has a row per (caption, video): caption_id, video_id, role (``right`` or ``top``), score, tokens,
times_s and words (lists), start. ``values.npy``, float32, holds the numbers of all pairs one after another; from
``start`` on: weights [tokens, 2], frame [tokens, frames], word [tokens, words].
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.core.files import building, read_table, write_table

FOLDER = "interactions"
COLUMNS = ["caption_id", "video_id", "role", "score", "tokens", "times_s", "words", "start"]
ROLES = ("right", "top")


@dataclass(frozen=True)
class PairInteraction:
    """One caption and one video, word by word.

    The score is the sum over the tokens of ``weights[:, 0]`` times the best of ``frame``, and of ``weights[:, 1]``
    times the best of ``word``, which is at least 0.

    Attributes:
        caption_id: The caption.
        video_id: The video.
        role: ``right``, or ``top`` for a wrong video among the best five.
        score: As in the run.
        tokens: Words of the caption as the model reads them.
        weights: float32 [tokens, 2], what a token counts for frames and for read words.
        times_s: Times of the frames in seconds.
        frame: float32 [tokens, frames], how well a token fits a frame; no columns where the model looks at none.
        words: Read words, as recognised.
        word: float32 [tokens, words], how well a token fits a read word.
    """

    caption_id: str
    video_id: str
    role: str
    score: float
    tokens: tuple[str, ...]
    weights: np.ndarray
    times_s: tuple[float, ...]
    frame: np.ndarray
    words: tuple[str, ...]
    word: np.ndarray

    @property
    def of_frames(self) -> np.ndarray:
        """What each token brings to the score by its best frame, float32 [tokens]."""
        return self.weights[:, 0] * self.frame.max(1) if self.frame.size else np.zeros(len(self.tokens), np.float32)

    @property
    def of_words(self) -> np.ndarray:
        """What each token brings to the score by its best read word, float32 [tokens]."""
        best = self.word.max(1, initial=0.0) if self.word.size else np.zeros(len(self.tokens), np.float32)
        found: np.ndarray = self.weights[:, 1] * best
        return found


class Interactions:
    """The stored pairs of a run; numbers are read when a caption is asked for.

    Args:
        folder: ``interactions/`` of the run.

    Raises:
        DataError: The folder is incomplete.
    """

    def __init__(self, folder: Path) -> None:
        self._pairs = read_table(folder / "pairs.parquet")
        try:
            self._values = np.load(folder / "values.npy", mmap_mode="r", allow_pickle=False)
        except (FileNotFoundError, ValueError) as error:
            raise DataError(
                f"{folder / 'values.npy'} cannot be read: {error}.", "Score with --explain pairs."
            ) from error
        self._rows = self._pairs.groupby("caption_id", sort=False).indices

    def of(self, caption_id: str) -> list[PairInteraction]:
        """The pairs of a caption, right videos first, then by falling score; none where it has none."""
        return [self._pair(row) for row in self._rows.get(caption_id, ())]

    def _pair(self, row: int) -> PairInteraction:
        one = self._pairs.iloc[row]
        tokens, times_s, words = tuple(one["tokens"]), tuple(one["times_s"]), tuple(one["words"])
        widths = np.array([2, len(times_s), len(words)])
        cuts = one["start"] + np.concatenate([[0], np.cumsum(len(tokens) * widths)])
        weights, frame, word = (
            np.array(self._values[first:last]).reshape(len(tokens), width)
            for (first, last), width in zip(pairwise(cuts), widths, strict=True)
        )
        named = (one["caption_id"], one["video_id"], one["role"], float(one["score"]))
        return PairInteraction(*named, tokens, weights, times_s, frame, words, word)


def write_interactions(run: Path, pairs: Iterable[PairInteraction]) -> None:
    """Write ``interactions/`` of a run, whole or not at all.

    Args:
        run: The run's folder.
        pairs: Those of one caption after another, in the order of ``Interactions.of``.
    """
    rows, values, start = [], [], 0
    for one in pairs:
        parts = [np.asarray(part, np.float32).reshape(-1) for part in (one.weights, one.frame, one.word)]
        rows.append(
            (
                one.caption_id,
                one.video_id,
                one.role,
                one.score,
                list(one.tokens),
                list(one.times_s),
                list(one.words),
                start,
            )
        )
        values += parts
        start += sum(len(part) for part in parts)
    with building(run / FOLDER) as folder:
        write_table(folder / "pairs.parquet", pd.DataFrame(rows, columns=COLUMNS))
        np.save(folder / "values.npy", np.concatenate(values) if values else np.zeros(0, np.float32))
