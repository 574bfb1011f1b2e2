"""Intervals, design effects, paired tests and the verdict, on values whose answer is known."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from workbench.core.errors import DataError, UnknownNameError
from workbench.evaluation.metrics.measures import METRICS, query_values, tie_bounds
from workbench.evaluation.statistics.paired import (
    clustered_interval,
    design_effect,
    effective_size,
    k_occurrence,
    paired_test,
    paired_test_values,
    wilson,
)
from workbench.evaluation.statistics.verdicts import verdict


def test_wilson_known_values():
    assert wilson(8, 10) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611251), abs=1e-6)
    low, high = wilson(1, 1)
    assert 0.2 < low < 0.21 and high == pytest.approx(1.0)
    assert wilson(0, 0) == (0.0, 1.0)


def test_wilson_on_the_effective_sample():
    assert wilson(40, 100, deff=4) == pytest.approx(wilson(10, 25))
    with pytest.raises(DataError, match="hits"):
        wilson(3, 2)
    with pytest.raises(DataError, match="design effect"):
        wilson(1, 2, deff=0.5)


def test_design_effect_of_copies_is_the_cluster_size():
    draw = np.random.default_rng(0)
    values = np.repeat(draw.integers(0, 2, 400), 5).astype(float)
    clusters = np.repeat(np.arange(400), 5)
    assert design_effect(values, clusters) == pytest.approx(5, rel=0.01)
    assert effective_size(values, clusters) == pytest.approx(400, rel=0.01)
    assert design_effect(values, None) == 1
    assert design_effect(np.ones(10), np.repeat([0, 1], 5)) == 5
    assert design_effect(values, np.arange(2000) % 400) < 1.3


def test_missing_labels_are_clusters_of_their_own():
    assert design_effect(np.array([0.0, 1, 0, 1]), [None, None, np.nan, "a"]) == 1


def test_clustered_interval_of_copies_is_that_of_the_originals():
    draw = np.random.default_rng(1)
    base = draw.integers(0, 2, 300).astype(float)
    low, high = clustered_interval(base)
    half = 1.96 * base.std() / math.sqrt(300)
    assert (high - low) / 2 == pytest.approx(half, rel=0.05)
    copied = clustered_interval(np.repeat(base, 4), np.repeat(np.arange(300), 4))
    assert copied == pytest.approx((low, high), abs=0.005)


def test_intervals_cover_the_truth():
    draw = np.random.default_rng(2)
    covered = 0
    for seed in range(200):
        centre = draw.normal(size=40)
        values = np.repeat(centre, 3) + draw.normal(size=120)
        low, high = clustered_interval(values, np.repeat(np.arange(40), 3), n_resamples=500, seed=seed)
        covered += low <= 0 <= high
    assert 178 <= covered <= 200


def test_median_interval_equals_plain_resampling():
    values = np.random.default_rng(3).integers(1, 30, 61).astype(float)
    draw = np.random.default_rng(4)
    plain = np.quantile(np.median(values[draw.integers(0, 61, (20_000, 61))], axis=1), [0.025, 0.975])
    assert clustered_interval(values, statistic="median") == pytest.approx(tuple(plain), abs=1.0)


def test_median_of_an_even_number_is_the_mean_of_two():
    assert clustered_interval([1.0, 2.0, 2.0, 1.0], ["a", "a", "b", "b"], "median") == (1.5, 1.5)


def test_one_cluster_has_no_spread():
    assert all(math.isnan(value) for value in clustered_interval([0.0, 1.0], ["s", "s"]))


def test_same_seed_same_interval():
    values = np.random.default_rng(0).random(50)
    assert clustered_interval(values, seed=1) == clustered_interval(values, seed=1)
    assert clustered_interval(values, seed=1) != clustered_interval(values, seed=2)


def test_bad_values_are_refused():
    with pytest.raises(DataError, match="finite"):
        clustered_interval([1.0, np.nan])
    with pytest.raises(DataError, match="labels"):
        clustered_interval([1.0, 2.0], ["a"])
    with pytest.raises(UnknownNameError, match="statistic"):
        clustered_interval([1.0, 2.0], statistic="mode")
    with pytest.raises(DataError, match="same queries"):
        paired_test_values([1.0], [1.0, 0.0])


def test_exact_mcnemar():
    a, b = np.zeros(100), np.zeros(100)
    b[:15], a[15:20] = 1, 1
    found = paired_test_values(a, b)
    assert found.method == "exact McNemar"
    assert found.p == pytest.approx(0.0413895, abs=1e-6)  # twice the tail of Binomial(20, 1/2) from 15
    assert (found.wins, found.losses, found.ties) == (15, 5, 80)
    assert found.difference == pytest.approx(10)
    assert not found.clustered


def test_sign_flips_agree_with_enumeration():
    difference = np.array([3.0, 1.0, -0.5, 2.0, 0.7, -0.2, 1.1, 0.4])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 8)).reshape(8, -1).T
    exact = float((np.abs(signs @ difference) >= difference.sum() - 1e-9).mean())
    found = paired_test_values(np.zeros(8), difference, metric="mrr")
    assert found.p == pytest.approx(exact, abs=0.012)


def test_p_is_never_zero():
    found = paired_test_values(np.zeros(500), np.full(500, 0.5), metric="mrr", n_resamples=999)
    assert found.p == 1 / 1000


def test_clustered_copies_prove_no_more_than_originals():
    draw = np.random.default_rng(5)
    a = draw.integers(0, 2, 200).astype(float)
    b = np.where(draw.random(200) < 0.2, 1 - a, a)
    b[:8] = 1
    alone = paired_test_values(a, b)
    copied = paired_test_values(np.repeat(a, 10), np.repeat(b, 10), np.repeat(np.arange(200), 10))
    naive = paired_test_values(np.repeat(a, 10), np.repeat(b, 10))
    assert copied.clustered and copied.n_clusters == 200
    assert copied.p == pytest.approx(alone.p, abs=0.05)
    assert naive.p < copied.p
    assert copied.minimum_detectable == pytest.approx(alone.minimum_detectable)


def test_random_pairs_are_seldom_distinguished():
    draw = np.random.default_rng(6)
    found = 0
    for seed in range(200):
        a = np.repeat(draw.integers(0, 2, 60), 4).astype(float)
        b = np.repeat(draw.integers(0, 2, 60), 4).astype(float)
        test = paired_test_values(a, b, np.repeat(np.arange(60), 4), n_resamples=400, seed=seed)
        found += test.distinguishable
    assert found <= 20


def test_minimum_detectable_difference_of_the_field():
    """80 % power, 20 % discordant pairs: 2.4 points at 2,727 queries, 5.5 at 510."""
    for n, points in ((2727, 2.4), (510, 5.5)):
        a = np.zeros(n)
        b = np.zeros(n)
        b[: n // 10], a[n // 10 : n // 5] = 1, 1
        assert paired_test_values(a, b).minimum_detectable == pytest.approx(points, abs=0.06)


def test_lower_ranks_win():
    found = paired_test_values(np.full(30, 5.0), np.full(30, 2.0), metric="mean_rank")
    assert (found.difference, found.wins, found.losses) == (-3, 30, 0)
    assert verdict(found, "A", "B").endswith("B is better, beyond noise.")


def counts(above, tied, right=1):
    return pd.DataFrame({"n_above": above, "n_tied": tied, "n_tied_right": right})


def test_what_ties_may_make_of_a_value():
    """Ranks 1..3 of a tie for the first place, 5..6 of one for the fifth; alone: one value."""
    table = counts([0, 4, 0], [2, 1, 0])
    assert tie_bounds(table, "r1").tolist() == [[0, 0, 1], [1, 0, 1]]
    assert tie_bounds(table, "r5").tolist() == [[1, 0, 1], [1, 1, 1]]
    assert tie_bounds(table, "mean_rank").tolist() == [[3, 6, 1], [1, 5, 1]]
    assert tie_bounds(table, "sum_recall").tolist() == [[2, 1, 3], [3, 2, 3]] == tie_bounds(
        table, "geometric_mean"
    ).tolist()  # fmt: skip
    assert np.allclose(tie_bounds(table, "mrr"), [[1 / 3, 1 / 6, 1], [1, 1 / 5, 1]])
    assert tie_bounds(table.assign(ap=[0.5, 0.2, 1.0]), "map").tolist() == [[0, 0, 1], [1, 1, 1]]


def test_a_query_that_ties_alone_decide_is_neither_won_nor_lost():
    """A is tied for the first place on three queries: expected rank 1.5 against 1 is no win, nor a loss against 2."""
    a, b = counts([0, 0, 0, 3, 0], [1, 1, 1, 0, 0]), counts([0, 1, 0, 0, 2], [0, 0, 1, 0, 0])
    for metric, signs in (("r1", (1, 1, 2, 1)), ("mean_rank", (1, 1, 2, 1))):
        found = paired_test_values(
            query_values(a, metric), query_values(b, metric), metric=metric,
            bounds=(tie_bounds(a, metric), tie_bounds(b, metric)),
        )  # fmt: skip
        assert (found.wins, found.losses, found.undecided, found.ties) == signs
        assert found.difference == pytest.approx(
            METRICS[metric].scale * (query_values(b, metric) - query_values(a, metric)).mean()
        )
        back = paired_test_values(
            query_values(b, metric), query_values(a, metric), metric=metric,
            bounds=(tie_bounds(b, metric), tie_bounds(a, metric)),
        )  # fmt: skip
        assert (back.wins, back.losses, back.undecided) == (found.losses, found.wins, found.undecided)
        assert "1 win / 1 loss, 2 decided only by the order of tied scores" in verdict(found, "A", "B")
    far = counts([0], [3]), counts([7], [0])  # ranks 1 to 4 against 8: however the ties fall
    bounds = tuple(tie_bounds(one, "mean_rank") for one in far)
    values = [query_values(one, "mean_rank") for one in far]
    assert paired_test_values(*values, metric="mean_rank", bounds=bounds).losses == 1


def test_verdict_sentences():
    draw = np.random.default_rng(7)
    a = draw.integers(0, 2, 400).astype(float)
    close = verdict(paired_test_values(a, np.where(draw.random(400) < 0.1, 1 - a, a), np.arange(400) // 2), "A", "B")
    assert close.startswith("B - A = ") and close.endswith("not distinguishable.")
    assert "clustered by source" in close and "wins / " in close and "smallest detectable difference" in close
    b = a.copy()
    b[:100] = 0
    worse = verdict(paired_test_values(a, b), "A", "B")
    assert "p < 0.001" in worse and worse.endswith("A is better, beyond noise.") and "not clustered" in worse
    assert verdict(paired_test_values(a, a), "A", "B") == "A and B have the same R@1 on every one of 400 queries."
    one = verdict(paired_test_values(a, b, ["s"] * 400), "A", "B")
    assert "no interval" in one and one.endswith("not distinguishable.")


def fake_run(name, hits, ids, sources):
    n = len(ids)
    per = pd.DataFrame(
        {"id": ids, "n_above": np.where(hits, 0, 5), "n_tied": np.zeros(n, int), "n_tied_right": np.ones(n, int)}
    )
    gallery = pd.DataFrame({"video_id": [f"v{i}" for i in ids], "source_id": sources})
    relevance = pd.DataFrame({"caption_id": ids, "video_id": gallery["video_id"], "grade": np.int8(1)})
    videos = per.assign(id=gallery["video_id"])
    return SimpleNamespace(
        name=name, per=lambda direction: per if direction == "t2v" else videos, gallery=gallery, relevance=relevance
    )


@pytest.mark.parametrize("direction", ["t2v", "v2t"])
def test_runs_are_joined_on_ids_and_clustered_by_source(direction):
    draw = np.random.default_rng(8)
    ids = [f"c{i}" for i in range(60)]
    sources = [f"s{i // 3}" for i in range(60)]
    hits = draw.random((2, 60)) < 0.5
    order = draw.permutation(60)[:50]
    a = fake_run("a", hits[0], ids, sources)
    b = fake_run("b", hits[1][order], [ids[i] for i in order], [sources[i] for i in order])
    found = paired_test(a, b, direction=direction)
    want = paired_test_values(hits[0][np.sort(order)], hits[1][np.sort(order)], np.sort(order) // 3)
    assert found.difference == pytest.approx(want.difference)
    assert (found.wins, found.losses, found.n_clusters) == (want.wins, want.losses, want.n_clusters)
    assert found.n_unshared == 10 and found.clustered
    assert not paired_test(a, b, cluster=None, direction=direction).clustered


def test_a_corpus_without_sources_is_not_clustered():
    run = fake_run("a", np.array([True, False]), ["x", "y"], [None, None])
    assert not paired_test(run, run).clustered


def test_runs_that_cannot_be_paired():
    run = fake_run("a", np.array([True, False]), ["x", "y"], ["s", "t"])
    other = fake_run("b", np.array([True, False]), ["p", "q"], ["s", "t"])
    with pytest.raises(DataError, match="share no query"):
        paired_test(run, other)
    run.totals_only = True
    with pytest.raises(DataError, match="totals only"):
        paired_test(run, run)
    with pytest.raises(UnknownNameError, match="metric"):
        paired_test(other, other, metric="r2")


def test_k_occurrence_counts_first_positions():
    assert k_occurrence([[0, 1, 2], [0, 2], [0]], 4, k=2).tolist() == [3, 1, 1, 0]
    assert k_occurrence([], 2).tolist() == [0, 0]
    with pytest.raises(DataError, match="gallery"):
        k_occurrence([[5]], 3)
