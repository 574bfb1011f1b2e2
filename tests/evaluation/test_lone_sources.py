"""Where sources are stated, a video without one stands alone: in every interval and every test, by one rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.made import made_corpus, made_similarity
from workbench import analysis
from workbench.corpus import save_corpus
from workbench.evaluation.statistics.paired import paired_test
from workbench.evaluation.statistics.sides import query_clusters, without_source


@pytest.fixture
def pair(home):
    """Two runs on eight sources of four videos and the same with a source for each video that lacks one."""
    made = made_corpus(32, per_video=2)
    sources = made.videos["source_id"].mask(made.videos.index.isin([0, 9]))
    similarity = [made_similarity(made, 2.0, seed=at) for at in range(2)]
    found = {}
    for name, column in {"lacking": sources, "stated": sources.fillna(made.videos["video_id"])}.items():
        save_corpus(name, {"videos": made.videos.assign(source_id=column), "captions": made.captions})
        found[name] = [
            wb.save_run(one, corpus=name, split="test", name=f"{name}{at}") for at, one in enumerate(similarity)
        ]
    return found["lacking"], found["stated"]


def test_all_numbers_are_those_of_a_corpus_that_states_it(pair):
    lacking, stated = pair
    assert without_source(lacking[0]) == 2 and without_source(stated[0]) == 0
    for direction in ("t2v", "v2t"):
        interval = lacking[0].metrics[direction]["interval"]
        assert interval["clustered"] and interval == stated[0].metrics[direction]["interval"]
        one, two = (paired_test(*own, direction=direction) for own in pair)
        assert one == two and one.clustered and one.n_clusters == 10
    for table in (analysis.by_domain, analysis.domain_confusion, lambda run: analysis.domain_means(run)):
        one, two = (table(own[0]) for own in pair)
        pd.testing.assert_frame_equal(one, two)
        assert one["n_sources"].notna().all()
    assert (analysis.by_domain(lacking[0])["note"] != "sources unknown: not clustered").all()


def test_it_is_said_once_and_unknown_sources_stay_unknown(pair):
    (run, other), (whole, _) = pair
    said = "2 videos state no source; each counts as one of its own in intervals and tests"
    assert analysis.leaderboard([run, other])["warning"].to_list() == [said, said]
    assert said not in analysis.leaderboard([whole])["warning"][0]
    run.gallery["source_id"] = None
    ids = run.per("v2t")["id"]
    assert query_clusters(run, pd.Index(ids), "v2t", "source_id") is None and without_source(run) == 0
    assert np.unique(query_clusters(whole, pd.Index(ids), "v2t", "source_id")).size == 10
