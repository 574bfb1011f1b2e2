"""Moments as the TVR challenge writes them: they come back, and broken predictions are named."""

from __future__ import annotations

import json
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from tests.pipelines.exchanged import scores
from workbench.core.errors import DataError
from workbench.evaluation.moments.table import check_moments, read_moments, save_moments
from workbench.pipelines.exchange import export
from workbench.pipelines.exchange.tvr import from_submission, to_submission


def moments_of(corpus):
    rows = []
    for task in ("vcmr", "svmr", "vr"):
        for row in corpus.captions.itertuples():
            for rank in (1, 2):
                span = (None, None) if task == "vr" else (1.5 * rank, 4.5 * rank)
                rows.append((task, row.caption_id, rank, corpus.videos["video_id"][rank], *span, 1 / rank))
    columns = ["task", "caption_id", "rank", "video_id", "start_s", "end_s", "score"]
    return check_moments(pd.DataFrame(rows, columns=columns))


def test_tvr_predictions_out_and_in(run, corpus, tmp_path):
    moments = moments_of(corpus)
    save_moments(run, moments)
    assert export([run], tmp_path / "a.json") == "VCMR, SVMR, VR of 40 captions"
    written = json.loads((tmp_path / "a.json").read_text("utf8"))
    assert list(written) == ["video2idx", "VCMR", "SVMR", "VR"]
    assert written["VCMR"][0]["predictions"] == [[1, 1.5, 4.5, 1.0], [2, 3.0, 9.0, 0.5]]
    back = wb.import_run(tmp_path / "a.json", corpus=corpus, name="back")
    pd.testing.assert_frame_equal(read_moments(back), moments)
    assert back.similarity[0, 1:3].tolist() == [-1, -2] and back.protocol["candidates"] == 2


def test_a_zip_for_the_challenge_out_and_in(run, corpus, tmp_path):
    moments = moments_of(corpus)
    save_moments(run, moments)
    assert export([run], tmp_path / "a.zip") == "VCMR, SVMR, VR of 40 captions"
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["tvr_test_submission.json"]
        content = archive.read("tvr_test_submission.json")
    back = wb.import_run(tmp_path / "a.zip", corpus=corpus, name="back")
    pd.testing.assert_frame_equal(back.moments, moments)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("tvr_val_submission.json", "{}")
        archive.writestr("tvr_test_submission.json", content)
    again = wb.import_run(tmp_path / "b.zip", corpus=corpus, name="again")
    pd.testing.assert_frame_equal(again.moments, moments)
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("a.json", "{}")
        archive.writestr("b.json", "{")
    with pytest.raises(DataError, match="holds a.json, b.json, and no tvr_test_submission.json"):
        wb.import_run(tmp_path / "c.zip", corpus=corpus, name="x")
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("b.json", "{")
    with pytest.raises(DataError, match="d.zip cannot be read"):
        wb.import_run(tmp_path / "d.zip", corpus=corpus, name="x")


def test_a_run_without_moments_is_a_ranking_of_videos(run, corpus, tmp_path):
    export([run], tmp_path / "a.json", "tvr")
    back = wb.import_run(tmp_path / "a.json", corpus=corpus, name="back", format="tvr")
    assert back.metrics["t2v"]["r1"] == pytest.approx(run.metrics["t2v"]["r1"])


seconds = st.floats(0, 1e4, allow_nan=False)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["vcmr", "svmr", "vr"]), st.integers(0, 3), st.integers(0, 2), seconds, seconds, scores
        ),
        min_size=1,
        max_size=20,
    )
)
def test_any_moments_survive_a_submission(rows):
    table = pd.DataFrame(rows, columns=["task", "caption_id", "video_id", "start_s", "end_s", "score"])
    table = table.astype({"caption_id": str, "video_id": str})
    table["rank"] = table.groupby(["task", "caption_id"]).cumcount() + 1
    table.loc[table["task"] == "vr", ["start_s", "end_s"]] = np.nan
    moments = check_moments(table)
    submission = to_submission(moments, {}, {"0": 5, "1": 6, "2": 7})
    assert all(isinstance(entry["desc_id"], int) for entry in submission.get("VR", []))
    pd.testing.assert_frame_equal(from_submission(json.loads(json.dumps(submission)), "x"), moments)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "has no mapping 'video2idx'"),
        ({"video2idx": {"a": 0, "b": 0}}, "two videos of video2idx have one number"),
        ({"video2idx": {"a": 0}}, "holds no prediction"),
        ({"video2idx": {"a": 0}, "VR": {}}, "VR is no list"),
        ({"video2idx": {"a": 0}, "VR": [{"desc_id": 1}]}, "VR entry 0 has no desc_id and predictions"),
        ({"video2idx": {"a": 0}, "VR": [{"desc_id": 1, "predictions": [[0, 0]]}]}, "query '1', prediction 1 is wrong"),
        (
            {"video2idx": {"a": 0}, "VR": [{"desc_id": 1, "predictions": [[0, 0, 0, 1]] * 3 + [[0, 0, 1e301, 1]]}]},
            "n 4",
        ),
        ({"video2idx": {"a": 0}, "VR": [{"desc_id": 1, "predictions": [[0, 0, "1", 1]]}]}, "prediction 1 is wrong"),
        ({"video2idx": {"a": 0}, "VR": [{"desc_id": 1, "predictions": [[0, 0, 0, 1], [0, None, 0]]}]}, "prediction 2"),
        ({"video2idx": {"a": 0}, "VR": [{"desc_id": 1, "predictions": [[3, 0, 0]]}]}, "a video number that video2idx"),
        ({"video2idx": {"a": 0}, "VR": [{"desc_id": 1, "predictions": []}] * 2}, "query '1' stands twice in VR"),
    ],
)
def test_broken_predictions(content, message):
    with pytest.raises(DataError, match=re.escape(message)):
        from_submission(content, "x.json")


def test_svmr_alone_ranks_no_videos(run, corpus, tmp_path):
    moments = moments_of(corpus)
    save_moments(run, moments[moments["task"] == "svmr"])
    export([run], tmp_path / "a.json")
    with pytest.raises(DataError, match="holds SVMR only, which ranks no videos"):
        wb.import_run(tmp_path / "a.json", corpus=corpus, name="x")
