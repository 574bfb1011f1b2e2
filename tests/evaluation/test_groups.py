"""Families of tests and groups of seeds: Holm's correction, spread of seeds beside the noise of queries."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from tests.made import made_corpus, made_similarity
from workbench import analysis
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.core.workspace import elsewhere
from workbench.evaluation.metrics.measures import METRICS, query_values
from workbench.evaluation.runs import library
from workbench.evaluation.statistics.families import holm, paired_tests
from workbench.evaluation.statistics.groups import SeedGroup, open_side, seed_groups, seed_summary
from workbench.evaluation.statistics.paired import paired_test
from workbench.evaluation.statistics.verdicts import verdict


def slow_holm(p_values):
    """Reject one after the other at the level; the adjusted p is the smallest level at which each is rejected."""
    adjusted = []
    for p in p_values:
        order = sorted(p_values)
        worst = max(min(1.0, order[i] * (len(order) - i)) for i in range(len(order)) if order[i] <= p)
        adjusted.append(worst)
    return adjusted


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_equals_a_slow_version(p_values):
    assert holm(p_values).tolist() == pytest.approx(slow_holm(p_values))


def test_holm_of_a_textbook():
    """R's p.adjust(c(0.01, 0.02, 0.03, 0.04), "holm"), and an unordered family."""
    assert holm([0.01, 0.02, 0.03, 0.04]).tolist() == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm([0.03, 0.005, 0.9, 0.012]).tolist() == pytest.approx([0.06, 0.02, 0.9, 0.036])
    assert holm([]).tolist() == [] and holm([0.2]).tolist() == [0.2]
    with pytest.raises(DataError, match="0..1"):
        holm([0.1, np.nan])


@pytest.fixture
def corpus(home):
    return made_corpus(80, per_video=2)


