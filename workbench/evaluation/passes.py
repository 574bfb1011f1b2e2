"""One pass over the blocks of a similarity matrix, on all cores: the counts of every row and every column.

Where the blocks come from, a stored matrix or a model that scores as it goes, is no matter here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench.evaluation.blocks import n_threads, on_all_cores, row_ranges
from workbench.evaluation.counting import count_groups, count_only_rows, count_rows
from workbench.evaluation.relevance import Lists, Relevance

Three = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Source:
    """Scores by rows.

    Attributes:
        shape: (captions, videos).
        dtype: float32 or float64: what scores are compared in.
        read: Some rows, a slice or their numbers, as a C-contiguous array of that type; called by several threads.
    """

    shape: tuple[int, int]
    dtype: np.dtype
    read: Callable[[slice | np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Counted:
    """int32 counts: wrong items above the best right item, wrong ones tied with it, right ones tied with it.

    Attributes:
        t2v: Of every caption.
        v2t: Of every video, those without a caption too.
        bad: 0 where no score is NaN or +inf.
    """

    t2v: Three
    v2t: Three
    bad: int


def count_blocks(
    source: Source, pairs: Relevance, level: str, of_captions: np.ndarray, of_videos: np.ndarray
) -> Counted:
    """Count both directions in one pass.

    Args:
        source: The scores.
        pairs: The right pairs.
        level: v2t level, ``caption`` or ``video``.
        of_captions: Scores of the right pairs in the order of ``pairs.videos_of``.
        of_videos: The same in the order of ``pairs.captions_of``.
    """
    row_best, row_right = best_scores(of_captions, pairs.videos_of)
    column_best, column_right = best_scores(of_videos, pairs.captions_of)
    totals = _Totals(source.shape, row_best, column_best)
    if level == "caption":
        _count_captions(source, totals)
        column_tied, n_items = totals.column_tied - column_right, source.shape[0]
    else:
        _count_groups(source, pairs, totals)
        column_tied, column_right, n_items = totals.column_tied, totals.column_right, int(pairs.groups.max()) + 1
    return Counted(
        _finish(totals.row_above, totals.row_tied - row_right, row_right, source.shape[1]),
        _finish(totals.column_above, column_tied, column_right, n_items),
        totals.bad,
    )


def best_scores(scores: np.ndarray, lists: Lists) -> tuple[np.ndarray, np.ndarray]:
    """Best right score of every query (+inf where none is finite) and how many right items have exactly it."""
    n_queries = len(lists.indptr) - 1
    best = np.full(n_queries, -np.inf, scores.dtype)
    has = lists.sizes > 0
    best[has] = np.maximum.reduceat(scores, lists.indptr[:-1][has])
    best[~np.isfinite(best)] = np.inf
    right = np.bincount(lists.owner[scores == best[lists.owner]], minlength=n_queries).astype(np.int32)
    right[~np.isfinite(best)] = 0
    return best, right


class _Totals:
    """Thresholds and counters of one pass; threads count into their own and add up under a lock."""

    def __init__(self, shape: tuple[int, int], row_best: np.ndarray, column_best: np.ndarray) -> None:
        self.row_best, self.column_best = row_best, column_best
        self.row_above, self.row_tied = np.zeros((2, shape[0]), np.int32)
        self.column_above, self.column_tied, self.column_right = np.zeros((3, shape[1]), np.int32)
        self.bad = 0
        self._lock = threading.Lock()

    def add(self, columns: np.ndarray, bad: int) -> None:
        with self._lock:
            self.column_above += columns[0]
            self.column_tied += columns[1]
            self.column_right += columns[2]
            self.bad += bad


def _count_captions(source: Source, totals: _Totals) -> None:
    ranges = row_ranges(*source.shape)
    todo = iter(ranges)
    turn = threading.Lock()

    def worker(_: int) -> None:
        columns, bad = np.zeros((3, source.shape[1]), np.int32), 0
        while True:
            with turn:
                start, stop = next(todo, (0, 0))
            if start == stop:
                return totals.add(columns, bad)
            rows = slice(start, stop)
            found = count_rows(
                source.read(rows), totals.row_best[rows], totals.column_best, totals.row_above[rows],
                totals.row_tied[rows], columns[0], columns[1],
            )  # fmt: skip
            bad += int(found)

    on_all_cores(worker, range(min(n_threads(), len(ranges))))


def _count_groups(source: Source, pairs: Relevance, totals: _Totals) -> None:
    order, bounds = rows_of_groups(pairs)
    ranges = whole_groups(bounds, source.shape[1])
    todo = iter(ranges)
    turn = threading.Lock()
    lists = pairs.videos_of

    def worker(_: int) -> None:
        columns, bad = np.zeros((3, source.shape[1]), np.int32), 0
        work = np.empty((2, source.shape[1]), source.dtype)
        while True:
            with turn:
                first, last = next(todo, (0, 0))
            if first == last:
                return totals.add(columns, bad)
            rows = order[bounds[first] : bounds[last]]
            block = source.read(as_slice(rows))
            counts = np.zeros((2, len(rows)), np.int32)
            bad += int(count_only_rows(block, totals.row_best[rows], counts[0], counts[1]))
            totals.row_above[rows], totals.row_tied[rows] = counts
            starts = bounds[first : last + 1] - bounds[first]
            count_groups(
                block, starts, rows, lists.indptr, lists.indices, totals.column_best,
                columns[0], columns[1], columns[2], work,
            )  # fmt: skip

    on_all_cores(worker, range(min(n_threads(), len(ranges))))


def as_slice(rows: np.ndarray) -> slice | np.ndarray:
    """The rows as a slice where they follow each other."""
    consecutive = rows[-1] - rows[0] == len(rows) - 1 and bool((np.diff(rows) == 1).all())
    return slice(int(rows[0]), int(rows[-1]) + 1) if consecutive else rows


def rows_of_groups(pairs: Relevance) -> tuple[np.ndarray, np.ndarray]:
    """Rows in order of their groups, and int64 [groups + 1] where each group begins among them."""
    order = np.argsort(pairs.groups, kind="stable")
    return order, np.concatenate([[0], np.cumsum(np.bincount(pairs.groups))])


def whole_groups(bounds: np.ndarray, n_columns: int) -> list[tuple[int, int]]:
    """Ranges of groups that hold together about one block of scores, one group at least."""
    size = row_ranges(int(bounds[-1]), n_columns)[0][1]
    ranges, first = [], 0
    while first < len(bounds) - 1:
        last = max(first + 1, int(np.searchsorted(bounds, bounds[first] + size, side="right")) - 1)
        ranges.append((first, last))
        first = last
    return ranges


def _finish(above: np.ndarray, tied: np.ndarray, right: np.ndarray, n_items: int) -> Three:
    """The counts with those of queries that were not scored set to the last rank."""
    missed = right == 0
    above[missed] = n_items - 1
    tied[missed] = 0
    return above, tied, right.astype(np.int32)
