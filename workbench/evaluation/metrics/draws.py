"""What a random order of tied items gives on average, in closed form: hits, reciprocal rank, precision, nDCG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.lookup import pick
from workbench.evaluation.ranks.bounds import TIES
from workbench.evaluation.ranks.relevance import Lists


def hit_values(counts: Any, k: int, ties: str = "expected") -> np.ndarray:
    """Probability that a right item stands among the first ``k``, per query.

    With g wrong items above, m wrong and r right items tied: ``1 - C(m, j) / C(m + r, j)``, j = clip(k - g, 0, m + r).

    Args:
        counts: ``RankCounts``, or a table with the columns n_above, n_tied, n_tied_right.
        k: Length of the list.
        ties: ``expected`` (random order of tied items), ``optimistic`` or ``pessimistic``.

    Returns:
        float64 [queries] in 0..1; 0 where no right item was scored (n_tied_right = 0).
    """
    above, tied, right = (np.asarray(_column(counts, name), float) for name in ("n_above", "n_tied", "n_tied_right"))
    scored = right > 0
    rule = pick(TIES, ties, "tie rule")
    if rule == "optimistic":
        return (scored & (above < k)).astype(float)
    if rule == "pessimistic":
        return (scored & (above + tied < k)).astype(float)
    places = np.clip(k - above, 0, tied + right)
    miss = np.clip(1 - places / (tied + 1), 0, 1)
    for q in np.flatnonzero((right > 1) & (places > 0)):
        step = np.arange(1, right[q] + 1)
        miss[q] = np.prod(np.maximum(tied[q] - places[q] + step, 0) / (tied[q] + step))
    return np.where(scored, 1 - miss, 0.0)


def _column(counts: Any, name: str) -> Any:
    return getattr(counts, name) if hasattr(counts, name) else counts[name]


def reciprocal_ranks(counts: Any, ties: str = "expected") -> np.ndarray:
    """Mean of 1 / rank of the first right item over the tie draw, per query: float64 in 0..1, 0 where not scored."""
    above, tied, right = (np.asarray(_column(counts, name), float) for name in ("n_above", "n_tied", "n_tied_right"))
    scored = right > 0
    rule = pick(TIES, ties, "tie rule")
    if rule != "expected":
        rank = above + 1 + (tied if rule == "pessimistic" else 0)
        return np.where(scored, 1 / rank, 0.0)
    sums = _Sums(int((above + tied).max()) + 2, lambda place: 1 / place)
    value = sums.between(above, above + tied + 1) / (tied + 1)
    for q in np.flatnonzero((right > 1) & (tied > 0)):
        items = tied[q] + right[q]
        place = np.arange(tied[q] + 1)  # right items still to come behind each place of the tied block
        later = np.concatenate([[1.0], np.cumprod((items - place[:-1] - right[q]) / (items - 1 - place[:-1]))])
        value[q] = np.sum(right[q] / items * later / (above[q] + 1 + place))
    value = np.where((right > 1) & (tied == 0), 1 / (above + 1), value)
    return np.where(scored, value, 0.0)


class _Sums:
    """Running sums of a function of the place, from place 1."""

    def __init__(self, size: int, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self.total = np.concatenate([[0.0], np.cumsum(function(np.arange(1.0, size + 1)))])

    def between(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Sum over the places first + 1 ... last; places beyond the table count 0."""
        end = len(self.total) - 1
        return self.total[np.minimum(last, end).astype(int)] - self.total[np.minimum(first, end).astype(int)]


@dataclass(frozen=True)
class PairCounts:
    """What stands above and beside every right pair of a set of queries.

    Attributes:
        lists: Right items per query.
        above: int64 [pairs], wrong items above it.
        tied: int64 [pairs], wrong items with exactly its score.
        scores: [pairs]; -inf = not scored.
    """

    lists: Lists
    above: np.ndarray
    tied: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class _Places:
    """Where right pairs stand: ``before`` items strictly above, then ``items`` equal ones, ``right`` of them right."""

    right_before: np.ndarray
    before: np.ndarray
    items: np.ndarray
    right: np.ndarray
    nth: np.ndarray
    """Number of the pair among the right pairs of its block, from 1."""


def _places(pairs: PairCounts, value: np.ndarray) -> _Places:
    """Places of the right pairs; inside a block they are numbered by falling ``value``."""
    query = pairs.lists.owner
    order = np.lexsort((-value, -pairs.scores, query))
    q, score = query[order], pairs.scores[order]
    start = np.concatenate([[True], (q[1:] != q[:-1]) | (score[1:] != score[:-1])])
    first = np.flatnonzero(start)
    block = np.cumsum(start) - 1
    size = np.diff(np.append(first, len(q)))
    places = {
        "right_before": first[block] - pairs.lists.indptr[q],
        "right": size[block],
        "nth": np.arange(len(q)) - first[block] + 1,
    }
    back = np.empty(len(q), np.int64)
    back[order] = np.arange(len(q))
    found = {name: column[back].astype(float) for name, column in places.items()}
    return _Places(**found, before=pairs.above + found["right_before"], items=pairs.tied + found["right"])


def average_precisions(pairs: PairCounts, ties: str = "expected") -> np.ndarray:
    """Average precision of every query under a tie rule: float64 [queries] in 0..1.

    The expected value is exact: a right item of a block with n items, r of them right, stands at place p of the block
    with the same probability for each p, and (p - 1)(r - 1) / (n - 1) other right items of the block stand before it.
    """
    rule = pick(TIES, ties, "tie rule")
    at = _places(pairs, np.zeros(len(pairs.scores)))
    if rule == "expected":
        sums = _Sums(int((at.before + at.items).max(initial=0)) + 1, lambda place: 1 / place)
        share = sums.between(at.before, at.before + at.items)
        others = (at.right - 1) / np.maximum(at.items - 1, 1) * (at.items - (at.before + 1) * share)
        precision = ((at.right_before + 1) * share + others) / at.items
    else:
        behind = pairs.tied if rule == "pessimistic" else 0
        precision = (at.right_before + at.nth) / (at.before + behind + at.nth)
    precision = np.where(pairs.scores > -np.inf, precision, 0.0)
    sizes = pairs.lists.sizes
    total = np.bincount(pairs.lists.owner, precision, minlength=len(sizes))
    return total / np.maximum(sizes, 1)


def ndcgs(pairs: PairCounts, k: int = 10, ties: str = "expected") -> np.ndarray:
    """nDCG at ``k`` of every query under a tie rule, gain = grade, discount 1 / log2(1 + place): float64 in 0..1."""
    rule = pick(TIES, ties, "tie rule")
    gain = pairs.lists.grades.astype(float)
    sums = _Sums(k, lambda place: 1 / np.log2(1 + place))
    at = _places(pairs, -gain if rule == "pessimistic" else gain)
    if rule == "expected":
        weight = sums.between(at.before, at.before + at.items) / at.items
    else:
        place = at.before + (pairs.tied if rule == "pessimistic" else 0) + at.nth
        weight = sums.between(place - 1, place)
    weight = np.where(pairs.scores > -np.inf, weight, 0.0)
    query, n_queries = pairs.lists.owner, len(pairs.lists.sizes)
    reached = np.bincount(query, gain * weight, minlength=n_queries)
    order = np.lexsort((-gain, query))
    place = np.arange(len(query)) - pairs.lists.indptr[query] + 1.0
    best = np.bincount(query, gain[order] * sums.between(place - 1, place), minlength=n_queries)
    return np.divide(reached, best, out=np.zeros(n_queries), where=best > 0)