def seeds(corpus, group, noise, n=3, **info):
    return [
        wb.save_run(
            made_similarity(corpus, noise=noise, seed=10 * i), corpus=corpus, name=f"{group}-{i}", group=group, seed=i,
            **info,
        )
        for i in range(n)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def three_seeds(tmp_path_factory):
    with elsewhere(tmp_path_factory.mktemp("three-seeds")):
        return seeds(made_corpus(80, per_video=2), "g", 2.0)


@pytest.mark.parametrize("metric", METRICS)
def test_a_group_is_the_mean_of_its_seeds(three_seeds, metric):
    runs = three_seeds
    (group,) = seed_groups(runs)
    for direction in ("t2v", "v2t"):
        found = seed_summary(group, metric, direction)
        stated = [run.metrics[direction][metric] for run in runs]
        assert found.values == pytest.approx(stated) and found.n_seeds == 3
        assert found.mean == pytest.approx(np.mean(stated)) and found.sd == pytest.approx(np.std(stated, ddof=1))
        assert (found.low, found.high) == pytest.approx((min(stated), max(stated)))
        assert found.clustered and "not the spread of seeds" in found.covers and "clustered by source" in found.covers
        alone = seed_summary(runs[0], metric, direction)
        assert alone.interval == pytest.approx(runs[0].metrics[direction]["interval"][metric]) and np.isnan(alone.sd)


def test_the_interval_of_a_group_draws_the_same_sources_for_all_seeds(corpus):
    runs = seeds(corpus, "g", 2.0)
    group = SeedGroup("g", tuple(runs))
    copies = SeedGroup("g", (runs[0], runs[0]))
    assert seed_summary(copies, "median_rank").interval == seed_summary(runs[0], "median_rank").interval
    sources = runs[0].gallery.set_index("video_id")["source_id"]
    number = sources[runs[0].per()["id"].str.split("#").str[0]].factorize()[0]
    draw = np.random.default_rng(0)
    ranks = [query_values(run.per(), "median_rank") for run in runs]
    slow = []
    for _ in range(4000):
        rows = np.concatenate([np.flatnonzero(number == cluster) for cluster in draw.integers(0, 20, 20)])
        slow.append(np.mean([np.median(rank[rows]) for rank in ranks]))
    want = np.quantile(slow, [0.025, 0.975])
    assert seed_summary(group, "median_rank").interval == pytest.approx(tuple(want), rel=0.1)


def test_groups_are_joined_only_where_they_belong(corpus):
    runs = [*seeds(corpus, "a", 1.0), *seeds(corpus, "b", 2.0, 1)]
    alone = wb.save_run(made_similarity(corpus), corpus=corpus, name="alone")
    other = wb.save_run(made_similarity(corpus), corpus=corpus, name="dsl", group="a", protocol={"scoring": "DSL"})
    totals = wb.save_run(
        made_similarity(made_corpus(40, name="sq")), corpus="sq", name="t", group="a", totals_only=True
    )
    found = seed_groups([alone, *runs[::-1], other, totals])
    assert [one.name for one in found] == ["alone", "b-0", "a", "dsl", "t"]
    assert [run.name for run in found[2].runs] == ["a-0", "a-1", "a-2"]
    assert found[2].differ == []
    stated = json.loads((runs[0].path / "run.json").read_text())
    (runs[0].path / "run.json").write_text(json.dumps({**stated, "recipe": {"modality": "ocr", "seed": 0}}))
    (group,) = [one for one in seed_groups([wb.open_run(f"a-{i}") for i in range(3)]) if isinstance(one, SeedGroup)]
    assert group.differ == ["modality"]
    assert "differ in more than the seed: modality" in analysis.leaderboard(group.runs)["warning"][0]


def test_two_groups_are_compared_by_the_mean_over_seeds(corpus):
    good, poor = seeds(corpus, "good", 0.5), seeds(corpus, "poor", 4.0, 2)
    a, b = SeedGroup("poor", tuple(poor)), SeedGroup("good", tuple(good))
    for metric in ("r1", "median_rank", "geometric_mean"):
        found = paired_test(a, b, metric)
        assert len(found.seeds_a) == 2 and len(found.seeds_b) == 3
        assert found.seeds_b == pytest.approx([run.metrics["t2v"][metric] for run in good])
        if metric == "r1":
            assert found.difference == pytest.approx(np.mean(found.seeds_b) - np.mean(found.seeds_a))
        sentence = verdict(found, "poor", "good")
        assert "good (3 seeds, " in sentence and "poor (2 seeds, " in sentence
        assert sentence.endswith("good is better, beyond noise.")


def test_overlapping_seeds_are_said(corpus):
    low, high = seeds(corpus, "low", 2.2), seeds(corpus, "high", 1.9)
    test = paired_test(SeedGroup("low", (*low, high[0])), SeedGroup("high", (*high, high[1], low[0])))
    assert test.seeds_overlap
    if test.distinguishable:
        assert verdict(test, "low", "high").endswith("beyond noise of the queries, but the seeds overlap.")
    assert not paired_test(low[0], high[0]).seeds_overlap


def test_sides_by_name(corpus):
    runs = seeds(corpus, "g", 1.0)
    assert open_side("g-1").name == "g-1" and [run.name for run in open_side("g").runs] == [run.name for run in runs]
    with pytest.raises(UnknownNameError, match="No run is called 'gg'"):
        open_side("gg")
    wb.save_run(made_similarity(corpus), corpus=corpus, name="dsl", group="g", protocol={"scoring": "DSL"})
    with pytest.raises(StateError, match="cannot be joined"):
        open_side("g")
    assert library.regroup(wb.open_run("dsl"), "").info["group"] is None
    assert isinstance(open_side("g"), SeedGroup)


def test_one_group_stands_as_one_row_with_its_runs_beneath(corpus):
    runs = [*seeds(corpus, "g", 2.0), wb.save_run(made_similarity(corpus, noise=0.5), corpus=corpus, name="best")]
    board = analysis.leaderboard(runs, ["r1", "map", "median_rank"])
    assert board["run"].to_list() == ["best", "g"] and board["n_seeds"].to_list() == [1, 3]
    row = board.iloc[1]
    stated = [run.metrics["t2v"]["map"] for run in runs[:3]]
    assert row["t2v_map"] == pytest.approx(np.mean(stated)) and row["t2v_map_max"] == pytest.approx(max(stated))
    assert row["t2v_map_low"] <= row["t2v_map"] <= row["t2v_map_high"]
    assert row["both_sum_recall_low"] <= row["both_sum_recall"] <= row["both_sum_recall_high"]
    beneath = analysis.leaderboard(runs, seeds=True)
    assert beneath["run"].to_list() == ["best", "g", "g-0", "g-1", "g-2"]
    assert beneath["group"].to_list() == ["", "", "g", "g", "g"]
    assert "best - g (3 seeds, " in analysis.leaderboard_verdict(runs)
    assert "mAP" in analysis.leaderboard_verdict(runs, "map", "v2t")
    assert "RSum t2v + v2t" in analysis.leaderboard_verdict(runs, "sum_recall", "both")
    with pytest.raises(UnknownNameError, match="No metric is called"):
        analysis.leaderboard(runs, ["r2"])


def test_families_correct_over_what_is_shown(corpus):
    runs = [wb.save_run(made_similarity(corpus, noise=n, seed=i), corpus=corpus, name=f"r{i}")
            for i, n in enumerate((0.5, 2.0, 2.1, 4.0))]  # fmt: skip
    family = paired_tests([(run, runs[0]) for run in runs[1:]])
    assert [one.p_holm for one in family] == holm([one.test.p for one in family]).tolist()
    table, sentences = analysis.compare_many(runs[1], [runs[0], runs[2], runs[3]])
    assert table["run"].to_list() == ["r0", "r2", "r3"] and table["verdict"].to_list()[::2] == ["better", "worse"]
    assert table["p_holm"].to_list() == holm(table["p"]).tolist() and sentences[0].startswith("r0 - r1 = +")
    other = wb.save_run(made_similarity(made_corpus(40, name="other")), corpus="other", name="elsewhere")
    with pytest.raises(DataError, match="fingerprints differ"):
        analysis.compare_many(runs[0], [runs[1], other])


def test_runs_of_older_versions_still_stand_in_tables(corpus):
    runs = seeds(corpus, "g", 1.0, 2)
    for run in runs:
        path = run.path / "metrics.json"
        stored = json.loads(path.read_text())
        del stored["both"]
        for direction in ("t2v", "v2t"):
            kept = ("r1", "r5", "r10", "clustered")
            stored[direction]["interval"] = {name: stored[direction]["interval"][name] for name in kept}
        path.write_text(json.dumps(stored))
        library.regroup(wb.open_run(run.name), "")
    board = analysis.leaderboard([wb.open_run(run.name) for run in runs], list(METRICS))
    assert board["t2v_r1_low"].notna().all() and board["t2v_map_low"].isna().all()
    assert board["both_sum_recall"].to_list() == pytest.approx(board["t2v_sum_recall"] + board["v2t_sum_recall"])
