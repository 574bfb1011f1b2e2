"""Compiled counting over blocks of a similarity matrix: what stands above and beside the right items.

All of them run without the interpreter's lock, so threads of one process share the work, and a second thread (a page of
the app) may call them at the same time. Blocks are C-contiguous float32 or float64 and are only read.
"""

from __future__ import annotations

import numpy as np
from numba import njit

TILE = 1 << 15  # columns whose thresholds and counters stay in the second-level cache; shorter runs are read slower


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
def _count_four(row0, row1, row2, row3, edges, best):
    """Count four rows of a group against their thresholds, and raise its best scores; (above, tied, finite)."""
    b0, b1, b2, b3 = edges[0], edges[1], edges[2], edges[3]
    limit = best.dtype.type(np.inf)
    a0 = a1 = a2 = a3 = t0 = t1 = t2 = t3 = fine = np.int32(0)
    for j in range(len(best)):
        s0, s1, s2, s3, known = row0[j], row1[j], row2[j], row3[j], best[j]
        a0, t0 = np.int32(a0 + np.int32(s0 > b0)), np.int32(t0 + np.int32(s0 == b0))
        a1, t1 = np.int32(a1 + np.int32(s1 > b1)), np.int32(t1 + np.int32(s1 == b1))
        a2, t2 = np.int32(a2 + np.int32(s2 > b2)), np.int32(t2 + np.int32(s2 == b2))
        a3, t3 = np.int32(a3 + np.int32(s3 > b3)), np.int32(t3 + np.int32(s3 == b3))
        fine = np.int32(fine + np.int32((s0 < limit) & (s1 < limit) & (s2 < limit) & (s3 < limit)))
        low, high = (s0 if s0 > s1 else s1), (s2 if s2 > s3 else s3)
        most = low if low > high else high
        best[j] = most if most > known else known
    return (a0, a1, a2, a3), (t0, t1, t2, t3), fine


@njit(cache=True, nogil=True)
def _count_last_four(row0, row1, row2, row3, edges, best, column_best, column_above, column_tied):
    """As ``_count_four`` for the last rows of a group, whose best scores are then counted for the columns."""
    b0, b1, b2, b3 = edges[0], edges[1], edges[2], edges[3]
    limit = best.dtype.type(np.inf)
    a0 = a1 = a2 = a3 = t0 = t1 = t2 = t3 = fine = np.int32(0)
    for j in range(len(best)):
        s0, s1, s2, s3, known, edge = row0[j], row1[j], row2[j], row3[j], best[j], column_best[j]
        a0, t0 = np.int32(a0 + np.int32(s0 > b0)), np.int32(t0 + np.int32(s0 == b0))
        a1, t1 = np.int32(a1 + np.int32(s1 > b1)), np.int32(t1 + np.int32(s1 == b1))
        a2, t2 = np.int32(a2 + np.int32(s2 > b2)), np.int32(t2 + np.int32(s2 == b2))
        a3, t3 = np.int32(a3 + np.int32(s3 > b3)), np.int32(t3 + np.int32(s3 == b3))
        fine = np.int32(fine + np.int32((s0 < limit) & (s1 < limit) & (s2 < limit) & (s3 < limit)))
        low, high = (s0 if s0 > s1 else s1), (s2 if s2 > s3 else s3)
        most = low if low > high else high
        most = most if most > known else known
        column_above[j] = np.int32(column_above[j] + np.int32(most > edge))
        column_tied[j] = np.int32(column_tied[j] + np.int32(most == edge))
    return (a0, a1, a2, a3), (t0, t1, t2, t3), fine


@njit(cache=True, nogil=True)
def _count_one(row, edge, best):
    """As ``_count_four``, for one row."""
    limit = best.dtype.type(np.inf)
    above = tied = fine = np.int32(0)
    for j in range(len(best)):
        score, known = row[j], best[j]
        above, tied = np.int32(above + np.int32(score > edge)), np.int32(tied + np.int32(score == edge))
        fine = np.int32(fine + np.int32(score < limit))
        best[j] = score if score > known else known
    return above, tied, fine


