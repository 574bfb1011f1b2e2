"""A weight for every caption: how much to trust one modality against the other, learned on a validation split.

The gate is logistic, w = sigmoid(b + <a, x>), x what a caption and its own two rows of scores tell (``FEATURES``). The
new scores of a caption are (1 - w) A + w B, A and B its rows over the spread that their modality has in the rows of the
validation split; not over their own, which depends on how many videos there are to choose from. ``gate_fit`` has the
fit, over the best ``CANDIDATES`` videos of each modality and the right ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from workbench.core.errors import DataError
from workbench.evaluation.metrics.scene_text import scene_text_queries
from workbench.evaluation.ranks.blocks import on_all_cores
from workbench.evaluation.ranks.kernels import top_items
from workbench.evaluation.ranks.relevance import Lists, check_relevance
from workbench.evaluation.rescoring.fusion import Modalities, check_two, scored_sums
from workbench.evaluation.rescoring.gate_fit import Choices, fitted
from workbench.evaluation.rescoring.protocol import Rescored, ScoringProtocol
from workbench.evaluation.rescoring.walks import new_matrix, small_ranges

FEATURES = ("scene-text query", "words", "margin of the first", "margin of the second")
"""1 where a caption is a scene-text query (``evaluation.metrics.scene_text``), 0 where not or where it is not defined;
the logarithm of its number of words; and for each modality how far its best video stands above its second, in spreads
of the modality."""
FAR = 3.0
"""Standard deviations from the mean of a feature, beyond which a caption counts as if it stood there."""
CANDIDATES = 50
FEW = 50
"""Captions below which a gate carries a warning."""
LEAST = 1e-9
"""Of a weight, so that a pair that one modality has not scored stays unscored."""

Scales = tuple[float, float]


@dataclass(frozen=True)
class Gate:
    """A fitted gate.

    Attributes:
        modalities: The two it weighs: the weight is that of the second, the first has one minus it.
        coefficients: Of each of ``FEATURES``, which are first brought to mean 0 and standard deviation 1 and cut at
            ``FAR``.
        bias: Beside them.
        scales: Spread of the scores of each modality where the gate was fitted.
        mean: Of each feature there.
        spread: Its standard deviation there; 1 where it was the same for all.
        temperature: Of the fitted softmax, in these spreads.
        penalty: Of the squared coefficients, as chosen by cross-validation.
        n_queries: Captions it was fitted on.
    """

    modalities: tuple[str, str]
    coefficients: tuple[float, ...]
    bias: float
    scales: Scales
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    temperature: float
    penalty: float
    n_queries: int

    def weights(self, features: np.ndarray) -> np.ndarray:
        """Weight of the second modality, between 0 and 1, [captions] of features [captions, ``FEATURES``]."""
        described = _standard(features, np.array(self.mean), np.array(self.spread))
        return np.clip(expit(self.bias + described @ np.array(self.coefficients)), LEAST, 1 - LEAST)

    def to_dict(self) -> dict[str, Any]:
        """As the protocol of a run states it."""
        of_features = ("coefficients", "mean", "spread")
        named = {name: dict(zip(FEATURES, getattr(self, name), strict=True)) for name in of_features}
        return {**asdict(self), "modalities": list(self.modalities), **named}


def fit_gate(modalities: Mapping[str, Any], relevance: Any, captions: pd.DataFrame) -> Gate:
    """Learn the gate of two modalities, on a split whose numbers are not reported.

    Args:
        modalities: Two similarities [captions, videos] by name. Never changed.
        relevance: Grades [captions, videos]; None = the diagonal of a square matrix.
        captions: caption_id, text and, where known, language; one for each row, in their order.

    Raises:
        DataError: Not two modalities, other shapes, NaN, +inf, or no right video that both have scored.
    """
    names = check_two(modalities)
    pair = Modalities.of(modalities, "none", "t2v")
    scales = _spreads(pair)
    features = _features(pair, scales, captions)
    right = check_relevance(relevance, pair.shape).videos_of
    queries, entries = _candidates(pair, scales, right)
    mean, spread = features[queries].mean(0), features[queries].std(0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    groups = right.indices[right.indptr[queries]]
    numbers, penalty = fitted(Choices(_standard(features[queries], mean, spread), groups, *entries))
    *coefficients, bias, sharpness = numbers.tolist()
    return Gate(
        names, tuple(coefficients), bias, scales, tuple(mean.tolist()), tuple(spread.tolist()),
        float(np.exp(-sharpness)), penalty, len(queries),
    )  # fmt: skip


def _standard(features: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    return np.clip((features - mean) / spread, -FAR, FAR)


def gated_fusion(
    modalities: Mapping[str, Any], gate: Gate, captions: pd.DataFrame, *, out: np.ndarray | None = None
) -> Rescored:
    """Two similarities in a sum whose weights a gate chooses for every caption; a caption sees its own scores alone.

    Args:
        modalities: The two that the gate was fitted for, by name. Never changed.
        gate: From ``fit_gate`` on another split.
        captions: As there.
        out: Where to write; None = a new array.

    Raises:
        DataError: Other modalities, other shapes, NaN, +inf.
    """
    if set(check_two(modalities)) != set(gate.modalities):
        raise DataError(
            f"The gate was fitted for {' and '.join(gate.modalities)}, the scores are {' and '.join(modalities)}.",
            "Fit it on a run of the same model.",
        )
    first, second = gate.modalities
    pair = Modalities.of({first: modalities[first], second: modalities[second]}, "none", "t2v")
    weights = gate.weights(_features(pair, gate.scales, captions))
    shares = {first: (1 - weights) / gate.scales[0], second: weights / gate.scales[1]}
    similarity = pair.sum(shares, new_matrix(out, *pair.matrices.values()))
    chosen = dict(zip(("low", "middle", "high"), np.quantile(weights, (0.1, 0.5, 0.9)).tolist(), strict=True))
    few = (f"The gate was fitted on {gate.n_queries} captions only.",) if gate.n_queries < FEW else ()
    parameters = {"gate": gate.to_dict(), "weights": None, f"weight of {second}": chosen}
    return Rescored(similarity, ScoringProtocol("gated sum", "nothing", "t2v", parameters, few))


def _spreads(pair: Modalities) -> Scales:
    """Standard deviation of the scores of each modality about the mean of their row; 1 where all are equal."""

    def work(rows: tuple[int, int]) -> np.ndarray:
        sums = [scored_sums(block, axis=1) for block in pair.blocks(rows)]
        return np.array([(n.sum(), (squares - total**2 / np.maximum(n, 1)).sum()) for n, total, squares in sums])

    (first, second) = np.add.reduce(on_all_cores(work, small_ranges(*pair.shape)))
    found = [float(np.sqrt(max(total, 0) / max(n, 1))) for n, total in (first, second)]
    return found[0] or 1.0, found[1] or 1.0


def _blocks(pair: Modalities, scales: Scales, rows: tuple[int, int]) -> list[np.ndarray]:
    """Some rows of both modalities, each over its spread."""
    return [block / scale for block, scale in zip(pair.blocks(rows), scales, strict=True)]


def _features(pair: Modalities, scales: Scales, captions: pd.DataFrame) -> np.ndarray:
    """float64 [captions, ``FEATURES``]."""
    if len(captions) != pair.shape[0]:
        raise DataError(f"There are {len(captions)} captions for {pair.shape[0]} rows.", "Give one for each row.")
    if captions["text"].isna().any():
        raise DataError("The texts of the captions are not known.", "A gate looks at them: give a run that has them.")
    asks = scene_text_queries(captions).fillna(False).to_numpy(float)
    words = np.log([max(1, len(text.split())) for text in captions["text"]])

    def margins(rows: tuple[int, int]) -> np.ndarray:
        best = [top_items(block, 2)[1] for block in _blocks(pair, scales, rows)]
        second = [np.where(np.isfinite(one[:, 1]), one[:, 1], one[:, 0]) for one in best]
        with np.errstate(invalid="ignore"):  # -inf less -inf, where nothing was scored
            gaps = [one[:, 0] - two for one, two in zip(best, second, strict=True)]
        return np.nan_to_num(np.column_stack(gaps))

    return np.column_stack([asks, words, np.concatenate(on_all_cores(margins, small_ranges(*pair.shape)))])


Entries = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _candidates(pair: Modalities, scales: Scales, right: Lists) -> tuple[np.ndarray, Entries]:
    """What captions choose from: the best videos of each modality and the right ones, as far as both scored them.

    Returns:
        The captions of which a right video is among them; and scores of both modalities and whether it is right, one
        per caption and candidate, and where those of each caption begin.
    """

    def work(rows: tuple[int, int]) -> tuple[np.ndarray, ...]:
        first, second = _blocks(pair, scales, rows)
        own = right.take(np.arange(*rows))
        is_right = np.zeros(first.shape, bool)
        is_right[own.owner, own.indices] = True
        chosen = is_right.copy()
        for block in (first, second):
            items, _, lengths = top_items(block, min(CANDIDATES, block.shape[1]))
            there = np.arange(items.shape[1]) < lengths[:, None]
            chosen[np.nonzero(there)[0], items[there]] = True
        chosen &= np.isfinite(first) & np.isfinite(second)
        chosen &= (chosen & is_right).any(axis=1, keepdims=True)
        query = np.nonzero(chosen)[0] + rows[0]
        return query, first[chosen], second[chosen], is_right[chosen]

    found = on_all_cores(work, small_ranges(*pair.shape))
    query, first, second, is_right = (np.concatenate(one) for one in zip(*found, strict=True))
    if not len(query):
        raise DataError("No caption has a right video that both modalities scored.", "Give another validation run.")
    queries, starts = np.unique(query, return_index=True)
    return queries, (first, second, is_right, starts)
