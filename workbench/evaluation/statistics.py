"""Two runs on the same queries: is one better, beyond noise? And the intervals that this rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.core.seeds import generator
from workbench.evaluation.intervals import (
    RESAMPLES_AT_ONCE,
    cluster_numbers,
    clustered_interval,
    design_effect,
    effective_size,
    k_occurrence,
    wilson,
)
from workbench.evaluation.measures import METRICS, Metric, query_values

__all__ = [
    "METRICS",
    "Metric",
    "PairedTest",
    "clustered_interval",
    "design_effect",
    "effective_size",
    "k_occurrence",
    "paired_test",
    "paired_test_values",
    "query_clusters",
    "query_values",
    "verdict",
    "wilson",
]

POWER = 0.8
SAME = 1e-12  # differences below it are rounding


@dataclass(frozen=True)
class PairedTest:
    """Two runs on the same queries; every difference is the second minus the first.

    Attributes:
        difference: Mean difference, in the metric's unit (points for recalls).
        interval: Its bootstrap interval, resampled by cluster; (nan, nan) with fewer than two clusters.
        p: Two-sided, of the method named.
        wins: Queries on which the second run is better.
        losses: Queries on which the first run is better.
        ties: Queries on which they are equal.
        minimum_detectable: Smallest true difference seen with 80 % power at 5 %; nan where no query differs.
        n_queries: Queries compared.
        n_clusters: Independent clusters of queries.
        clustered: Whether a cluster holds several queries.
        metric: Name of the metric.
        method: How p was computed.
        level: Confidence of the interval.
        n_unshared: Queries that only one of the two runs has; they are left out.
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

    @property
    def distinguishable(self) -> bool:
        """Whether the interval excludes 0 and p is below 1 - level."""
        low, high = self.interval
        return bool((low > 0 or high < 0) and self.p < 1 - self.level)


def paired_test(
    run_a: Any,
    run_b: Any,
    metric: str = "r1",
    cluster: str | None = "source_id",
    *,
    direction: str = "t2v",
    level: float = 0.95,
    n_resamples: int = 10_000,
    seed: int = 0,
) -> PairedTest:
    """Compare two runs on the queries they share; the difference is ``run_b`` minus ``run_a``.

    Args:
        run_a: A run.
        run_b: Another run.
        metric: A name of ``METRICS``: r1, r5, r10, r50, r100, mrr, mean_rank.
        cluster: Column of the gallery whose values group queries that are not independent; None = none. Where the
            column is absent or empty, queries count as independent and ``clustered`` is False.
        direction: ``t2v`` or ``v2t``.
        level: Confidence of the interval.
        n_resamples: Bootstrap resamples and sign flips.
        seed: Seed of both.

    Raises:
        DataError: A run without ids per query, or no shared query.
        UnknownNameError: Unknown metric or direction.
    """
    tables = []
    for run in (run_a, run_b):
        if getattr(run, "totals_only", False):
            raise DataError(
                f"Run {run.name} holds totals only: its rows cannot be tied to captions.",
                "Import it again with --row-ids to compare it query by query.",
            )
        tables.append(run.per(direction).drop_duplicates("id").set_index("id"))
    shared = tables[0].index[tables[0].index.isin(tables[1].index)]
    if shared.empty:
        raise DataError(f"Runs {run_a.name} and {run_b.name} share no query.", "Compare runs of one corpus and split.")
    values = [query_values(table.loc[shared], metric) for table in tables]
    found = paired_test_values(
        values[0], values[1], query_clusters(run_a, shared, direction, cluster),
        metric=metric, level=level, n_resamples=n_resamples, seed=seed,
    )  # fmt: skip
    unshared = len(tables[0]) + len(tables[1]) - 2 * len(shared)
    return replace(found, n_unshared=unshared)


def query_clusters(run: Any, ids: pd.Index, direction: str, cluster: str | None) -> np.ndarray | None:
    """Label of every query by its right video's ``cluster`` column; None where the run has none.

    A caption with several right videos takes the first in the gallery's order.
    """
    gallery = run.gallery
    if cluster is None or cluster not in gallery or gallery[cluster].isna().all():
        return None
    label = pd.Series(gallery[cluster].to_numpy(), index=gallery["video_id"])
    if direction == "v2t":
        return label.reindex(ids).to_numpy()
    right = run.relevance[run.relevance["grade"] > 0]
    column = pd.Series(np.arange(len(gallery)), index=gallery["video_id"]).reindex(right["video_id"]).to_numpy()
    first = right.assign(column=column).sort_values("column", kind="stable").drop_duplicates("caption_id")
    video = first.set_index("caption_id")["video_id"].reindex(ids)
    return label.reindex(video).to_numpy()


