"""The failed queries of a run in one direction, as positions in its gallery and queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import scipy.sparse as sp

from workbench.evaluation.runs.run import Run
from workbench.evaluation.statistics.paired import k_occurrence

Found = tuple[np.ndarray, Callable[[int], str]]
"""Whether a cause holds for each failed query, bool [failed], and its evidence for the i-th."""


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

    @cached_property
    def above(self) -> list[list[int]]:
        """Of each query the wrong items of its list that score as high as the right one, or higher."""
        lists = zip(self.table["top_columns"], self.table["top_scores"], self.table["score_right"], strict=True)
        found = []
        for i, (items, scores, right) in enumerate(lists):
            rights = self.rights_of(i)
            first = np.asarray(items)[np.asarray(scores) >= right].tolist()
            found.append([item for item in first if item not in rights])
        return found

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
    top = np.full(len(chosen), -1)
    for i, columns in enumerate(chosen["top_columns"]):
        rights = set(right_of.indices[right_of.indptr[i] : right_of.indptr[i + 1]].tolist())
        top[i] = next((column for column in columns if column not in rights), -1)
    lists, none = table["top_columns"], np.full(len(top), -1)
    if direction == "t2v":
        return Failed(run, chosen, right, top, item, none, right_of, lists, direction, k)
    top_video = np.where(top >= 0, owners(run)[top], -1)
    return Failed(run, chosen, item, top_video, right, top, right_of, lists, direction, k)


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
    found = np.full(len(item), -1)
    for i in range(len(item)):
        rights = np.sort(right_of.indices[right_of.indptr[i] : right_of.indptr[i + 1]])
        if len(rights) > 1 and run.similarity is not None:
            scores = run.similarity[item[i], rights] if direction == "t2v" else run.similarity[rights, item[i]]
            found[i] = rights[int(np.argmax(scores))]
        elif len(rights):
            found[i] = rights[0]
    return found
