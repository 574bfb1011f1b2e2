"""Moment retrieval: golden vectors of the specification, a slow evaluator written out, tables in and out."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made import made_corpus, made_runs
from workbench.core.errors import DataError, StateError
from workbench.corpus import save_corpus
from workbench.evaluation import save_run
from workbench.evaluation.moments.metrics import KS, TIOUS, moment_metrics
from workbench.evaluation.moments.spans import temporal_iou, temporal_nms
from workbench.evaluation.moments.table import check_moments, read_moments, save_moments
from workbench.evaluation.statistics.intervals import wilson

TRUTH = pd.DataFrame({
    "caption_id": list("1234"), "video_id": ["alpha", "beta", "gamma", "alpha"], "start_s": [10, 0, 30, 3],
    "end_s": [20, 6, 40, 9], "query_type": ["v", "t", "vt", "v"],
})  # fmt: skip
NAMES = {7: "alpha", 3: "beta", 11: "gamma"}
ANSWERS = {
    "1": [(7, 10, 15), (7, 10, 19)], "2": [(7, 0, 6), (3, 0, 9)], "3": [(11, 33, 40)],
    "4": [(7, 50, 55), (3, 3, 9), (11, 1, 2), (7, 9, 3), (7, 3, 9), (7, 3, 9)],
}  # fmt: skip


def table_of(answers, tasks=("vcmr", "svmr", "vr")):
    """A table of moments from (video, start, end[, score]) per caption."""
    rows = [
        {"task": task, "caption_id": caption, "rank": rank, "video_id": NAMES.get(video, video),
         "start_s": np.nan if task == "vr" else start, "end_s": np.nan if task == "vr" else end,
         "score": score[0] if score else -float(rank)}
        for task in tasks for caption, spans in answers.items()
        for rank, (video, start, end, *score) in enumerate(spans, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["task", "caption_id", "rank", "video_id", "start_s", "end_s", "score"])


def test_golden_case_of_the_specification():
    found = moment_metrics(table_of(ANSWERS), TRUTH).to_dict()
    assert list(found)[:3] == ["VCMR", "SVMR", "VR"]
    assert {key: found["VCMR"][key] for key in ("0.5-r1", "0.5-r5", "0.7-r1", "0.7-r5")} == {
        "0.5-r1": 50.0, "0.5-r5": 100.0, "0.7-r1": 25.0, "0.7-r5": 75.0,
    }  # fmt: skip
    assert [found["SVMR"][key] for key in ("0.5-r1", "0.5-r5", "0.7-r1", "0.7-r5")] == [75.0, 100.0, 25.0, 75.0]
    assert [found["VR"][key] for key in ("r1", "r5")] == [75.0, 100.0]
    by_type = found["VCMR_by_type"]
    keys = ["v-0.5-r1", "v-0.7-r1", "v-0.7-r5", "t-0.5-r1", "t-0.5-r5", "t-0.7-r100", "vt-0.7-r1"]
    assert [by_type[key] for key in keys] == [50.0, 0.0, 100.0, 0.0, 100.0, 0.0, 100.0]
    assert found["SVMR_by_type"]["t-0.5-r1"] == 100.0
    assert found["VR_by_type"]["v-r1"] == 100.0 and found["VR_by_type"]["t-r1"] == 0.0
    assert found["VR_by_type"]["desc_type_ratio"] == "v 50.0 t 25.0 vt 25.0"


@pytest.mark.parametrize(
    ("spans", "left"),
    [
        ([(9, 12, 0.9), (9, 13.5, 0.8), (30, 36, 0.7), (40, 60, 0.1)], [0, 2, 3]),
        ([(0, 2, 0.9), (1, 2, 0.5)], [0, 1]),
    ],
)
def test_suppression_golden_vectors(spans, left):
    moments = check_moments(table_of({"1": [(7, *span) for span in spans]}))
    kept = temporal_nms(moments, 0.5)
    for task in ("vcmr", "svmr"):
        part = kept[kept["task"] == task]
        assert list(part[["start_s", "end_s", "score"]].itertuples(index=False, name=None)) == [spans[i] for i in left]
        assert part["rank"].tolist() == list(range(1, len(left) + 1))
    assert len(kept[kept["task"] == "vr"]) == len(spans)


def test_suppression_is_per_video_and_sorts_by_score():
    moments = check_moments(table_of({"1": [(7, 0, 10, 0.1), (3, 0, 10, 0.9), (7, 0, 9, 0.5)]}, ("vcmr",)))
    kept = temporal_nms(moments, 0.5)
    assert kept["video_id"].tolist() == ["beta", "alpha"] and kept["score"].tolist() == [0.9, 0.5]
    assert len(temporal_nms(moments, 0.5, keep=1)) == 1
    with pytest.raises(DataError, match="Some moments have no score"):
        temporal_nms(check_moments(moments.assign(score=np.nan)))
    with pytest.raises(DataError, match="Give 0 <= tIoU <= 1"):
        temporal_nms(moments, 1.5)


def test_iou_is_inclusive_in_float32():
    exact = table_of({"1": [(7, 10, 15)], "2": [(3, 0, 4.2)]}, ("svmr",))
    found = moment_metrics(exact, TRUTH[:2])
    assert found.recall("svmr", 1, 0.5) == 100.0 and found.recall("svmr", 1, 0.7) == 50.0
    assert found.mean_iou("svmr") == pytest.approx(0.6)
    assert temporal_iou(np.array([5.0]), np.array([5.0]), np.array([5.0]), np.array([5.0])).tolist() == [0.0]


def test_several_spans_of_one_pair():
    truth = pd.DataFrame({"caption_id": "1", "video_id": "alpha", "start_s": [0, 0, 20, 20], "end_s": [5, 5, 25, 25]})
    for span, didemo in (((0, 5), 100.0), ((20, 25), 100.0), ((5, 10), 0.0)):
        found = table_of({"1": [(7, *span)]}, ("vcmr",))
        assert moment_metrics(found, truth, several="didemo").recall("vcmr", 1, 0.5) == didemo
    three = table_of({"1": [(7, 0, 5)]}, ("vcmr",))
    lonely = truth.iloc[[0, 2, 2, 3]]
    assert moment_metrics(three, lonely).recall("vcmr", 1, 0.5) == 100.0
    assert moment_metrics(three, lonely, several="didemo").recall("vcmr", 1, 0.5) == 0.0


def slow_recalls(answers, truth):
    """R@K written out, query by query."""
    found = {}
    for task in ("vcmr", "svmr"):
        for tiou in TIOUS:
            for k in KS:
                hits = 0
                for row in truth.itertuples():
                    spans = answers.get(row.caption_id, [])[: max(KS)]
                    if task == "svmr":
                        spans = [span for span in spans if NAMES.get(span[0]) == row.video_id]
                    for video, start, end in spans[:k]:
                        both = max(0, min(end, row.end_s) - max(start, row.start_s))
                        hull = max(end, row.end_s) - min(start, row.start_s)
                        if (
                            NAMES.get(video) == row.video_id
                            and hull
                            and np.float32(both) / np.float32(hull) >= np.float32(tiou)
                        ):
                            hits += 1
                            break
                found[task, tiou, k] = 100 * hits / len(truth)
    return found


seconds = st.integers(0, 40)
spans = st.lists(st.tuples(st.sampled_from([7, 3, 11, 99]), seconds, seconds), max_size=7)


@given(st.dictionaries(st.sampled_from("1234"), spans, min_size=1).filter(lambda d: any(d.values())))
def test_metrics_against_the_slow_ones(answers):
    found = moment_metrics(table_of(answers), TRUTH)
    everyone = found.table[found.table["query_type"] == ""].set_index(["task", "tiou", "k"])["recall"].to_dict()
    for key, expected in slow_recalls(answers, TRUTH).items():
        assert everyone[key] == pytest.approx(expected)
    assert found.n_missing["vcmr"] == 4 - sum(map(bool, answers.values()))


@given(spans.filter(len), st.sampled_from([0.3, 0.5, 0.7]))
def test_suppression_against_the_slow_one(answer, threshold):
    answer = [(v, min(a, b), max(a, b), float(-i % 5)) for i, (v, a, b) in enumerate(answer)]
    kept = temporal_nms(check_moments(table_of({"1": answer}, ("vcmr",))), threshold)
    left: list = []
    for one in sorted(answer, key=lambda span: -span[3]):
        overlaps = [
            max(0, min(one[2], b[2]) - max(one[1], b[1])) / max(max(one[2], b[2]) - min(one[1], b[1]), 1e-9)
            for b in left
            if b[0] == one[0]
        ]
        if all(overlap <= threshold for overlap in overlaps):
            left.append(one)
    rows = kept[["video_id", "start_s", "end_s", "score"]].itertuples(index=False, name=None)
    assert list(rows) == [(str(NAMES.get(v, v)), s, e, x) for v, s, e, x in left]


def test_whole_videos_have_no_moments():
    whole = TRUTH.assign(start_s=np.nan, end_s=np.nan)
    assert moment_metrics(table_of(ANSWERS, ("vr",)), whole).recall("vr", 1) == 75.0
    with pytest.raises(DataError, match="The truth states no span, which VCMR needs"):
        moment_metrics(table_of(ANSWERS, ("vcmr",)), whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "svm"}, "row 0, column task: 'svm'; it must be one of vcmr, svmr, vr"),
        ({"rank": 0}, "row 0, column rank: 0; ranks are whole and start at 1"),
        ({"rank": 1}, "row 1, column rank: 1; this rank of this caption stands twice"),
        ({"start_s": "x"}, "row 0, column start_s: 'x'; it must be a number"),
        ({"end_s": np.inf}, "row 0, column end_s: inf; it must be a number of seconds"),
        ({"score": -np.inf}, "column score: -inf; it must be finite"),
        ({"video_id": None}, "column video_id: (None|nan); it may not be empty"),
        ({"place": 1}, "an unknown column 'place'"),
    ],
)
def test_broken_tables_are_named(change, message):
    with pytest.raises(DataError, match=message):
        check_moments(table_of(ANSWERS, ("vcmr",)).assign(**change))


def test_foreign_captions_and_empty_tables():
    with pytest.raises(DataError, match="Caption '9' has no right span"):
        moment_metrics(table_of({"9": [(7, 0, 1)]}), TRUTH)
    with pytest.raises(DataError, match="There are no moments"):
        moment_metrics(table_of({}), TRUTH)
    with pytest.raises(DataError, match="needs the right spans"):
        moment_metrics(table_of(ANSWERS))
    with pytest.raises(DataError, match="no column 'end_s'"):
        moment_metrics(table_of(ANSWERS), TRUTH.drop(columns="end_s"))
    with pytest.raises(DataError, match="no column 'rank'"):
        check_moments(table_of(ANSWERS).drop(columns="rank"))


def test_moments_of_a_run_in_and_out(home):
    corpus = made_corpus(8)
    (run,) = made_runs(corpus, ("good",))
    with pytest.raises(StateError, match="Run good holds no moments"):
        read_moments(run)
    rows = [
        {"task": "vr", "caption_id": row.caption_id, "rank": 1, "video_id": row.video_id, "score": 0.5}
        for row in corpus.captions.itertuples()
    ]
    save_moments(run, pd.DataFrame(rows))
    assert moment_metrics(run).recall("vr", 1) == moment_metrics(run, corpus).recall("vr", 1) == 100.0
    pd.testing.assert_frame_equal(read_moments(run), check_moments(pd.DataFrame(rows)))
    with pytest.raises(DataError, match="name the video 'nowhere', which is not in run good"):
        save_moments(run, pd.DataFrame(rows).assign(video_id="nowhere"))


def test_intervals_know_the_sources():
    table = table_of(ANSWERS, ("svmr",))
    alone = moment_metrics(table, TRUTH)
    assert not alone.clustered
    shared = moment_metrics(table, TRUTH.assign(source_id=["a", "b", "a", "a"]))
    assert shared.clustered
    for found in (alone, shared):
        assert ((found.table["low"] <= found.table["recall"]) & (found.table["recall"] <= found.table["high"])).all()
    first = alone.table.query("k == 1 and tiou == 0.5 and query_type == ''").iloc[0]
    assert (first["low"], first["high"]) == pytest.approx([100 * one for one in wilson(3, 4)])
    widths = [(found.table["high"] - found.table["low"]).sum() for found in (alone, shared)]
    assert widths[1] > widths[0]


def test_a_run_has_the_types_and_sources_of_its_corpus(home):
    corpus = made_corpus(8)
    captions = corpus.captions.assign(query_type=["v", "t"] * 4)
    relevance = corpus.relevance.assign(start_s=1.0, end_s=5.0)
    typed = save_corpus("typed", {"videos": corpus.videos, "captions": captions, "relevance": relevance})
    run = save_run(np.eye(8, dtype=np.float32), corpus=typed.with_split("test"), name="r")
    assert run.moments is None
    rows = captions[["caption_id", "video_id"]].assign(task="vcmr", rank=1, start_s=1.0, end_s=4.0, score=1.0)
    save_moments(run, rows)
    assert len(run.moments) == 8
    found = moment_metrics(run)
    assert found.clustered and set(found.table["query_type"]) == {"", "v", "t"}
    assert found.recall("vcmr", 1, 0.7, "t") == 100.0
    shutil.rmtree(typed.path)
    assert moment_metrics(run).clustered and set(moment_metrics(run).table["query_type"]) == {""}


def test_the_size_of_tvr(real_data):
    """Perfect labels behind a wrong one; ratio and layout as in the sample file of the authors."""
    folder = real_data / "annotations" / "tvr"
    lines = [json.loads(line) for line in (folder / "tvr_val_release.jsonl").read_text("utf8").splitlines()]
    truth = pd.DataFrame({
        "caption_id": [str(one["desc_id"]) for one in lines], "video_id": [one["vid_name"] for one in lines],
        "start_s": [one["ts"][0] for one in lines], "end_s": [one["ts"][1] for one in lines],
        "query_type": [one["type"] for one in lines],
    })  # fmt: skip
    right = truth.drop(columns="query_type").assign(task="vcmr", rank=2, score=1.0)
    wrong = right.assign(rank=1, start_s=right["end_s"], end_s=right["end_s"] + 1)
    found = moment_metrics(pd.concat([right, wrong]), truth)
    assert found.recall("vcmr", 1, 0.5) == 0 and found.recall("vcmr", 5, 0.7) == 100.0
    sample = json.loads((folder / "sample_val_predictions_metrics_raw.json").read_text("utf8"))
    ours = found.to_dict()
    assert set(ours["VCMR"]) == set(sample["VCMR"]) and set(ours["VCMR_by_type"]) == set(sample["VCMR_by_type"])
    assert ours["VCMR_by_type"]["desc_type_ratio"] == "v 74.32 t 8.85 vt 16.83"
