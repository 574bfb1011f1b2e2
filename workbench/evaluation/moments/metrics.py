"""Metrics of moment retrieval: moment in the corpus (VCMR), moment in the right video (SVMR), video (VR).

As the evaluator of TVR counts (Lei et al. 2020, arXiv 2001.09099, ``standalone_eval``), but for three things: the right
video is known by its id and not by a mapping that comes with the predictions; a query without predictions is a miss
and counted; numbers keep all their digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.core.lookup import nearest, pick
from workbench.corpus import Corpus
from workbench.evaluation.moments.spans import DEPTH, place_in_group, temporal_iou, temporal_nms
from workbench.evaluation.moments.table import TASKS, check_moments, read_moments
from workbench.evaluation.runs.corpora import corpus_of_run
from workbench.evaluation.runs.run import Run
from workbench.evaluation.statistics.intervals import cluster_numbers, design_effect, wilson

KS = (1, 5, 10, 100)
TIOUS = (0.5, 0.7)
TYPES = ("v", "t", "vt")  # query types of TVR, in the order in which it prints them
SEVERAL = {  # spans of a right pair that a moment has to reach, by how many there are
    "any": lambda n: np.ones_like(n),
    "didemo": lambda n: np.where(n >= 4, 2, 1),
}


@dataclass(frozen=True)
class MomentMetrics:
    """R@K of moment retrieval; recalls in percent.

    Attributes:
        table: One row per number: task, query_type (``""`` = all queries), tiou (NaN for vr), k, recall, low and high
            (its 95 % Wilson interval on the effective sample), n_queries.
        per_query: One row per task, query and tiou: task, caption_id, query_type, tiou, rank (of the first right
            moment, from 1; NaN = none), iou (of the first moment with the right span, 0..1; NaN for vr).
        n_missing: By task, queries without any prediction; they are misses.
        clustered: Whether intervals know which videos share a source.
    """

    table: pd.DataFrame
    per_query: pd.DataFrame
    n_missing: dict[str, int]
    clustered: bool

    def recall(self, task: str, k: int, tiou: float | None = None, query_type: str = "") -> float:
        """One number in percent.

        Raises:
            DataError: It was not asked for when the metrics were made.
        """
        table = self.table
        wanted = (table["task"] == task) & (table["k"] == k) & (table["query_type"] == query_type)
        wanted &= table["tiou"].isna() if tiou is None else np.isclose(table["tiou"], tiou)
        if not wanted.any():
            raise DataError(f"There is no R@{k} of task {task!r} at tIoU {tiou}, queries {query_type or 'all'!r}.")
        return float(table.loc[wanted, "recall"].iloc[0])

    def mean_iou(self, task: str) -> float:
        """Mean temporal IoU of the first moment of every query, 0..1; another video than the right one has 0."""
        first = self.per_query[self.per_query["task"] == task].drop_duplicates("caption_id")
        return float(first["iou"].mean())

    def to_dict(self) -> dict[str, Any]:
        """The layout and rounding of TVR's metric files: ``{"VCMR": {"0.5-r1": ...}, ..., "VCMR_by_type": ...}``."""
        found: dict[str, Any] = {}
        types = [name for name in self.table["query_type"].unique() if name]
        for kinds, suffix in (([""], ""), (types, "_by_type")):
            for task, part in self.table.groupby("task", sort=False):
                rows = part[part["query_type"].isin(kinds)]
                if len(rows):
                    found[f"{str(task).upper()}{suffix}"] = {
                        _key(row): round(row["recall"], 2) for row in rows.to_dict("records")
                    }
        for task in self.table["task"].unique() if types else ():
            found[f"{str(task).upper()}_by_type"]["desc_type_ratio"] = self._ratio(str(task), types)
        return found

    def _ratio(self, task: str, types: Sequence[str]) -> str:
        """Percent of the queries of every type."""
        queries = self.per_query[self.per_query["task"] == task].drop_duplicates("caption_id")
        share = 100 * queries["query_type"].value_counts() / len(queries)
        return " ".join(f"{name} {round(float(share.get(name, 0.0)), 2)}" for name in types)


def _key(row: Mapping[Any, Any]) -> str:
    kind = f"{row['query_type']}-" if row["query_type"] else ""
    at = "" if np.isnan(row["tiou"]) else f"{row['tiou']:g}-"
    return f"{kind}{at}r{row['k']}"


