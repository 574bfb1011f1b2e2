"""What is laid side by side when runs are compared: values of shared queries, and which of them hang together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.metrics.measures import METRICS, query_values, tie_bounds

SOURCE = "source_id"
DIRECTIONS = {"t2v": ("t2v",), "v2t": ("v2t",), "both": ("t2v", "v2t")}


@dataclass(frozen=True)
class RunAxes:
    """The tables of a run that say what its rows and columns are."""

    queries: pd.DataFrame
    gallery: pd.DataFrame
    relevance: pd.DataFrame


@dataclass(frozen=True)
class Part:
    """Values per query of two sides, in one direction.

    Attributes:
        members_a: Values of every seed of the first side, as ``query_values`` gives them.
        members_b: Of every seed of the second side.
        labels: Cluster of every query; None = each its own.
        labelled: Whether labels are sources, so that intervals are clustered.
        n_unshared: Queries that not all of the runs have.
        bounds_a: ``tie_bounds`` of the first side, [2, queries], mean over its seeds; None = its values are not tied.
        bounds_b: Of the second side.
    """

    members_a: Sequence[np.ndarray]
    members_b: Sequence[np.ndarray]
    labels: Any
    labelled: bool
    n_unshared: int = 0
    bounds_a: np.ndarray | None = None
    bounds_b: np.ndarray | None = None

    @property
    def a(self) -> np.ndarray:
        """Mean over the seeds of the first side."""
        return np.mean(self.members_a, axis=0)

    @property
    def b(self) -> np.ndarray:
        """Mean over the seeds of the second side."""
        return np.mean(self.members_b, axis=0)


def members(run: Any) -> Sequence[Any]:
    """The runs of a group of seeds; a single run is its own only member."""
    return getattr(run, "runs", (run,))


def directions_of(metric: str, direction: str) -> tuple[str, ...]:
    """The directions that a metric is computed in.

    Raises:
        DataError: Another metric than ``sum_recall`` over both directions.
        UnknownNameError: Unknown metric or direction.
    """
    label = pick(METRICS, metric, "metric").label
    found = pick(DIRECTIONS, direction, "direction")
    if len(found) > 1 and metric != "sum_recall":
        raise DataError(f"{label} is a number of one direction.", "Ask for t2v or v2t, or for sum_recall of both.")
    return found


def query_table(run: Any, direction: str, metric: str) -> pd.DataFrame:
    """``run.per(direction)`` with all that a metric needs.

    Runs written before per-query tables held average precision and nDCG get them from their matrix.

    Raises:
        DataError: The run's rows cannot be tied to captions.
        StateError: An older run that keeps no matrix.
    """
    if getattr(run, "totals_only", False):
        raise DataError(
            f"Run {run.name} holds totals only: its rows cannot be tied to captions.",
            "Import it again with --row-ids to compare it query by query.",
        )
    table = run.per(direction)
    wanted = pick(METRICS, metric, "metric").columns
    absent = [name for name in wanted if name in ("ap", "ndcg10") and name not in table]
    return table.assign(**run.from_matrix(direction)[absent]) if absent else table


def shared_parts(
    run_a: Any, run_b: Any, metric: str, direction: str, cluster: str | None,
    only: Mapping[str, Collection[str]] | None = None,
) -> list[Part]:  # fmt: skip
    """The queries that all runs of both sides have, one part per direction; ``only`` = of these ids by direction.

    Raises:
        DataError: A run without ids per query, no shared query, or another metric over both directions.
        UnknownNameError: Unknown metric or direction.
    """
    directions = directions_of(metric, direction)
    joint = len(directions) > 1
    return [
        _shared_part(run_a, run_b, metric, one, cluster, None if only is None else only[one], joint=joint)
        for one in directions
    ]


def _shared_part(
    run_a: Any, run_b: Any, metric: str, direction: str, cluster: str | None, only: Collection[str] | None,
    *, joint: bool,
) -> Part:  # fmt: skip
    sides = [
        [query_table(run, direction, metric).drop_duplicates("id").set_index("id") for run in members(side)]
        for side in (run_a, run_b)
    ]
    tables = [table for side in sides for table in side]
    shared, union = tables[0].index, tables[0].index
    for table in tables[1:]:
        shared, union = shared_ids(shared, table.index), union.union(table.index, sort=False)
    if only is not None:
        shared, union = (shared_ids(one, pd.Index(list(only)).unique()) for one in (shared, union))
    if shared.empty:
        raise DataError(f"Runs {run_a.name} and {run_b.name} share no query.", "Compare runs of one corpus and split.")
    labels = query_clusters(members(run_a)[0], shared, direction, cluster)
    labelled = labels is not None
    if joint and not labelled:
        labels = query_clusters(members(run_a)[0], shared, direction, "video_id")
    values = [[query_values(table.loc[shared], metric) for table in side] for side in sides]
    bounds = [np.mean([tie_bounds(table.loc[shared], metric) for table in side], axis=0) for side in sides]
    return Part(values[0], values[1], labels, labelled, len(union) - len(shared), *bounds)


def shared_ids(ids: pd.Index, others: pd.Index) -> pd.Index:
    """Those of some ids that stand among others too, in their order; no other stands twice."""
    return ids[others.get_indexer(ids) >= 0]  # ten times as fast as isin, which takes texts out of arrow one by one


def without_source(run: Any) -> int:
    """How many videos state no source where others do: each stands alone (``query_clusters``)."""
    sources = run.gallery[SOURCE]
    return 0 if sources.isna().all() else int(sources.isna().sum())


def query_clusters(run: Any, ids: pd.Index, direction: str, cluster: str | None) -> np.ndarray | None:
    """Label of every query by its right video's ``cluster`` column; None where the run has none.

    A caption with several right videos takes the first in the gallery's order. Where sources are stated, a video
    without one is a source of its own, named as the video.
    """
    gallery = run.gallery
    if cluster is None or cluster not in gallery or gallery[cluster].isna().all():
        return None
    named = gallery[cluster].fillna(gallery["video_id"]) if cluster == SOURCE else gallery[cluster]
    label = pd.Series(named.to_numpy(), index=gallery["video_id"])
    if direction == "v2t":
        return label.reindex(ids).to_numpy()
    right = run.relevance[run.relevance["grade"] > 0]
    column = pd.Series(np.arange(len(gallery)), index=gallery["video_id"]).reindex(right["video_id"]).to_numpy()
    first = right.assign(column=column).sort_values("column", kind="stable").drop_duplicates("caption_id")
    video = first.set_index("caption_id")["video_id"].reindex(ids)
    return label.reindex(video).to_numpy()
