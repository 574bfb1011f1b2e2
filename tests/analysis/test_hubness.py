"""Hubs and near-duplicate videos on runs whose answers are counted by hand, and against slow loops."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.made import made_corpus, made_similarity
from workbench import analysis
from workbench.analysis.structure import confusion as structure
from workbench.core.errors import DataError
from workbench.pipelines.rescoring import rescore


def robin_hood(counts):
    """Places above the mean, over all places."""
    mean = sum(counts) / len(counts)
    return sum(max(0.0, one - mean) for one in counts) / sum(counts)


def saved(similarity, home, **options):
    corpus = made_corpus(similarity.shape[1])
    return wb.save_run(similarity, corpus=corpus, name="run", overwrite=True, **options)


def test_hubness_by_hand(home):
    similarity = np.full((6, 6), 0.0, np.float32)
    similarity[np.arange(6), [0, 0, 0, 0, 1, 5]] = 1.0
    found = analysis.hubness(saved(similarity, home), k=1)
    assert found.counts.tolist() == [4, 1, 0, 0, 0, 1] and found.k == 1
    assert found.hub_share == pytest.approx(1 / 6)  # mean 1; only the first stands in 2 lists or more
    assert found.hub_places == pytest.approx(4 / 6) and found.anti_hub_share == pytest.approx(3 / 6)
    assert found.robin_hood == pytest.approx(3 / 6)
    third = np.mean((found.counts - 1.0) ** 3) / np.mean((found.counts - 1.0) ** 2) ** 1.5
    assert found.skewness == pytest.approx(third)
    first = found.top.iloc[0]
    assert (first["count"], first["n_wrong"], first["times_its_share"], first["is_hub"]) == (4, 3, 4.0, True)
    assert found.top["n_wrong"].to_list() == [3, 1, 0, 0, 0, 0]


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_hubness_against_sorting(tmp_path_factory, seed, k):
    draw = np.random.default_rng(seed)
    similarity = draw.normal(size=(12, 12)) + draw.normal(size=12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("home")))
        found = analysis.hubness(saved(similarity, None), k=k)
    counts = np.bincount(np.argsort(-similarity, axis=1)[:, :k].ravel(), minlength=12)
    assert np.array_equal(found.counts, counts)
    assert found.robin_hood == pytest.approx(robin_hood(counts))
    assert found.hub_share == pytest.approx((counts >= 2 * k).mean())
    assert found.anti_hub_share == pytest.approx((counts == 0).mean())


def test_skewness_rises_with_the_dimension(home):
    """Known of points drawn evenly: the more dimensions, the stronger the hubs (Radovanovic et al., 2010)."""
    corpus = made_corpus(400)
    found = []
    for size in (3, 20, 100):
        points = np.random.default_rng(0).uniform(size=(2, 400, size))
        scores = 2 * points[0] @ points[1].T - (points**2).sum(-1)[0][:, None] - (points**2).sum(-1)[1]
        run = wb.save_run(scores, corpus=corpus, name="cloud", overwrite=True)
        found.append(analysis.hubness(run).skewness)
    assert found[0] < found[1] < found[2] and found[0] < 1 < found[2]


def test_videos_that_were_not_scored_are_no_anti_hubs(home):
    corpus = made_corpus(20)
    gone = corpus.videos["video_id"][3]
    similarity = np.eye(20, dtype=np.float32)
    run = wb.save_run(similarity, corpus=corpus, name="part", missing={gone: "broken"})
    found = analysis.hubness(run, k=1)
    assert found.scored.sum() == 19 and found.anti_hub_share == 0 and found.counts[3] == 0
    with pytest.raises(DataError, match="k is 0; runs keep the first 100"):
        analysis.hubness(run, k=0)
    with pytest.raises(DataError, match="k is 101"):
        analysis.hubness(run, k=101)


def test_dual_softmax_takes_a_hub_away(home):
    corpus = made_corpus(60)
    similarity = made_similarity(corpus, noise=0.8)
    similarity[:, 7] += 1.0
    run = wb.save_run(similarity, corpus=corpus, name="raw")
    for method in ("dsl", "sinkhorn"):
        made = rescore(run, method, name=method, temperature=0.1)
        assert analysis.hubness(run).counts[7] == 60 and analysis.hubness(made).counts[7] < 45


def near_by_loops(similarity, threshold):
    """Pairs by ``numpy.corrcoef``, unscored entries as the mean of their column."""
    filled = np.array(similarity, float)
    for column in filled.T:
        column[np.isinf(column)] = column[np.isfinite(column)].mean() if np.isfinite(column).any() else 0.0
    pairs = []
    for a in range(filled.shape[1]):
        for b in range(a + 1, filled.shape[1]):
            if np.ptp(filled[:, a]) > 0 and np.ptp(filled[:, b]) > 0:
                value = np.corrcoef(filled[:, a], filled[:, b])[0, 1]
                pairs += [(a, b)] if value >= threshold else []
    return set(pairs)


@pytest.mark.parametrize("threshold", [0.2, 0.8, 1.0])
def test_near_duplicates_against_loops(home, threshold, monkeypatch):
    monkeypatch.setattr(structure, "ROWS_PER_BLOCK", 7)
    draw = np.random.default_rng(0)
    similarity = draw.normal(size=(40, 40)).astype(np.float32)
    similarity[:, 9] = 3 * similarity[:, 8] + 1  # the same but for scale
    similarity[:, 20] = similarity[:, 3] + 0.3 * similarity[:, 20]
    similarity[:, 30] = similarity[:, 31] = 0.1  # constant: like nothing, not even each other
    similarity[draw.random((40, 40)) < 0.05] = -np.inf
    run = saved(similarity, home)
    with warnings.catch_warnings(action="error"):
        found = analysis.near_duplicates(run, threshold)
    place = {video: i for i, video in enumerate(run.gallery["video_id"])}
    pairs = {(place[row.video_a], place[row.video_b]) for row in found.itertuples()}
    assert pairs == near_by_loops(similarity, threshold - 1e-9)
    assert found["correlation"].is_monotonic_decreasing and (found["correlation"] <= 1).all()


def test_equal_columns_and_nonsense(home, monkeypatch):
    draw = np.random.default_rng(0)
    similarity = draw.normal(size=(20, 20)).astype(np.float32)
    similarity[:, 4] = similarity[:, 12]
    run = saved(similarity, home)
    found = analysis.near_duplicates(run, 1.0)
    assert found[["video_a", "video_b"]].to_numpy().tolist() == [run.gallery["video_id"].iloc[[4, 12]].to_list()]
    assert found["same_source"].to_list() == [False]
    for threshold in (0, 1.1, float("nan")):
        with pytest.raises(DataError, match="The threshold is"):
            analysis.near_duplicates(run, threshold)
    monkeypatch.setattr(structure, "MOST_PAIRS", 3)
    with pytest.raises(DataError, match="More than 3 pairs of videos correlate at least 0.01"):
        analysis.near_duplicates(run, 0.01)
