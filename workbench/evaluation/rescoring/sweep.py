"""Choose the weight of a fusion where it may be chosen: on a split whose numbers are not reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.metrics.measures import METRICS, metric_value, query_values
from workbench.evaluation.ranks.bounds import count_both
from workbench.evaluation.ranks.relevance import check_relevance
from workbench.evaluation.rescoring.fusion import Modalities, check_two
from workbench.evaluation.rescoring.walks import new_matrix

STEPS = 21


@dataclass(frozen=True)
class WeightSweep:
    """What every weight of the second modality gives; the first has one minus it.

    Attributes:
        curve: domain (null = all queries), weight (0..1), value (percent for recalls), n_queries; one row per domain
            and weight.
        weights: The chosen weights by modality: the best over all queries; of several equally good ones, the middle.
        value: What they give here.
        best_of_domain: The best weight of the second modality by domain, chosen alike; for looking, not for use.
        metric: Name of the metric.
        direction: ``t2v`` or ``v2t``.
    """

    curve: pd.DataFrame
    weights: Mapping[str, float]
    value: float
    best_of_domain: Mapping[str, float]
    metric: str
    direction: str


def sweep_weights(
    modalities: Mapping[str, Any],
    relevance: Any = None,
    *,
    metric: str = "r1",
    direction: str = "t2v",
    steps: int = STEPS,
    scale: str = "none",
    domains: Sequence[Any] | np.ndarray | None = None,
) -> WeightSweep:
    """Try evenly spaced weights of two modalities on a validation split.

    One matrix is made and used for all weights.

    Args:
        modalities: Two similarities [captions, videos] by name, of the validation split. Never changed.
        relevance: Grades [captions, videos]; None = the diagonal of a square matrix.
        metric: A name of ``METRICS`` but map and ndcg10, expected under ties.
        direction: Whose queries: ``t2v`` or ``v2t``.
        steps: Weights tried, 0 and 1 included; at least 2.
        scale: As for ``fuse_scores``.
        domains: Domain of every query: of each row (t2v), or of each column (v2t); None = no curve per domain.

    Raises:
        DataError: Not two modalities, wrong shapes, NaN, +inf, fewer than two steps, as many domains as no axis has.
        UnknownNameError: Unknown metric, scale or direction.
    """
    measure = pick(METRICS, metric, "metric")
    first, second = check_two(modalities)
    if steps < 2:
        raise DataError(f"{steps} steps make no sweep.", "Try at least 2 weights; 21 are usual.")
    chosen = Modalities.of(modalities, scale, direction)
    matrices = list(chosen.matrices.values())
    pairs = check_relevance(relevance, (matrices[0].shape[0], matrices[0].shape[1]))
    labels = _labels(domains, matrices[0].shape[0 if direction == "t2v" else 1])
    room = new_matrix(None, *matrices)
    rows: list[tuple[Any, float, float, int]] = []
    for weight in np.linspace(0, 1, steps):
        fused = chosen.sum({first: 1 - weight, second: weight}, room)
        counts = count_both(fused, pairs, pairs.level("auto"))[direction]
        values = query_values(counts, metric)
        rows.append((None, float(weight), metric_value(values, metric), len(values)))
        if labels is not None:
            own = pd.Series(labels[counts.queries])
            for name, places in own.groupby(own).indices.items():
                rows.append((name, float(weight), metric_value(values[places], metric), len(places)))
    curve = pd.DataFrame(rows, columns=["domain", "weight", "value", "n_queries"]).astype({"domain": object})
    total = curve[curve["domain"].isna()]
    best = _best(total, measure.higher_is_better)
    by_domain = curve[curve["domain"].notna()].groupby("domain")
    of_domain = {str(name): _best(part, measure.higher_is_better) for name, part in by_domain}
    value = float(total.loc[total["weight"] == best, "value"].iloc[0])
    return WeightSweep(curve, {first: 1 - best, second: best}, value, of_domain, metric, direction)


def _labels(domains: Any, size: int) -> np.ndarray | None:
    if domains is None:
        return None
    labels = np.asarray(domains, object)
    if labels.shape != (size,):
        raise DataError(f"There are {len(labels)} domains for {size} queries.", "Give one for each, in their order.")
    return labels


def _best(curve: pd.DataFrame, higher_is_better: bool) -> float:
    """The weight of the best value; of several, the one nearest to their mean (the lower of two)."""
    values = curve["value"].to_numpy() * (1 if higher_is_better else -1)
    weights = curve["weight"].to_numpy()[values >= values.max() - 1e-9]
    return float(weights[np.argmin(np.round(np.abs(weights - weights.mean()), 9))])
