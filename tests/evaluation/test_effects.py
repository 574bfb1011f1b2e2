"""Effect sizes, likeness of lists, families of tests, and the sentence that is decided by the corrected p."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from scipy import stats

from workbench.core.errors import DataError
from workbench.evaluation.statistics import families
from workbench.evaluation.statistics.effects import cliffs_delta, list_tau, rank_biased_overlap
from workbench.evaluation.statistics.families import benjamini_hochberg, holm
from workbench.evaluation.statistics.paired import paired_test_values
from workbench.evaluation.statistics.verdicts import verdict


def test_cliffs_delta_counts_pairs():
    draw = np.random.default_rng(0)
    a, b = draw.integers(1, 9, 30), draw.integers(1, 7, 40)
    pairs = np.sign(a[:, None] - b[None, :])
    assert cliffs_delta(a, b) == pytest.approx(pairs.mean()) == pytest.approx(cliffs_delta(np.log(a), np.log(b)))
    assert cliffs_delta(a, a) == 0 and cliffs_delta([5, 6], [1, 2]) == 1


def overlap_by_hand(a: list[int], b: list[int], p: float) -> float:
    shares = [len({*a[:d]} & {*b[:d]}) / d for d in range(1, len(a) + 1)]
    return (1 - p) * sum(share * p**at for at, share in enumerate(shares)) + shares[-1] * p ** len(a)


def test_rank_biased_overlap_is_the_formula():
    draw = np.random.default_rng(1)
    a, b = (np.stack([draw.permutation(40)[:15] for _ in range(300)]) for _ in range(2))
    for p in (0.5, 0.9):
        wanted = [overlap_by_hand(x, y, p) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
        assert rank_biased_overlap(a, b, p) == pytest.approx(wanted)
    assert (rank_biased_overlap(a, a) == pytest.approx(1)) and (rank_biased_overlap(a, a + 100) == 0).all()
    short = np.array([[3, 1, -1, -1]])
    assert rank_biased_overlap(short, short) == pytest.approx(1)


def test_tau_of_the_items_that_both_list():
    draw = np.random.default_rng(2)
    a, b = (np.stack([draw.permutation(30)[:20] for _ in range(60)]) for _ in range(2))
    wanted = []
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        both = [one for one in x if one in y]
        wanted.append(stats.kendalltau(range(len(both)), [y.index(one) for one in both]).statistic)
    assert list_tau(a, b) == pytest.approx(wanted)
    assert list_tau(a, a[:, ::-1]).tolist() == [-1] * 60 and np.isnan(list_tau(a[:, :1], a[:, :1])).all()


def test_false_discovery_rate_by_hand():
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert len(benjamini_hochberg([])) == 0 and (benjamini_hochberg([0.2, 0.01]) <= holm([0.2, 0.01])).all()
    with pytest.raises(DataError, match="must lie in 0..1"):
        benjamini_hochberg([0.1, math.nan])


def test_wins_per_loss_and_what_is_too_small_to_matter():
    test = partial(paired_test_values, n_resamples=400)
    a = np.zeros(3000)
    b = a.copy()
    b[:6], a[6:8] = 1, 1
    found = test(a, b)
    assert found.odds_ratio == 3 and found.equivalent
    assert verdict(found, "A", "B").endswith("not distinguishable, equal within 1 point.")
    b[8:18] = 1
    assert verdict(test(a, b), "A", "B").endswith("B is better, beyond noise, but by less than 1 point.")
    ranks = test(a + 1, b + 1, metric="mean_rank")
    assert not ranks.equivalent and ranks.odds_ratio < 1  # points are no unit of ranks
    few = test(a[:200], b[:200])
    assert few.odds_ratio == 8 and not few.equivalent and math.isnan(paired_test_values(a, a).odds_ratio)
    assert paired_test_values(np.zeros(9), np.ones(9)).odds_ratio == math.inf


def test_the_sentence_follows_the_corrected_p():
    """Thirteen runs against one: 'beyond noise' exactly where the row is not 'not distinguishable'."""
    draw = np.random.default_rng(3)
    a = draw.integers(0, 2, 300).astype(float)
    tests = []
    for gain in range(13):
        b = a.copy()
        b[np.flatnonzero(a == 0)[: 4 + 2 * gain]] = 1
        b[np.flatnonzero(a == 1)[:4]] = 0
        tests.append(paired_test_values(a, b, n_resamples=2000))
    family = [
        families.Tested("A", f"B{at}", test, float(p), len(tests))
        for at, (test, p) in enumerate(zip(tests, holm([one.p for one in tests]), strict=True))
    ]
    lost = [one for one in family if one.test.distinguishable and not one.holds]
    assert lost and any(one.holds for one in family)  # the correction takes some away
    for one in family:
        said = one.sentence()
        assert ("beyond noise" in said) == (one.verdict != "not distinguishable")
        assert "(Holm, 13 tests)" in said
        shown = f"p {one.p_holm:.2g}" if one.p_holm >= 0.001 else "p < 0.001"
        assert f"{shown} (Holm" in said
    alone = lost[0]
    assert "beyond noise" in verdict(alone.test, "A", "B") and "Holm" not in verdict(alone.test, "A", "B")


def test_the_second_sentence_is_of_scene_text_queries():
    a, b = np.zeros(60), np.ones(60)
    whole, half = paired_test_values(a, b), paired_test_values(a[:20], b[:20])
    assert verdict(whole, "A", "B", on_text=half).endswith(
        "B is better, beyond noise. On the 20 scene-text queries +100.0 (+100.0..+100.0)."
    )
    lone = paired_test_values(a[:20], b[:20], ["s"] * 20)
    assert verdict(whole, "A", "B", on_text=lone).endswith("On the 20 scene-text queries +100.0.")
