"""Compiled loops of re-scoring; without the interpreter's lock, like those of ``evaluation.ranks.kernels``."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def keep_best_of_columns(block, best):
    """Keep the best entries of every column.

    Args:
        block: [rows, columns]; -inf is never kept.
        best: [k, columns], ascending along axis 0, -inf where fewer were seen; updated.
    """
    size = best.shape[0]
    for i in range(block.shape[0]):
        row = block[i]
        for j in range(block.shape[1]):
            score = row[j]
            if not score > best[0, j]:
                continue
            place = 0
            while place + 1 < size and best[place + 1, j] < score:
                best[place, j] = best[place + 1, j]
                place += 1
            best[place, j] = score


@njit(cache=True, nogil=True)
def add_reciprocal_ranks(block, order, weight, k, total):
    """Add ``weight / (k + rank)`` of every item of every query; tied items share the mean of their ranks.

    Args:
        block: [queries, items]; -inf has no rank and adds nothing.
        order: int64 [queries, items], items by descending score.
        weight: Of this list.
        k: Damping of the first ranks.
        total: float64 [queries, items], added to.
    """
    for q in range(block.shape[0]):
        first = 0
        while first < block.shape[1]:
            score = block[q, order[q, first]]
            if score == -np.inf:
                break
            last = first
            while last + 1 < block.shape[1] and block[q, order[q, last + 1]] == score:
                last += 1
            part = weight / (k + 1 + (first + last) / 2)
            for place in range(first, last + 1):
                total[q, order[q, place]] += part
            first = last + 1
