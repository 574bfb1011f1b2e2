"""Compiled counting over blocks of a similarity matrix: what stands above and beside the right items.

All of them run without the interpreter's lock, so threads of one process share the work, and a second thread (a page of
the app) may call them at the same time. Blocks are C-contiguous float32 or float64 and are only read.
"""

from __future__ import annotations

import numpy as np
from numba import njit

TILE = 4096  # columns whose thresholds and counters stay in the first-level caches


@njit(cache=True, nogil=True)
def count_rows(block, row_best, column_best, row_above, row_tied, column_above, column_tied):
    """Count, for every row and every column, the entries above and equal to its threshold.

    Four rows are taken at a time, so that the columns' thresholds and counters are moved a fourth as often: with that
    the loop is as fast as memory.

    Args:
        block: [rows, columns] scores.
        row_best: Thresholds of the rows; +inf counts nothing.
        column_best: Thresholds of the columns.
        row_above: int32 counters of the rows, added to; so are row_tied, column_above and column_tied.
        row_tied: Entries equal to the row's threshold.
        column_above: Entries above the column's threshold.
        column_tied: Entries equal to the column's threshold.

    Returns:
        0 where no entry is NaN or +inf, else more.
    """
    n_rows, n_columns = block.shape
    limit = block.dtype.type(np.inf)
    fours = n_rows - n_rows % 4
    bad = 0
    for start in range(0, n_columns, TILE):
        stop = min(start + TILE, n_columns)
        thresholds = column_best[start:stop]
        higher = column_above[start:stop]
        equal = column_tied[start:stop]
        for i in range(0, fours, 4):
            b0, b1, b2, b3 = row_best[i], row_best[i + 1], row_best[i + 2], row_best[i + 3]
            row0, row1 = block[i, start:stop], block[i + 1, start:stop]
            row2, row3 = block[i + 2, start:stop], block[i + 3, start:stop]
            a0 = a1 = a2 = a3 = t0 = t1 = t2 = t3 = fine = np.int32(0)
            for j in range(stop - start):
                s0, s1, s2, s3, edge = row0[j], row1[j], row2[j], row3[j], thresholds[j]
                a0, t0 = np.int32(a0 + np.int32(s0 > b0)), np.int32(t0 + np.int32(s0 == b0))
                a1, t1 = np.int32(a1 + np.int32(s1 > b1)), np.int32(t1 + np.int32(s1 == b1))
                a2, t2 = np.int32(a2 + np.int32(s2 > b2)), np.int32(t2 + np.int32(s2 == b2))
                a3, t3 = np.int32(a3 + np.int32(s3 > b3)), np.int32(t3 + np.int32(s3 == b3))
                fine = np.int32(fine + np.int32((s0 < limit) & (s1 < limit) & (s2 < limit) & (s3 < limit)))
                n_higher = np.int32(s0 > edge) + np.int32(s1 > edge) + np.int32(s2 > edge)
                higher[j] = np.int32(higher[j] + n_higher + np.int32(s3 > edge))
                n_equal = np.int32(s0 == edge) + np.int32(s1 == edge) + np.int32(s2 == edge)
                equal[j] = np.int32(equal[j] + n_equal + np.int32(s3 == edge))
            row_above[i] += a0
            row_above[i + 1] += a1
            row_above[i + 2] += a2
            row_above[i + 3] += a3
            row_tied[i] += t0
            row_tied[i + 1] += t1
            row_tied[i + 2] += t2
            row_tied[i + 3] += t3
            bad += stop - start - fine
        for i in range(fours, n_rows):
            best = row_best[i]
            row = block[i, start:stop]
            above = tied = fine = np.int32(0)
            for j in range(stop - start):
                score = row[j]
                above, tied = np.int32(above + np.int32(score > best)), np.int32(tied + np.int32(score == best))
                fine = np.int32(fine + np.int32(score < limit))
                higher[j] = np.int32(higher[j] + np.int32(score > thresholds[j]))
                equal[j] = np.int32(equal[j] + np.int32(score == thresholds[j]))
            row_above[i] += above
            row_tied[i] += tied
            bad += stop - start - fine
    return bad


