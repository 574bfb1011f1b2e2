"""How one block of scores is counted, wherever it lies: here in memory by compiled loops; ``models`` has a GPU's."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from workbench.evaluation.ranks.blocks import n_threads
from workbench.evaluation.ranks.counting import (
    count_groups,
    count_in_columns,
    count_in_rows,
    count_rows,
    take_out_right,
)
from workbench.evaluation.ranks.kernels import best_of_groups, keep_top_items, top_items

Two = tuple[np.ndarray, np.ndarray]
STRIPE = 1024  # columns of running lists that one thread holds at a time


@dataclass(frozen=True)
class Part:
    """Some rows of the matrix, read and counted as one block.

    Attributes:
        rows: A slice, or their numbers where they do not follow each other.
        starts: First row of every group in the block, and the number of rows; None = v2t at caption level.
        groups: Number in the block of the group of every right pair (group, video) of the part.
        columns: The videos of these pairs.
    """

    rows: slice | np.ndarray
    starts: np.ndarray | None = None
    groups: np.ndarray | None = None
    columns: np.ndarray | None = None

    @property
    def numbers(self) -> np.ndarray:
        """int64: numbers of the rows."""
        return np.arange(self.rows.start, self.rows.stop) if isinstance(self.rows, slice) else self.rows


class RunningTops(Protocol):
    """The best items of every column, while blocks go by."""

    def add(self, best: Any, origin: Any) -> None:
        """Look at entries [items, columns]; ``origin`` holds the number of the item behind each."""

    def found(self) -> Two:
        """int32 numbers [columns, size], best first, equal scores by number, and their scores; -inf = no item."""


class Counter(Protocol):
    """Counts blocks [rows, videos] of scores.

    Attributes:
        workers: Threads that take blocks.
        block_items: Scores in one block; None = ``BLOCK_ITEMS``.
    """

    workers: int
    block_items: int | None

    def block(self, scores: Any) -> Any:
        """The scores as float32, where they are counted."""

    def pick(self, block: Any, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Scores of some pairs."""

    def count(
        self, block: Any, part: Part, row_best: np.ndarray, column_best: np.ndarray, columns: np.ndarray
    ) -> tuple[np.ndarray, int]:
        """Count entries above and equal to the thresholds of rows and columns.

        Args:
            block: The scores.
            part: What they are.
            row_best: Thresholds of the rows; +inf counts nothing.
            column_best: Thresholds of the columns.
            columns: int32 [2, columns], above and equal, added to; with groups their best scores count, and right
                groups do not.

        Returns:
            int32 [2, rows], above and equal; 0 where no score is NaN or +inf, else more.
        """

    def row_tops(self, block: Any, size: int) -> Two:
        """int32 columns [rows, size] of the best entries of every row, and their scores; -inf = no entry."""

    def best_of_groups(self, block: Any, part: Part) -> tuple[Any, Any]:
        """What stands in the columns: the best score of every group and the row it comes from, or all rows."""

    def levels(self, block: Any, axis: int, at: np.ndarray, edges: np.ndarray) -> np.ndarray:
        """int64 [2, edges]: entries above and equal to thresholds, each of one row (axis 0) or column (axis 1)."""

    def without_right(self, best: Any, part: Part) -> Any:
        """Best scores of groups with -inf where the group is right for the column."""

    def running_tops(self, n_columns: int, size: int) -> RunningTops:
        """Empty lists."""


class CoreCounter:
    """A ``Counter`` of NumPy blocks on all cores.

    Args:
        block_items: Scores in one block; None = ``BLOCK_ITEMS``.
    """

    def __init__(self, block_items: int | None = None) -> None:
        self.workers, self.block_items = n_threads(), block_items

    def block(self, scores: Any) -> np.ndarray:
        return np.ascontiguousarray(scores, np.float32)

    def pick(self, block: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return block[rows, columns]

    def count(
        self, block: np.ndarray, part: Part, row_best: np.ndarray, column_best: np.ndarray, columns: np.ndarray
    ) -> tuple[np.ndarray, int]:
        rows = np.zeros((2, len(block)), np.int32)
        if part.starts is None:
            bad = count_rows(block, row_best, column_best, rows[0], rows[1], columns[0], columns[1])
        else:
            bad = count_groups(block, part.starts, row_best, column_best, rows[0], rows[1], columns[0], columns[1])
            take_out_right(block, part.starts, part.groups, part.columns, column_best, columns[0], columns[1])
        return rows, int(bad)

    def row_tops(self, block: np.ndarray, size: int) -> Two:
        items, scores, _ = top_items(block, size)
        return items, scores

    def best_of_groups(self, block: np.ndarray, part: Part) -> Two:
        rows = part.numbers.astype(np.int32)
        if part.starts is None:
            return block, np.broadcast_to(rows[:, None], block.shape)
        return best_of_groups(block, part.starts, rows)

    def levels(self, block: np.ndarray, axis: int, at: np.ndarray, edges: np.ndarray) -> np.ndarray:
        counts = np.zeros((2, len(at)), np.int64)
        (count_in_columns if axis else count_in_rows)(block, at, edges, counts[0], counts[1])
        return counts

    def without_right(self, best: np.ndarray, part: Part) -> np.ndarray:
        best[part.groups, part.columns] = -np.inf
        return best

    def running_tops(self, n_columns: int, size: int) -> RunningTops:
        return _CoreTops(n_columns, size)


class _CoreTops:
    """Running lists that threads share: each holds a stripe of columns at a time."""

    def __init__(self, n_columns: int, size: int) -> None:
        self.items = np.full((n_columns, size), np.iinfo(np.int32).max, np.int32)
        self.scores = np.full((n_columns, size), -np.inf, np.float32)
        self._edges = np.full(n_columns, -np.inf, np.float32)
        self._stripes = [
            (start, min(start + STRIPE, n_columns), threading.Lock()) for start in range(0, n_columns, STRIPE)
        ]

    def add(self, best: np.ndarray, origin: np.ndarray) -> None:
        for first, last, lock in self._stripes:
            with lock:
                keep_top_items(best, origin, self.items, self.scores, self._edges, first, last)

    def found(self) -> Two:
        return self.items, self.scores
