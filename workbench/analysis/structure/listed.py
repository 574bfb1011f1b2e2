"""What the lists of best items of a run hold in one direction: videos, captions, or the captions of a video as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import scipy.sparse as sp

from workbench.core.lookup import pick
from workbench.evaluation.ranks.relevance import Relevance, check_relevance
from workbench.evaluation.runs.run import DIRECTIONS, Run
from workbench.evaluation.statistics.paired import k_occurrence

UNITS = {"video": "videos", "caption": "captions", "group": "videos' captions"}
"""What stands in a list, in the plural: at v2t level ``video`` the captions of a video are one item, their best one."""


@dataclass(frozen=True)
class Listed:
    """The items that the queries of one direction are ranked among, and the lists of the best of them.

    Attributes:
        direction: ``t2v`` or ``v2t``.
        unit: A key of ``UNITS``.
        items: item_id, video_id (of a caption its first right video; null = none), domain, source_id, text (null for
            videos; of a group its first caption), scored; one row per item.
        queries: id, text (the caption; in v2t the video's id), in the order of ``run.per``.
        lists: For each query the positions in ``items`` of the best of them, best first.
        rights: bool [queries, items], sparse: what is right for a query.
        item_of: int64 [captions]: the item that every row of the similarity is, or belongs to; None for videos.
    """

    direction: str
    unit: str
    items: pd.DataFrame
    queries: pd.DataFrame
    lists: list[np.ndarray]
    rights: sp.csr_array
    item_of: np.ndarray | None

    @property
    def scored(self) -> np.ndarray:
        """bool [items]."""
        return self.items["scored"].to_numpy(bool)

    def items_at(self, lists: Iterable[np.ndarray]) -> list[np.ndarray]:
        """Items of lists of columns (t2v) or rows (v2t) of the similarity, as ``run.per`` keeps them."""
        positions = [np.asarray(one, np.int64) for one in lists]
        return positions if self.item_of is None else [self.item_of[one] for one in positions]

    def counts(self, k: int) -> np.ndarray:
        """int64 [items]: in how many first ``k`` each item stands."""
        return k_occurrence(self.lists, len(self.items), k)

    def right_counts(self, k: int) -> np.ndarray:
        """int64 [items]: in how many first ``k`` each item stands and is right."""
        rows, items = self.places(k)
        there = np.asarray(self.rights[rows, items], bool).ravel()
        return np.bincount(items[there], minlength=len(self.items))

    def places(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Query and item of every place among the first ``k``, int64 [places]."""
        first = [one[:k] for one in self.lists]
        return np.repeat(np.arange(len(first)), [len(one) for one in first]), np.concatenate(first)

    @cached_property
    def first(self) -> np.ndarray:
        """int64 [queries]: the item that stands first; -1 = none."""
        return np.asarray([one[0] if len(one) else -1 for one in self.lists], np.int64)

    @cached_property
    def first_is_wrong(self) -> np.ndarray:
        """bool [queries]: an item stands first and is not right."""
        right = np.asarray(self.rights[np.arange(len(self.first)), self.first], bool).ravel()
        return (self.first >= 0) & ~right


def listed_items(run: Run, direction: str = "t2v") -> Listed:
    """The items and lists of a run in one direction, as its ranks were counted.

    Args:
        run: A run.
        direction: ``t2v`` (videos are listed) or ``v2t`` (captions, or the captions of each video as one item).

    Raises:
        UnknownNameError: Unknown direction.
    """
    pick({name: name for name in DIRECTIONS}, direction, "direction")
    table = run.per(direction)
    relevance = (run.relevance_matrix > 0).tocsr()
    if direction == "t2v":
        rows = pd.Index(run.queries["caption_id"]).get_indexer(pd.Index(table["id"]))
        items = run.gallery[["video_id", "domain", "source_id"]].assign(
            item_id=run.gallery["video_id"], text=None, scored=run.gallery["state"] == "scored"
        )
        queries = pd.DataFrame({"id": table["id"], "text": run.queries["text"].to_numpy(object)[rows]})
        return _with_lists(Listed(direction, "video", items, queries, [], relevance[rows], None), table)
    pairs = check_relevance(run.relevance_matrix, (len(run.queries), len(run.gallery)))
    grouped = run.info.get("v2t_level") == "video"
    item_of = pairs.groups if grouped else np.arange(len(run.queries))
    columns = pd.Index(run.gallery["video_id"]).get_indexer(pd.Index(table["id"]))
    members = sp.csr_array((np.ones(len(item_of), bool), (np.arange(len(item_of)), item_of)))
    listed = Listed(
        direction, "group" if grouped else "caption", _captions(run, pairs, item_of, grouped),
        pd.DataFrame({"id": table["id"], "text": table["id"]}), [], (relevance.T.tocsr()[columns] @ members).tocsr(),
        item_of,
    )  # fmt: skip
    return _with_lists(listed, table)


def _with_lists(listed: Listed, table: pd.DataFrame) -> Listed:
    return replace(listed, lists=listed.items_at(table["top_columns"]))


def _captions(run: Run, pairs: Relevance, item_of: np.ndarray, grouped: bool) -> pd.DataFrame:
    """``Listed.items`` where captions are listed: of every item its first caption, and that one's first right video."""
    first = np.unique(item_of, return_index=True)[1]
    owner = np.full(len(item_of), -1)
    known = pairs.videos_of.sizes > 0
    owner[known] = pairs.videos_of.indices[pairs.videos_of.indptr[:-1][known]]
    held = run.gallery[["video_id", "domain", "source_id"]].reindex(owner[first]).reset_index(drop=True)
    captions = run.queries.iloc[first].reset_index(drop=True)
    ids = held["video_id"].fillna(captions["caption_id"]) if grouped else captions["caption_id"]
    return held.assign(item_id=ids, text=captions["text"], scored=True)
