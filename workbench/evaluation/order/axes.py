"""Evidence on one axis of a similarity matrix: do profiles of similar captions resemble each other beyond chance?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.sparse as sp

from workbench.core.seeds import generator
from workbench.corpus.text import normalise_caption

SIMILAR = 0.3  # tf-idf cosine from which two captions count as similar
COMMON = 0.2  # words in more than this share of captions say nothing
MOST_CAPTIONS = 4000
MOST_PAIRS = 3000
MOST_PROFILES = 1200
MOST_ENTRIES = 2000
N_PERMUTATIONS = 200
EQUAL = 0.9999  # correlation of two profiles that differ by rounding only
NOISE = 6.0  # correlations of independent noise stay below this many standard errors


@dataclass(frozen=True)
class Pairs:
    """Pairs of similar captions.

    Attributes:
        first: int64 [pairs].
        second: int64 [pairs].
        identical: bool [pairs], the two captions are word-identical.
    """

    first: np.ndarray
    second: np.ndarray
    identical: np.ndarray


@dataclass(frozen=True)
class Axis:
    """What one axis shows.

    Attributes:
        n_pairs: Similar captions that could be compared.
        auc: Share of all pairs whose profiles resemble each other less than those of similar captions; 0.5 = chance.
        error: Standard error of ``auc`` under a random order.
        structured: Whether any profiles resemble each other beyond noise.
        n_identical: Pairs of word-identical captions.
        n_equal: How many of these have equal profiles.
        shares: float [pairs], the share of each pair.
        pair_ids: int64 [pairs], number of each pair in the list it was taken from.
        ends: int64 [pairs, 2], the captions of each pair.
    """

    n_pairs: int
    auc: float
    error: float
    structured: bool
    n_identical: int
    n_equal: int
    shares: np.ndarray
    pair_ids: np.ndarray
    ends: np.ndarray

    @property
    def z(self) -> float:
        """How many standard errors ``auc`` lies above chance."""
        return (self.auc - 0.5) / self.error if self.error > 0 else 0.0

    @property
    def best(self) -> float:
        """The highest ``auc`` there can be: below 1 where most of the compared captions are similar to each other."""
        n = len(np.unique(self.ends))
        return 1 - self.n_pairs / max(1, n * (n - 1))

    @property
    def equal_identical(self) -> bool:
        """Whether word-identical captions have equal profiles, most of them."""
        return self.n_identical > 0 and 2 * self.n_equal > self.n_identical

    def numbers(self) -> dict[str, Any]:
        """The evidence as plain numbers."""
        return {
            "n_pairs": self.n_pairs,
            "auc": round(self.auc, 4),
            "error": round(self.error, 4),
            "z": round(self.z, 2),
            "structured": self.structured,
            "n_identical": self.n_identical,
            "n_identical_equal": self.n_equal,
        }

    def describe(self) -> str:
        """The evidence in half a sentence."""
        if not self.n_pairs:
            return "have no similar captions to compare"
        text = f"of {self.n_pairs} similar caption pairs: AUC {self.auc:.2f} +- {self.error:.2f}, 0.50 is chance"
        if self.n_identical:
            text += f", {self.n_equal} of {self.n_identical} word-identical pairs equal"
        return text if self.structured else f"{text}, no profile resembles another"


def similar_pairs(texts: Sequence[str]) -> Pairs:
    """Pairs of captions that share rare words, the most similar first; at most ``MOST_PAIRS``.

    Of more than ``MOST_CAPTIONS`` captions an even sample is compared.
    """
    return _similar_pairs(tuple(texts))


@lru_cache(maxsize=4)  # the runs of a corpus and the turns of a matrix are all checked against the same captions
def _similar_pairs(texts: tuple[str, ...]) -> Pairs:
    chosen = np.unique(np.linspace(0, len(texts) - 1, min(len(texts), MOST_CAPTIONS)).astype(np.int64))
    words = [normalise_caption(texts[int(i)]) for i in chosen]
    vectors = _tf_idf(words)
    cosine = sp.triu(vectors @ vectors.T, k=1).tocoo()
    keep = np.flatnonzero(cosine.data >= SIMILAR)
    strength = np.asarray(cosine.data, float)[keep]
    keep = keep[np.argsort(-strength, kind="stable")][:MOST_PAIRS]
    first, second = (np.asarray(axis)[keep].astype(np.int64) for axis in cosine.coords)
    number = {text: place for place, text in enumerate(dict.fromkeys(words))}
    same = np.array([number[text] for text in words], np.int64)
    return Pairs(chosen[first], chosen[second], same[first] == same[second])


def _tf_idf(texts: Sequence[str]) -> sp.csr_array:
    """Rows of unit length [texts, words], words of more than ``COMMON`` of the texts left out."""
    counts = [Counter(re.findall(r"\w+", text)) for text in texts]
    frequency = Counter(word for count in counts for word in count)
    limit = max(5.0, COMMON * len(texts))
    number = {word: place for place, word in enumerate(w for w, n in frequency.items() if n <= limit)}
    entries = [
        (row, number[word], (1 + np.log(n)) * np.log((1 + len(texts)) / frequency[word]))
        for row, count in enumerate(counts)
        for word, n in count.items()
        if word in number
    ]
    rows, columns, weights = (np.array(column) for column in zip(*entries, strict=True)) if entries else ([], [], [])
    matrix = sp.coo_array(
        (np.asarray(weights, float), (np.asarray(rows, int), np.asarray(columns, int))),
        shape=(len(texts), max(1, len(number))),
    ).tocsr()
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sp.csr_array(sp.diags_array(1 / np.where(length > 0, length, 1)) @ matrix)


def look_at_axis(matrix: np.ndarray, pairs: Pairs, seed: int) -> Axis:
    """Compare the rows of similar captions with all pairs of these rows.

    Args:
        matrix: [captions, entries]; rows are profiles.
        pairs: Similar captions.
        seed: Seed of the permutations.
    """
    involved = _involved(pairs)
    profiles, varied = _profiles(matrix, involved)
    place = np.full(int(matrix.shape[0]), -1, np.int64)
    place[involved[varied]] = np.arange(int(varied.sum()))
    first, second = place[pairs.first], place[pairs.second]
    ids = np.flatnonzero((first >= 0) & (second >= 0))
    first, second, identical = first[ids], second[ids], pairs.identical[ids]
    if len(ids) == 0 or len(profiles) < 4:
        nothing = np.zeros(0)
        return Axis(0, 0.5, 0.0, False, 0, 0, nothing, nothing.astype(np.int64), np.zeros((0, 2), np.int64))
    resemblance = profiles @ profiles.T
    upper = np.triu_indices(len(profiles), 1)
    values = resemblance[upper]
    share = np.zeros_like(resemblance)
    share[upper] = (_mean_ranks(values) - 0.5) / len(values)
    share += share.T
    draw = generator(seed, "order")
    orders = np.argsort(draw.random((N_PERMUTATIONS, len(profiles))), axis=1)
    chance = share[orders[:, first], orders[:, second]].mean(axis=1)
    equal = resemblance[first, second] >= EQUAL
    return Axis(
        n_pairs=len(ids),
        auc=float(share[first, second].mean()),
        error=float(chance.std()),
        structured=bool(np.quantile(values, 0.999) > NOISE / np.sqrt(profiles.shape[1])),
        n_identical=int(identical.sum()),
        n_equal=int((equal & identical).sum()) if np.mean(values >= EQUAL) < 0.01 else 0,
        shares=share[first, second],
        pair_ids=ids,
        ends=np.stack([pairs.first[ids], pairs.second[ids]], axis=1),
    )


def _mean_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1 of a vector's values, equal ones at the mean of their ranks; SciPy's sorts stably, which is slow."""
    order = np.argsort(values)
    ascending = values[order]
    first = np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1]))
    ends = np.append(first, len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((ends[:-1] + ends[1:] + 1) / 2, np.diff(ends))
    return ranks


def _involved(pairs: Pairs) -> np.ndarray:
    """Captions of the most similar pairs, at most ``MOST_PROFILES``, ascending."""
    both = np.stack([pairs.first, pairs.second], axis=1).ravel()
    _, first_seen = np.unique(both, return_index=True)
    return np.sort(both[np.sort(first_seen)][:MOST_PROFILES])


def _profiles(matrix: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centred rows of unit length [varied, entries] of the chosen ones that vary, and which those are.

    Entries that no profile scored are left out. Others that were not scored take the mean of their row, or its lowest
    score where most of the row was not scored: then only candidates were, and who they are tells something.
    """
    entries = np.unique(np.linspace(0, matrix.shape[1] - 1, min(matrix.shape[1], MOST_ENTRIES)).astype(np.int64))
    part = np.asarray(matrix[np.ix_(chosen, entries)], np.float64)
    finite = np.isfinite(part)
    part, finite = part[:, finite.any(axis=0)], finite[:, finite.any(axis=0)]
    if not part.size:
        return np.zeros((0, 1)), np.zeros(len(chosen), bool)
    n_scored = finite.sum(axis=1, keepdims=True)
    mean = np.where(finite, part, 0.0).sum(axis=1, keepdims=True) / np.maximum(n_scored, 1)
    lowest = np.where(finite, part, np.inf).min(axis=1, keepdims=True)
    fill = np.where(2 * n_scored >= part.shape[1], mean, np.where(np.isfinite(lowest), lowest, 0.0))
    part = np.where(finite, part, fill)
    part -= part.mean(axis=1, keepdims=True)
    length = np.linalg.norm(part, axis=1)
    varied = length > 1e-9 * max(1.0, float(np.abs(part).max()))
    part = part[varied] / length[varied, None]
    return part, varied


def compare_axes(one: Axis, other: Axis) -> float:
    """By how many standard errors ``one`` follows the captions better than ``other``, on the pairs both have.

    Pairs that share a caption are not independent; the error is taken over captions.
    """
    _, at_one, at_other = np.intersect1d(one.pair_ids, other.pair_ids, return_indices=True)
    if len(at_one) < 10:
        return 0.0
    gap = one.shares[at_one] - other.shares[at_other]
    ends = one.ends[at_one]
    rest = gap - gap.mean()
    per_caption = np.bincount(ends.ravel(), np.repeat(rest, 2))
    error = np.sqrt(max(float((per_caption**2).sum() - (rest**2).sum()), float((rest**2).sum()))) / len(gap)
    return float(gap.mean() / error) if error > 0 else 0.0
