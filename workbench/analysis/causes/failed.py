"""The failed queries of a run in one direction, as positions in its gallery and queries."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp

from workbench.analysis.causes.listed import Listed
from workbench.analysis.kept import kept
from workbench.analysis.structure.listed import listed_items
from workbench.evaluation.runs.run import Run
from workbench.ocr.matching import caption_words

FIRST = 10
"""Places of a list that count for hubs."""
LONGEST_TEXT = 80
"""Characters of a caption that a sentence shows."""


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
        leads: Where it holds: whether it may be the primary cause, bool [failed]; None = everywhere.
        note: What is worth saying of the i-th where it does not hold, half a sentence, "" = nothing; None = never.
    """

    holds: np.ndarray
    why: Callable[[int], str]
    seen: Callable[[int], list[Seen]] = lambda i: []
    leads: np.ndarray | None = None
    note: Callable[[int], str] | None = None


class Called(NamedTuple):
    """What a reader calls the two videos and the caption of a failed query.

    Attributes:
        right: The right video (t2v), or the one that was asked (v2t).
        wrong: The best wrong video, or that of the best wrong caption.
        caption: The one that was asked, or the right one.
    """

    right: str
    wrong: str
    caption: str


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
    direction: str
    k: int

    @property
    def called(self) -> Called:
        """What evidence calls the videos and the caption of a query."""
        if self.direction == "t2v":
            return Called("the right video", "the top-1", "the caption")
        return Called("the video", "the top-1's video", "the right caption")

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
    def counted(self) -> Counted:
        """In how many queries' first 10 each item stands, and which items are the right and the best wrong one."""
        counts, scored, item_of = kept(
            self.run, ("counted", self.direction), partial(_counted, self.run, self.direction)
        )
        if item_of is None:
            return Counted(counts, scored, self.right_video, self.top_video)
        right, top = self.right_caption, self.top_caption
        return Counted(counts, scored, np.where(right >= 0, item_of[right], -1), np.where(top >= 0, item_of[top], -1))

    def ranks_in(self, other: Run) -> np.ndarray:
        """Ranks of the failed queries in another run over the same rows and columns, float64."""
        ranks = pd.Series(other.rank(self.direction), index=other.per(self.direction)["id"])
        return ranks.reindex(self.table["id"]).to_numpy(float)

    def captions_of(self, i: int) -> list[str]:
        """Ids of the right captions of the i-th query: itself (t2v), or those of the video."""
        at = [self.right_caption[i]] if self.direction == "t2v" else sorted(self.rights_of(i))
        return [self._column["caption_id"][one] for one in at]

    @cached_property
    def _column(self) -> dict[str, list[Any]]:
        return {name: self.run.queries[name].to_list() for name in ("caption_id", "text")}

    def where_said(self, i: int, words: Collection[str]) -> str:
        """Which caption says some words, in brackets, where the shown one of several right captions does not."""
        if len(self.texts[i]) < 2:
            return ""
        absent = set(words).difference(caption_words(self._column["text"][self.right_caption[i]] or ""))
        text = next((one for one in self.texts[i] if absent.intersection(caption_words(one))), "") if absent else ""
        return f' (caption "{text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"}")' if text else ""


class Counted(NamedTuple):
    """How often items stand in the first 10 of all queries, also of those that did not fail.

    Attributes:
        counts: int64 [items]; an item is a video (t2v), a caption, or the captions of a video (``structure.listed``).
        scored: Whether each was scored, bool [items].
        right: The right item of each failed query, -1 = none, int [failed].
        top: Its best wrong item, int [failed].
    """

    counts: np.ndarray
    scored: np.ndarray
    right: np.ndarray
    top: np.ndarray


def _counted(run: Run, direction: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    listed = listed_items(run, direction)
    return listed.counts(FIRST), listed.scored, listed.item_of


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
    none = np.full(len(top), -1)
    if direction == "t2v":
        return Failed(run, chosen, right, top, item, none, right_of, listed, direction, k)
    top_video = np.where(top >= 0, owners(run)[top], -1)
    return Failed(run, chosen, item, top_video, right, top, right_of, listed, direction, k)


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
    matrix = run.similarity
    if matrix is None:
        return found
    for i in np.flatnonzero(counts > 1):
        rights = right_of.indices[right_of.indptr[i] : right_of.indptr[i + 1]]
        scores = matrix[item[i], rights] if direction == "t2v" else matrix[rights, item[i]]
        found[i] = rights[int(np.argmax(scores))]
    return found
