"""Compiled loops over blocks of a similarity matrix.

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

    Args:
        block: [rows, columns] scores.
        row_best: Thresholds of the rows; +inf counts nothing.
        column_best: Thresholds of the columns.
        row_above: int32 counters of the rows, added to; so are row_tied, column_above and column_tied.
        row_tied: Entries equal to the row's threshold.
        column_above: Entries above the column's threshold.
        column_tied: Entries equal to the column's threshold.

    Returns:
        Number of entries that are NaN or +inf.
    """
    n_rows, n_columns = block.shape
    limit = block.dtype.type(np.inf)
    bad = 0
    for start in range(0, n_columns, TILE):
        stop = min(start + TILE, n_columns)
        thresholds = column_best[start:stop]
        higher = column_above[start:stop]
        equal = column_tied[start:stop]
        for i in range(n_rows):
            best = row_best[i]
            above = np.int32(0)
            tied = np.int32(0)
            fine = np.int32(0)
            row = block[i, start:stop]
            for j in range(stop - start):
                score = row[j]
                above = np.int32(above + np.int32(score > best))
                tied = np.int32(tied + np.int32(score == best))
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
    n_columns = block.shape[1]
    best, right = work[0], work[1]
    for group in range(len(starts) - 1):
        first, last = starts[group], starts[group + 1]
        best[:] = block[first]
        for i in range(first + 1, last):
            row = block[i]
            for j in range(n_columns):
                best[j] = row[j] if row[j] > best[j] else best[j]
        for j in range(n_columns):
            column_above[j] = np.int32(column_above[j] + np.int32(best[j] > column_best[j]))
            column_tied[j] = np.int32(column_tied[j] + np.int32(best[j] == column_best[j]))
        _settle_right(
            block, first, last, rows, indptr, indices, column_best, column_above, column_tied, column_right, best, right
        )


@njit(cache=True, nogil=True)
def group_scores(block, groups, n_groups, indptr, indices):
    """Scores of groups of items, per query: the best item; of a group with right items, the best right item.

    Args:
        block: [queries, items].
        groups: int64 [items].
        n_groups: Number of groups.
        indptr: Bounds of the lists of right items.
        indices: Right items of every query.

    Returns:
        [queries, groups], type of the block.
    """
    low = block.dtype.type(-np.inf)
    scores = np.full((block.shape[0], n_groups), low, block.dtype)
    for q in range(block.shape[0]):
        for item in range(block.shape[1]):
            group = groups[item]
            scores[q, group] = max(scores[q, group], block[q, item])
        for k in range(indptr[q], indptr[q + 1]):
            scores[q, groups[indices[k]]] = low
        for k in range(indptr[q], indptr[q + 1]):
            group = groups[indices[k]]
            scores[q, group] = max(scores[q, group], block[q, indices[k]])
    return scores


@njit(cache=True, nogil=True)
def keep_best_of_groups(block, groups, n_groups):
    """A copy of the block in which, per query, only the first best item of every group keeps its score.

    Args:
        block: [queries, items].
        groups: int64 [items].
        n_groups: Number of groups.

    Returns:
        [queries, items], -inf elsewhere.
    """
    low = block.dtype.type(-np.inf)
    kept = np.full(block.shape, low, block.dtype)
    best = np.empty(n_groups, np.int64)
    for q in range(block.shape[0]):
        best[:] = -1
        for item in range(block.shape[1]):
            group = groups[item]
            if best[group] < 0 or block[q, item] > block[q, best[group]]:
                best[group] = item
        for group in range(n_groups):
            if best[group] >= 0:
                kept[q, best[group]] = block[q, best[group]]
    return kept


@njit(cache=True, nogil=True)
def top_items(block, size):
    """The best items of every query, best first, equal scores by item number; -inf is never listed.

    Args:
        block: [queries, items].
        size: Longest list.

    Returns:
        (items int32 [queries, size], scores [queries, size], lengths int32 [queries]).
    """
    n_queries, n_items = block.shape
    items = np.full((n_queries, size), -1, np.int32)
    scores = np.full((n_queries, size), -np.inf, block.dtype)
    lengths = np.zeros(n_queries, np.int32)
    for q in range(n_queries):
        used = 0
        for item in range(n_items):
            score = block[q, item]
            if not score > -np.inf or (used == size and not score > scores[q, used - 1]):
                continue
            used = min(used + 1, size)
            low, high = 0, used - 1
            while low < high:  # first place whose score is lower: later items stand behind equal earlier ones
                middle = (low + high) // 2
                if scores[q, middle] < score:
                    high = middle
                else:
                    low = middle + 1
            for place in range(used - 1, low, -1):
                scores[q, place] = scores[q, place - 1]
                items[q, place] = items[q, place - 1]
            scores[q, low] = score
            items[q, low] = item
        lengths[q] = used
    return items, scores, lengths


@njit(cache=True, nogil=True)
def count_levels(block, indptr, indices, level_of, above, tied):
    """For every right item of every query: wrong items above it and wrong items with exactly its score.

    Args:
        block: [queries, items].
        indptr: Bounds of the lists of right items.
        indices: Right items of every query.
        level_of: int64 [pairs] scratch.
        above: int64 [pairs], written; the number of items for right items scored -inf.
        tied: int64 [pairs], written; 0 for right items scored -inf.
    """
    n_items = block.shape[1]
    for q in range(block.shape[0]):
        first, last = indptr[q], indptr[q + 1]
        if first == last:
            continue
        levels = np.unique(block[q][indices[first:last]])
        at = np.zeros(len(levels) + 1, np.int64)  # entries exactly at a level
        under = np.zeros(len(levels) + 1, np.int64)  # entries strictly between the level below and this one
        for item in range(n_items):
            score = block[q, item]
            if score < levels[0]:
                continue
            place = np.searchsorted(levels, score)
            if place < len(levels) and levels[place] == score:
                at[place] += 1
            else:
                under[place] += 1
        for k in range(first, last):
            level_of[k] = np.searchsorted(levels, block[q, indices[k]])
            at[level_of[k]] -= 1
        higher = under[len(levels)]
        for place in range(len(levels) - 1, -1, -1):
            for k in range(first, last):
                if level_of[k] == place:
                    unscored = levels[place] == -np.inf
                    above[k] = n_items if unscored else higher
                    tied[k] = 0 if unscored else at[place]
            higher += at[place] + under[place]
