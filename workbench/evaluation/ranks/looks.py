"""Second looks at scores that are never stored: best items and levels of right pairs, kept while blocks go by."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from workbench.evaluation.metrics.draws import PairCounts
from workbench.evaluation.ranks.bounds import RankCounts
from workbench.evaluation.ranks.counters import Counter, Part
from workbench.evaluation.ranks.passes import right_of_videos
from workbench.evaluation.ranks.relevance import Lists, Relevance
from workbench.evaluation.ranks.tops import TOP, best_of_queries, single_pairs


class PassingLooks:
    """``SecondLooks`` of a pass: ``see`` is shown every block once.

    Held per caption and per video: a list of at most ``TOP`` positions with their scores; and some numbers per right
    pair of queries that have several.
    """

    def __init__(self, counter: Counter, pairs: Relevance, level: str, right: np.ndarray) -> None:
        """Nothing seen yet; ``right`` holds the scores of the right pairs in the order of ``pairs.videos_of``."""
        n_captions, n_videos = pairs.shape
        self._counter, self._pairs, self._grouped = counter, pairs, level == "video"
        self._right = right
        size = min(TOP, n_videos)
        self._items, self._scores = np.empty((n_captions, size), np.int32), np.empty((n_captions, size), np.float32)
        self._running = counter.running_tops(n_videos, min(TOP, n_captions))
        self._levels = {
            "t2v": _Levels(pairs.videos_of, right),
            "v2t": _Levels(*right_of_videos(right, pairs, level)),
        }

    def see(self, block: Any, part: Part) -> None:
        """Look at one block; called by several threads."""
        rows = part.numbers
        self._items[rows], self._scores[rows] = self._counter.row_tops(block, self._items.shape[1])
        self._levels["t2v"].count_rows(self._counter, block, rows)
        best, origin = self._counter.best_of_groups(block, part)
        self._running.add(best, origin)
        if self._levels["v2t"].any:
            wrong = self._counter.without_right(best, part) if self._grouped else best
            self._levels["v2t"].count_columns(self._counter, wrong)

    def best_right_scores(self, counts: RankCounts) -> np.ndarray:
        return best_of_queries(self._right, self._pairs, counts)

    def top_lists(self, counts: RankCounts) -> tuple[list[np.ndarray], list[np.ndarray]]:
        items, scores = (self._items, self._scores) if counts.direction == "t2v" else self._running.found()
        lengths = (scores > -np.inf).sum(axis=1)
        chosen = [(items[q, : lengths[q]].copy(), scores[q, : lengths[q]].copy()) for q in counts.queries]
        return [one for one, _ in chosen], [one for _, one in chosen]

    def pair_counts(self, counts: RankCounts) -> PairCounts:
        levels = self._levels[counts.direction]
        known = single_pairs(levels.lists.take(counts.queries), counts)
        several = np.repeat(known.lists.sizes > 1, known.lists.sizes)
        at = levels.lists.positions(counts.queries)[several]
        own = levels.wrong(grouped=self._grouped and counts.direction == "v2t")[:, at]
        scores = levels.scores[at]
        scored = scores > -np.inf
        known.scores[several] = scores
        known.above[several] = np.where(scored, own[0], counts.n_items)
        known.tied[several] = np.where(scored, own[1], 0)
        return known


class _Levels:
    """How many items stand above and beside every right pair of queries that have several.

    Attributes:
        lists: Right items of every query.
        scores: Scores of their pairs.
        any: Whether a query has several.
    """

    def __init__(self, lists: Lists, scores: np.ndarray) -> None:
        self.lists, self.scores = lists, scores
        self._edges = np.where(np.isfinite(scores), scores, np.inf).astype(scores.dtype)
        self._several = np.flatnonzero(np.repeat(lists.sizes > 1, lists.sizes))
        self._counts = np.zeros((2, len(scores)), np.int64)
        self._lock = threading.Lock()
        self.any = len(self._several) > 0

    def count_rows(self, counter: Counter, block: Any, rows: np.ndarray) -> None:
        """Count a block whose rows are these queries, whole."""
        several = np.flatnonzero(self.lists.sizes[rows] > 1)
        if len(several):
            at = self.lists.positions(rows[several])
            owner = np.repeat(several, self.lists.sizes[rows[several]])
            self._counts[:, at] = counter.levels(block, 0, owner, self._edges[at])

    def count_columns(self, counter: Counter, block: Any) -> None:
        """Count some more items of all queries, which are the columns of the block."""
        counts = counter.levels(block, 1, self.lists.owner[self._several], self._edges[self._several])
        with self._lock:
            self._counts[:, self._several] += counts

    def wrong(self, *, grouped: bool) -> np.ndarray:
        """int64 [2, pairs]: wrong items above and beside; right groups were never counted, other right items were."""
        return self._counts if grouped else self._counts - _right_beside(self.lists, self.scores)


def _right_beside(lists: Lists, scores: np.ndarray) -> np.ndarray:
    """int64 [2, pairs]: right items of the same query that score higher, and those with exactly the score."""
    query = lists.owner
    order = np.lexsort((-scores, query))
    q, score = query[order], scores[order]
    start = np.concatenate([[True], (q[1:] != q[:-1]) | (score[1:] != score[:-1])])
    first = np.flatnonzero(start)
    block = np.cumsum(start) - 1
    found = np.empty((2, len(q)), np.int64)
    found[0, order] = first[block] - lists.indptr[q]
    found[1, order] = np.diff(np.append(first, len(q)))[block]
    return found
