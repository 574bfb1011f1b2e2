"""How large a difference is, beside whether it is beyond noise; and how alike two runs order things."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

PERSISTENCE = 0.9
"""Of RBO: the first ten places carry 86 % of the weight."""
AT_ONCE = 256


def cliffs_delta(values_a: np.ndarray, values_b: np.ndarray) -> float:
    """Cliff's delta, -1..1: how much more often a value of ``b`` is the smaller of two drawn at random than that of a.

    Of ranks it is above 0 where ``b`` is better; a logarithm of the ranks changes nothing.

    Args:
        values_a: float [queries] of the first run.
        values_b: float [queries] of the second.

    Source: Cliff, Dominance statistics, Psychol. Bull. 114, 1993; by the U of Mann and Whitney.
    """
    from scipy import stats  # here, as loading it takes longer than most commands

    a, b = np.asarray(values_a, float), np.asarray(values_b, float)
    return float(2 * stats.mannwhitneyu(a, b).statistic / (len(a) * len(b)) - 1)


def rank_biased_overlap(a: np.ndarray, b: np.ndarray, persistence: float = PERSISTENCE) -> np.ndarray:
    """float64 [queries]: extrapolated rank-biased overlap of two lists each, 0..1; 1 = the same order.

    Args:
        a: int [queries, depth], items of the first run, best first; -1 = the list is over.
        b: The same of the second run, of the same depth.
        persistence: Weight of each place relative to the one above it.

    Source: Webber, Moffat and Zobel, A similarity measure for indefinite rankings, ACM TOIS 28(4), 2010, eq. 30;
    places that both lists lack count as agreed on.
    """
    length = a.shape[1]
    weights = persistence ** np.arange(length) * (1 - persistence)
    found = np.empty(len(a))
    for rows, places in _places(a, b):
        meet = np.where(places >= 0, np.maximum(places, np.arange(length)), length)
        first = np.arange(len(meet))[:, None] * (length + 1)
        met = np.bincount((first + meet).ravel(), minlength=len(meet) * (length + 1)).reshape(len(meet), -1)[:, :-1]
        over = (a[rows] < 0) & (b[rows] < 0)
        share = (met + over).cumsum(axis=1) / np.arange(1, length + 1)
        found[rows] = np.minimum(1, share @ weights + share[:, -1] * persistence**length)
    return found


def list_tau(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """float64 [queries]: Kendall's tau of the order of the items that both lists hold; nan for fewer than two.

    Args:
        a: int [queries, depth], items of the first run, best first; -1 = the list is over.
        b: The same of the second run, of the same depth.

    Source: Kendall, A new measure of rank correlation, Biometrika 30, 1938.
    """
    later = np.triu(np.ones((a.shape[1], a.shape[1]), bool), 1)
    found = np.full(len(a), np.nan)
    for rows, places in _places(a, b):
        held = places >= 0
        pairs = later & held[:, :, None] & held[:, None, :]
        signs = np.sign(places[:, None, :] - places[:, :, None])
        n = pairs.sum(axis=(1, 2))
        found[rows] = np.divide((signs * pairs).sum(axis=(1, 2)), n, out=np.full(len(n), np.nan), where=n > 0)
    return found


def _places(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows, and int64 [rows, depth]: where each item of ``a`` stands in the list of ``b`` (-1 = nowhere)."""
    for start in range(0, len(a), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        equal = (a[rows][:, :, None] == b[rows][:, None, :]) & (a[rows] >= 0)[:, :, None]
        yield rows, np.where(equal.any(axis=2), equal.argmax(axis=2), -1)
