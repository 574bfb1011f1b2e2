"""Metrics as means of values per query: name, unit and sense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.lookup import pick
from workbench.evaluation.draws import hit_values, reciprocal_ranks


@dataclass(frozen=True)
class Metric:
    """A metric as a mean of values per query.

    Attributes:
        label: Its name on screens.
        scale: Unit of a difference: 100 for points of percent.
        higher_is_better: False for ranks.
        k: Length of the list for recalls, else 0.
    """

    label: str
    scale: float = 1.0
    higher_is_better: bool = True
    k: int = 0


METRICS = {f"r{k}": Metric(f"R@{k}", scale=100.0, k=k) for k in (1, 5, 10, 50, 100)} | {
    "mrr": Metric("MRR"),
    "mean_rank": Metric("MnR", higher_is_better=False),
}


def query_values(counts: Any, metric: str) -> np.ndarray:
    """Values per query of a metric of ``METRICS``, expected under ties (recalls 0..1), from a table of counts."""
    chosen = pick(METRICS, metric, "metric")
    if chosen.k:
        return hit_values(counts, chosen.k)
    if metric == "mrr":
        return reciprocal_ranks(counts)
    above, tied, right = (np.asarray(counts[name], float) for name in ("n_above", "n_tied", "n_tied_right"))
    return 1 + above + tied / (right + 1)
