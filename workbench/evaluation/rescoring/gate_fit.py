"""The fit behind a gate: captions choose among candidates, and the numbers of the gate make the right ones likely.

Minimised is the mean over captions of -log of the share of their right videos in a softmax of the new scores over a
temperature, plus a penalty times the squared coefficients. The penalty is chosen by cross-validation, the captions of a
video all in one fold: the strongest one whose held-out loss lies within one standard error of the best (Hastie,
Tibshirani and Friedman, The Elements of Statistical Learning, 2009, section 7.10). A strong one leaves one weight for
all captions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit

PENALTIES = (10.0, 1.0, 0.1, 0.01, 0.001)
FOLDS = 4
LIMITS = (10.0, 5.0)
"""How far the bias, and the logarithm of one over the temperature, may go from 0: else easy captions send them away."""


@dataclass(frozen=True)
class Choices:
    """What captions choose from, one entry per caption and candidate, captions in their order.

    Attributes:
        features: float64 [captions, features].
        groups: Number of the group of every caption, e.g. its right video; a group is never parted.
        first: Scores of the first modality, one per entry.
        second: Of the second.
        right: Bool: right videos; one of each caption at least.
        starts: Where the entries of each caption begin.
    """

    features: np.ndarray
    groups: np.ndarray
    first: np.ndarray
    second: np.ndarray
    right: np.ndarray
    starts: np.ndarray

    @cached_property
    def owner(self) -> np.ndarray:
        """The caption of every entry."""
        return np.repeat(np.arange(len(self.starts)), np.diff([*self.starts, len(self.first)]))

    def only(self, captions: np.ndarray) -> Choices:
        """The captions for which a bool [captions] is true."""
        entries = captions[self.owner]
        counts = np.diff([*self.starts, len(self.first)])[captions]
        return Choices(
            self.features[captions], self.groups[captions], self.first[entries], self.second[entries],
            self.right[entries], np.cumsum(counts) - counts,
        )  # fmt: skip


def fitted(choices: Choices) -> tuple[np.ndarray, float]:
    """Coefficients, bias and logarithm of one over the temperature, and the penalty that was chosen."""
    folds = np.unique(choices.groups, return_inverse=True)[1] % FOLDS
    losses = np.full((len(PENALTIES), len(folds)), np.nan)
    if folds.max() == FOLDS - 1:
        for fold in range(FOLDS):
            others, own = choices.only(folds != fold), choices.only(folds == fold)
            losses[:, folds == fold] = [losses_of(numbers, own)[0] for numbers in _path(others)]
    chosen = _strongest(losses, choices.groups)
    return _path(choices)[chosen], PENALTIES[chosen]


def _path(choices: Choices) -> list[np.ndarray]:
    """The numbers for every penalty, each begun from those of the stronger one."""
    from scipy.optimize import minimize  # here, as loading it takes longer than most commands

    numbers, found = np.zeros(choices.features.shape[1] + 2), []
    far = [(None, None)] * choices.features.shape[1] + [(-limit, limit) for limit in LIMITS]
    for penalty in PENALTIES:
        solved = minimize(penalised, numbers, (choices, penalty), jac=True, method="L-BFGS-B", bounds=far)
        numbers = solved.x
        found.append(numbers)
    return found


def _strongest(losses: np.ndarray, groups: np.ndarray) -> int:
    """Place of the strongest penalty within a standard error of the best one; of all, where there were too few groups.

    Args:
        losses: Held-out, [penalties, captions], strongest penalty first.
        groups: Of the captions.
    """
    number = np.unique(groups, return_inverse=True)[1]
    means = np.array([np.bincount(number, one) for one in losses]) / np.bincount(number)
    total = means.mean(axis=1)
    if np.isnan(total).any():
        return 0
    best = int(total.argmin())
    error = means[best].std() / np.sqrt(means.shape[1])
    return int(np.flatnonzero(total <= total[best] + error)[0])


def penalised(numbers: np.ndarray, choices: Choices, penalty: float) -> tuple[float, np.ndarray]:
    """What the fit makes small, and its gradient."""
    losses, slopes = losses_of(numbers, choices)
    coefficients = np.concatenate([numbers[:-2], [0.0, 0.0]])
    return float(losses.mean() + penalty * coefficients @ coefficients), slopes + 2 * penalty * coefficients


def losses_of(numbers: np.ndarray, choices: Choices) -> tuple[np.ndarray, np.ndarray]:
    """The loss of every caption, and the gradient of their mean."""
    coefficients, bias, sharpness = numbers[:-2], numbers[-2], np.exp(numbers[-1])
    weight, apart = expit(choices.features @ coefficients + bias), choices.second - choices.first
    fused = sharpness * (choices.first + weight[choices.owner] * apart)
    every, share = _log_sums(fused, choices)
    rights, share_right = _log_sums(np.where(choices.right, fused, -np.inf), choices)
    slope = (share - share_right) / len(weight)
    of_logit = np.add.reduceat(slope * sharpness * apart, choices.starts) * weight * (1 - weight)
    return every - rights, np.array([*(choices.features.T @ of_logit), of_logit.sum(), slope @ fused])


def _log_sums(scores: np.ndarray, choices: Choices) -> tuple[np.ndarray, np.ndarray]:
    """Logarithm of the sum of exp(score) of every caption, and the share of every entry in its caption's sum."""
    highest = np.maximum.reduceat(scores, choices.starts)
    parts = np.exp(scores - highest[choices.owner])
    sums = np.add.reduceat(parts, choices.starts)
    return highest + np.log(sums), parts / sums[choices.owner]
