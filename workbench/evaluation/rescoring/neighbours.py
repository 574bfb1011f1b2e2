"""CSLS: take from a score how near its caption and its video are to everything (Conneau et al., "Word Translation
Without Parallel Data", ICLR 2018).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.evaluation.ranks.blocks import compared_type, contiguous
from workbench.evaluation.ranks.kernels import top_items
from workbench.evaluation.rescoring.kernels import keep_best_of_columns
from workbench.evaluation.rescoring.protocol import Rescored, ScoringProtocol
from workbench.evaluation.rescoring.walks import checked, gather, new_matrix, rewrite


def csls(similarity: Any, *, k: int = 10, out: np.ndarray | None = None) -> Rescored:
    """Cross-domain similarity local scaling: ``2 S_ij - r_i - r_j``.

    r_i is the mean of the caption's ``k`` best scores, r_j that of the video's ``k`` best captions, of those that were
    scored. One matrix serves both directions. It has seen all test queries, through r_j.

    Args:
        similarity: [captions, videos]; -inf = not scored. Never changed.
        k: Neighbours; 10 is published.
        out: Where to write; None = a new array.

    Raises:
        DataError: NaN, +inf, k below 1.
    """
    if k < 1:
        raise DataError(f"k is {k}; a neighbourhood has at least one item.", "Use 10, as published.")
    matrix, _ = checked(similarity)
    target = new_matrix(out, matrix)
    of_columns = _column_means(matrix, min(k, len(matrix)))

    def work(block: np.ndarray, _: tuple[int, int]) -> None:
        best = top_items(contiguous(block, block.dtype), min(k, block.shape[1]))[1]
        of_rows = _means(best, axis=1)
        block *= 2
        block -= of_columns
        block -= of_rows[:, None]

    rewrite(matrix, target, work)
    few = [
        f"Only {size} {what} are there, fewer than k = {k}."
        for size, what in ((matrix.shape[1], "videos"), (matrix.shape[0], "captions"))
        if size < k
    ]
    return Rescored(target, ScoringProtocol("CSLS", "test queries", "both", {"k": k}, tuple(few)))


def _column_means(matrix: np.ndarray, k: int) -> np.ndarray:
    """float64 [columns]: mean of the k best scores of every column; 0 where nothing was scored."""
    dtype = compared_type(matrix)

    def work(ranges: list[tuple[int, int]]) -> np.ndarray:
        best = np.full((k, matrix.shape[1]), -np.inf, dtype)
        for rows in ranges:
            keep_best_of_columns(contiguous(matrix[slice(*rows)], dtype), best)
        return best

    first, *others = gather(matrix, work)
    for other in others:
        keep_best_of_columns(other, first)
    return _means(first, axis=0)


def _means(best: np.ndarray, axis: int) -> np.ndarray:
    scored = np.isfinite(best)
    return best.sum(axis=axis, where=scored, dtype=np.float64) / np.maximum(scored.sum(axis=axis), 1)
