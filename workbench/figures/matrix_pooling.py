"""Compiled loops that pool 4 x 4 cells of a similarity matrix, without the interpreter's lock."""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.evaluation.runs.shared import row_scale


@njit(cache=True, nogil=True)
def pool_cells(a, a_rows, a_columns, b, b_rows, b_columns, difference):
    """Best value, sum and number of the scored cells of every 4 x 4; the best of a difference is the largest in size.

    Args:
        a: float32 [captions, videos].
        a_rows: int64: its rows in the order of the picture.
        a_columns: int64: its columns in the order of the picture.
        b: What is subtracted, if ``difference``.
        b_rows: Its rows.
        b_columns: Its columns.
        difference: Whether b is subtracted.

    Returns:
        (mean and deviation of the rows [2, rows, 2], best, sum, number), float32 [rows / 4, columns / 4]; the last row
        and column may pool fewer.
    """
    height, width = (len(a_rows) + 3) // 4, len(a_columns)
    scales = np.zeros((2, len(a_rows), 2), np.float32)
    best = np.empty((height, width), np.float32)
    total = np.zeros((height, width), np.float32)
    count = np.zeros((height, width), np.float32)
    best[:] = 0 if difference else -np.inf
    values = np.empty(width, np.float32)
    for i in range(len(a_rows)):
        row = a[a_rows[i]]
        mean, spread = row_scale(row, a_columns)
        scales[0, i, 0], scales[0, i, 1] = mean, spread
        factor = np.float32(1) / spread
        for j in range(width):
            values[j] = (row[a_columns[j]] - mean) * factor
        if difference:
            row = b[b_rows[i]]
            mean, spread = row_scale(row, b_columns)
            scales[1, i, 0], scales[1, i, 1] = mean, spread
            factor = np.float32(1) / spread
            for j in range(width):
                values[j] -= (row[b_columns[j]] - mean) * factor
        _gather(values, difference, best[i // 4], total[i // 4], count[i // 4])
    found, sums, number = _pool_across(best, total, count, difference)
    return scales, found, sums, number


@njit(cache=True, nogil=True)
def _gather(values, difference, best, total, count):
    """Add one row of values to what is known of each of its columns; without branches, so that it runs in vectors."""
    for j in range(len(values)):
        value = values[j]
        known = abs(value) < np.inf
        total[j] += value if known else np.float32(0)
        count[j] += np.float32(1) if known else np.float32(0)
        if difference:
            best[j] = value if known and abs(value) > abs(best[j]) else best[j]
        else:
            best[j] = value if known and value > best[j] else best[j]


@njit(cache=True, nogil=True)
def pool_again(best, total, count, difference):
    """The next level of ``pool_cells``."""
    height, width = (best.shape[0] + 3) // 4, best.shape[1]
    found = np.empty((height, width), np.float32)
    sums = np.zeros((height, width), np.float32)
    number = np.zeros((height, width), np.float32)
    found[:] = 0 if difference else -np.inf
    for i in range(best.shape[0]):
        y = i // 4
        for j in range(width):
            value, old = best[i, j], found[y, j]
            if difference:
                found[y, j] = value if abs(value) > abs(old) else old
            else:
                found[y, j] = max(value, old)
            sums[y, j] += total[i, j]
            number[y, j] += count[i, j]
    return _pool_across(found, sums, number, difference)


@njit(cache=True, nogil=True)
def _pool_across(best, total, count, difference):
    """Four columns into one, the last one fewer."""
    height, width = best.shape[0], (best.shape[1] + 3) // 4
    found = np.empty((height, width), np.float32)
    sums = np.zeros((height, width), np.float32)
    number = np.zeros((height, width), np.float32)
    found[:] = 0 if difference else -np.inf
    for y in range(height):
        for x in range(width):
            for j in range(4 * x, min(4 * x + 4, best.shape[1])):
                value, old = best[y, j], found[y, x]
                larger = abs(value) > abs(old) if difference else value > old
                found[y, x] = value if larger else old
                sums[y, x] += total[y, j]
                number[y, x] += count[y, j]
    return found, sums, number
