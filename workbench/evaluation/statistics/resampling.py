"""Resampling by cluster: a statistic of many weighted samples at once, its bootstrap, and the swapping of two runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numba import njit

from workbench.core.lookup import pick
from workbench.core.seeds import generator

RESAMPLES_AT_ONCE = 250
STATISTICS = {name: name for name in ("mean", "median", "geometric", "columns")}


class Sample:
    """Values per query that can be weighted by cluster.

    Args:
        values: float [queries]; [queries, columns] for ``geometric`` and ``columns``.
        number: int [queries], the cluster of each query, from 0.
        statistic: ``mean``, ``median``, or ``geometric`` (cube root of the product of three columns' means; with c
            columns the c-th root), or ``columns``: the mean of every column by itself.
    """

    def __init__(self, values: np.ndarray, number: np.ndarray, statistic: str = "mean") -> None:
        self.statistic = pick(STATISTICS, statistic, "statistic")
        self.values = np.asarray(values, float)
        self.number = np.asarray(number, np.int64)
        if self.statistic == "median":
            order = np.argsort(self.values, kind="stable")
            self._sorted, self._owner = self.values[order], self.number[order]

    def at(self, weights: np.ndarray) -> np.ndarray:
        """float64 [resamples]: the statistic when cluster c counts ``weights[:, c]`` times; nan where all weigh 0.

        [columns, resamples] for ``columns``.
        """
        if self.statistic == "median":
            return weighted_medians(self._sorted, self._owner, np.ascontiguousarray(weights, np.float32))
        *sums, sizes = (weights @ self.totals(weights.shape[1]).T).T
        with np.errstate(invalid="ignore"):
            return self.of_means(np.stack(sums) / sizes)

    def totals(self, n_clusters: int) -> np.ndarray:
        """float64 [columns + 1, clusters]: sums of each column and the number of queries."""
        columns = [*self.values.reshape(len(self.values), -1).T, np.ones(len(self.number))]
        return np.stack([np.bincount(self.number, one, n_clusters) for one in columns])

    def of_means(self, means: np.ndarray) -> np.ndarray:
        """The statistic of the columns' means [columns, resamples], as ``at`` returns it."""
        if self.statistic == "geometric":
            return np.prod(np.clip(means, 0, None), axis=0) ** (1 / len(means))
        return means if self.statistic == "columns" else means[0]


@njit(cache=True, nogil=True)
def weighted_medians(values: np.ndarray, number: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """float64 [resamples]: median of ascending ``values`` [queries], each counted as often as its cluster.

    Args:
        values: float64 [queries], ascending.
        number: int64 [queries], cluster of each value.
        weights: float32 [resamples, clusters], whole numbers; exact below 2 ** 24 queries.
    """
    found = np.empty(len(weights))
    sizes = np.zeros(weights.shape[1])
    for cluster in number:
        sizes[cluster] += 1
    for row in range(len(weights)):
        total = 0.0
        for cluster in range(len(sizes)):
            total += sizes[cluster] * weights[row, cluster]
        reached, lower, upper = 0.0, np.nan, np.nan
        if total > 0:
            for at in range(len(values)):
                reached += weights[row, number[at]]
                if np.isnan(lower) and 2 * reached >= total:
                    lower = values[at]
                if 2 * reached > total:
                    upper = values[at]
                    break
        found[row] = (lower + upper) / 2
    return found


def bootstrap(samples: Sequence[Sample], n_clusters: int, n_resamples: int = 10_000, seed: int = 0) -> np.ndarray:
    """float64 [statistics, resamples]: those of every sample on the same draws of clusters, with replacement."""
    found = [np.vstack([one.at(weights) for one in samples]) for weights in _draws(n_clusters, n_resamples, seed)]
    return np.concatenate(found, axis=1)


def _draws(n_clusters: int, n_resamples: int, seed: int) -> Iterator[np.ndarray]:
    """float64 [at once, clusters]: how often each cluster is drawn; multinomial."""
    draw = generator(seed, "bootstrap")
    for start in range(0, n_resamples, RESAMPLES_AT_ONCE):
        size = min(RESAMPLES_AT_ONCE, n_resamples - start)
        yield tallied(draw.integers(0, n_clusters, (size, n_clusters), dtype=np.int32), n_clusters)


@njit(cache=True, nogil=True)
def tallied(drawn: np.ndarray, n: int) -> np.ndarray:
    """float64 [rows, n]: how often each number below ``n`` stands in each row of ``drawn``."""
    found = np.zeros((len(drawn), n))
    for row in range(len(drawn)):
        for one in drawn[row]:
            found[row, one] += 1
    return found


def swap(a: Sample, b: Sample, n_clusters: int, n_swaps: int = 10_000, seed: int = 0) -> np.ndarray:
    """float64 [swaps]: the statistic of ``b`` minus that of ``a`` when whole clusters change sides by a fair coin.

    Args:
        a: Values of the first run.
        b: Values of the second, on the same queries in the same order.
        n_clusters: Number of clusters.
        n_swaps: How often the coins are thrown.
        seed: Of the coins.
    """
    draw = generator(seed, "swaps")
    found = []
    for start in range(0, n_swaps, RESAMPLES_AT_ONCE):
        shape = (min(RESAMPLES_AT_ONCE, n_swaps - start), n_clusters)
        changed = draw.integers(0, 2, shape, dtype=np.int8)
        found.append(_swapped_medians(a, b, changed) if a.statistic == "median" else _swapped_means(a, b, changed))
    return np.concatenate(found)


def _swapped_means(a: Sample, b: Sample, changed: np.ndarray) -> np.ndarray:
    n_clusters, size = changed.shape[1], len(a.number)
    sums_a, sums_b = a.totals(n_clusters)[:-1], b.totals(n_clusters)[:-1]
    moved = (changed.astype(float) @ (sums_b - sums_a).T).T
    first, second = sums_a.sum(axis=1)[:, None] + moved, sums_b.sum(axis=1)[:, None] - moved
    return a.of_means(second / size) - a.of_means(first / size)


def _swapped_medians(a: Sample, b: Sample, changed: np.ndarray) -> np.ndarray:
    n_clusters = changed.shape[1]
    both = Sample(np.concatenate([a.values, b.values]), np.concatenate([a.number, b.number + n_clusters]), "median")
    return both.at(np.hstack([changed, 1 - changed])) - both.at(np.hstack([1 - changed, changed]))
