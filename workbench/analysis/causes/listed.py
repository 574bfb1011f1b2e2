"""The lists of best items of some queries, and what ranks would be were other items right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp


@dataclass(frozen=True)
class Listed:
    """The first items of some queries, one query after another.

    Attributes:
        items: Positions of the items, int [listed].
        scores: Their scores.
        query: Which query each belongs to, int [listed].
        wrong: Whether each is a wrong item of its query, bool [listed].
    """

    items: np.ndarray
    scores: np.ndarray
    query: np.ndarray
    wrong: np.ndarray

    @classmethod
    def of(cls, table: pd.DataFrame, rights: sp.csr_array) -> Listed:
        """The lists of rows of ``per_query``, with the right items of each row."""
        lists = table["top_columns"].to_list()
        items, scores = _joined(lists, np.int64), _joined(table["top_scores"].to_list(), np.float32)
        query = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
        return cls(items, scores, query, ~_among(query, items, rights))

    def right_in(self, rights: sp.csr_array) -> np.ndarray:
        """Which of the items are right by other rights [queries, items], bool [listed]."""
        return _among(self.query, self.items, rights)

    def ranks(self, right: np.ndarray, n_queries: int) -> np.ndarray:
        """Expected rank of the best right item of each query, float64; inf where none is listed.

        Args:
            right: Which of the items are taken as right, bool [listed].
            n_queries: Queries.

        Source of the rank of ties: ``docs/design.md`` 4.3.
        """
        at = np.flatnonzero(right)
        query, first = np.unique(self.query[at], return_index=True)
        best = np.full(n_queries, np.inf)
        best[query] = self.scores[at[first]]
        own = best[self.query]
        above, wrong, equal = (
            np.bincount(self.query[one], minlength=n_queries)
            for one in (~right & (self.scores > own), ~right & (self.scores == own), right & (self.scores == own))
        )
        return np.where(np.isfinite(best), above + 1 + wrong / (equal + 1), np.inf)

    def best_wrong(self, n_queries: int) -> tuple[np.ndarray, np.ndarray]:
        """The first wrong item of each query and its score; -1 and NaN where none is listed."""
        at = np.flatnonzero(self.wrong)
        query, first = np.unique(self.query[at], return_index=True)
        item, score = np.full(n_queries, -1), np.full(n_queries, np.nan)
        item[query], score[query] = self.items[at[first]], self.scores[at[first]]
        return item, score


def _among(query: np.ndarray, items: np.ndarray, rights: sp.csr_array) -> np.ndarray:
    """Whether pairs of a query and an item stand in a sparse matrix [queries, items], bool [pairs]."""
    n_queries, n_items = rights.shape
    right = np.sort(np.repeat(np.arange(n_queries), np.diff(rights.indptr)) * n_items + rights.indices)
    pairs = query * n_items + items
    at = np.minimum(np.searchsorted(right, pairs), max(len(right) - 1, 0))
    return right[at] == pairs if len(right) else np.zeros(len(pairs), bool)


def _joined(lists: list[np.ndarray], kind: type[np.generic]) -> np.ndarray:
    return np.concatenate([np.zeros(0, kind), *lists])
