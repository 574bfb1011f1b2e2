"""Which (caption, video) pairs are right, in the two forms that counting needs: per caption and per video."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp

from workbench.core.errors import DataError

V2TLevel = Literal["caption", "video"]


@dataclass(frozen=True)
class Lists:
    """A ragged list of right items per query (compressed rows): items ``indices[indptr[q] : indptr[q + 1]]``.

    Attributes:
        indptr: int64 [queries + 1].
        indices: int64 [pairs], ascending inside a query.
        grades: int8 [pairs], all > 0.
    """

    indptr: np.ndarray
    indices: np.ndarray
    grades: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """int64 [queries]: right items per query."""
        return np.diff(self.indptr)

    @property
    def one_each(self) -> bool:
        """Whether every query has exactly one right item."""
        return len(self.indices) == len(self.indptr) - 1 and bool((self.indptr[1:] > self.indptr[:-1]).all())

    @property
    def owner(self) -> np.ndarray:
        """int64 [pairs]: the query of each pair."""
        queries = np.arange(len(self.indptr) - 1)
        return queries if self.one_each else np.repeat(queries, self.sizes)

    def take(self, queries: np.ndarray) -> Lists:
        """The lists of some queries, in the order asked."""
        position = self.positions(queries)
        indptr = np.concatenate([[0], np.cumsum(self.sizes[queries])])
        return Lists(indptr, self.indices[position], self.grades[position])

    def positions(self, queries: np.ndarray) -> np.ndarray:
        """int64: where the pairs of some queries stand among all pairs, in the order asked."""
        sizes = self.sizes[queries]
        ends = np.cumsum(sizes)
        return np.arange(sizes.sum()) + np.repeat(self.indptr[queries] - (ends - sizes), sizes)


@dataclass(frozen=True)
class Relevance:
    """The right pairs of a similarity matrix [captions, videos].

    Attributes:
        shape: (captions, videos).
        videos_of: Right videos of every caption.
        captions_of: Right captions of every video.
        official: The right pairs that say which captions form a group, where these are corrected ones; None = these.
    """

    shape: tuple[int, int]
    videos_of: Lists
    captions_of: Lists
    official: Relevance | None = None

    def level(self, v2t: str) -> V2TLevel:
        """The v2t level that ``auto``, ``caption`` or ``video`` means here."""
        if v2t == "caption":
            return "caption"
        if v2t == "video":
            return "video"
        if v2t == "auto":
            return "video" if self.captions_of.sizes.max() > 1 else "caption"
        raise DataError(f"v2t={v2t!r} is not known.", "Use 'auto', 'caption' or 'video'.")

    @cached_property
    def by_video(self) -> np.ndarray:
        """int64 [pairs]: where each pair of ``captions_of`` stands in ``videos_of``."""
        return np.argsort(self.videos_of.indices, kind="stable")  # owners ascend already

    @cached_property
    def groups(self) -> np.ndarray:
        """int64 [captions]: the group of every caption, numbered by first row.

        A caption belongs to its right video of lowest column; a caption without a right video is a group of its own.
        """
        if self.official is not None:
            return self.official.groups
        n_captions, n_videos = self.shape
        owner = n_videos + np.arange(n_captions)
        has = self.videos_of.sizes > 0
        owner[has] = self.videos_of.indices[self.videos_of.indptr[:-1][has]]
        _, first, inverse = np.unique(owner, return_index=True, return_inverse=True)
        number = np.empty(len(first), np.int64)
        number[np.argsort(first)] = np.arange(len(first))
        return number[inverse]

    @cached_property
    def groups_of(self) -> Lists:
        """Right groups of every video: those that hold a right caption, with the best grade among these."""
        lists = self.captions_of
        return _lists(lists.owner, self.groups[lists.indices], lists.grades, self.shape[1], self.n_groups)

    @cached_property
    def videos_of_groups(self) -> Lists:
        """Videos that every group is right for: ``groups_of`` the other way round."""
        lists = self.groups_of
        return _lists(lists.indices, lists.owner, lists.grades, self.n_groups, self.shape[1])

    @property
    def n_groups(self) -> int:
        """Number of groups of captions."""
        return int(self.groups.max()) + 1


def check_relevance(relevance: Any, shape: tuple[int, int]) -> Relevance:
    """Bring a relevance matrix into the form that counting needs.

    Args:
        relevance: scipy sparse or dense [captions, videos] of grades, > 0 is right; None = the diagonal of a square
            matrix.
        shape: Shape of the similarity, (captions, videos).

    Raises:
        DataError: None for a matrix that is not square, another shape, or not one right pair.
    """
    n_captions, n_videos = shape
    if relevance is None:
        if n_captions != n_videos:
            raise DataError(
                f"The similarity is {n_captions} x {n_videos}: without relevance only a square matrix can be read.",
                "Give relevance, for example corpus.relevance_matrix().",
            )
        diagonal = Lists(np.arange(n_captions + 1), np.arange(n_captions), np.ones(n_captions, np.int8))
        return Relevance(shape, diagonal, diagonal)
    rows, columns, grades = _pairs(relevance, shape)
    return Relevance(
        shape,
        _lists(rows, columns, grades, n_captions, n_videos),
        _lists(columns, rows, grades, n_videos, n_captions),
    )


def _pairs(relevance: Any, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not sp.issparse(relevance):
        relevance = np.asarray(relevance)
    if relevance.ndim != 2 or relevance.shape != shape:
        found, expected = (" x ".join(map(str, one)) for one in (relevance.shape, shape))
        turned = relevance.shape == shape[::-1]
        raise DataError(
            f"The relevance is {found}, the similarity {expected}.",
            "The relevance looks transposed: rows must be captions." if turned else "Give both [captions, videos].",
        )
    pairs = sp.coo_array(relevance)
    right = pairs.data > 0
    if not right.any():
        raise DataError("The relevance has no right pair (no grade above 0).", "Check that ids match on both sides.")
    rows, columns = (axis[right].astype(np.int64) for axis in pairs.coords)
    return rows, columns, np.minimum(pairs.data[right], 127).astype(np.int8)


def _lists(queries: np.ndarray, items: np.ndarray, grades: np.ndarray, n_queries: int, n_items: int) -> Lists:
    """Sorted lists per query; a pair given twice keeps its best grade."""
    pair = queries * n_items + items
    if not (pair[1:] > pair[:-1]).all():
        order = np.lexsort((-grades.astype(np.int64), pair))
        _, first = np.unique(pair[order], return_index=True)
        queries, items, grades = (axis[order][first] for axis in (queries, items, grades))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(queries, minlength=n_queries))])
    return Lists(indptr.astype(np.int64), items.astype(np.int64), grades)
