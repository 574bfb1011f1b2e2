"""Which pairs of videos may have scores that correlate strongly, told from part of the rows: most need no more."""

from __future__ import annotations

from functools import partial

import numpy as np

from workbench.evaluation.ranks.blocks import on_all_cores

ROWS_AT_ONCE, PAIRS_AT_ONCE = 128, 4096
STEPS = 16
"""Parts of the rows after which pairs are looked at; half of them at most."""
SLACK = 1e-3
"""Rounding of float32 in the bound, in correlations."""


def may_correlate(similarity: np.ndarray, left: np.ndarray, right: np.ndarray, least: float) -> np.ndarray:
    """Whether the columns ``left[i]`` and ``right[i]`` may correlate at least so much over all rows, bool [pairs].

    The product of two columns over the rows that were not looked at is at most the product of their lengths there
    (Cauchy and Schwarz), so that no pair is lost. What was not scored counts as the mean.

    Args:
        similarity: Scores [rows, columns].
        left: Columns.
        right: Columns.
        least: A correlation.
    """
    mean, total = _moments(similarity)
    may, product, seen = np.ones(len(left), bool), np.zeros(len(left)), np.zeros(similarity.shape[1])
    step = max(-(-len(similarity) // STEPS), ROWS_AT_ONCE)
    whole = np.sqrt(total[left] * total[right])
    for start in range(0, len(similarity) // 2, step):
        at = np.flatnonzero(may)
        starts = range(start, min(start + step, len(similarity)), ROWS_AT_ONCE)
        work = partial(_products, similarity, mean, left[at], right[at], start + step)
        for square, own in on_all_cores(work, starts):
            seen += square
            product[at] += own
        rest = np.maximum(total - seen, 0)
        may[at] = product[at] + np.sqrt(rest[left[at]] * rest[right[at]]) >= (least - SLACK) * whole[at]
    return may


def _moments(similarity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the finite scores of every column, and the sum of the squares of what differs from it; float64."""
    first = np.asarray(similarity[:ROWS_AT_ONCE], np.float64)
    known = np.isfinite(first)
    shift = np.where(known, first, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    parts = on_all_cores(partial(_sums, similarity, shift.astype(np.float32)), range(0, len(similarity), ROWS_AT_ONCE))
    count, total, square = (np.sum([part[i] for part in parts], axis=0, dtype=np.float64) for i in range(3))
    off = total / np.maximum(count, 1)
    return shift.astype(np.float32) + off, np.maximum(square - count * off * off, 0)


def _sums(similarity: np.ndarray, shift: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of some rows by column: how many scores are finite, their sum and the sum of their squares, less the shift."""
    block = np.asarray(similarity[start : start + ROWS_AT_ONCE], np.float32) - shift
    known = np.isfinite(block)
    block[~known] = 0
    return known.sum(axis=0), block.sum(axis=0), np.einsum("ij,ij->j", block, block)


def _products(
    similarity: np.ndarray, mean: np.ndarray, left: np.ndarray, right: np.ndarray, stop: int, start: int
) -> tuple[np.ndarray, np.ndarray]:
    """Of some rows: the sum of squares of every column, and the sum of products of every pair, less the means."""
    block = np.asarray(similarity[start : min(start + ROWS_AT_ONCE, stop)]) - mean
    block[~np.isfinite(block)] = 0
    rows = np.ascontiguousarray(block.T, np.float32)
    product = np.zeros(len(left))
    for first in range(0, len(left), PAIRS_AT_ONCE):
        pairs = slice(first, first + PAIRS_AT_ONCE)
        product[pairs] = np.einsum("ij,ij->i", rows[left[pairs]], rows[right[pairs]])
    return np.einsum("ij,ij->i", rows, rows), product
