"""Second looks at a similarity matrix: the best items of every query, and what stands above each right pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from workbench.evaluation.metrics.draws import PairCounts
from workbench.evaluation.ranks.blocks import BLOCK_ITEMS, on_all_cores, query_block
from workbench.evaluation.ranks.bounds import RankCounts, right_scores
from workbench.evaluation.ranks.kernels import count_levels, group_scores, keep_best_of_groups, place_right, top_items
from workbench.evaluation.ranks.relevance import Lists, Relevance

TOP = 100  # positions kept per query


class SecondLooks(Protocol):
    """What metrics need beyond the counts: read out of a matrix when asked, or kept while it went by."""

    def best_right_scores(self, counts: RankCounts) -> np.ndarray:
        """float64 [queries]: the best score of a right item; -inf where none was scored."""

    def top_lists(self, counts: RankCounts) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Positions (int32) and scores of the best items of every query, best first."""

    def pair_counts(self, counts: RankCounts) -> PairCounts:
        """What stands above and beside every right pair."""


@dataclass(frozen=True)
class StoredLooks:
    """``SecondLooks`` at a matrix that is there."""

    matrix: np.ndarray
    pairs: Relevance

    def best_right_scores(self, counts: RankCounts) -> np.ndarray:
        return best_right_scores(self.matrix, self.pairs, counts)

    def top_lists(self, counts: RankCounts) -> tuple[list[np.ndarray], list[np.ndarray]]:
        return top_lists(self.matrix, self.pairs, counts)

    def pair_counts(self, counts: RankCounts) -> PairCounts:
        return pair_counts(self.matrix, self.pairs, counts)


def right_items(pairs: Relevance, direction: str) -> Lists:
    """Right videos per caption (t2v) or right captions per video (v2t)."""
    return pairs.videos_of if direction == "t2v" else pairs.captions_of


def best_right_scores(matrix: np.ndarray, pairs: Relevance, counts: RankCounts) -> np.ndarray:
    """float64 [queries]: the best score of a right item; -inf where none was scored."""
    return best_of_queries(right_scores(matrix, pairs), pairs, counts)


def best_of_queries(right: np.ndarray, pairs: Relevance, counts: RankCounts) -> np.ndarray:
    """float64 [queries]: the best of the scores of their right items, given in the order of ``pairs.videos_of``."""
    lists = right_items(pairs, counts.direction)
    scores = right if counts.direction == "t2v" else right[pairs.by_video]
    best = np.full(len(lists.sizes), -np.inf)
    has = lists.sizes > 0
    best[has] = np.maximum.reduceat(scores, lists.indptr[:-1][has])
    return best[counts.queries]


def top_lists(
    matrix: np.ndarray, pairs: Relevance, counts: RankCounts, size: int = TOP
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Positions (int32) and scores (float32 or float64) of the best items of every query, best first."""
    grouped = counts.level == "video"
    groups, n_groups = (pairs.groups, int(pairs.groups.max()) + 1) if grouped else (None, 0)

    def work(queries: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        block = query_block(matrix, counts.direction, queries)
        if groups is not None:
            block = keep_best_of_groups(block, groups, n_groups)
        items, scores, lengths = top_items(
            block, min(size, matrix.shape[1] if counts.direction == "t2v" else matrix.shape[0])
        )
        return [(items[q, :n].copy(), scores[q, :n].copy()) for q, n in enumerate(lengths)]

    found = [one for part in on_all_cores(work, _parts(matrix, counts)) for one in part]
    return [items for items, _ in found], [scores for _, scores in found]


def pair_counts(matrix: np.ndarray, pairs: Relevance, counts: RankCounts) -> PairCounts:
    """What stands above and beside every right pair; the matrix is read only for queries with several right items.

    At v2t level ``video`` items are groups of captions.
    """
    grouped = counts.level == "video"
    lists = (pairs.groups_of if grouped else right_items(pairs, counts.direction)).take(counts.queries)
    known = single_pairs(lists, counts)

    def work(part: np.ndarray) -> None:
        own = lists.take(part)
        queries = counts.queries[part]
        block = query_block(matrix, counts.direction, queries)
        if grouped:
            captions = pairs.captions_of.take(queries)
            block = group_scores(block, pairs.groups, counts.n_items, captions.indptr, captions.indices)
        own_above, own_tied, level = np.zeros((3, len(own.indices)), np.int64)
        count_levels(block, own.indptr, own.indices, level, own_above, own_tied)
        spots = lists.positions(part)
        known.above[spots], known.tied[spots] = own_above, own_tied
        known.scores[spots] = block[own.owner, own.indices]

    several = np.flatnonzero(lists.sizes > 1)
    on_all_cores(work, _parts(matrix, counts, several))
    return known


def single_pairs(lists: Lists, counts: RankCounts) -> PairCounts:
    """The pairs of queries with one right item, from the counts; those of other queries as if they were not scored."""
    scores = np.full(len(lists.indices), -np.inf)
    above = np.full(len(lists.indices), counts.n_items, np.int64)
    tied = np.zeros(len(lists.indices), np.int64)
    single = np.flatnonzero(lists.sizes == 1)
    at = lists.indptr[single]
    above[at], tied[at] = counts.n_above[single], counts.n_tied[single]
    scores[at] = np.where(counts.scored[single], 0.0, -np.inf)  # alone in its query: only whether it was scored counts
    return PairCounts(lists, above, tied, scores)


def right_places(matrix: np.ndarray, pairs: Relevance, counts: RankCounts) -> tuple[Lists, np.ndarray]:
    """Right items of every query, and their places from 1 (int64 [pairs]), equal scores in order of position."""
    lists = right_items(pairs, counts.direction).take(counts.queries)
    places = np.zeros(len(lists.indices), np.int64)

    def work(part: np.ndarray) -> None:
        own = lists.take(part)
        block = query_block(matrix, counts.direction, counts.queries[part])
        places[lists.positions(part)] = place_right(block, own.indptr, own.indices)

    on_all_cores(work, _parts(matrix, counts, np.arange(len(counts.queries))))
    return lists, places


def _parts(matrix: np.ndarray, counts: RankCounts, chosen: np.ndarray | None = None) -> list[np.ndarray]:
    """Numbers of queries in parts of about one block of scores; rows and columns of the matrix when none are chosen."""
    numbers = counts.queries.astype(np.int64) if chosen is None else chosen
    n_items = matrix.shape[1] if counts.direction == "t2v" else matrix.shape[0]
    size = max(1, BLOCK_ITEMS // n_items)
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]
