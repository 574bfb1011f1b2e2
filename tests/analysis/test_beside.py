"""What stands beside R@1 on the leaderboard: the mean over domains and the scene-text half, with intervals."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.made import made_corpus, made_similarity
from workbench import analysis
from workbench.analysis.beside import beside
from workbench.evaluation.metrics.scene_text import V1, WITH, slices
from workbench.evaluation.statistics.intervals import clustered_interval


@pytest.fixture
def runs(home):
    corpus = made_corpus(120)
    made = [wb.save_run(made_similarity(corpus, 3.0, seed=at), corpus=corpus, name=f"r{at}") for at in range(2)]
    return corpus, made


def test_numbers_are_those_of_the_parts_and_lie_in_their_intervals(runs):
    _, made = runs
    table = analysis.leaderboard(made).set_index("run")
    domains = analysis.by_domain(made[0])
    assert table.loc["r0", "t2v_r1_macro"] == pytest.approx(domains["value"].mean())
    for end in ("t2v_r1_macro", "v2t_r1_macro"):
        own = table.loc["r0"]
        assert own[f"{end}_low"] < own[end] < own[f"{end}_high"]


def test_the_interval_of_the_text_half_is_that_of_its_queries(runs):
    _, made = runs
    run = made[0]
    part = slices(run)["t2v"][V1]
    (row,) = beside([[run]])
    hit = (run.rank("t2v") == 1).astype(float)
    ids = run.per("t2v")["id"]
    mask = (part.reindex(ids) == WITH).to_numpy()
    sources = run.gallery.set_index("video_id")["source_id"]
    video = run.relevance.drop_duplicates("caption_id").set_index("caption_id")["video_id"].reindex(ids)
    low, high = clustered_interval(hit[mask], sources.reindex(video).to_numpy()[mask])
    assert (row["t2v_r1_text_low"], row["t2v_r1_text_high"]) == pytest.approx((100 * low, 100 * high), abs=4)


def test_a_group_of_seeds_has_the_interval_of_its_mean_and_totals_have_none(runs):
    corpus, made = runs
    alone, group = beside([[made[0]], made])
    assert alone["t2v_r1_macro"] != group["t2v_r1_macro"] and group["t2v_r1_macro_low"] < group["t2v_r1_macro"]
    whole = group["t2v_r1_macro_high"] - group["t2v_r1_macro_low"]
    assert 0 < whole < alone["t2v_r1_macro_high"] - alone["t2v_r1_macro_low"] + 5
    totals = wb.save_run(made_similarity(corpus), corpus=corpus, name="totals", totals_only=True)
    (row,) = beside([[totals]])
    assert np.isnan(row["t2v_r1_macro_low"])
