"""Ranks under ties, as three integers per query: one pass over the matrix, no sort, no copy.

For the best-scored right item of a query, ``n_above`` wrong items score higher, ``n_tied`` wrong items have exactly its
score, and so have ``n_tied_right`` right items (itself included). Other right items never count as wrong.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.blocks import (
    check_similarity,
    compared_type,
    contiguous,
    n_threads,
    on_all_cores,
    row_ranges,
)
from workbench.evaluation.kernels import count_groups, count_only_rows, count_rows
from workbench.evaluation.relevance import Lists, Relevance, check_relevance

Ties = Literal["expected", "optimistic", "pessimistic"]
TIES = {name: name for name in ("expected", "optimistic", "pessimistic")}
DIRECTIONS = {name: name for name in ("t2v", "v2t", "both")}


@dataclass(frozen=True)
class RankCounts:
    """Counts per query; ranks follow from them by a tie rule.

    A query none of whose right items has a finite score has ``n_above`` = gallery size - 1 and 0 tied; it is a miss at
    every K.

    Attributes:
        n_above: int32 [queries], wrong items above the best right item.
        n_tied: int32 [queries], wrong items with exactly its score.
        n_tied_right: int32 [queries], right items with exactly its score, itself included; 0 = not scored.
        queries: int32 [queries], row (t2v) or column (v2t) of each query.
        n_items: Size of the gallery: videos, captions, or groups of captions.
        direction: ``t2v`` or ``v2t``.
        level: For v2t ``caption`` or ``video``; ``""`` for t2v.
    """

    n_above: np.ndarray
    n_tied: np.ndarray
    n_tied_right: np.ndarray
    queries: np.ndarray
    n_items: int
    direction: str
    level: str = ""

    @property
    def optimistic(self) -> np.ndarray:
        """float64 [queries], ranks from 1: the right item stands before all that tie with it."""
        return 1.0 + self.n_above

    @property
    def expected(self) -> np.ndarray:
        """float64 [queries], ranks from 1: the mean over random orders of the tied items."""
        return 1.0 + self.n_above + self.n_tied / (self.n_tied_right + 1.0)

    @property
    def pessimistic(self) -> np.ndarray:
        """float64 [queries], ranks from 1: the right item stands behind all wrong items that tie with it."""
        return 1.0 + self.n_above + self.n_tied

    def rank(self, ties: str = "expected") -> np.ndarray:
        """Ranks under a tie rule: ``expected``, ``optimistic`` or ``pessimistic``."""
        return getattr(self, pick(TIES, ties, "tie rule"))

    @property
    def scored(self) -> np.ndarray:
        """bool [queries]: whether a right item of the query has a finite score."""
        return self.n_tied_right > 0


@overload
def rank_bounds(
    similarity: Any, relevance: Any = None, *, direction: Literal["t2v", "v2t"] = "t2v", v2t: str = "auto"
) -> RankCounts: ...
@overload
def rank_bounds(
    similarity: Any, relevance: Any = None, *, direction: Literal["both"], v2t: str = "auto"
) -> dict[str, RankCounts]: ...
def rank_bounds(
    similarity: Any, relevance: Any = None, *, direction: str = "t2v", v2t: str = "auto"
) -> RankCounts | dict[str, RankCounts]:
    """Count, for every query, what stands above and beside its best right item.

    Scores are compared exactly: float16 in float32, integers in float64. ``-inf`` means not scored and equals nothing.
    Threads share the matrix; beside it a few MiB are needed whatever its size.

    Args:
        similarity: [captions, videos], higher is better; array or memory map.
        relevance: Sparse grades [captions, videos], > 0 is right; None = the diagonal of a square matrix.
        direction: ``t2v`` (queries are captions), ``v2t`` (videos that have a right caption), or ``both`` in one pass.
        v2t: What a video's query is ranked among: ``caption`` = all captions; ``video`` = groups of captions, each by
            its best caption. A caption belongs to the group of its right video of lowest column, or to one of its own;
            a group that holds a right caption of the video is right, by its best right caption. ``auto`` = ``video``
            once one video has several captions.

    Returns:
        Counts, or ``{"t2v": ..., "v2t": ...}`` for ``both``.

    Raises:
        DataError: NaN or +inf scores, wrong or empty shapes, no right pair.
        UnknownNameError: Unknown direction.
    """
    pick(DIRECTIONS, direction, "direction")
    matrix = check_similarity(similarity)
    pairs = check_relevance(relevance, (matrix.shape[0], matrix.shape[1]))
    both = count_both(matrix, pairs, pairs.level(v2t))
    return both if direction == "both" else both[direction]


def count_both(matrix: np.ndarray, pairs: Relevance, level: str) -> dict[str, RankCounts]:
    """The counts of both directions from one pass over the matrix; see ``rank_bounds``."""
    row_best, row_right = _best(matrix, pairs.videos_of, by_row=True)
    column_best, column_right = _best(matrix, pairs.captions_of, by_row=False)
    totals = _Totals(matrix.shape, row_best, column_best)
    if level == "caption":
        _count_captions(matrix, totals)
        column_tied = totals.column_tied - column_right
    else:
        _count_groups(matrix, pairs, totals)
        column_tied, column_right = totals.column_tied, totals.column_right
    if totals.bad:
        raise _not_finite(matrix)
    n_groups = matrix.shape[0] if level == "caption" else int(pairs.groups.max()) + 1
    videos = np.flatnonzero(pairs.captions_of.sizes)
    t2v = _finish(totals.row_above, totals.row_tied - row_right, row_right, matrix.shape[1])
    v2t = _finish(totals.column_above, column_tied, column_right, n_groups)
    captions = np.arange(matrix.shape[0], dtype=np.int32)
    return {
        "t2v": RankCounts(*t2v, captions, matrix.shape[1], "t2v"),
        "v2t": RankCounts(
            v2t[0][videos], v2t[1][videos], v2t[2][videos], videos.astype(np.int32), n_groups, "v2t", level
        ),
    }


class _Totals:
    """Thresholds and counters of one pass; threads count into their own and add up under a lock."""

    def __init__(self, shape: tuple[int, ...], row_best: np.ndarray, column_best: np.ndarray) -> None:
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


def _best(matrix: np.ndarray, lists: Lists, *, by_row: bool) -> tuple[np.ndarray, np.ndarray]:
    """Best right score of every query (+inf where none is finite) and how many right items have exactly it."""
    dtype = compared_type(matrix)
    scores = right_scores(matrix, lists, by_row=by_row)
    n_queries = len(lists.indptr) - 1
    best = np.full(n_queries, -np.inf, dtype)
    has = lists.sizes > 0
    best[has] = np.maximum.reduceat(scores, lists.indptr[:-1][has])
    best[~np.isfinite(best)] = np.inf
    right = np.bincount(lists.owner[scores == best[lists.owner]], minlength=n_queries).astype(np.int32)
    right[~np.isfinite(best)] = 0
    return best, right


def right_scores(matrix: np.ndarray, lists: Lists, *, by_row: bool) -> np.ndarray:
    """Scores of the right pairs, in the order of the lists, in the type they are compared in."""
    rows, columns = (lists.owner, lists.indices) if by_row else (lists.indices, lists.owner)
    return matrix[rows, columns].astype(compared_type(matrix))


def _count_captions(matrix: np.ndarray, totals: _Totals) -> None:
    dtype = compared_type(matrix)
    ranges = iter(row_ranges(*matrix.shape))
    turn = threading.Lock()

    def worker(_: int) -> None:
        columns, bad = np.zeros((3, matrix.shape[1]), np.int32), 0
        while True:
            with turn:
                start, stop = next(ranges, (0, 0))
            if start == stop:
                return totals.add(columns, bad)
            block = contiguous(matrix[start:stop], dtype)
            rows = slice(start, stop)
            found = count_rows(
                block, totals.row_best[rows], totals.column_best, totals.row_above[rows], totals.row_tied[rows],
                columns[0], columns[1],
            )  # fmt: skip
            bad += int(found)

    on_all_cores(worker, range(min(n_threads(), len(row_ranges(*matrix.shape)))))


def _count_groups(matrix: np.ndarray, pairs: Relevance, totals: _Totals) -> None:
    dtype = compared_type(matrix)
    order = np.argsort(pairs.groups, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(pairs.groups))])
    ranges = _whole_groups(bounds, matrix.shape[1])
    todo = iter(ranges)
    turn = threading.Lock()

    def worker(_: int) -> None:
        columns, bad = np.zeros((3, matrix.shape[1]), np.int32), 0
        work = np.empty((2, matrix.shape[1]), dtype)
        while True:
            with turn:
                first, last = next(todo, (0, 0))
            if first == last:
                return totals.add(columns, bad)
            rows = order[bounds[first] : bounds[last]]
            consecutive = rows[-1] - rows[0] == len(rows) - 1 and bool((np.diff(rows) == 1).all())
            block = contiguous(matrix[rows[0] : rows[-1] + 1] if consecutive else matrix[rows], dtype)
            counts = np.zeros((2, len(rows)), np.int32)
            bad += int(count_only_rows(block, totals.row_best[rows], counts[0], counts[1]))
            totals.row_above[rows], totals.row_tied[rows] = counts
            starts = bounds[first : last + 1] - bounds[first]
            lists = pairs.videos_of
            count_groups(
                block, starts, rows, lists.indptr, lists.indices, totals.column_best,
                columns[0], columns[1], columns[2], work,
            )  # fmt: skip

    on_all_cores(worker, range(min(n_threads(), len(ranges))))


def _whole_groups(bounds: np.ndarray, n_columns: int) -> list[tuple[int, int]]:
    """Ranges of groups that hold together about one block of scores, one group at least."""
    size = row_ranges(int(bounds[-1]), n_columns)[0][1]
    ranges, first = [], 0
    while first < len(bounds) - 1:
        last = max(first + 1, int(np.searchsorted(bounds, bounds[first] + size, side="right")) - 1)
        ranges.append((first, last))
        first = last
    return ranges


def _finish(
    above: np.ndarray, tied: np.ndarray, right: np.ndarray, n_items: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The counts with those of queries that were not scored set to the last rank."""
    missed = right == 0
    above[missed] = n_items - 1
    tied[missed] = 0
    return above, tied, right.astype(np.int32)


def _not_finite(matrix: np.ndarray) -> DataError:
    """The error for NaN or +inf, with their number and first place."""
    n_nan = n_inf = 0
    place = None
    for start, stop in row_ranges(*matrix.shape):
        part = matrix[start:stop]
        nan, inf = np.isnan(part), np.isposinf(part)
        n_nan, n_inf = n_nan + int(nan.sum()), n_inf + int(inf.sum())
        if place is None and (nan | inf).any():
            row, column = np.argwhere(nan | inf)[0]
            place = f"row {start + row}, column {column}"
    return DataError(
        f"The similarity holds {n_nan} NaN and {n_inf} +inf, the first at {place} (counted from 0).",
        "Mark pairs that were not scored with -inf; anything else comes from a fault in the model that made it.",
    )
