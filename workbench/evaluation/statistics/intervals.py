"""How sure a number is: Wilson on the effective sample, bootstrap over source videos; how often an item is listed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.statistics.resampling import Sample, bootstrap


def wilson(hits: float, n: float, deff: float = 1.0, level: float = 0.95) -> tuple[float, float]:
    """Wilson interval of a share, on the effective sample ``n / deff``.

    Args:
        hits: Successes; may be fractional (expected hits under ties).
        n: Trials.
        deff: Design effect, at least 1; see ``design_effect``.
        level: Confidence.

    Returns:
        (low, high) in 0..1; (0, 1) where there is no trial.

    Raises:
        DataError: hits outside 0..n or a design effect below 1.
    """
    if n == 0:
        return 0.0, 1.0
    if not 0 <= hits <= n * (1 + 1e-12) or deff < 1:
        raise DataError(f"{hits} hits of {n} with design effect {deff}.", "Give 0 <= hits <= n and deff >= 1.")
    share, size = min(hits / n, 1.0), n / deff
    z = float(special.ndtri(0.5 + level / 2))
    middle = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * math.sqrt(share * (1 - share) / size + z**2 / (4 * size**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def cluster_numbers(clusters: Any, n: int) -> np.ndarray:
    """int64 [n] numbers from 0; None, or a missing label, is a cluster of its own.

    Raises:
        DataError: Another number of labels than values.
    """
    if clusters is None:
        return np.arange(n)
    labels = pd.Series(list(clusters), dtype=object)
    if len(labels) != n:
        raise DataError(f"{len(labels)} cluster labels for {n} values.", "Give one label per value.")
    numbers = pd.factorize(labels)[0].astype(np.int64)
    missing = numbers < 0
    numbers[missing] = numbers.max(initial=-1) + 1 + np.arange(int(missing.sum()))
    return numbers


def joint_numbers(labels: Sequence[Any]) -> list[np.ndarray]:
    """``cluster_numbers`` of several lists of labels; the same label is the same cluster in all of them."""
    known = [np.asarray(one, object) for one in labels]
    numbers = cluster_numbers(np.concatenate(known), sum(map(len, known)))
    return np.split(numbers, np.cumsum([len(one) for one in known])[:-1])


def design_effect(values: Any, clusters: Any) -> float:
    """How much larger the variance of the mean is than for independent queries; at least 1.

    Where the values do not vary, the design effect of wholly dependent clusters (sum of squared sizes / n) is given.
    """
    values = np.asarray(values, float)
    number = cluster_numbers(clusters, len(values))
    sizes = np.bincount(number)
    n, n_clusters = len(values), len(sizes)
    if n == 0 or n_clusters == n:
        return 1.0
    rest = values - values.mean()
    independent = float((rest**2).sum()) / (n - 1) / n
    if independent < 1e-15 or n_clusters == 1:
        return float((sizes**2).sum() / n)
    between = n_clusters / (n_clusters - 1) * float((np.bincount(number, rest) ** 2).sum()) / n**2
    return max(1.0, between / independent)


def effective_size(values: Any, clusters: Any) -> float:
    """Number of independent queries that would tell as much: n / design effect."""
    return len(values) / design_effect(values, clusters)


def clustered_interval(
    values: Any,
    clusters: Any = None,
    statistic: str = "mean",
    level: float = 0.95,
    n_resamples: int = 10_000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic over queries, resampling whole clusters.

    Args:
        values: float [queries]; [queries, columns] for a geometric mean.
        clusters: Label of every query (its source video); None or a missing label = a cluster of its own.
        statistic: ``mean``, ``median`` or ``geometric``.
        level: Confidence.
        n_resamples: Bootstrap resamples.
        seed: Seed of the resampling.

    Returns:
        (low, high); (nan, nan) with fewer than two clusters, from which no spread can be seen.

    Raises:
        DataError: Values that are not finite.
        UnknownNameError: Another statistic.
    """
    pick({name: name for name in ("mean", "median", "geometric")}, statistic, "statistic")
    values = np.asarray(values, float)
    if not np.isfinite(values).all():
        raise DataError("Values per query must be finite.", "Leave out the queries without a value.")
    number = cluster_numbers(clusters, len(values))
    n_clusters = int(number.max(initial=-1)) + 1
    if n_clusters < 2:
        return math.nan, math.nan
    (found,) = bootstrap([Sample(values, number, statistic)], n_clusters, n_resamples, seed)
    return quantiles(found, level)


def quantiles(found: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """The middle ``level`` of resampled statistics; nan among them (empty resamples) are left out."""
    low, high = np.nanquantile(found, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def k_occurrence(top_columns: Sequence[Sequence[int] | np.ndarray], n_columns: int, k: int = 10) -> np.ndarray:
    """int64 [n_columns]: in how many queries' first ``k`` positions each item stands.

    Raises:
        DataError: A position outside the gallery.
    """
    first = [np.asarray(one, np.int64)[:k] for one in top_columns]
    positions = np.concatenate(first) if first else np.zeros(0, np.int64)
    if len(positions) and not (0 <= positions.min() and positions.max() < n_columns):
        raise DataError(f"Position {positions.max()} in a gallery of {n_columns}.", "Give the size of the gallery.")
    return np.bincount(positions, minlength=n_columns)
