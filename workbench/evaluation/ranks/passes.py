"""One pass over the blocks of a similarity matrix, on all cores: the counts of every row and every column.

Where the blocks come from, a stored matrix or a model that scores as it goes, is no matter here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.evaluation.ranks.blocks import on_all_cores, row_ranges
from workbench.evaluation.ranks.counters import CoreCounter, Counter, Part
from workbench.evaluation.ranks.relevance import Lists, Relevance

Three = tuple[np.ndarray, np.ndarray, np.ndarray]
LAST_ITEMS = 1 << 18
"""Scores in the smallest part."""


@dataclass(frozen=True)
class Source:
    """Scores by rows.

    Attributes:
        shape: (captions, videos).
        dtype: float32 or float64: what scores are compared in.
        read: Some rows, a slice or their numbers, as a block that the counter takes; called by several threads.
        counter: Who counts the blocks.
        stored: Whether scores do not depend on which rows are read together, as those of a product do: then blocks may
            become smaller towards the end.
    """

    shape: tuple[int, int]
    dtype: np.dtype
    read: Callable[[slice | np.ndarray], Any]
    counter: Counter = field(default_factory=CoreCounter)
    stored: bool = False


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
    source: Source,
    pairs: Relevance,
    level: str,
    right: np.ndarray,
    look: Callable[[Any, Part], None] | None = None,
) -> Counted:
    """Count both directions in one pass.

    Args:
        source: The scores.
        pairs: The right pairs.
        level: v2t level, ``caption`` or ``video``.
        right: Scores of the right pairs in the order of ``pairs.videos_of``.
        look: Is shown every block and what it is, by several threads.
    """
    row_best, row_right = best_scores(right, pairs.videos_of)
    grouped = level == "video"
    items, of_items = right_of_videos(right, pairs, level)
    column_best, column_right = best_scores(of_items, items)
    totals = _Totals(source.shape, row_best, column_best)
    _count(source, parts_of(source, pairs, level), totals, look)
    column_tied = totals.columns[1] if grouped else totals.columns[1] - column_right  # right groups are not in it
    return Counted(
        _finish(totals.rows[0], totals.rows[1] - row_right, row_right, source.shape[1]),
        _finish(totals.columns[0], column_tied, column_right, pairs.n_groups if grouped else source.shape[0]),
        totals.bad,
    )


def best_scores(scores: np.ndarray, lists: Lists) -> tuple[np.ndarray, np.ndarray]:
    """Best right score of every query (+inf where none is finite) and how many right items have exactly it."""
    n_queries = len(lists.indptr) - 1
    if len(scores) == n_queries and lists.one_each:
        finite = np.isfinite(scores)
        return np.where(finite, scores, scores.dtype.type(np.inf)), finite.astype(np.int32)
    best = np.full(n_queries, -np.inf, scores.dtype)
    has = lists.sizes > 0
    best[has] = np.maximum.reduceat(scores, lists.indptr[:-1][has])
    best[~np.isfinite(best)] = np.inf
    right = np.bincount(lists.owner[scores == best[lists.owner]], minlength=n_queries).astype(np.int32)
    right[~np.isfinite(best)] = 0
    return best, right


def right_of_videos(right: np.ndarray, pairs: Relevance, level: str) -> tuple[Lists, np.ndarray]:
    """What a video's right items are at a v2t level, captions or groups by their best one, and their scores."""
    of_videos = right[pairs.by_video]
    if level == "caption":
        return pairs.captions_of, of_videos
    lists = pairs.captions_of
    _, group = np.unique(lists.owner * pairs.n_groups + pairs.groups[lists.indices], return_inverse=True)
    best = np.full(len(pairs.groups_of.indices), -np.inf, of_videos.dtype)
    np.fmax.at(best, group, of_videos)  # NaN is named later
    return pairs.groups_of, best


class _Totals:
    """Thresholds and counters of one pass; threads count columns into their own and add up under a lock."""

    def __init__(self, shape: tuple[int, int], row_best: np.ndarray, column_best: np.ndarray) -> None:
        self.row_best, self.column_best = row_best, column_best
        self.rows, self.columns = np.zeros((2, shape[0]), np.int32), np.zeros((2, shape[1]), np.int32)
        self.bad = 0
        self._lock = threading.Lock()

    def add(self, columns: np.ndarray, bad: int) -> None:
        with self._lock:
            self.columns += columns
            self.bad += bad


def _count(source: Source, parts: Iterator[Part], totals: _Totals, look: Callable[[Any, Part], None] | None) -> None:
    turn = threading.Lock()

    def worker(_: int) -> None:
        columns, bad = np.zeros((2, source.shape[1]), np.int32), 0
        while True:
            with turn:
                part = next(parts, None)
            if part is None:
                return totals.add(columns, bad)
            block = source.read(part.rows)
            row_best = totals.row_best[part.rows]
            totals.rows[:, part.rows], found = source.counter.count(block, part, row_best, totals.column_best, columns)
            bad += found
            if look is not None:
                look(block, part)

    on_all_cores(worker, range(source.counter.workers))


def parts_of(source: Source, pairs: Relevance, level: str) -> Iterator[Part]:
    """The parts that are read one after the other: rows in order, or whole groups of rows.

    Rows of a stored matrix come in parts that become smaller towards the end, so that all workers end together (guided
    self-scheduling, Polychronopoulos & Kuck 1987).
    """
    n_rows, n_columns = source.shape
    size = row_ranges(n_rows, n_columns, source.counter.block_items)[0][1]
    if level == "caption":
        start, least = 0, max(1, LAST_ITEMS // n_columns)
        while start < n_rows:
            share = max(least, (n_rows - start) // (2 * source.counter.workers)) if source.stored else size
            stop = min(start + min(size, share), n_rows)
            yield Part(slice(start, stop))
            start = stop
        return
    order, bounds = rows_of_groups(pairs)
    right = pairs.videos_of_groups
    n_right = right.sizes
    first = 0
    while first < pairs.n_groups:
        last = max(first + 1, int(np.searchsorted(bounds, bounds[first] + size, side="right")) - 1)
        own = slice(right.indptr[first], right.indptr[last])
        groups = np.repeat(np.arange(last - first), n_right[first:last])
        rows = order[bounds[first] : bounds[last]]
        yield Part(as_slice(rows), bounds[first : last + 1] - bounds[first], groups, right.indices[own])
        first = last


def as_slice(rows: np.ndarray) -> slice | np.ndarray:
    """The rows as a slice where they follow each other."""
    consecutive = rows[-1] - rows[0] == len(rows) - 1 and bool((np.diff(rows) == 1).all())
    return slice(int(rows[0]), int(rows[-1]) + 1) if consecutive else rows


def rows_of_groups(pairs: Relevance) -> tuple[np.ndarray, np.ndarray]:
    """Rows in order of their groups, and int64 [groups + 1] where each group begins among them."""
    order = np.argsort(pairs.groups, kind="stable")
    return order, np.concatenate([[0], np.cumsum(np.bincount(pairs.groups))])


def _finish(above: np.ndarray, tied: np.ndarray, right: np.ndarray, n_items: int) -> Three:
    """The counts with those of queries that were not scored set to the last rank."""
    missed = right == 0
    above[missed] = n_items - 1
    tied[missed] = 0
    return above, tied, right.astype(np.int32)
