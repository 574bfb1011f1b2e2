"""Break-downs, causes, comparison, structure and the leaderboard, on made runs whose answers are known."""

from __future__ import annotations

import json
import time

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.made import made_corpus, made_runs, made_similarity
from workbench import analysis
from workbench.analysis.case import open_case
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.corpus import save_corpus

DESIGN = """duplicate_caption same_source near_duplicate_video false_negative underspecified label_suspect ocr_missed
ocr_misread ocr_filtered ocr_not_sampled ocr_ignored ocr_distractor ocr_flood number_swap script_mismatch
visual_in_domain cross_domain fine_grained temporal negation_counting hub anti_hub coin_flip tied truncated rare_words
non_english unexplained""".split()


@pytest.fixture
def runs(home):
    return made_runs(made_corpus(160))


def small(similarity, *, texts=None, domains=None, sources=None, name="r"):
    """A run on a corpus of four videos that states just what a test needs."""
    videos = pd.DataFrame(
        {"video_id": list("abcd"), "split": "test", "status": "not_kept", "domain": domains, "source_id": sources}
    )
    captions = pd.DataFrame({"caption_id": [f"q{i}" for i in range(4)], "video_id": list("abcd"), "role": "original",
                             "text": texts or [f"caption {i}" for i in range(4)], "split": "test"})  # fmt: skip
    corpus = save_corpus(f"c{name}", {"videos": videos, "captions": captions})
    return wb.save_run(np.asarray(similarity, np.float32), corpus=corpus, name=name)


def causes(run, **options):
    return analysis.failures(run, **options).set_index("query_id")["causes"].to_dict()


def test_causes_are_those_of_the_design():
    assert sorted(analysis.CAUSES) == sorted(DESIGN)
    assert all(cause.label and cause.sentence for cause in analysis.CAUSES.values())


def test_hubs_and_anti_hubs(home):
    corpus = made_corpus(160)
    similarity = made_similarity(corpus, noise=0.3)
    similarity[:, 7] += 2.0
    similarity[:, 9] -= 3.0
    run = wb.save_run(similarity, corpus=corpus, name="hub")
    found = causes(run)
    hub, anti = (run.queries["caption_id"][i] for i in (20, 9))
    assert "hub" in found[hub] and "anti_hub" in found[anti]
    hubs = analysis.hubness(run)
    assert hubs.top["video_id"][0] == corpus.videos["video_id"][7]
    assert hubs.top["count"][0] == 160 and hubs.skewness > 3 and hubs.counts.sum() == 1600
    assert 0 < hubs.anti_hub_share < 1 and 0 < hubs.robin_hood < 1


@pytest.mark.parametrize("direction", ["t2v", "v2t"])
def test_failures_agree_with_ranks(runs, direction):
    for run in runs:
        for k in (1, 10):
            table = analysis.failures(run, k=k, direction=direction)
            assert len(table) == (run.rank(direction) > k).sum()
            assert table["rank"].is_monotonic_decreasing
            if table.empty:
                continue
            assert (table["evidence"].str.len() > 10).all()
            assert (table["right_video_id"] != table["top_video_id"]).all()
            untied = table[table["causes"].map(lambda held: "tied" not in held)]
            assert (untied["margin"] < 0).all()


def test_failures_refuse_nonsense(runs):
    with pytest.raises(DataError, match="k is 0; ranks start at 1"):
        analysis.failures(runs[0], k=0)
    with pytest.raises(UnknownNameError, match="No direction is called 't2'"):
        analysis.failures(runs[0], direction="t2")


def test_failures_of_2727_queries_take_seconds(home):
    corpus = made_corpus(2728)
    run = wb.save_run(made_similarity(corpus, noise=3.0), corpus=corpus, name="big")
    start = time.perf_counter()
    assert len(analysis.failures(run)) > 1000
    assert time.perf_counter() - start < 30


def test_by_domain_adds_up(runs):
    for run in runs:
        table = analysis.by_domain(run)
        weighted = (table["value"] * table["n_queries"]).sum() / table["n_queries"].sum()
        assert weighted == pytest.approx(run.metrics["t2v"]["r1"])
        assert (table["value"].between(table["low"] - 1e-9, table["high"] + 1e-9)).all()
        assert table["label"].to_list().count("TV Show") == 1
        assert table["note"].str.contains("only 10 sources").all()
    assert analysis.by_domain(runs[0], "mean_rank", "v2t")["value"].min() >= 1


def test_slices(runs):
    n = len(runs[0].per())
    table = analysis.by_slice(runs[0], {"all": np.ones(n, bool), "none": np.zeros(n, bool)})
    assert table["value"][0] == pytest.approx(runs[0].metrics["t2v"]["r1"])
    assert table["note"][1] == "no query" and np.isnan(table["value"][1])
    with pytest.raises(DataError, match="Slice 'x' is no yes/no per query"):
        analysis.by_slice(runs[0], {"x": np.ones(3, bool)})