def paired_test_values(
    values_a: Any,
    values_b: Any,
    clusters: Any = None,
    *,
    metric: str = "r1",
    level: float = 0.95,
    n_resamples: int = 10_000,
    seed: int = 0,
) -> PairedTest:
    """``paired_test`` on values per query.

    p is exact McNemar where all values are 0 or 1 and queries are independent; otherwise a sign-flip randomisation of
    whole clusters, (1 + b) / (1 + B). McNemar on dependent queries would claim too much.

    Args:
        values_a: float [queries] of the first run.
        values_b: float [queries] of the second.
        clusters: Label of every query, or None.
        metric: A name of ``METRICS``; gives unit and sense.
        level: Confidence of the interval.
        n_resamples: Bootstrap resamples and sign flips.
        seed: Seed of both.

    Raises:
        DataError: Not the same number of finite values on both sides.
    """
    chosen = pick(METRICS, metric, "metric")
    a, b = np.asarray(values_a, float), np.asarray(values_b, float)
    if a.shape != b.shape or a.ndim != 1 or not len(a) or not np.isfinite(a + b).all():
        raise DataError(
            f"A paired test needs the same queries on both sides, got {a.shape} and {b.shape}.",
            "Give one finite value per query and run.",
        )
    number = cluster_numbers(clusters, len(a))
    n_clusters = int(number.max()) + 1
    difference = b - a
    difference[np.abs(difference) < SAME] = 0
    better = difference if chosen.higher_is_better else -difference
    clustered = n_clusters < len(a)
    binary = bool(np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all())
    sums = np.bincount(number, difference)
    if binary and not clustered:
        p, method = mcnemar(int((better > 0).sum()), int((better < 0).sum())), "exact McNemar"
    else:
        p = sign_flip(sums, n_resamples, seed)
        method = f"sign flips of {n_clusters} {'clusters' if clustered else 'queries'}"
    low, high = clustered_interval(difference, number, "mean", level, n_resamples, seed)
    return PairedTest(
        difference=chosen.scale * float(difference.mean()),
        interval=(chosen.scale * low, chosen.scale * high),
        p=p,
        wins=int((better > 0).sum()),
        losses=int((better < 0).sum()),
        ties=int((better == 0).sum()),
        minimum_detectable=chosen.scale * minimum_detectable(sums, len(a), level),
        n_queries=len(a),
        n_clusters=n_clusters,
        clustered=clustered,
        metric=metric,
        method=method,
        level=level,
    )


def mcnemar(wins: int, losses: int) -> float:
    """Exact two-sided p of McNemar's test on the queries that differ; 1 where none does."""
    if wins + losses == 0:
        return 1.0
    return float(stats.binomtest(wins, wins + losses).pvalue)


def sign_flip(sums: np.ndarray, n_flips: int = 10_000, seed: int = 0) -> float:
    """Two-sided randomisation p of a sum of cluster sums whose signs are exchangeable: (1 + b) / (1 + B)."""
    sums = sums[np.abs(sums) > SAME]
    if not len(sums):
        return 1.0
    draw = generator(seed, "sign flips")
    limit = abs(sums.sum()) - 1e-9 * np.abs(sums).sum()
    reached = 0
    for start in range(0, n_flips, RESAMPLES_AT_ONCE):
        shape = (min(RESAMPLES_AT_ONCE, n_flips - start), len(sums))
        signs = draw.integers(0, 2, shape, dtype=np.int8).astype(float) * 2 - 1
        reached += int((np.abs(signs @ sums) >= limit).sum())
    return (1 + reached) / (1 + n_flips)


def minimum_detectable(sums: np.ndarray, n_queries: int, level: float = 0.95) -> float:
    """Smallest true mean difference seen with 80 % power, from the spread of the cluster sums; nan if none differs."""
    error = math.sqrt(float((sums**2).sum())) / n_queries
    if error == 0:
        return math.nan
    return float(stats.norm.ppf(0.5 + level / 2) + stats.norm.ppf(POWER)) * error


def verdict(test: PairedTest, name_a: str, name_b: str) -> str:
    """One sentence: difference, interval, p, wins, losses, smallest detectable difference, and what follows."""
    metric = METRICS[test.metric]
    digits = 3 if metric.scale == 1 and metric.higher_is_better else 1
    if test.wins + test.losses == 0:
        return f"{name_a} and {name_b} have the same {metric.label} on every one of {test.n_queries} queries."
    low, high = test.interval
    kind = "clustered by source" if test.clustered else "not clustered"
    p = f"p {test.p:.2g}" if test.p >= 0.001 else "p < 0.001"
    spread = f"{100 * test.level:g} % CI {low:+.{digits}f}..{high:+.{digits}f}, {kind}"
    if math.isnan(low):
        spread = "no interval: all queries come from one source"
    facts = (
        f"{name_b} - {name_a} = {test.difference:+.{digits}f} {metric.label} ({spread}; {p}; "
        f"{test.wins} wins / {test.losses} losses; smallest detectable difference {test.minimum_detectable:.{digits}f})"
    )
    if not test.distinguishable:
        return f"{facts}: not distinguishable."
    gain = test.difference if metric.higher_is_better else -test.difference
    return f"{facts}: {name_b if gain > 0 else name_a} is better, beyond noise."
