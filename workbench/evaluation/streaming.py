"""Ranks of a matrix that fits nowhere: scores are computed block by block, counted and forgotten.

Two passes: the first reads the scores of the right pairs out of the very blocks that the second counts, so that a right
pair is never compared with itself computed in another way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.evaluation.blocks import on_all_cores, row_ranges
from workbench.evaluation.passes import Source, as_slice, count_blocks, rows_of_groups, whole_groups
from workbench.evaluation.ranks import RankCounts, as_rank_counts
from workbench.evaluation.relevance import Relevance, check_relevance

Score = Callable[[slice | np.ndarray], Any]


def stream_ranks(
    score: Score, shape: tuple[int, int], relevance: Any = None, *, v2t: str = "auto"
) -> dict[str, RankCounts]:
    """``rank_bounds`` in both directions without a matrix.

    Each block is asked for twice and must come out the same both times. Beside the caller's own data, a few blocks of
    4 MiB and some integers per row and column are held, whatever the size. The counts equal those of ``rank_bounds`` on
    the matrix made of the same blocks.

    Args:
        score: Scores float32 [rows, videos] of some captions, given as a slice, or as their numbers where captions of
            one video do not follow each other; called by several threads. A model on a GPU copies each block back.
        shape: (captions, videos).
        relevance: Sparse grades [captions, videos], > 0 is right; None = the diagonal of a square matrix.
        v2t: ``auto``, ``caption`` or ``video``; see ``rank_bounds``.

    Returns:
        ``{"t2v": ..., "v2t": ...}``.

    Raises:
        DataError: A block of another shape, NaN or +inf scores, a score that changes from pass to pass, no right pair.
    """
    pairs = check_relevance(relevance, shape)
    level = pairs.level(v2t)
    source = Source(shape, np.dtype(np.float32), lambda rows: _block(score, rows, shape))
    of_captions = _right_scores(source, pairs, level)
    rows, columns = pairs.videos_of.owner, pairs.videos_of.indices
    counted = count_blocks(source, pairs, level, of_captions, of_captions[np.lexsort((rows, columns))])
    if counted.bad:
        raise DataError("The scores hold NaN or +inf.", "Mark pairs that were not scored with -inf.")
    if (counted.t2v[1] < 0).any() or (counted.v2t[1] < 0).any():
        raise DataError("A right pair scored differently the second time.", "Score without dropout or random choices.")
    return as_rank_counts(counted, pairs, level)


def _block(score: Score, rows: slice | np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    block = np.ascontiguousarray(score(rows), np.float32)
    expected = (rows.stop - rows.start if isinstance(rows, slice) else len(rows), shape[1])
    if block.shape != expected:
        raise DataError(f"A block of scores is {block.shape}, expected {expected}.", "Score all videos of each row.")
    return block


def _right_scores(source: Source, pairs: Relevance, level: str) -> np.ndarray:
    """Scores of the right pairs in the order of ``pairs.videos_of``, out of the blocks that will be counted."""
    lists = pairs.videos_of
    found = np.empty(len(lists.indices), source.dtype)

    def work(rows: np.ndarray) -> None:
        own = lists.take(rows)
        found[lists.positions(rows)] = source.read(as_slice(rows))[own.owner, own.indices]

    if level == "caption":
        parts = [np.arange(start, stop) for start, stop in row_ranges(*source.shape)]
    else:
        order, bounds = rows_of_groups(pairs)
        parts = [order[bounds[first] : bounds[last]] for first, last in whole_groups(bounds, source.shape[1])]
    on_all_cores(work, parts)
    return found
