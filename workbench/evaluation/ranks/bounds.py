"""Ranks under ties, as three integers per query: one pass over the matrix, no sort, no copy.

For the best-scored right item of a query, ``n_above`` wrong items score higher, ``n_tied`` wrong items have exactly its
score, and so have ``n_tied_right`` right items (itself included). Other right items never count as wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.ranks.blocks import (
    BLOCK_ITEMS,
    check_similarity,
    compared_type,
    contiguous,
    n_threads,
    on_all_cores,
    row_ranges,
    scores_of,
)
from workbench.evaluation.ranks.counters import CoreCounter
from workbench.evaluation.ranks.passes import Counted, Source, count_blocks
from workbench.evaluation.ranks.relevance import Relevance, check_relevance

Ties = Literal["expected", "optimistic", "pessimistic"]
TIES = {name: name for name in ("expected", "optimistic", "pessimistic")}
DIRECTIONS = {name: name for name in ("t2v", "v2t", "both")}
IN_PLACE_ITEMS = 1 << 22
"""Scores in a block that is counted where it lies: 16 MiB, which the memory serves faster than smaller ones."""
FEW_PAIRS = 1 << 14
"""Right pairs whose scores one thread reads from memory sooner than others wake up."""


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

    Scores are compared exactly: float16 and bfloat16 in float32, integers in float64. ``-inf`` means not scored and
    equals nothing.
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
    matrix = check_similarity(similarity, bfloat16=True)
    pairs = check_relevance(relevance, (matrix.shape[0], matrix.shape[1]))
    both = count_both(matrix, pairs, pairs.level(v2t))
    return both if direction == "both" else both[direction]


def count_both(matrix: np.ndarray, pairs: Relevance, level: str) -> dict[str, RankCounts]:
    """The counts of both directions from one pass over the matrix; see ``rank_bounds``."""
    dtype = compared_type(matrix)
    in_place = matrix.dtype == dtype and matrix.flags.c_contiguous
    large = matrix.size >= 4 * n_threads() * IN_PLACE_ITEMS  # each thread takes several
    counter = CoreCounter(IN_PLACE_ITEMS if in_place and large else None)
    shape = (matrix.shape[0], matrix.shape[1])
    source = Source(shape, dtype, lambda rows: contiguous(matrix[rows], dtype), counter, stored=True)
    of_captions = right_scores(matrix, pairs)
    counted = count_blocks(source, pairs, level, of_captions)
    if counted.bad:
        raise _not_finite(matrix)
    return as_rank_counts(counted, pairs, level)


def as_rank_counts(counted: Counted, pairs: Relevance, level: str) -> dict[str, RankCounts]:
    """The counts of one pass as those of the queries of both directions."""
    n_captions, n_videos = pairs.shape
    videos = np.flatnonzero(pairs.captions_of.sizes)
    captions = np.arange(n_captions, dtype=np.int32)
    above, tied, tied_right = (values[videos] for values in counted.v2t)
    n_items = n_captions if level == "caption" else pairs.n_groups
    return {
        "t2v": RankCounts(*counted.t2v, captions, n_videos, "t2v"),
        "v2t": RankCounts(above, tied, tied_right, videos.astype(np.int32), n_items, "v2t", level),
    }


def right_scores(matrix: np.ndarray, pairs: Relevance) -> np.ndarray:
    """Scores of the right pairs, in the order of ``pairs.videos_of``, in the type they are compared in.

    Where the matrix is a map of a file that may not be in memory, this reads it: all cores walk forward together.
    """
    lists, dtype = pairs.videos_of, compared_type(matrix)
    on_disk, owner = isinstance(matrix, np.memmap), lists.owner
    if not on_disk and len(owner) <= FEW_PAIRS:
        return scores_of(matrix[owner, lists.indices], dtype)
    found = np.empty(len(owner), dtype)

    def work(rows: tuple[int, int]) -> None:
        own = slice(lists.indptr[rows[0]], lists.indptr[rows[1]])
        found[own] = scores_of(matrix[owner[own], lists.indices[own]], dtype)

    on_all_cores(work, row_ranges(*pairs.shape, BLOCK_ITEMS if on_disk else matrix.size // 16))
    return found


def _not_finite(matrix: np.ndarray) -> DataError:
    """The error for NaN or +inf, with their number and first place."""
    n_nan = n_inf = 0
    place = None
    for start, stop in row_ranges(*matrix.shape):
        part = scores_of(matrix[start:stop], compared_type(matrix))
        nan, inf = np.isnan(part), np.isposinf(part)
        n_nan, n_inf = n_nan + int(nan.sum()), n_inf + int(inf.sum())
        if place is None and (nan | inf).any():
            row, column = np.argwhere(nan | inf)[0]
            place = f"row {start + row}, column {column}"
    return DataError(
        f"The similarity holds {n_nan} NaN and {n_inf} +inf, the first at {place} (counted from 0).",
        "Mark pairs that were not scored with -inf; anything else comes from a fault in the model that made it.",
    )
