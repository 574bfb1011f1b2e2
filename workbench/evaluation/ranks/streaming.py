"""Ranks and metrics of a matrix that fits nowhere: scores are computed block by block, counted and forgotten.

Two passes: the first reads the scores of the right pairs out of the very blocks that the second counts, so that a right
pair is never compared with itself computed in another way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.metrics.retrieval import RetrievalMetrics
from workbench.evaluation.ranks.blocks import on_all_cores
from workbench.evaluation.ranks.bounds import TIES, RankCounts, as_rank_counts
from workbench.evaluation.ranks.counters import CoreCounter, Counter, Part
from workbench.evaluation.ranks.looks import PassingLooks
from workbench.evaluation.ranks.passes import Source, count_blocks, parts_of
from workbench.evaluation.ranks.relevance import Relevance, check_relevance

Score = Callable[[slice | np.ndarray], Any]


def stream_ranks(
    score: Score, shape: tuple[int, int], relevance: Any = None, *, v2t: str = "auto", counter: Counter | None = None
) -> dict[str, RankCounts]:
    """``rank_bounds`` in both directions without a matrix.

    Each block is asked for twice and must come out the same both times. Beside the caller's own data, a few blocks of
    4 MiB and some integers per row and column are held, whatever the size. The counts equal those of ``rank_bounds`` on
    the matrix made of the same blocks.

    Args:
        score: Scores float32 [rows, videos] of some captions, given as a slice, or as their numbers where captions of
            one video do not follow each other; called by several threads.
        shape: (captions, videos).
        relevance: Sparse grades [captions, videos], > 0 is right; None = the diagonal of a square matrix.
        v2t: ``auto``, ``caption`` or ``video``; see ``rank_bounds``.
        counter: Who counts the blocks where they lie; None = NumPy on all cores.

    Returns:
        ``{"t2v": ..., "v2t": ...}``.

    Raises:
        DataError: A block of another shape, NaN or +inf scores, a score that changes from pass to pass, no right pair.
    """
    source, pairs, level = _opened(score, shape, relevance, v2t, counter)
    return _counted(source, pairs, level, _right_scores(source, pairs, level))


def stream_metrics(
    score: Score,
    shape: tuple[int, int],
    relevance: Any = None,
    *,
    v2t: str = "auto",
    ties: str = "expected",
    counter: Counter | None = None,
) -> dict[str, RetrievalMetrics]:
    """``retrieval_metrics`` in both directions without a matrix, lists of best items included.

    As ``stream_ranks``; beside its integers, the lists of best items are held: at most 100 positions and scores per
    caption and per video.

    Args:
        score: As for ``stream_ranks``.
        shape: (captions, videos).
        relevance: As for ``stream_ranks``.
        v2t: As for ``stream_ranks``.
        ties: ``expected``, ``optimistic`` or ``pessimistic``.
        counter: As for ``stream_ranks``.

    Returns:
        ``{"t2v": ..., "v2t": ...}``.

    Raises:
        DataError: As for ``stream_ranks``.
        UnknownNameError: Unknown tie rule.
    """
    rule = pick(TIES, ties, "tie rule")
    source, pairs, level = _opened(score, shape, relevance, v2t, counter)
    right = _right_scores(source, pairs, level)
    looks = PassingLooks(source.counter, pairs, level, right)
    counts = _counted(source, pairs, level, right, looks.see)
    return {name: RetrievalMetrics(looks, counts[name], rule) for name in ("t2v", "v2t")}


def _opened(
    score: Score, shape: tuple[int, int], relevance: Any, v2t: str, counter: Counter | None
) -> tuple[Source, Relevance, str]:
    """What is read, what is right in it, and the v2t level."""
    pairs, chosen = check_relevance(relevance, shape), counter or CoreCounter()
    source = Source(shape, np.dtype(np.float32), lambda rows: _block(score, rows, shape, chosen), chosen)
    return source, pairs, pairs.level(v2t)


def _counted(
    source: Source, pairs: Relevance, level: str, right: np.ndarray, look: Callable[[Any, Part], None] | None = None
) -> dict[str, RankCounts]:
    counted = count_blocks(source, pairs, level, right, look)
    if counted.bad:
        raise DataError("The scores hold NaN or +inf.", "Mark pairs that were not scored with -inf.")
    if (counted.t2v[1] < 0).any() or (counted.v2t[1] < 0).any():
        raise DataError("A right pair scored differently the second time.", "Score without dropout or random choices.")
    return as_rank_counts(counted, pairs, level)


def _block(score: Score, rows: slice | np.ndarray, shape: tuple[int, int], counter: Counter) -> Any:
    block = counter.block(score(rows))
    expected = (rows.stop - rows.start if isinstance(rows, slice) else len(rows), shape[1])
    if tuple(block.shape) != expected:
        raise DataError(
            f"A block of scores is {tuple(block.shape)}, expected {expected}.", "Score all videos of each row."
        )
    return block


def _right_scores(source: Source, pairs: Relevance, level: str) -> np.ndarray:
    """Scores of the right pairs in the order of ``pairs.videos_of``, out of the blocks that will be counted."""
    lists = pairs.videos_of
    found = np.empty(len(lists.indices), source.dtype)

    def work(part: Part) -> None:
        rows = part.numbers
        own = lists.take(rows)
        found[lists.positions(rows)] = source.counter.pick(source.read(part.rows), own.owner, own.indices)

    on_all_cores(work, parts_of(source, pairs, level), source.counter.workers)
    return found
