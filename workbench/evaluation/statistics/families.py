"""Several tests at once, as a family: Holm's correction, and the false discovery rate of exploratory slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.evaluation.metrics.measures import METRICS
from workbench.evaluation.statistics.paired import PairedTest, paired_test
from workbench.evaluation.statistics.verdicts import verdict


def holm(p_values: Sequence[float] | np.ndarray | pd.Series) -> np.ndarray:
    """Adjusted p-values of a family of tests, by Holm's step-down method (Scand. J. Statist. 6, 1979).

    The i-th smallest of n is multiplied by n - i + 1, never falls below the one before it, and is at most 1. Whatever
    is below 0.05 holds with at most 5 % risk that any of the family holds by chance.

    Args:
        p_values: One per test, 0..1, in any order.

    Returns:
        float64, in the same order.

    Raises:
        DataError: A p outside 0..1.
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def benjamini_hochberg(p_values: Sequence[float] | np.ndarray | pd.Series) -> np.ndarray:
    """Adjusted p-values of an exploratory family, by Benjamini and Hochberg (J. R. Statist. Soc. B 57, 1995).

    Of what is below 0.05 at most 5 % are expected to hold by chance: weaker than ``holm``, for looking around.

    Args:
        p_values: One per test, 0..1, in any order.

    Returns:
        float64, in the same order.

    Raises:
        DataError: A p outside 0..1.
    """
    from scipy import stats  # here, as loading it takes longer than most commands

    p = _checked(p_values)
    return np.asarray(stats.false_discovery_control(p, method="bh"), float) if len(p) else p


def _checked(p_values: Sequence[float] | np.ndarray | pd.Series) -> np.ndarray:
    p = np.asarray(p_values, float)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise DataError("p-values must lie in 0..1.", "Leave out the comparisons that could not be made.")
    return p


@dataclass(frozen=True)
class Tested:
    """One test of a family.

    Attributes:
        name_a: The first side.
        name_b: The second side; differences are the second minus the first.
        test: The test by itself.
        p_holm: Its p after Holm's correction over the family.
        n_family: Tests of the family.
    """

    name_a: str
    name_b: str
    test: PairedTest
    p_holm: float
    n_family: int = 1

    @property
    def holds(self) -> bool:
        """Whether the interval excludes 0 and the corrected p is below 1 - level."""
        return self.test.holds(self.p_holm)

    @property
    def verdict(self) -> str:
        """``better``, ``worse`` (the second side) or ``not distinguishable``, after the correction."""
        if not self.holds:
            return "not distinguishable"
        gain = self.test.difference * (1 if METRICS[self.test.metric].higher_is_better else -1)
        return "better" if gain > 0 else "worse"

    def sentence(self, on_text: PairedTest | None = None) -> str:
        """``paired.verdict`` of it, decided as ``verdict`` is: after the correction."""
        return verdict(self.test, self.name_a, self.name_b, self.p_holm, self.n_family, on_text=on_text)


def paired_tests(pairs: Sequence[tuple[Any, Any]], metric: str = "r1", direction: str = "t2v") -> list[Tested]:
    """``paired_test`` of several pairs of runs (or groups of seeds), as one family.

    Raises:
        DataError: As for ``paired_test``.
        UnknownNameError: Unknown metric or direction.
    """
    tests = [paired_test(a, b, metric, direction=direction) for a, b in pairs]
    adjusted = holm([test.p for test in tests])
    return [
        Tested(a.name, b.name, test, float(p), len(tests))
        for (a, b), test, p in zip(pairs, tests, adjusted, strict=True)
    ]
