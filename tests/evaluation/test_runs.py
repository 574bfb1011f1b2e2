"""Runs on disk: complete without their corpus, atomic, listed whatever their state; and the library of them."""

from __future__ import annotations

import json
import os
import shutil
import socket

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.made import made_corpus, made_runs, made_similarity
from workbench.core.errors import BusyError, DataError, ExistsError, FormatVersionError, StateError, UnknownNameError
from workbench.core.locks import lock
from workbench.evaluation import retrieval_metrics
from workbench.evaluation.runs import library


@pytest.fixture
def run(home):
    return made_runs(made_corpus(80), ("good",))[0]


def test_a_run_is_complete_without_its_corpus(run, home):
    shutil.rmtree(home / "corpora")
    again = wb.open_run("good")
    expected = retrieval_metrics(np.load(again.path / "similarity.npy"), again.relevance_matrix, direction="both")
    for direction in ("t2v", "v2t"):
        assert again.metrics[direction]["r1"] == pytest.approx(expected[direction].r1)
        assert np.allclose(again.rank(direction), expected[direction].per_query["rank"])
    assert again.metrics["t2v"]["interval"]["clustered"] is True
    low, high = again.metrics["t2v"]["interval"]["r1"]
    assert low <= again.metrics["t2v"]["r1"] <= high
    assert set(again.metrics["t2v"]["by"]["domain"]) == {"Cooking", "Driving", "News_Movie", "Sports"}
    assert again.protocol == {
        "scoring": "raw",
        "sees": "nothing",
        "rerank": None,
        "candidates": None,
        "selected_on": None,
    }
    assert again.order["how"] == "declared"
    assert again.similarity.dtype == np.float32 and not again.similarity.flags.writeable
    assert {"modality", "direction", "id", "n_above", "n_tied", "n_tied_right", "score_right", "top_columns"} <= set(
        again.per_query
    )


def test_several_captions_per_video(home):
    corpus = made_corpus(40, per_video=3)
    run = wb.save_run(made_similarity(corpus), corpus=corpus, name="many")
    assert run.info["v2t_level"] == "video"
    assert len(run.per("t2v")) == 120 and len(run.per("v2t")) == 40


def test_missing_videos_count_as_misses(home):
    corpus = made_corpus(40)
    similarity = made_similarity(corpus, noise=0.1)
    lost = corpus.videos["video_id"][3]
    run = wb.save_run(np.delete(similarity, 3, axis=1), corpus=corpus, name="hole", missing={lost: "broken file"})
    assert run.gallery.loc[3, ["state", "reason"]].to_list() == ["not_scored", "broken file"]
    assert np.isneginf(run.similarity[:, 3]).all()
    assert run.metrics["t2v"]["n_missed_unscored"] == 1 and run.rank()[3] == 40
    with pytest.raises(DataError, match="1 missing videos are not in made/test, the first is 'x'"):
        wb.save_run(similarity, corpus=corpus, name="y", missing={"x": ""})


def test_shapes_names_and_values_are_checked(home, run):
    corpus = wb.open_corpus("made", split="test")
    similarity = made_similarity(corpus)
    with pytest.raises(
        DataError, match="The matrix is 80 x 79; made/test has 80 captions x 80 videos. Choose the split"
    ):
        wb.save_run(similarity[:, 1:], corpus=corpus, name="x")
    with pytest.raises(DataError, match="'A b' cannot name a run.*Try 'a-b'"):
        wb.save_run(similarity, corpus=corpus, name="A b")
    bad = similarity.copy()
    bad[5, 7] = np.nan
    with pytest.raises(DataError, match="NaN"):
        wb.save_run(bad, corpus=corpus, name="x")
    with pytest.raises(DataError, match="Modality 'ocr' is"):
        wb.save_run(similarity, corpus=corpus, name="x", modalities={"ocr": similarity[1:]})
    assert list(wb.list_runs()["name"]) == ["good"]
    assert [path.name for path in (home / "runs").iterdir() if path.is_dir()] == ["good"]