def test_without_domains_the_sentence_says_what_adds_them(home):
    run = small(np.eye(4))
    for ask in (analysis.by_domain, analysis.domain_confusion, analysis.domain_means):
        with pytest.raises(StateError, match="states no domains. Prepare it from annotations"):
            ask(run)


def test_comparison(runs):
    good, fair, _ = runs
    result = analysis.compare_runs(fair, good)
    assert result.test.difference == pytest.approx(good.metrics["t2v"]["r1"] - fair.metrics["t2v"]["r1"])
    counts = result.table["outcome"].value_counts()
    assert counts["win"] == result.test.wins and counts.get("loss", 0) == result.test.losses
    assert "good is better" in result.verdict and result.note == ""
    assert set(result.by_domain["label"]) == {"Cooking", "Driving", "Sports", "TV Show"}
    same = analysis.compare_runs(good, good)
    assert same.overlap["top10"] == 1.0 and same.test.wins == same.test.losses == 0
    back = analysis.compare_runs(good, fair, direction="v2t")
    assert back.test.difference < 0


def test_other_corpora_are_refused_unless_allowed(runs):
    other = wb.save_run(made_similarity(made_corpus(120, name="other")), corpus="other", name="elsewhere")
    with pytest.raises(DataError, match="the fingerprints differ. .*--allow-other-corpus"):
        analysis.compare_runs(runs[0], other)
    result = analysis.compare_runs(runs[0], other, allow_other_corpus=True)
    assert "The corpora differ" in result.note and "stand in one run only" in result.note


def test_structure(runs):
    run = runs[0]
    confusion = analysis.domain_confusion(run)
    assert confusion.groupby("domain")["n"].sum().eq(confusion.groupby("domain")["n_queries"].first()).all()
    similarity = np.array(run.similarity)
    similarity[:, 1] = similarity[:, 0]
    twin = wb.save_run(similarity, corpus="made", name="twin")
    pairs = analysis.near_duplicates(twin, 0.999)
    assert pairs[["video_a", "video_b"]].to_numpy().tolist() == [twin.gallery["video_id"][:2].to_list()]
    assert pairs["same_source"].to_list() == [True]
    assert analysis.ceiling_of(run)["t2v"]["r1"] == pytest.approx(100 * (160 - 3) / 160)


def test_leaderboard(runs, home):
    board = analysis.leaderboard(runs)
    assert board["run"].to_list() == ["good", "fair", "poor"]
    assert ((board["t2v_r1_low"] <= board["t2v_r1"]) & (board["t2v_r1"] <= board["t2v_r1_high"])).all()
    sentence = analysis.leaderboard_verdict(runs)
    assert "good is better, beyond noise" in sentence and "beats 2 of 2 other runs" in sentence
    assert "only run" in analysis.leaderboard_verdict(runs[:1])
    path = runs[1].path / "run.json"
    info = json.loads(path.read_text())
    info["protocol"]["sees"] = "test queries"
    path.write_text(json.dumps(info))
    assert "1 more cannot be compared" in analysis.leaderboard_verdict([wb.open_run(run.name) for run in runs])


def test_counterfactuals_stay_in_the_table_and_do_not_compete(runs, home):
    good, fair, _ = runs
    changed = wb.save_run(good.similarity, corpus="made", name="told", parent="fair", ablation="ocr truth")
    board = analysis.leaderboard([changed, fair])
    assert board[["run", "ablation"]].to_numpy().tolist() == [["fair", ""], ["told", "ocr truth"]]
    sentence = analysis.leaderboard_verdict([changed, fair])
    assert "fair is the only run" in sentence and sentence.endswith("1 counterfactual does not compete.")
    assert analysis.leaderboard_verdict([changed]) == "No run here competes: all are counterfactuals."
    other = wb.save_run(good.similarity, corpus="made", name="again", ablation="ocr kwai")
    assert analysis.leaderboard([other])["ablation"].tolist() == [""]  # another engine is an input like any other


def test_totals_only_runs_show_no_query(home):
    corpus = made_corpus(40)
    run = wb.save_run(made_similarity(corpus), corpus=corpus, name="totals", totals_only=True)
    for ask in (analysis.failures, analysis.by_domain, analysis.ceiling_of, lambda one: open_case(one, "row 1")):
        with pytest.raises(StateError, match="Run totals holds totals only"):
            ask(run)
    assert "totals only" in analysis.leaderboard([run])["warning"][0]
    assert analysis.leaderboard_verdict([run]) == "No run here can be compared query by query."


def test_case(runs):
    run = runs[1]
    failed = analysis.failures(run).iloc[0]
    case = open_case(run, failed["query_id"])
    assert case.rank == failed["rank"] and case.margin == pytest.approx(failed["margin"])
    assert len(case.top) == 10 and case.top["Score"].is_monotonic_decreasing
    video = open_case(run, run.gallery["video_id"][3], "v2t")
    assert video.title == run.gallery["video_id"][3] and "Caption" in video.top
    with pytest.raises(UnknownNameError, match="No query is called 'nope'"):
        open_case(run, "nope")