@njit(cache=True, nogil=True)
def count_only_rows(block, row_best, row_above, row_tied):
    """As ``count_rows``, for the rows only."""
    n_rows, n_columns = block.shape
    limit = block.dtype.type(np.inf)
    bad = 0
    for i in range(n_rows):
        best = row_best[i]
        above = np.int32(0)
        tied = np.int32(0)
        fine = np.int32(0)
        row = block[i]
        for j in range(n_columns):
            score = row[j]
            above = np.int32(above + np.int32(score > best))
            tied = np.int32(tied + np.int32(score == best))
            fine = np.int32(fine + np.int32(score < limit))
        row_above[i] += above
        row_tied[i] += tied
        bad += n_columns - fine
    return bad


@njit(cache=True, nogil=True)
def _settle_right(
    block, first, last, rows, indptr, indices, column_best, column_above, column_tied, column_right, best, right
):
    """Take a group back out of the counts of the columns it is right for; see ``count_groups``."""
    low = block.dtype.type(-np.inf)
    for i in range(first, last):
        for k in range(indptr[rows[i]], indptr[rows[i] + 1]):
            right[indices[k]] = low
    for i in range(first, last):
        for k in range(indptr[rows[i]], indptr[rows[i] + 1]):
            j = indices[k]
            right[j] = block[i, j] if block[i, j] > right[j] else right[j]
    for i in range(first, last):
        for k in range(indptr[rows[i]], indptr[rows[i] + 1]):
            j = indices[k]
            if np.isnan(right[j]):
                continue
            column_above[j] -= np.int32(best[j] > column_best[j])
            column_tied[j] -= np.int32(best[j] == column_best[j])
            column_right[j] += np.int32(right[j] == column_best[j])
            right[j] = np.nan  # this column is settled for this group


@njit(cache=True, nogil=True)
def _raise(best, row):
    """Raise each best score to that of the row where it is higher."""
    for j in range(len(best)):
        score, known = row[j], best[j]
        best[j] = score if score > known else known


@njit(cache=True, nogil=True)
def _count_best(best, column_best, column_above, column_tied):
    """Count the best score of a group for every column."""
    for j in range(len(best)):
        score, edge = best[j], column_best[j]
        column_above[j] = np.int32(column_above[j] + np.int32(score > edge))
        column_tied[j] = np.int32(column_tied[j] + np.int32(score == edge))


@njit(cache=True, nogil=True)
def count_groups(block, starts, rows, indptr, indices, column_best, column_above, column_tied, column_right, work):
    """Count, for every column, the groups of rows whose best entry is above or equal to its threshold.

    A group that holds a right row of a column is right for it: it is never counted above or tied, and counts as right
    when its best right row has exactly the threshold.

    Args:
        block: [rows, columns]; the rows of a group follow each other.
        starts: First row of every group in the block, and the number of rows.
        rows: [rows] number of each row of the block in the relevance lists.
        indptr: Bounds of the relevance lists.
        indices: Right columns of every row.
        column_best: Thresholds; +inf counts nothing.
        column_above: int32 counters, added to; so are column_tied and column_right.
        column_tied: Groups equal to the threshold.
        column_right: Right groups equal to the threshold.
        work: Scratch [2, columns] of the block's type.
    """
    best, right = work[0], work[1]
    for group in range(len(starts) - 1):
        first, last = starts[group], starts[group + 1]
        best[:] = block[first]
        for i in range(first + 1, last):
            _raise(best, block[i])
        _count_best(best, column_best, column_above, column_tied)
        _settle_right(
            block, first, last, rows, indptr, indices, column_best, column_above, column_tied, column_right, best, right
        )
