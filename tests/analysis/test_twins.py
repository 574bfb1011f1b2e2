"""Hubs' queries, corrections, equal captions, splits that share: on runs that are counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.made import made_corpus, made_similarity
from workbench import analysis
from workbench.analysis.structure import corrections
from workbench.analysis.structure.twins import ACROSS, sibling_share
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.corpus import save_corpus
from workbench.pipelines.rescoring import rescore


def small_corpus(texts, *, splits=None, sources=None, name="small"):
    """One video per caption."""
    ids = [f"v{i}.mp4" for i in range(len(texts))]
    split = splits or ["test"] * len(texts)
    videos = pd.DataFrame({"video_id": ids, "domain": "Sports", "split": split, "status": "not_kept"})
    videos = videos.assign(source_id=sources or [f"s{i}" for i in range(len(texts))])
    captions = pd.DataFrame({"caption_id": [f"c{i}" for i in range(len(texts))], "video_id": ids, "text": texts,
                             "language": "en", "role": "original", "split": split})  # fmt: skip
    return save_corpus(name, {"videos": videos, "captions": captions}, {"default_split": "test"}).with_split("test")


def test_queries_that_a_hub_takes(home):
    similarity = np.eye(4, dtype=np.float32)
    similarity[:3, 3] = [2.0, 2.0, 0.5]
    run = wb.save_run(similarity, corpus=small_corpus(["a", "b", "c", "d"]), name="run")
    taken = analysis.taken_queries(run, "v3.mp4", k=1)
    assert taken[["query_id", "text", "place", "rank"]].to_numpy().tolist() == [["c0", "a", 1, 2], ["c1", "b", 1, 2]]
    assert analysis.taken_queries(run, "v3.mp4", k=2)["query_id"].to_list() == ["c0", "c1", "c2"]
    assert analysis.taken_queries(run, "v0.mp4", k=1).empty
    top = analysis.hubness(run, k=1).top.iloc[0]
    assert (top["video_id"], top["count"], top["n_wrong"], top["n_taken"]) == ("v3.mp4", 3, 2, 2)
    with pytest.raises(UnknownNameError, match="No video is called 'x'"):
        analysis.taken_queries(run, "x")
    with pytest.raises(DataError, match="k is 0"):
        analysis.taken_queries(run, "v3.mp4", k=0)


def test_a_correction_returns_and_costs(home):
    corpus = small_corpus(list("abcd"))
    similarity = np.eye(4, dtype=np.float32)
    similarity[:2, 3] = 2.0
    before = wb.save_run(similarity, corpus=corpus, name="before")
    fixed = np.eye(4, dtype=np.float32)
    fixed[2, 0] = 3.0
    protocol = {"scoring": "QB-Norm", "sees": "train queries"}
    after = wb.save_run(fixed, corpus=corpus, name="after", protocol=protocol, parent="before")
    found = analysis.hub_correction(before, after, k=1)
    outcomes = dict(zip(found.table["query_id"], found.table["outcome"], strict=True))
    assert outcomes == {"c0": "returned", "c1": "returned", "c2": "lost", "c3": "both"}
    assert (found.count("returned"), found.count("lost")) == (2, 1) and found.test.difference == pytest.approx(25)
    assert found.table.set_index("query_id")["from_hub"].to_dict() == {"c0": True, "c1": True, "c2": False, "c3": False}
    assert (found.name, found.scoring, found.sees) == ("after", "QB-Norm", "train queries")
    assert found.before["anti_hub_share"] == pytest.approx(2 / 4)
    assert found.after == pytest.approx({**found.after, "anti_hub_share": 1 / 4, "robin_hood": 1 / 4})


def test_a_tie_is_neither_returned_nor_lost(home):
    corpus = small_corpus(list("abcd"))
    tied, less = np.ones((4, 4), np.float32), np.ones((4, 4), np.float32)
    less[:, 3] = 0
    before = wb.save_run(tied, corpus=corpus, name="before")
    found = analysis.hub_correction(before, wb.save_run(less, corpus=corpus, name="after"), k=1)
    assert set(found.table["outcome"]) == {"neither"} and found.test.difference == pytest.approx(0, abs=1e-9)
    assert found.table.set_index("query_id")["from_hub"].to_dict() == {"c0": False, "c1": True, "c2": True, "c3": True}


def test_csls_made_here_is_the_run_that_rescore_makes(home):
    corpus = made_corpus(60)
    similarity = made_similarity(corpus, noise=0.9)
    similarity[:, 7] += 0.4
    run = wb.save_run(similarity, corpus=corpus, name="raw")
    here, stored = analysis.hub_correction(run), analysis.hub_correction(run, rescore(run, "csls", name="csls"))
    assert here.sees == stored.sees == "test queries" and here.scoring == "CSLS"
    assert here.after == pytest.approx(stored.after) and here.before["skewness"] > here.after["skewness"]
    assert here.test.difference == stored.test.difference and here.count("returned") > 0
    columns = ["query_id", "rank_after", "outcome"]
    assert here.table[columns].equals(stored.table[columns])


def test_corrections_that_cannot_be_made(home, monkeypatch):
    corpus = small_corpus(list("abcd"))
    run = wb.save_run(np.eye(4), corpus=corpus, name="run")
    totals = wb.save_run(np.eye(4), corpus=corpus, name="totals", totals_only=True)
    other = wb.save_run(np.eye(3), corpus=small_corpus(list("abc"), name="other"), name="other")
    with pytest.raises(StateError, match="totals only"):
        analysis.hub_correction(totals)
    with pytest.raises(DataError, match="other rows or columns"):
        analysis.hub_correction(run, other)
    monkeypatch.setattr(corrections, "MOST_CELLS", 10)
    with pytest.raises(StateError, match="16 cells, too many.*rescore run --method csls"):
        analysis.hub_correction(run)


def test_equal_captions_of_other_videos(home):
    texts = ["We see it again.", "a dog", "we see it  again.", "a cat", "A DOG", "a dog"]
    run = wb.save_run(np.eye(6), corpus=small_corpus(texts), name="run")
    found = analysis.equal_captions(run)
    assert found[["group", "n", "query_id"]].to_numpy().tolist() == [
        [1, 3, "c1"], [1, 3, "c4"], [1, 3, "c5"], [2, 2, "c0"], [2, 2, "c2"],
    ]  # fmt: skip
    assert found["video_id"].iloc[3] == "v0.mp4" and (found["rank"] == 1).all()


def test_twins_of_one_video_are_none(home):
    corpus = small_corpus(["a dog", "a dog", "a cat"])
    same = corpus.captions.assign(video_id=["v0.mp4", "v0.mp4", "v2.mp4"])
    corpus = save_corpus("same", {"videos": corpus.videos, "captions": same}).with_split("test")
    run = wb.save_run(np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1]]), corpus=corpus, name="run")
    assert analysis.equal_captions(run).empty and analysis.near_captions(run).empty


def test_captions_that_differ_by_one_word(home):
    texts = ["the sign says open today", "the sign says closed today", "a dog runs over the road", "nothing else here"]
    similarity = np.eye(4)
    similarity[1] = [2, 1, 0, 0]
    found = analysis.near_captions(wb.save_run(similarity, corpus=small_corpus(texts), name="run"))
    assert found[["query_id", "like_id", "rank"]].to_numpy().tolist() == [["c1", "c0", 2], ["c0", "c1", 1]]
    assert found["like_video_id"].to_list() == ["v0.mp4", "v1.mp4"]


def test_what_stands_in_another_split(home):
    texts = ["a dog", "A dog", "a dog", "a cat"]
    corpus = small_corpus(texts, splits=["test", "train", "train", "test"], sources=["x", "y", "z", "y"])
    found = analysis.across_splits(corpus)
    rows = found[["kind", "caption_id", "video_id", "other_split", "other_id", "n_others"]].astype(object)
    assert rows.where(rows.notna(), None).to_numpy().tolist() == [
        ["caption", "c0", "v0.mp4", "train", "c1", 2],
        ["source", None, "v3.mp4", "train", "v1.mp4", 1],
    ]
    assert set(found["kind"]) <= set(ACROSS)
    assert analysis.across_splits(small_corpus(["a", "b"], name="one")).empty


def test_videos_of_one_source(home):
    similarity = np.eye(5)
    similarity[1] = [2, 1, 0, 0, 0]
    corpus = small_corpus(list("abcde"), sources=["x", "x", "y", "z", "z"])
    found = analysis.same_source(wb.save_run(similarity, corpus=corpus, name="run"))
    assert found[["source_id", "n_videos", "n_queries", "n_confused"]].to_numpy().tolist() == [
        ["x", 2, 2, 1], ["z", 2, 2, 0],
    ]  # fmt: skip
    assert found["queries"].to_list() == [["c1"], []] and found["videos"][0] == ["v0.mp4", "v1.mp4"]
    share, low, high = sibling_share(found)
    assert share == pytest.approx(1 / 4) and low < share < high and sibling_share(found[:0]) == (0.0, 0.0, 1.0)
    bare = wb.save_run(np.eye(2), corpus=small_corpus(["a", "b"], sources=[None, None], name="bare"), name="bare")
    with pytest.raises(StateError, match="does not state which videos share a source"):
        analysis.same_source(bare)


def test_siblings_in_the_other_direction_and_tied(home):
    """A right item that stands first, though tied with its sibling, is not confused."""
    similarity = np.eye(4)
    similarity[1, 0] = 2  # caption b stands first for video a, its sibling
    similarity[2, 3] = 1  # caption c is tied between its own video and the sibling, which stands behind it
    run = wb.save_run(similarity, corpus=small_corpus(list("abcd"), sources=list("xxyy")), name="run")
    for direction, confused in (("t2v", [["c1"], []]), ("v2t", [["v0.mp4"], ["v3.mp4"]])):
        found = analysis.same_source(run, direction=direction)
        assert found["queries"].to_list() == confused and found["n_queries"].to_list() == [2, 2]


def test_ranks_of_twins_are_those_of_the_direction(home):
    similarity = np.eye(4)
    similarity[2, 0] = 2  # for video 0 another caption stands first
    run = wb.save_run(similarity, corpus=small_corpus(["a dog", "a dog", "a cat", "a bus runs"]), name="run")
    equal = {one: analysis.equal_captions(run, direction=one) for one in ("t2v", "v2t")}
    assert equal["t2v"][["query_id", "rank"]].to_numpy().tolist() == [["c0", 1], ["c1", 1]]
    assert equal["v2t"][["query_id", "caption_id", "rank"]].to_numpy().tolist() == [
        ["v0.mp4", "c0", 2],
        ["v1.mp4", "c1", 1],
    ]