@njit(cache=True, nogil=True)
def _count_best(best, column_best, column_above, column_tied):
    """Count the best score of a group for every column."""
    for j in range(len(best)):
        score, edge = best[j], column_best[j]
        column_above[j] = np.int32(column_above[j] + np.int32(score > edge))
        column_tied[j] = np.int32(column_tied[j] + np.int32(score == edge))


@njit(cache=True, nogil=True)
def count_groups(block, starts, row_best, column_best, row_above, row_tied, column_above, column_tied):
    """As ``count_rows``, where what is counted for the columns is the best score of each group of rows.

    Args:
        block: [rows, columns]; the rows of a group follow each other.
        starts: First row of every group in the block, and the number of rows.
        row_best: Thresholds of the rows; +inf counts nothing.
        column_best: Thresholds of the columns.
        row_above: int32 counters of the rows, added to; so are row_tied, column_above and column_tied.
        row_tied: Entries equal to the row's threshold.
        column_above: Groups above the column's threshold.
        column_tied: Groups equal to the column's threshold.

    Returns:
        0 where no entry is NaN or +inf, else more.
    """
    n_columns = block.shape[1]
    low = block.dtype.type(-np.inf)
    work = np.empty(min(TILE, n_columns), block.dtype)
    bad = 0
    for start in range(0, n_columns, TILE):
        stop = min(start + TILE, n_columns)
        best, edges = work[: stop - start], column_best[start:stop]
        higher, equal = column_above[start:stop], column_tied[start:stop]
        for group in range(len(starts) - 1):
            first, last = starts[group], starts[group + 1]
            fours = first + (last - first) % 4
            best[:] = low
            for i in range(first, fours):
                above_one, tied_one, fine = _count_one(block[i, start:stop], row_best[i], best)
                row_above[i] += above_one
                row_tied[i] += tied_one
                bad += stop - start - fine
            for i in range(fours, last, 4):  # rows are taken one by one, as only then they are known to be contiguous
                row0, row1 = block[i, start:stop], block[i + 1, start:stop]
                row2, row3 = block[i + 2, start:stop], block[i + 3, start:stop]
                own = row_best[i : i + 4]
                if i + 4 < last:
                    above, tied, fine = _count_four(row0, row1, row2, row3, own, best)
                else:
                    above, tied, fine = _count_last_four(row0, row1, row2, row3, own, best, edges, higher, equal)
                for k in range(4):
                    row_above[i + k] += above[k]
                    row_tied[i + k] += tied[k]
                bad += stop - start - fine
            if fours == last:
                _count_best(best, edges, higher, equal)
    return bad


@njit(cache=True, nogil=True)
def take_out_right(block, starts, groups, columns, column_best, column_above, column_tied):
    """Take right groups back out of the counts of their columns.

    Args:
        block: As ``count_groups`` has counted it.
        starts: First row of every group in the block, and the number of rows.
        groups: Number in the block of the group of every right pair (group, column), each pair once.
        columns: Column of every right pair.
        column_best: Thresholds of the columns.
        column_above: int32 counters, subtracted from; so are those of column_tied.
        column_tied: Groups equal to the threshold.
    """
    for pair in range(len(groups)):
        j = columns[pair]
        best = block[starts[groups[pair]], j]
        for i in range(starts[groups[pair]] + 1, starts[groups[pair] + 1]):
            best = block[i, j] if block[i, j] > best else best
        column_above[j] -= np.int32(best > column_best[j])
        column_tied[j] -= np.int32(best == column_best[j])


@njit(cache=True, nogil=True)
def count_in_rows(block, rows, edges, above, tied):
    """Entries of some rows above and equal to thresholds, one row per threshold; int64 counters are added to."""
    for p in range(len(rows)):
        row, edge = block[rows[p]], edges[p]
        more = same = np.int32(0)
        for j in range(len(row)):
            more, same = np.int32(more + np.int32(row[j] > edge)), np.int32(same + np.int32(row[j] == edge))
        above[p] += more
        tied[p] += same


@njit(cache=True, nogil=True)
def count_in_columns(block, columns, edges, above, tied):
    """As ``count_in_rows``, for columns."""
    for i in range(block.shape[0]):
        row = block[i]
        for p in range(len(columns)):
            score = row[columns[p]]
            above[p] += np.int64(score > edges[p])
            tied[p] += np.int64(score == edges[p])
