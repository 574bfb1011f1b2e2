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
from workbench.analysis.structure import alike as structure
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
    monkeypatch.setattr(structure, "COLUMNS_AT_ONCE", 5)
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


def in_both_directions(run, k):
    """(direction, lists of ids, what is right): by sorting, a video's captions as one item where they are ranked so."""
    ids, videos = run.queries["caption_id"].to_list(), run.gallery["video_id"].to_list()
    own = dict(zip(run.relevance["caption_id"], run.relevance["video_id"], strict=True))
    scores = np.asarray(run.similarity)
    yield "t2v", {c: [videos[j] for j in np.argsort(-scores[i], kind="stable")[:k]] for i, c in enumerate(ids)}, own
    lists = {}
    for j, video in enumerate(videos):
        order = [own[ids[i]] if run.info["v2t_level"] == "video" else ids[i] for i in np.argsort(-scores[:, j])]
        lists[video] = list(dict.fromkeys(order))[:k]
    right = {video: [c for c in ids if own[c] == video] for video in videos}
    yield "v2t", lists, {v: v if run.info["v2t_level"] == "video" else right[v][0] for v in videos}


@pytest.mark.parametrize(("per_video", "unit"), [(1, "caption"), (3, "group")])
def test_hubs_and_what_they_take_in_both_directions(home, per_video, unit):
    corpus = made_corpus(24, per_video=per_video)
    similarity = made_similarity(corpus, noise=1.5)
    similarity[:, 5] += 0.3
    similarity[7] += 0.4
    run = wb.save_run(similarity, corpus=corpus, name="run")
    for direction, lists, right in in_both_directions(run, 4):
        found = analysis.hubness(run, 4, n_top=100, direction=direction)
        assert found.unit == ("video" if direction == "t2v" else unit) and found.direction == direction
        for row in found.top.itertuples():
            holding = [query for query, own in lists.items() if row.item_id in own]
            wrong = [query for query in holding if right[query] != row.item_id]
            taken = [query for query in wrong if lists[query][0] == row.item_id]
            assert (row.count, row.n_wrong, row.n_taken) == (len(holding), len(wrong), len(taken)), row
        hub = found.top["item_id"][0]
        table = analysis.taken_queries(run, hub, 4, direction=direction).set_index("query_id")
        places = {query: own.index(hub) + 1 for query, own in lists.items() if hub in own and right[query] != hub}
        assert table["place"].to_dict() == places
        ranks = dict(zip(run.per(direction)["id"], run.rank(direction), strict=True))
        assert table["rank"].to_dict() == {query: ranks[query] for query in places}
        said = table["listed_text"]
        assert said.isna().all() if direction == "t2v" else set(said) <= set(run.queries["text"])
    if unit == "caption":
        assert run.queries["caption_id"][7] == hub and set(said) == {run.queries["text"][7]}


def test_lists_that_end_between_equal_scores_are_counted(home):
    similarity = np.eye(6, dtype=np.float32)
    run = saved(similarity, home)
    assert [analysis.hubness(run, k).n_cut_in_ties for k in (1, 2, 6)] == [0, 6, 0]


def test_a_correction_in_the_other_direction(home):
    corpus = made_corpus(40)
    similarity = made_similarity(corpus, noise=1.0)
    similarity[7] += 1.0  # one caption stands first for every video
    run = wb.save_run(similarity, corpus=corpus, name="raw")
    found = analysis.hub_correction(run, k=1, direction="v2t")
    fixed = rescore(run, "csls", name="csls")
    stored = analysis.hub_correction(run, fixed, k=1, direction="v2t")
    assert found.test.difference == pytest.approx(fixed.metrics["v2t"]["r1"] - run.metrics["v2t"]["r1"])
    assert found.table.equals(stored.table) and found.direction == "v2t"
    before, after = (one.rank("v2t") <= 1 for one in (run, fixed))
    assert (found.count("returned"), found.count("lost")) == ((after & ~before).sum(), (before & ~after).sum())
    assert found.count("returned") > 10 and found.before["skewness"] > found.after["skewness"]
    assert found.table.loc[found.table["outcome"] == "returned", "from_hub"].all()
    one_way = rescore(run, "dsl", name="one-way", direction="t2v")
    with pytest.raises(DataError, match="one-way was corrected for t2v only. Look at it in t2v"):
        analysis.hub_correction(run, one_way, direction="v2t")


def test_domains_confused_in_both_directions(home):
    """By hand: domains of four videos (Cooking, Driving, TV Show, Sports); a tie gives each domain its share."""
    similarity = np.eye(4, dtype=np.float32)
    similarity[0] = [0, 1, 0, 0]  # Cooking's caption finds Driving
    similarity[2] = [0, 1, 1, 0]  # TV Show's finds both
    run = saved(similarity, home)
    t2v, v2t = (
        analysis.domain_confusion(run, direction=one).pivot(index="domain", columns="top_domain", values="n")
        for one in ("t2v", "v2t")
    )
    assert t2v.to_numpy().tolist() == [[0, 1, 0, 0], [0, 1, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 1]]
    assert v2t.to_numpy() == pytest.approx(
        np.array([[1 / 4, 1 / 4, 1 / 4, 1 / 4], [1 / 3, 1 / 3, 1 / 3, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    )
    table = analysis.domain_confusion(run, direction="v2t")
    assert ((table["low"] <= table["share"]) & (table["share"] <= table["high"])).all()
    assert table["n_sources"].eq(1).all() and table["direction"].eq("v2t").all()


@pytest.mark.parametrize("per_video", [1, 2])
def test_a_first_place_that_more_than_a_list_holds_share_is_divided_among_all(home, per_video):
    """A model that gives nothing any score (BM25 without a common word) confuses no domain more than another."""
    corpus = made_corpus(120, per_video=per_video)
    run = wb.save_run(np.zeros((120 * per_video, 120), np.float32), corpus=corpus, name="flat")
    for direction in ("t2v", "v2t"):
        assert run.per(direction)["top_columns"].map(len).eq(100).all()
        assert analysis.domain_confusion(run, direction=direction)["share"].to_numpy() == pytest.approx(1 / 4)


@pytest.mark.parametrize("cells", [1 << 26, 7 * 40])
def test_captions_with_equal_scores_and_strips(home, monkeypatch, cells):
    monkeypatch.setattr(structure, "CELLS_AT_ONCE", cells)
    draw = np.random.default_rng(1)
    similarity = draw.normal(size=(40, 40)).astype(np.float32)
    similarity[9] = 3 * similarity[8] + 1
    similarity[33] = similarity[3] + 0.2 * similarity[33]
    similarity[:, 17] = similarity[:, 2]
    run = saved(similarity, home)
    rows = analysis.near_duplicates(run, 0.9, direction="v2t")
    captions = run.queries["caption_id"]
    assert set(zip(rows["caption_a"], rows["caption_b"], strict=True)) == {
        (captions[8], captions[9]), (captions[3], captions[33])
    }  # fmt: skip
    assert rows["video_a"][0] == run.gallery["video_id"][8] and rows["text_b"][0] == run.queries["text"][9]
    assert rows["correlation"][0] == pytest.approx(1)
    columns = analysis.near_duplicates(run, 0.9)
    assert columns[["video_a", "video_b"]].to_numpy().tolist() == [run.gallery["video_id"].iloc[[2, 17]].to_list()]
    turned = wb.save_run(np.ascontiguousarray(similarity.T), corpus="made", name="turned")
    assert analysis.near_duplicates(turned, 0.9)["correlation"].to_list() == pytest.approx(
        rows["correlation"].to_list()
    )
