"""Runs that differ in their seed alone, as one: mean over seeds, spread of seeds, and beside it the noise of queries.

Two things make a number unsure and are never mixed here. The interval says what other *queries* could have given, at
these very seeds: a bootstrap over sources of the mean over seeds. Mean, min, max and standard deviation say what other
*seeds* gave, on these very queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.evaluation.metrics.measures import METRICS, metric_value, query_values
from workbench.evaluation.runs.run import Run, list_runs, open_run
from workbench.evaluation.statistics.intervals import cluster_numbers, joint_numbers, quantiles
from workbench.evaluation.statistics.resampling import Sample, bootstrap
from workbench.evaluation.statistics.sides import directions_of, members, query_clusters, query_table

COVERS = "sampling of queries at these seeds"


@dataclass(frozen=True)
class SeedGroup:
    """Several runs of one group; ``paired_test`` takes it in place of a run.

    Attributes:
        name: The group's name.
        runs: Its runs, by seed.
    """

    name: str
    runs: tuple[Run, ...]

    @property
    def protocol(self) -> dict[str, Any]:
        """That of its runs; they have seen the same."""
        return self.runs[0].protocol

    @property
    def split(self) -> str:
        """That of its runs."""
        return self.runs[0].split

    @property
    def differ(self) -> list[str]:
        """Entries of model and recipe, beside the seed, in which its runs differ: then it is no group of seeds."""
        stated = [{"model": run.info.get("model"), **(run.info.get("recipe") or {})} for run in self.runs]
        keys = dict.fromkeys(key for one in stated for key in one if key != "seed")
        return [key for key in keys if any(one.get(key) != stated[0].get(key) for one in stated)]


@dataclass(frozen=True)
class SeedSummary:
    """One metric of a group of seeds, or of a single run.

    Attributes:
        mean: Over seeds, in the metric's unit.
        low: Smallest of the seeds.
        high: Largest of the seeds.
        sd: Standard deviation over seeds (n - 1); nan for one seed.
        n_seeds: Runs in the group.
        interval: 95 % interval of the mean over seeds; (nan, nan) where all queries come from one source.
        covers: What the interval covers, and what not.
        clustered: Whether the interval is clustered by source.
        values: The metric of each run.
    """

    mean: float
    low: float
    high: float
    sd: float
    n_seeds: int
    interval: tuple[float, float]
    covers: str
    clustered: bool
    values: tuple[float, ...]


def seed_groups(runs: Sequence[Run]) -> list[Run | SeedGroup]:
    """The runs, those of one group, corpus and split that have seen the same and are the same ablation joined.

    Runs without a group, alone in theirs, or with totals only stay as they are. A group stands where its first run did.
    """
    found: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        group = None if run.totals_only or run.state != "finished" else run.info.get("group")
        key = ("", run.name) if not group else (group, run.fingerprint, run.split, *_protocol_key(run))
        found.setdefault(key, []).append(run)
    return [
        own[0] if len(own) == 1 else SeedGroup(str(key[0]), tuple(sorted(own, key=_by_seed)))
        for key, own in found.items()
    ]


def _protocol_key(run: Run) -> tuple[str, str, str]:
    return str(run.protocol["scoring"]), str(run.protocol["sees"]), str(run.info.get("ablation") or "")


def _by_seed(run: Run) -> tuple[bool, int, str]:
    seed = run.info.get("seed")
    return seed is None, int(seed or 0), run.name


def open_side(name: str | Run | SeedGroup) -> Run | SeedGroup:
    """A run, or where no run is called so, the finished runs of the group of that name; an open one stays as it is.

    Raises:
        UnknownNameError: Neither a run nor a group is called so.
        StateError: The group's runs are on several corpora or splits, or have seen different things.
    """
    if isinstance(name, Run | SeedGroup):
        return name
    table = list_runs()
    names = table.loc[(table["group"] == name) & (table["state"] == "finished"), "name"]
    if names.empty or name in set(table["name"]):
        return open_run(name)
    found = seed_groups([open_run(one) for one in names])
    if len(found) > 1:
        raise StateError(
            f"The runs of group {name} cannot be joined: they differ in corpus, split or scoring, or hold totals only.",
            "Name single runs.",
        )
    return found[0]


def seed_summary(
    group: Any, metric: str = "r1", direction: str = "t2v", *, level: float = 0.95, n_resamples: int = 10_000
) -> SeedSummary:
    """Mean and spread over the seeds of a group, and the interval of the mean.

    Args:
        group: A ``SeedGroup`` or a single run.
        metric: A name of ``METRICS``.
        direction: ``t2v`` or ``v2t``; for ``sum_recall`` also ``both``.
        level: Confidence of the interval.
        n_resamples: Bootstrap resamples; each draws the same sources for all seeds.

    Raises:
        DataError: Runs that do not have the same queries, or totals only.
        UnknownNameError: Unknown metric or direction.
    """
    runs = members(group)
    directions = directions_of(metric, direction)
    tables = {one: _tables(group, runs, metric, one) for one in directions}
    values = {one: [query_values(table, metric) for table in own] for one, own in tables.items()}
    of_seeds = np.sum([[metric_value(v, metric) for v in own] for own in values.values()], axis=0)
    ids = {one: pd.Index(own[0]["id"]) for one, own in tables.items()}
    labels = [query_clusters(runs[0], ids[one], one, "source_id") for one in directions]
    clustered = all(one is not None and not pd.isna(one).any() for one in labels)
    numbers = _numbers(runs[0], ids, labels, clustered)
    n_clusters = int(max(one.max() for one in numbers)) + 1
    interval = (float("nan"), float("nan"))
    if n_clusters > 1:
        chosen = METRICS[metric]
        samples = [
            Sample(one, number, chosen.statistic)
            for own, number in zip(values.values(), numbers, strict=True)
            for one in ([np.mean(own, axis=0)] if chosen.statistic == "mean" else own)
        ]
        per_direction = len(samples) // len(directions)
        drawn = bootstrap(samples, n_clusters, n_resamples).sum(axis=0) / per_direction
        interval = quantiles(chosen.scale * drawn, level)
    covers = f"{COVERS}, {'clustered by source' if clustered else 'not clustered'}; not the spread of seeds"
    sd = float(of_seeds.std(ddof=1)) if len(of_seeds) > 1 else float("nan")
    mean, low, high = float(of_seeds.mean()), float(of_seeds.min()), float(of_seeds.max())
    return SeedSummary(mean, low, high, sd, len(runs), interval, covers, clustered, tuple(of_seeds.tolist()))


def _tables(group: Any, runs: Sequence[Run], metric: str, direction: str) -> list[pd.DataFrame]:
    tables = [query_table(run, direction, metric) for run in runs]
    for run, table in zip(runs[1:], tables[1:], strict=True):
        if not table["id"].equals(tables[0]["id"]):
            raise DataError(
                f"Runs {runs[0].name} and {run.name} of group {group.name} do not have the same queries.",
                "Take one out of the group: workbench runs group '' RUN",
            )
    return tables


def _numbers(run: Run, ids: dict[str, pd.Index], labels: Sequence[Any], clustered: bool) -> list[np.ndarray]:
    if clustered:
        return joint_numbers(labels)
    if len(ids) == 1:
        return [cluster_numbers(None, len(one)) for one in ids.values()]
    return joint_numbers([query_clusters(run, own, one, "video_id") for one, own in ids.items()])
