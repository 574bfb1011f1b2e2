"""The failed queries of a run in one direction, as positions in its gallery and queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp

from workbench.evaluation.runs.run import Run
from workbench.evaluation.statistics.paired import k_occurrence


class Seen(NamedTuple):
    """A word in a video that triggered a cause.

    Attributes:
        video_id: The video.
        word: Normalised.
        written: Whether it is really written there (engine ``truth``); else it was read.
    """

    video_id: str
    word: str
    written: bool = False


class Found(NamedTuple):
    """What was found of one cause.

    Attributes:
        holds: Whether it holds for each failed query, bool [failed].
        why: Its evidence for the i-th, half a sentence.
        seen: The words in frames that triggered it for the i-th.
    """

    holds: np.ndarray
    why: Callable[[int], str]
    seen: Callable[[int], list[Seen]] = lambda i: []


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
        lists, n_items = table["top_columns"].to_list(), rights.shape[1]
        items, scores = _joined(lists, np.int64), _joined(table["top_scores"].to_list(), np.float32)
        query = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
        right = np.sort(np.repeat(np.arange(len(lists)), np.diff(rights.indptr)) * n_items + rights.indices)
        pairs = query * n_items + items
        at = np.minimum(np.searchsorted(right, pairs), max(len(right) - 1, 0))
        return cls(items, scores, query, right[at] != pairs if len(right) else np.ones(len(pairs), bool))

    def best_wrong(self, n_queries: int) -> tuple[np.ndarray, np.ndarray]:
        """The first wrong item of each query and its score; -1 and NaN where none is listed."""
        at = np.flatnonzero(self.wrong)
        query, first = np.unique(self.query[at], return_index=True)
        item, score = np.full(n_queries, -1), np.full(n_queries, np.nan)
        item[query], score[query] = self.items[at[first]], self.scores[at[first]]
        return item, score


def _joined(lists: list[np.ndarray], kind: type[np.generic]) -> np.ndarray:
    return np.concatenate([np.zeros(0, kind), *lists])


@dataclass(frozen=True)
class Failed:
    """Columns of one direction, one entry per failed query, worst rank first; -1 where there is none.

    Attributes:
        run: The run.
        table: Rows of ``run.per(direction)``, with rank.
        right_video: The right video (t2v; of several the one with the best score), or the query (v2t).
        top_video: The best wrong video, or the video of the best wrong caption.
        right_caption: The query (t2v), or the right caption with the best score (v2t).
        top_caption: The best wrong caption; t2v has none.
        rights: Right items of each query, [failed, items].
        listed: The list of every query, one after another.
        top_lists: The lists of *all* queries, also of those that did not fail.
        direction: ``t2v`` or ``v2t``.
        k: A query fails when its rank is greater.
    """

    run: Run
    table: pd.DataFrame
    right_video: np.ndarray
    top_video: np.ndarray
    right_caption: np.ndarray
    top_caption: np.ndarray
    rights: sp.csr_array
    listed: Listed
    top_lists: pd.Series
    direction: str
    k: int

    def videos(self, name: str, positions: np.ndarray) -> np.ndarray:
        """A column of the gallery at positions, null at -1."""
        return _at(self.run.gallery, name, positions)

    def captions(self, name: str, positions: np.ndarray) -> np.ndarray:
        """A column of the queries at positions, null at -1."""
        return _at(self.run.queries, name, positions)

    def rights_of(self, i: int) -> set[int]:
        """The right items of the i-th query."""
        return set(self.rights.indices[self.rights.indptr[i] : self.rights.indptr[i + 1]].tolist())

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Row and column of the best right pair, and of the best wrong one; -1 where there is none."""
        if self.direction == "t2v":
            return self.right_caption, self.right_video, self.right_caption, self.top_video
        return self.right_caption, self.right_video, self.top_caption, self.right_video

    def pair_scores(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores of the best right and the best wrong pair in a matrix of this run's shape; NaN where there is none."""
        right_row, right_column, row, column = self.pairs
        return _scores_at(matrix, right_row, right_column), _scores_at(matrix, row, column)

    def above(self, i: int) -> set[int]:
        """The wrong items of the i-th query's list that score as high as the right one, or higher."""
        items, starts = self._above
        return set(items[starts[i] : starts[i + 1]])

    @cached_property
    def _above(self) -> tuple[list[int], list[int]]:
        """Those of all queries, one query after another, and where each query's begin."""
        listed = self.listed
        high = listed.wrong & (listed.scores >= self.table["score_right"].to_numpy(float)[listed.query])
        counts = np.bincount(listed.query[high], minlength=len(self.table))
        return listed.items[high].tolist(), np.concatenate([[0], np.cumsum(counts)]).tolist()

    @cached_property
    def texts(self) -> list[list[str]]:
        """What the captions of each query say: the query itself (t2v), or all right captions (v2t)."""
        if self.direction == "t2v":
            return [[text] if text else [] for text in self.captions("text", self.right_caption)]
        every = self.run.queries["text"].to_numpy(dtype=object)
        return [[every[at] for at in sorted(self.rights_of(i)) if every[at]] for i in range(len(self.table))]

    @cached_property
    def scored(self) -> np.ndarray:
        """Whether the right item has a score, bool [failed]."""
        return np.isfinite(self.table["score_right"].to_numpy(float))

    @cached_property
    def counted(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """In how many queries' first 10 each item stands, int64 [items]; the right and the best wrong item of each.

        Where the captions of a video are ranked as one group, the groups are counted, by their videos.
        """
        lists, n_items = self.top_lists.to_list(), len(self.run.gallery)
        right, top = self.right_video, self.top_video
        if self.direction == "v2t" and self.run.info.get("v2t_level") == "video":
            owner = owners(self.run)
            lists = [owner[columns] for columns in lists]
        elif self.direction == "v2t":
            n_items, right, top = len(self.run.queries), self.right_caption, self.top_caption
        return k_occurrence(lists, n_items), right, top


def _at(table: pd.DataFrame, name: str, positions: np.ndarray) -> np.ndarray:
    values = table[name].to_numpy(dtype=object)
    return np.where(positions >= 0, values[positions], np.array(None, object))


def failed_queries(run: Run, direction: str, k: int) -> Failed:
    """The queries whose expected rank is greater than ``k``."""
    table = run.per(direction)
    rank = run.rank(direction)
    failed = np.flatnonzero(rank > k)
    failed = failed[np.argsort(-rank[failed], kind="stable")]
    relevance = run.relevance_matrix
    queries = pd.Series(np.arange(len(run.queries)), index=run.queries["caption_id"])
    videos = pd.Series(np.arange(len(run.gallery)), index=run.gallery["video_id"])
    chosen = table.iloc[failed].reset_index(drop=True).assign(rank=rank[failed])
    item = (queries if direction == "t2v" else videos).reindex(chosen["id"]).to_numpy(int)
    right_of = (relevance if direction == "t2v" else relevance.T.tocsr())[item]
    right = _best_right(run, right_of, item, direction)
    listed = Listed.of(chosen, right_of)
    top, _ = listed.best_wrong(len(chosen))
    lists, none = table["top_columns"], np.full(len(top), -1)
    if direction == "t2v":
        return Failed(run, chosen, right, top, item, none, right_of, listed, lists, direction, k)
    top_video = np.where(top >= 0, owners(run)[top], -1)
    return Failed(run, chosen, item, top_video, right, top, right_of, listed, lists, direction, k)


def _scores_at(matrix: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """float64 scores of pairs, read in the order of rows; NaN at -1."""
    found = np.full(len(rows), np.nan)
    there = np.flatnonzero((rows >= 0) & (columns >= 0))
    there = there[np.argsort(rows[there], kind="stable")]
    found[there] = matrix[rows[there], columns[there]]
    return found


def first_video(run: Run) -> np.ndarray:
    """The id of the first right video of every caption."""
    right = run.relevance[run.relevance["grade"] > 0].drop_duplicates("caption_id").set_index("caption_id")["video_id"]
    return right.reindex(run.queries["caption_id"]).to_numpy()


def owners(run: Run) -> np.ndarray:
    """Position of the first right video of every caption, -1 = none, int [captions]."""
    return pd.Index(run.gallery["video_id"]).get_indexer(pd.Index(first_video(run)))


def _best_right(run: Run, right_of: sp.csr_array, item: np.ndarray, direction: str) -> np.ndarray:
    """The right item of each query with the best score; the first where no similarity is kept; -1 = none."""
    right_of = right_of.sorted_indices()
    counts, found = np.diff(right_of.indptr), np.full(len(item), -1)
    found[counts > 0] = right_of.indices[right_of.indptr[:-1][counts > 0]]
    for i in np.flatnonzero(counts > 1) if run.similarity is not None else ():
        rights = right_of.indices[right_of.indptr[i] : right_of.indptr[i + 1]]
        scores = run.similarity[item[i], rights] if direction == "t2v" else run.similarity[rights, item[i]]
        found[i] = rights[int(np.argmax(scores))]
    return found