def moment_metrics(
    moments: Run | pd.DataFrame,
    truth: Corpus | pd.DataFrame | None = None,
    *,
    ks: Sequence[int] = KS,
    tious: Sequence[float] = TIOUS,
    nms: float | None = None,
    several: str = "any",
) -> MomentMetrics:
    """R@K of predicted moments, over all queries and per query type.

    A moment is right where its video is and its temporal IoU with a right span reaches the threshold (inclusive,
    compared in float32). SVMR leaves moments in other videos out before it counts.

    Args:
        moments: A run that holds moments, or a table of them (``check_moments``).
        truth: A corpus restricted to a split, or a table caption_id, video_id, start_s, end_s, and if known query_type
            and source_id; None = the right spans that the run states, with the query types of its corpus where this
            workspace holds it.
        ks: Lengths of the list; only so many moments of a query are looked at as the longest asks for.
        tious: Thresholds of temporal IoU, 0..1.
        nms: Suppress overlapping moments first, at this temporal IoU; None = not.
        several: What a caption with several right spans asks for: ``any`` of them, or ``didemo``: two, where four or
            more people marked one.

    Raises:
        DataError: Moments or truth break a rule, name different captions, or the truth states no span.
    """
    table = read_moments(moments) if isinstance(moments, Run) else check_moments(moments)
    needed = pick(SEVERAL, several, "rule for several spans")
    if not len(table):
        raise DataError("There are no moments.", "Give at least one.")
    if min(ks, default=0) < 1 or not all(0 < tiou <= 1 for tiou in tious):
        raise DataError(f"K {list(ks)} at tIoU {list(tious)}.", "Give K from 1 and 0 < tIoU <= 1.")
    if truth is None:
        truth = _of_run(moments)
    right = _Truth(truth)
    if nms is not None:
        table = temporal_nms(table[table["rank"] <= DEPTH], nms)
    table = table[table["rank"] <= max(ks)]
    parts, missing = [], {}
    for task in [task for task in TASKS if (table["task"] == task).any()]:
        found = _Found(table[table["task"] == task], right, task)
        missing[task] = int((~np.isin(found.asked, found.caption)).sum())
        parts += [found.first(tiou, needed) for tiou in ([None] if task == "vr" else tious)]
    per_query = pd.concat(parts, ignore_index=True)
    return MomentMetrics(_summary(per_query, ks, right.source_of), per_query, missing, right.clustered)


def _of_run(moments: Run | pd.DataFrame) -> pd.DataFrame:
    if not isinstance(moments, Run):
        raise DataError("A table of moments needs the right spans.", "Give the corpus, or a table of them, as truth.")
    corpus, _ = corpus_of_run(moments)
    if corpus is not None:
        return _rows_of(corpus)
    return _with_sources(moments.relevance[moments.relevance["grade"] > 0], moments.gallery)


class _Truth:
    """The right spans, sorted by caption and video; captions and videos by number."""

    def __init__(self, truth: Corpus | pd.DataFrame) -> None:
        table = _rows_of(truth) if isinstance(truth, Corpus) else truth
        absent = [name for name in ("caption_id", "video_id", "start_s", "end_s") if name not in table.columns]
        if absent:
            raise DataError(
                f"The right spans have no column {absent[0]!r}.", nearest(absent[0], map(str, table.columns))
            )
        if not len(table):
            raise DataError("There is no right span.", "Give at least one.")
        caption, self.captions = pd.factorize(table["caption_id"])
        video, self.videos = pd.factorize(table["video_id"])
        pair = caption * len(self.videos) + video
        order = np.argsort(pair, kind="stable")
        self.pair = pair[order]
        spans = table[["start_s", "end_s"]].to_numpy(np.float32, na_value=np.nan)[order]
        self.start, self.end = spans[:, 0], spans[:, 1]
        self.has_span = np.zeros(len(self.captions), bool)
        self.has_span[caption[order][~np.isnan(spans).any(axis=1)]] = True
        types = table["query_type"] if "query_type" in table.columns else pd.Series(None, table.index, dtype=object)
        self.types = types.where(types.notna(), "").groupby(caption).first().to_numpy(object)
        known = "source_id" in table.columns and bool(table["source_id"].notna().any())
        named = table["source_id"].fillna(table["video_id"]) if known else table["caption_id"]
        sources = named.groupby(caption).first().to_numpy(object)
        self.source_of = pd.Series(cluster_numbers(sources, len(self.captions)), pd.Index(self.captions))
        self.clustered = known


def _rows_of(corpus: Corpus) -> pd.DataFrame:
    rows = _with_sources(corpus.relevance[corpus.relevance["grade"] > 0], corpus.videos)
    types = corpus.captions.set_index("caption_id")["query_type"]
    return rows.assign(query_type=rows["caption_id"].map(types).to_numpy())


