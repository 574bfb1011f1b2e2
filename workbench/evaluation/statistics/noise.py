"""What chance does to the difference of two runs: bootstrap by cluster, McNemar, sign flips and swaps of clusters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from workbench.core.seeds import generator
from workbench.evaluation.statistics.intervals import quantiles
from workbench.evaluation.statistics.resampling import RESAMPLES_AT_ONCE, Sample, bootstrap, swap
from workbench.evaluation.statistics.sides import Part

POWER = 0.8
SAME = 1e-12  # differences below it are rounding


@dataclass(frozen=True)
class Noise:
    """What chance does to a difference, in the scale of the values.

    Attributes:
        interval: Of the difference; (nan, nan) with one cluster.
        p: Two-sided.
        error: Standard error of the difference if there were none.
        method: How p was computed: ``exact McNemar``, ``sign flips`` or ``swaps`` (of clusters).
    """

    interval: tuple[float, float]
    p: float
    error: float
    method: str


def noise_of_means(
    parts: Sequence[Part], numbers: Sequence[np.ndarray], n_clusters: int, level: float, n_resamples: int, seed: int,
    *, exact: bool,
) -> Noise:  # fmt: skip
    """Of a sum over parts of mean differences: bootstrap, and McNemar (``exact``) or sign flips of clusters."""
    differences = [part.b - part.a for part in parts]
    for difference in differences:
        difference[np.abs(difference) < SAME] = 0
    pairs = list(zip(differences, numbers, strict=True))
    sums = np.sum([np.bincount(number, one, n_clusters) / len(one) for one, number in pairs], axis=0)
    if exact:
        p, method = mcnemar(int((differences[0] > 0).sum()), int((differences[0] < 0).sum())), "exact McNemar"
    else:
        p, method = sign_flip(sums, n_resamples, seed), "sign flips"
    interval = (math.nan, math.nan)
    if n_clusters > 1:
        drawn = bootstrap([Sample(one, number) for one, number in pairs], n_clusters, n_resamples, seed)
        interval = quantiles(drawn.sum(axis=0), level)
    return Noise(interval, p, math.sqrt(float((sums**2).sum())), method)


def noise_of_samples(
    part: Part, number: np.ndarray, n_clusters: int, statistic: str, level: float, n_resamples: int, seed: int
) -> Noise:
    """Of a difference of medians or geometric means: bootstrap of both on the same draws, and swaps of clusters."""
    a, b = (Sample(values, number, statistic) for values in (part.a, part.b))
    everything = np.ones((1, n_clusters))
    observed = abs(float(b.at(everything)[0] - a.at(everything)[0]))
    if np.array_equal(part.a, part.b):
        return Noise((0.0, 0.0), 1.0, 0.0, "swaps")
    null = swap(a, b, n_clusters, n_resamples, seed)
    p = (1 + int((np.abs(null) >= observed - 1e-9 * (1 + observed)).sum())) / (1 + n_resamples)
    interval = (math.nan, math.nan)
    if n_clusters > 1:
        drawn = bootstrap([a, b], n_clusters, n_resamples, seed)
        interval = quantiles(drawn[1] - drawn[0], level)
    return Noise(interval, p, float(null.std()), "swaps")


def mcnemar(wins: int, losses: int) -> float:
    """Exact two-sided p of McNemar's test on the queries that differ; 1 where none does."""
    from scipy import stats  # here, as loading it takes longer than most commands

    if wins + losses == 0:
        return 1.0
    return float(stats.binomtest(wins, wins + losses).pvalue)


def sign_flip(sums: np.ndarray, n_flips: int = 10_000, seed: int = 0) -> float:
    """Two-sided randomisation p of a sum of cluster sums whose signs are exchangeable: (1 + b) / (1 + B)."""
    sums = sums[np.abs(sums) > SAME * np.abs(sums).max(initial=0)]
    if not len(sums):
        return 1.0
    draw = generator(seed, "sign flips")
    total = float(sums.sum())
    limit = abs(total) - 1e-9 * np.abs(sums).sum()
    reached = 0
    for start in range(0, n_flips, RESAMPLES_AT_ONCE):
        shape = (min(RESAMPLES_AT_ONCE, n_flips - start), len(sums))
        kept = draw.integers(0, 2, shape, dtype=np.int8).astype(float) @ sums  # the others change their sign
        reached += int((np.abs(2 * kept - total) >= limit).sum())
    return (1 + reached) / (1 + n_flips)


def minimum_detectable(error: float, level: float = 0.95) -> float:
    """Smallest true difference seen with 80 % power, from its error if there were none; nan if that is 0."""
    if error == 0:
        return math.nan
    return float(special.ndtri(0.5 + level / 2) + special.ndtri(POWER)) * error
