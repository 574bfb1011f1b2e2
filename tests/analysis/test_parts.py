"""Micro, macro and slices of a comparison, columns beside R@1, names in place of runs, and calibration."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.made import made_corpus, made_runs, made_similarity
from workbench import analysis, figures
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.core.workspace import elsewhere
from workbench.corpus import save_corpus
from workbench.evaluation.metrics.scene_text import scene_text_queries
from workbench.evaluation.statistics.families import benjamini_hochberg
from workbench.evaluation.statistics.groups import seed_groups


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """On captions of four domains, one of them as large as the others; a third says nothing of text."""
    with elsewhere(tmp_path_factory.mktemp("home")) as folder:
        made = made_corpus(72)
        videos = made.videos.assign(domain=np.where(made.videos.index < 36, "Cooking", made.videos["domain"]))
        captions = made.captions.copy()
        plain = captions.index % 3 == 0
        captions["text"] = captions["text"].where(~plain, [f"a {chr(97 + i % 26)}ig dog runs" for i in captions.index])
        captions["query_type"] = np.where(captions.index % 2, "text", "visual")
        corpus = save_corpus("parts", {"videos": videos, "captions": captions}).with_split("test")
        yield made_runs(corpus, ("fair", "poor")), folder


@pytest.fixture
def runs(made, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(made[1]))
    return made[0]


def test_micro_macro_and_slices_side_by_side(runs):
    fair, poor = runs
    found = analysis.compare_runs(poor, fair)
    parts = found.parts.set_index("part")
    hits = {run.name: pd.Series((run.rank() <= 1).astype(float), index=run.per()["id"]) for run in runs}
    domain = pd.Series(fair.gallery["domain"].to_numpy(), index=hits["fair"].index)
    for name, side in (("fair", "b"), ("poor", "a")):
        assert parts.loc["all queries", side] == pytest.approx(100 * hits[name].mean())
        assert parts.loc["mean over domains", side] == pytest.approx(100 * hits[name].groupby(domain).mean().mean())
    macro = parts.loc["mean over domains"]
    assert macro["difference"] == pytest.approx(macro["b"] - macro["a"]) != parts.loc["all queries", "difference"]
    assert macro["low"] < macro["difference"] < macro["high"] and 0 < macro["p"] <= 1
    text = scene_text_queries(fair.queries).astype(bool)
    assert parts.loc["scene-text query", "n_queries"] == text.sum() < len(text)
    assert parts.loc["scene-text query", "b"] == pytest.approx(100 * hits["fair"][text.to_numpy()].mean())
    assert {"query type: text", "query type: visual", "no scene-text query"} < set(parts.index)
    slices = found.parts[found.parts["kind"] == "slice"]
    assert slices["p_bh"].to_list() == pytest.approx(benjamini_hochberg(slices["p"]).tolist())
    assert found.parts["p_bh"].isna().sum() == 2
    row = parts.loc["scene-text query"]
    spread = f"{row['low']:+.1f}..{row['high']:+.1f}"
    said = f"On the {row['n_queries']} scene-text queries {row['difference']:+.1f} ({spread})."
    assert found.verdict.endswith(said)


def test_macro_of_a_metric_that_is_no_mean(runs):
    table = analysis.compare_runs(*runs, metric="median_rank").parts.set_index("part")
    assert np.isnan(table.loc["mean over domains", "p"]) and table.loc["mean over domains", "a"] >= 1


def test_effects_say_whether_it_is_one_model(runs):
    same = analysis.compare_runs(runs[0], runs[0]).effects
    assert (same["rbo"], same["tau"], same["cliffs_delta"]) == (pytest.approx(1), pytest.approx(1), 0)
    other = analysis.compare_runs(runs[1], runs[0]).effects
    assert 0 < other["rbo"] < 0.9 and other["tau"] < 0.9 and other["cliffs_delta"] > 0 and other["odds_ratio"] > 1
    back = analysis.compare_runs(*runs).effects
    assert back["cliffs_delta"] == pytest.approx(-other["cliffs_delta"]) and back["rbo"] == pytest.approx(other["rbo"])


def test_leaderboard_has_macro_and_scene_text_beside(runs):
    board = analysis.leaderboard(["fair", "poor"]).set_index("run")
    table = analysis.by_domain("fair").set_index("domain")
    assert board.loc["fair", "t2v_r1_macro"] == pytest.approx(table["value"].mean())
    by_text = analysis.by_slice("fair", "scene_text_query", corpus="parts").set_index("slice")["value"]
    assert board.loc["fair", "t2v_r1_text"] == pytest.approx(by_text["scene-text query"])


def test_a_domain_alone_has_no_macro(home):
    corpus = made_corpus(8)
    videos = corpus.videos.assign(domain="Cooking")
    one = save_corpus("one", {"videos": videos, "captions": corpus.captions}).with_split("test")
    runs = made_runs(one, ("a", "b"))
    assert analysis.leaderboard(runs)["t2v_r1_macro"].isna().all()
    assert "mean over domains" not in set(analysis.compare_runs(*runs).parts["part"])


def test_many_say_what_their_rows_say(home):
    corpus = made_corpus(24)
    base, *rest = (
        wb.save_run(made_similarity(corpus, noise, seed=at), corpus=corpus, name=f"m{at}")
        for at, noise in enumerate((2.0, 1.0, 1.4, 2.0, 2.2, 9.0))
    )
    table, said = analysis.compare_many(base.name, [one.name for one in rest])
    assert table["run"].to_list() == ["m1", "m2", "m3", "m4", "m5"] and {"odds_ratio", "equivalent"} < set(table)
    for row, sentence in zip(table.itertuples(), said, strict=True):
        assert ("beyond noise" in sentence) == (row.verdict != "not distinguishable")
        assert "(Holm, 5 tests)" in sentence
    assert "(Holm, 5 tests)" in analysis.leaderboard_verdict([base, *rest])


def test_names_stand_for_runs(runs):
    fair, poor = runs
    assert len(analysis.failures("fair", corpus="parts", others=["poor"])) == len(analysis.failures(fair))
    assert analysis.oracle_gain("fair").equals(analysis.oracle_gain(fair))
    assert analysis.compare_runs("poor", "fair").verdict == analysis.compare_runs(poor, fair).verdict
    assert analysis.solved_sets(["fair", "poor"]).names == ("fair", "poor")
    for ask in (analysis.hubness, analysis.domain_confusion, analysis.ablations, analysis.near_duplicates):
        with pytest.raises(UnknownNameError, match="No run is called 'fare'. Did you mean fair"):
            ask("fare")
    with pytest.raises(UnknownNameError, match="No corpus is called 'nothing'"):
        analysis.failures("fair", corpus="nothing")
    with pytest.raises(DataError, match="A int is no run. Give a run, its name or its folder."):
        analysis.compare_runs("fair", 3)
    for k in (0, 1.5, "1"):
        with pytest.raises(DataError, match=f"k is {k}; ranks start at 1. Give a whole number"):
            analysis.failures("fair", k=k)


def test_a_run_is_not_beside_itself(home):
    corpus = made_corpus(24)
    first, second, other = (
        wb.save_run(made_similarity(corpus, 2.0, seed=at), corpus=corpus, name=name, group=group)
        for at, (name, group) in enumerate((("s0", "g"), ("s1", "g"), ("m", None)))
    )
    alone = analysis.failures(first)
    assert analysis.failures(first, others=[first]).equals(analysis.failures(first, others=[]))
    assert analysis.failures(first, others=[first, "s1", second]).equals(alone)  # the seed stands beside it anyway
    twice = analysis.failures(first, others=[other, other.path, "m"])
    assert twice.equals(analysis.failures(first, others=[other])) and len(seed_groups([first, second])) == 1


def test_confidence_is_fitted_and_margins_tell(home):
    """Scores a hundred times as large say the same; a temperature brings a far too sure run near its hits."""
    corpus = made_corpus(160)
    similarity = made_similarity(corpus, 2.5)
    run = wb.save_run(similarity, corpus=corpus, name="run")
    found = analysis.calibration("run")
    scaled = analysis.calibration(wb.save_run(100 * similarity, corpus=corpus, name="scaled"))
    assert np.allclose(found.queries["confidence"], scaled.queries["confidence"], atol=1e-4)
    assert found.error < 0.2 and len(found.temperatures) == 5 and found.reliability["n"].sum() == 160
    hits = (run.rank() <= 1).mean()
    assert found.queries["hit"].mean() == pytest.approx(hits, abs=0.02)
    assert found.risk["risk"].iloc[-1] == pytest.approx(1 - found.queries["hit"].mean())
    assert found.risk_area < found.risk["risk"].iloc[-1] - 0.1  # sure of the right ones
    back = analysis.calibration("run", "v2t")
    drawn = figures.reliability_diagram([found, back]).data
    assert len(drawn) == 3 and drawn[1].y.tolist() == found.reliability["hit"].to_list()
    assert figures.risk_coverage([found]).data[0].y[-1] == found.risk["risk"].iloc[-1]


def test_scores_that_say_nothing(home):
    corpus = made_corpus(24)
    flat = analysis.calibration(wb.save_run(np.zeros((24, 24)), corpus=corpus, name="flat"))
    assert flat.queries["confidence"].to_list() == pytest.approx([1 / 24] * 24) and flat.error < 1e-6
    assert flat.risk["risk"].to_numpy() == pytest.approx(np.full(24, 1 - 1 / 24))
    several = made_corpus(12, name="several", per_video=3)
    found = analysis.calibration(wb.save_run(made_similarity(several, 0.1), corpus=several, name="three"), "v2t")
    assert (
        len(found.queries) == 12 and (found.queries["confidence"] > 0.5).mean() > 0.5
    )  # captions of one video are one
    totals = wb.save_run(np.eye(24), corpus=corpus, name="totals", totals_only=True)
    with pytest.raises(StateError, match="totals only"):
        analysis.calibration(totals)
    one = save_corpus("one", {"videos": corpus.videos.assign(source_id="s"), "captions": corpus.captions})
    with pytest.raises(StateError, match="come from one source"):
        analysis.calibration(wb.save_run(np.eye(24), corpus=one.with_split("test"), name="lone"))