def test_an_existing_name_is_refused_or_moved_to_the_trash(home, run):
    corpus = wb.open_corpus("made", split="test")
    with pytest.raises(ExistsError, match="A run called 'good' exists already"):
        wb.save_run(made_similarity(corpus), corpus=corpus, name="good")
    wb.save_run(
        made_similarity(corpus, seed=5), corpus=corpus, name="good", overwrite=True, modalities={"ocr": np.eye(80)}
    )
    assert len(list((home / "runs" / ".trash").iterdir())) == 1
    assert list(wb.open_run("good").modalities) == ["ocr"]


def test_two_writers_of_one_name(home, run):
    corpus = wb.open_corpus("made", split="test")
    with (
        lock(home / "runs" / ".new.lock", "Run new"),
        pytest.raises(BusyError, match="Run new is being written by process"),
    ):
        wb.save_run(made_similarity(corpus), corpus=corpus, name="new")


def test_opening_what_is_not_there_or_newer(home, run):
    with pytest.raises(UnknownNameError, match="No run is called 'god'. Did you mean good"):
        wb.open_run("god")
    with pytest.raises(DataError, match="is not a run: it has no run.json"):
        wb.open_run(str(home))
    assert wb.open_run(run.path).name == "good"
    (run.path / "run.json").write_text(json.dumps({**run.info, "format_version": 99}))
    with pytest.raises(FormatVersionError, match="Run good has format version 99"):
        wb.open_run("good")
    assert wb.list_runs()["state"].to_list() == ["unreadable"]


def test_running_and_dead_runs_are_listed(home, run):
    writer = {"pid": os.getpid(), "host": socket.gethostname()}
    for name, pid in (("alive", os.getpid()), ("dead", 2**22 + 1)):
        folder = home / "runs" / name
        folder.mkdir()
        info = {**run.info, "name": name, "state": "running", "writer": {**writer, "pid": pid}}
        (folder / "run.json").write_text(json.dumps(info))
    states = wb.list_runs().set_index("name")["state"].to_dict()
    assert states == {"good": "finished", "alive": "running", "dead": "dead"}
    with pytest.raises(StateError, match="Run dead is dead and has no per_query yet .last sign of life"):
        wb.open_run("dead").per("t2v")


def test_library(home, run, tmp_path):
    assert library.note(run, "théirs").info["notes"] == "théirs"
    path = library.pack(wb.open_run("good"), tmp_path / "good.zip")
    with pytest.raises(ExistsError):
        library.pack(run, path)
    other = library.unpack(path, "other")
    pd.testing.assert_frame_equal(other.per_query, run.per_query)
    assert library.difference(run, other)["key"].to_list() == ["notes"]
    with pytest.raises(ExistsError):
        library.rename(run, "other")
    assert library.rename(run, "renamed").name == "renamed"
    library.remove(wb.open_run("renamed"))
    assert wb.list_runs()["name"].to_list() == ["other"]
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    with pytest.raises(DataError, match="is not a zip file"):
        library.unpack(tmp_path / "bad.zip")


def test_an_archive_cannot_write_elsewhere(home, tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("run/run.json", "{}")
        archive.writestr("run/../../evil", "x")
    with pytest.raises(DataError, match="does not hold one run"):
        library.unpack(tmp_path / "evil.zip")
    assert not (home / "evil").exists()


def test_shared_runs_are_never_changed(home, run, tmp_path, monkeypatch):
    shutil.move(home / "runs", tmp_path / "shared" / "runs")
    monkeypatch.setenv("WORKBENCH_SHARED", str(tmp_path / "shared"))
    shared = wb.open_run("good")
    for change in (library.remove, lambda one: library.note(one, "x"), lambda one: library.rename(one, "x")):
        with pytest.raises(StateError, match="is only read"):
            change(shared)
