"""Metrics as what they are made of per query, so that every one of them can be tested and has an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.metrics.draws import hit_values, reciprocal_ranks


@dataclass(frozen=True)
class Metric:
    """A metric of one direction.

    Attributes:
        label: Its name on screens.
        columns: Values per query that it is made of: r1 ... r100 (hits, 0..1), rank, rr, ap, ndcg10.
        scale: Unit of a difference: 100 for points of percent.
        higher_is_better: False for ranks.
        k: Length of the list for recalls, else 0.
        statistic: ``mean`` (of the columns' sum), ``median``, or ``geometric`` (of the columns' means).
    """

    label: str
    columns: tuple[str, ...]
    scale: float = 1.0
    higher_is_better: bool = True
    k: int = 0
    statistic: str = "mean"

    @property
    def heading(self) -> str:
        """Its name with the arrow that says which end is better."""
        return f"{self.label} {'↑' if self.higher_is_better else '↓'}"

    @property
    def digits(self) -> int:
        """Decimals that a reader needs."""
        return 3 if self.scale == 1 and self.higher_is_better else 1


THREE = ("r1", "r5", "r10")
METRICS = {f"r{k}": Metric(f"R@{k}", (f"r{k}",), scale=100.0, k=k) for k in (1, 5, 10, 50, 100)} | {
    "sum_recall": Metric("RSum", THREE, scale=100.0),
    "geometric_mean": Metric("GMean", THREE, scale=100.0, statistic="geometric"),
    "median_rank": Metric("MdR", ("rank",), higher_is_better=False, statistic="median"),
    "mean_rank": Metric("MnR", ("rank",), higher_is_better=False),
    "mrr": Metric("MRR", ("rr",)),
    "map": Metric("mAP", ("ap",)),
    "ndcg10": Metric("nDCG@10", ("ndcg10",)),
}
SHOWN = ("r1", "r5", "r10", "sum_recall", "median_rank", "mean_rank")
"""What a table of a paper shows."""


def query_values(counts: Any, metric: str) -> np.ndarray:
    """Values per query of a metric of ``METRICS``, in 0..1 for recalls.

    Args:
        counts: ``RankCounts`` or a table of counts (values are then expected under ties), or a table that holds the
            columns of the metric itself, such as ``RetrievalMetrics.values``.
        metric: A name of ``METRICS``.

    Returns:
        float64 [queries]; [queries, 3] for a geometric mean. ``metric_value`` makes the metric of them.

    Raises:
        DataError: Average precision or nDCG is asked of a table that holds counts only.
        UnknownNameError: Unknown metric.
    """
    chosen = pick(METRICS, metric, "metric")
    found = np.stack([_column(counts, name) for name in chosen.columns], axis=1)
    return found if chosen.statistic == "geometric" else found.sum(axis=1)


def tie_bounds(counts: Any, metric: str) -> np.ndarray:
    """What a metric is of every query when ties fall against it and when they fall for it: float64 [2, queries].

    The order of equal scores is no merit of a model: between two runs a query is decided only where these do not
    overlap. Of average precision and nDCG counts tell no bounds: a tied query may have anything from 0 to 1.

    Args:
        counts: ``RankCounts`` or a table of counts.
        metric: A name of ``METRICS``; a geometric mean is compared by the sum of its columns.

    Raises:
        UnknownNameError: Unknown metric.
    """
    chosen = pick(METRICS, metric, "metric")
    both = [[_bound(counts, name, ties) for name in chosen.columns] for ties in ("pessimistic", "optimistic")]
    return np.sum(both, axis=1)


def _bound(counts: Any, name: str, ties: str) -> np.ndarray:
    if name.startswith("r") and name[1:].isdigit():
        return hit_values(counts, int(name[1:]), ties)
    if name == "rr":
        return reciprocal_ranks(counts, ties)
    above, tied, _ = _counted(counts)
    if name == "rank":
        return 1 + above + (tied if ties == "pessimistic" else 0)
    return np.where(tied > 0, float(ties == "optimistic"), _column(counts, name))


def _column(counts: Any, name: str) -> np.ndarray:
    if isinstance(counts, pd.DataFrame) and name in counts:
        return counts[name].to_numpy(float)
    if name.startswith("r") and name[1:].isdigit():
        return hit_values(counts, int(name[1:]))
    if name == "rr":
        return reciprocal_ranks(counts)
    if name != "rank":
        raise DataError(
            f"Counts of the best right item do not tell {name}.", "Ask for r1 ... r100, ranks or MRR, or score again."
        )
    above, tied, right = _counted(counts)
    return 1 + above + tied / (right + 1)


def _counted(counts: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    above, tied, right = (
        np.asarray(counts[one] if isinstance(counts, pd.DataFrame) else getattr(counts, one), float)
        for one in ("n_above", "n_tied", "n_tied_right")
    )
    return above, tied, right


def metric_value(values: Any, metric: str) -> float:
    """The metric of values per query (``query_values``), in its unit: percent for recalls."""
    chosen = pick(METRICS, metric, "metric")
    values = np.asarray(values, float)
    if chosen.statistic == "median":
        return chosen.scale * float(np.median(values))
    means = values.sum(axis=0) / len(values)
    return chosen.scale * float(np.cbrt(means.prod()) if chosen.statistic == "geometric" else means)


def query_order(values: np.ndarray) -> np.ndarray:
    """float64 [queries] by which two runs are compared at single queries: values themselves, or the sum of columns."""
    return values if values.ndim == 1 else values.sum(axis=1)
