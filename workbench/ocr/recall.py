"""Lines that were recognised a moment ago: a crop that looks the same is not recognised again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.optional import need

ROWS = 10
"""Blocks over the height of a line; they are about square, so that a letter fills several."""
SAME = 8.0
"""Grey levels: crops whose blocks all differ by less show the same text; another faint digit still differs by more."""
KEPT = 256
"""Lines of a video that are remembered."""


@dataclass(frozen=True)
class _Known:
    look: np.ndarray
    text: str
    score: float


class Recall:
    """RapidOCR's recognition with a memory; put in place of its ``recognize_txt``.

    Args:
        recognise: Crops (uint8 [height, width, 3]) to texts and scores, one each.
    """

    def __init__(self, recognise: Callable[[list[np.ndarray]], Any]) -> None:
        self._recognise = recognise
        self._known: deque[_Known] = deque(maxlen=KEPT)
        self.n_lines = self.n_recalled = 0

    def forget(self) -> None:
        """Begin another video: what is read in it depends on no other."""
        self._known.clear()

    def __call__(self, crops: Sequence[np.ndarray]) -> Any:
        """What the engine's recognition returns for these crops."""
        looks = [look(crop) for crop in crops]
        found = [next((known for known in self._known if same(known.look, one)), None) for one in looks]
        fresh = [at for at, known in enumerate(found) if known is None]
        if fresh:
            read = self._recognise([crops[at] for at in fresh])
            for at, text, score in zip(fresh, read.txts, read.scores, strict=True):
                found[at] = _Known(looks[at], text, score)
        self.n_lines += len(crops)
        self.n_recalled += len(crops) - len(fresh)
        lines = [known for known in found if known is not None]
        self._known.extendleft(known for at, known in enumerate(lines) if at in set(fresh))
        output = need("rapidocr.ch_ppocr_rec.typings", "Reading text in frames").TextRecOutput
        return output(
            imgs=list(crops), txts=tuple(known.text for known in lines), scores=[known.score for known in lines],
            word_results=tuple(() for _ in lines),
        )  # fmt: skip


def look(crop: np.ndarray) -> np.ndarray:
    """Mean grey of about square blocks, float [rows, columns]; the size follows the shape of the crop."""
    height, width = crop.shape[:2]
    rows = min(ROWS, height)
    columns = min(max(1, round(rows * width / height)), width)
    edges = [np.linspace(0, side, count + 1).astype(int) for side, count in ((height, rows), (width, columns))]
    grey = crop.mean(axis=2) if crop.ndim == 3 else crop.astype(float)
    sums = np.add.reduceat(np.add.reduceat(grey, edges[0][:-1], axis=0), edges[1][:-1], axis=1)
    return sums / np.outer(np.diff(edges[0]), np.diff(edges[1]))


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two looks have one shape and no block differs much."""
    return one.shape == other.shape and bool((np.abs(one - other) < SAME).all())
