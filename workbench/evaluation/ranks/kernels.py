"""Compiled loops over queries of a similarity matrix: their best items, and where right items stand.

All of them run without the interpreter's lock, so threads of one process share the work, and a second thread (a page of
the app) may call them at the same time. Blocks are C-contiguous float32 or float64 and are only read.
"""

from __future__ import annotations

import numpy as np
from numba import njit


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
def best_of_groups(block, starts, rows):
    """The best score of every group of rows in every column, and the row it comes from, the first of equal ones.

    Args:
        block: [rows, columns]; the rows of a group follow each other, by ascending number.
        starts: First row of every group in the block, and the number of rows.
        rows: int32 [rows], their numbers.

    Returns:
        (best [groups, columns], rows int32 [groups, columns]).
    """
    n_groups, n_columns = len(starts) - 1, block.shape[1]
    best = np.empty((n_groups, n_columns), block.dtype)
    origin = np.empty((n_groups, n_columns), np.int32)
    for group in range(n_groups):
        first = starts[group]
        best[group] = block[first]
        origin[group] = rows[first]
        for i in range(first + 1, starts[group + 1]):
            for j in range(n_columns):
                if block[i, j] > best[group, j]:
                    best[group, j] = block[i, j]
                    origin[group, j] = rows[i]
    return best, origin


@njit(cache=True, nogil=True)
def keep_top_items(block, numbers, items, scores, edges, first, last):
    """Put the entries of some columns into their running lists of best items: by score, equal scores by number.

    Args:
        block: [items, columns].
        numbers: int32 [items, columns], number of the item behind every entry.
        items: int32 [columns, size] lists, best first, written; unused places hold the highest number.
        scores: [columns, size] their scores, written; unused places hold -inf.
        edges: [columns], last score of every list, written.
        first: First column to look at.
        last: Column behind the last.
    """
    size = items.shape[1]
    for i in range(block.shape[0]):
        for j in range(first, last):
            score, number = block[i, j], numbers[i, j]
            if not (score >= edges[j] and score > -np.inf) or (score == edges[j] and number > items[j, size - 1]):
                continue
            low, high = 0, size - 1
            while low < high:  # first place that stands behind this entry
                middle = (low + high) // 2
                known = scores[j, middle]
                if known < score or (known == score and items[j, middle] > number):
                    high = middle
                else:
                    low = middle + 1
            for place in range(size - 1, low, -1):
                scores[j, place] = scores[j, place - 1]
                items[j, place] = items[j, place - 1]
            scores[j, low] = score
            items[j, low] = number
            edges[j] = scores[j, size - 1]


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


@njit(cache=True, nogil=True)
def place_right(block, indptr, indices):
    """Place of every right item in its sorted row, from 1, when equal scores stand in order of item number.

    Args:
        block: [queries, items].
        indptr: Bounds of the lists of right items.
        indices: Right items of every query.

    Returns:
        int64 [pairs].
    """
    place = np.ones(len(indices), np.int64)
    for q in range(block.shape[0]):
        row = block[q]
        for k in range(indptr[q], indptr[q + 1]):
            score = row[indices[k]]
            for item in range(indices[k]):
                place[k] += np.int64(row[item] >= score)
            for item in range(indices[k] + 1, len(row)):
                place[k] += np.int64(row[item] > score)
    return place