def _with_sources(rows: pd.DataFrame, videos: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(source_id=rows["video_id"].map(videos.set_index("video_id")["source_id"]).to_numpy())


def _places(names: pd.Series, known: Any) -> np.ndarray:
    """int64 [n]: place of every name among the known ones, -1 = none; each distinct name is looked up once."""
    codes, distinct = pd.factorize(names)
    return pd.Index(known).get_indexer(pd.Index(distinct))[codes]


class _Found:
    """The moments of one task beside the right spans."""

    def __init__(self, table: pd.DataFrame, truth: _Truth, task: str) -> None:
        self.truth, self.task = truth, task
        self.asked = np.flatnonzero(truth.has_span) if task != "vr" else np.arange(len(truth.captions))
        if not len(self.asked):
            raise DataError(f"The truth states no span, which {task.upper()} needs.", "Prepare a corpus with spans.")
        caption = _places(table["caption_id"], truth.captions)
        lost = (caption < 0) | ~np.isin(caption, self.asked)
        if lost.any():
            name = table["caption_id"].iloc[int(lost.argmax())]
            raise DataError(f"Caption {name!r} has no right span.", "Give moments and truth of one corpus and split.")
        video = _places(table["video_id"], truth.videos)
        pair = np.where(video < 0, -1, caption * len(truth.videos) + video)
        order = np.lexsort((table["rank"].to_numpy(), caption))
        low, high = (np.searchsorted(truth.pair, pair[order], side) for side in ("left", "right"))
        if task == "svmr":
            low, high, order = low[high > low], high[high > low], order[high > low]
        self.caption, self.low, self.n_spans = caption[order], low, high - low
        self.rank = place_in_group(self.caption) + 1
        self.start, self.end = (table[name].to_numpy(np.float32)[order] for name in ("start_s", "end_s"))
        self.iou, self.owner = self._overlaps()

    def _overlaps(self) -> tuple[np.ndarray, np.ndarray]:
        """float32 IoU of every moment in a right video with every right span there, and the moment's number."""
        if self.task == "vr":
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        owner = np.repeat(np.arange(len(self.caption)), self.n_spans)
        span = np.repeat(self.low, self.n_spans) + place_in_group(owner)
        truth = self.truth
        iou = temporal_iou(self.start[owner], self.end[owner], truth.start[span], truth.end[span])
        return np.nan_to_num(iou), owner

    def first(self, tiou: float | None, needed: Any) -> pd.DataFrame:
        """Rank of the first right moment of every query at one threshold."""
        if tiou is None:
            right = self.n_spans > 0
        else:
            reached = np.bincount(self.owner[self.iou >= np.float32(tiou)], minlength=len(self.caption))
            right = (self.n_spans > 0) & (reached >= needed(self.n_spans))
        rank = np.full(len(self.truth.captions), np.inf)
        np.minimum.at(rank, self.caption[right], self.rank[right])
        best = np.zeros(len(self.caption), np.float32)
        np.maximum.at(best, self.owner, self.iou)
        top = np.zeros(len(self.truth.captions))
        top[self.caption[self.rank == 1]] = best[self.rank == 1]
        asked = self.asked
        return pd.DataFrame({
            "task": self.task, "caption_id": np.asarray(self.truth.captions)[asked],
            "query_type": self.truth.types[asked], "tiou": np.nan if tiou is None else tiou,
            "rank": np.where(np.isinf(rank), np.nan, rank)[asked], "iou": top[asked] if tiou is not None else np.nan,
        })  # fmt: skip


def _summary(per_query: pd.DataFrame, ks: Sequence[int], source_of: pd.Series) -> pd.DataFrame:
    known = [str(name) for name in per_query["query_type"].unique() if name]
    types = [name for name in TYPES if name in known] + sorted(set(known) - set(TYPES))
    clusters = per_query["caption_id"].map(source_of).to_numpy()
    rows = []
    for (task, tiou), part in per_query.groupby(["task", "tiou"], sort=False, dropna=False):
        for query_type in ("", *types):
            chosen = part if not query_type else part[part["query_type"] == query_type]
            rank, own = chosen["rank"].to_numpy(float), clusters[chosen.index]
            rows += [(task, query_type, tiou, k, *_share(rank <= k, own), len(rank)) for k in ks if len(rank)]
    return pd.DataFrame(rows, columns=["task", "query_type", "tiou", "k", "recall", "low", "high", "n_queries"])


def _share(hits: np.ndarray, clusters: np.ndarray) -> tuple[float, float, float]:
    """Percent of hits and its interval."""
    low, high = wilson(float(hits.sum()), len(hits), design_effect(hits, clusters))
    return 100 * float(hits.mean()), 100 * low, 100 * high
