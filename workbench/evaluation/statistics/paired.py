"""Two runs on the same queries: is one better, beyond noise? A run may be a group of seeds (``groups``)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.metrics.measures import METRICS, Metric, metric_value, query_order, query_values
from workbench.evaluation.statistics.intervals import (
    cluster_numbers,
    clustered_interval,
    design_effect,
    effective_size,
    joint_numbers,
    k_occurrence,
    wilson,
)
from workbench.evaluation.statistics.noise import SAME, minimum_detectable, noise_of_means, noise_of_samples
from workbench.evaluation.statistics.sides import Part, query_clusters, shared_parts

EQUIVALENT = 0.01
"""Half the width of the band of practical equivalence: one point of a metric that is a share."""

__all__ = [
    "EQUIVALENT",
    "METRICS",
    "Metric",
    "PairedTest",
    "clustered_interval",
    "design_effect",
    "effective_size",
    "k_occurrence",
    "metric_value",
    "paired_test",
    "paired_test_values",
    "query_clusters",
    "query_values",
    "wilson",
]


@dataclass(frozen=True)
class PairedTest:
    """Two runs on the same queries; every difference is the second minus the first.

    Attributes:
        difference: Difference of the metric, in its unit (points for recalls).
        interval: Its bootstrap interval, resampled by cluster; (nan, nan) with fewer than two clusters.
        p: Two-sided, of the method named.
        wins: Queries on which the second run is better, however tied scores are ordered; by rank for a median, by hits
            at 1, 5 and 10 together for a geometric mean.
        losses: Queries on which the first run is better, in the same sense.
        ties: Queries on which they are equal.
        minimum_detectable: Smallest true difference seen with 80 % power at 5 %; nan where no query differs.
        n_queries: Queries compared.
        n_clusters: Independent clusters of queries.
        clustered: Whether a cluster holds several queries.
        metric: Name of the metric.
        method: How p was computed.
        level: Confidence of the interval.
        n_unshared: Queries that not all of the runs have; they are left out.
        direction: ``t2v``, ``v2t`` or ``both``.
        seeds_a: The metric of each seed of the first side on these queries; one value where it is a single run.
        seeds_b: The same of the second side.
        undecided: Queries that differ, but which side is better hangs on the order of tied scores: neither won nor lost
            nor equal. The difference counts them by what a random order gives on average.
    """

    difference: float
    interval: tuple[float, float]
    p: float
    wins: int
    losses: int
    ties: int
    minimum_detectable: float
    n_queries: int
    n_clusters: int
    clustered: bool
    metric: str
    method: str
    level: float = 0.95
    n_unshared: int = 0
    direction: str = "t2v"
    seeds_a: tuple[float, ...] = ()
    seeds_b: tuple[float, ...] = ()
    undecided: int = 0

    @property
    def distinguishable(self) -> bool:
        """Whether the interval excludes 0 and p is below 1 - level; it knows the noise of queries, not of seeds."""
        return self.holds(self.p)

    def holds(self, p: float) -> bool:
        """``distinguishable`` with another p: that of a family, corrected."""
        low, high = self.interval
        return bool((low > 0 or high < 0) and p < 1 - self.level)

    @property
    def odds_ratio(self) -> float:
        """Wins per loss: the odds ratio of paired outcomes (McNemar, Psychometrika 12, 1947); nan without either."""
        if self.losses == 0:
            return math.inf if self.wins else math.nan
        return self.wins / self.losses

    @property
    def equivalent(self) -> bool:
        """Whether the interval lies within ``EQUIVALENT`` of 0, so that the difference is too small to matter.

        Two one-sided tests (Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987) at 2.5 % each, as the interval has 95 %.
        Of ranks it is never said: they have no such unit.
        """
        metric = METRICS[self.metric]
        band = metric.scale * EQUIVALENT
        return bool(metric.higher_is_better and max(map(abs, self.interval)) < band)

    @property
    def seeds_overlap(self) -> bool:
        """Whether, with several seeds on a side, the two ranges of seeds overlap."""
        if max(len(self.seeds_a), len(self.seeds_b)) < 2:
            return False
        return max(min(self.seeds_a), min(self.seeds_b)) <= min(max(self.seeds_a), max(self.seeds_b))


def paired_test(
    run_a: Any,
    run_b: Any,
    metric: str = "r1",
    cluster: str | None = "source_id",
    *,
    direction: str = "t2v",
    only: Mapping[str, Collection[str]] | None = None,
    level: float = 0.95,
    n_resamples: int = 10_000,
    seed: int = 0,
) -> PairedTest:
    """Compare two runs on the queries they share; the difference is ``run_b`` minus ``run_a``.

    A group of seeds is compared by the mean over its seeds at every query.

    Args:
        run_a: A run, or a group of seeds.
        run_b: Another one.
        metric: A name of ``METRICS``.
        cluster: Column of the gallery whose values group queries that are not independent; None = none. Where the
            column is absent or empty, queries count as independent and ``clustered`` is False.
        direction: ``t2v`` or ``v2t``; for ``sum_recall`` also ``both``: the sum of the two, a caption and a video of
            one source in one cluster (without sources, a caption and its video).
        only: Ids of the queries to compare on, by direction; None = all.
        level: Confidence of the interval.
        n_resamples: Bootstrap resamples and swaps of whole clusters.
        seed: Seed of both.

    Raises:
        DataError: A run without ids per query, no shared query, or another metric over both directions.
        UnknownNameError: Unknown metric or direction.
    """
    parts = shared_parts(run_a, run_b, metric, direction, cluster, only)
    found = _test(parts, metric, level, n_resamples, seed)
    seeds = [
        tuple(sum(metric_value(one, metric) for one in across) for across in zip(*by_direction, strict=True))
        for by_direction in ([part.members_a for part in parts], [part.members_b for part in parts])
    ]
    unshared = sum(part.n_unshared for part in parts)
    return replace(found, n_unshared=unshared, direction=direction, seeds_a=seeds[0], seeds_b=seeds[1])


def paired_test_values(
    values_a: Any,
    values_b: Any,
    clusters: Any = None,
    *,
    metric: str = "r1",
    level: float = 0.95,
    n_resamples: int = 10_000,
    seed: int = 0,
    bounds: tuple[np.ndarray, np.ndarray] | None = None,
) -> PairedTest:
    """``paired_test`` on values per query.

    p is exact McNemar where all values are 0 or 1 and queries are independent; otherwise a randomisation in which whole
    clusters change sides (for means: a sign flip), (1 + b) / (1 + B). McNemar on dependent queries would claim too
    much.

    Args:
        values_a: float [queries] of the first run, as ``query_values`` gives them.
        values_b: The same of the second.
        clusters: Label of every query, or None.
        metric: A name of ``METRICS``; gives unit and sense.
        level: Confidence of the interval.
        n_resamples: Bootstrap resamples and swaps.
        seed: Seed of both.
        bounds: ``tie_bounds`` of both runs, [2, queries] each; None = no value hangs on the order of tied scores.

    Raises:
        DataError: Not the same number of finite values on both sides.
    """
    chosen = pick(METRICS, metric, "metric")
    a, b = np.asarray(values_a, float), np.asarray(values_b, float)
    n_axes = 2 if chosen.statistic == "geometric" else 1
    if a.shape != b.shape or a.ndim != n_axes or not len(a) or not np.isfinite(a + b).all():
        raise DataError(
            f"A paired test needs the same queries on both sides, got {a.shape} and {b.shape}.",
            "Give one finite value per query and run.",
        )
    part = Part((a,), (b,), clusters, clusters is not None, 0, *(bounds or (None, None)))
    return _test([part], metric, level, n_resamples, seed)


def _test(parts: Sequence[Part], metric: str, level: float, n_resamples: int, seed: int) -> PairedTest:
    chosen = METRICS[metric]
    if len(parts) == 1:
        numbers = [cluster_numbers(parts[0].labels, len(parts[0].a))]
    else:
        numbers = joint_numbers([part.labels for part in parts])
    n_clusters = int(max(number.max() for number in numbers)) + 1
    n_queries = sum(len(number) for number in numbers)
    wins, losses, undecided = (sum(counts) for counts in zip(*(_outcomes(part, chosen) for part in parts), strict=True))
    clustered = all(part.labelled for part in parts) and any(len(set(one)) < len(one) for one in numbers)
    binary = all(np.isin(one, (0, 1)).all() for part in parts for one in (part.a, part.b))
    exact = binary and chosen.statistic == "mean" and len(parts) == 1 and n_clusters == n_queries
    if chosen.statistic == "mean":
        found = noise_of_means(parts, numbers, n_clusters, level, n_resamples, seed, exact=exact)
    else:
        found = noise_of_samples(parts[0], numbers[0], n_clusters, chosen.statistic, level, n_resamples, seed)
    return PairedTest(
        difference=sum(metric_value(part.b, metric) - metric_value(part.a, metric) for part in parts),
        interval=(chosen.scale * found.interval[0], chosen.scale * found.interval[1]),
        p=found.p,
        wins=wins,
        losses=losses,
        ties=n_queries - wins - losses - undecided,
        minimum_detectable=chosen.scale * minimum_detectable(found.error, level),
        n_queries=n_queries,
        n_clusters=n_clusters,
        clustered=clustered,
        metric=metric,
        method=found.method if exact else f"{found.method} of {n_clusters} {'clusters' if clustered else 'queries'}",
        level=level,
        undecided=undecided,
    )


def _outcomes(part: Part, metric: Metric) -> tuple[int, int, int]:
    """Queries that the second side wins, loses, and those on which the order of tied scores decides."""
    sense = 1 if metric.higher_is_better else -1
    a, b = sense * query_order(part.a), sense * query_order(part.b)
    (worst_a, best_a), (worst_b, best_b) = (
        (own, own) if bounds is None else sense * bounds for own, bounds in ((a, part.bounds_a), (b, part.bounds_b))
    )
    won, lost = worst_b - best_a > SAME, worst_a - best_b > SAME
    undecided = (np.abs(b - a) > SAME) & ~won & ~lost
    return int(won.sum()), int(lost.sum()), int(undecided.sum())
