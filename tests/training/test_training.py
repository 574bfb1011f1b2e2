"""Training on a few drawn videos: stop and resume, names, jobs, scoring what was trained."""

from __future__ import annotations

import os
import shutil
import time

import numpy as np
import pytest

from tests.once import made_once
from workbench.core.errors import DataError, ExistsError, StateError, UnknownNameError
from workbench.core.workspace import elsewhere
from workbench.corpus import open_corpus
from workbench.corpus.media import file_of
from workbench.evaluation import open_run
from workbench.models import build_model
from workbench.pipelines.checkpoints import corpus_of_training, score_checkpoint
from workbench.pipelines.demo.build import build_demo
from workbench.pipelines.scoring import score
from workbench.training import train
from workbench.training.selftest import NAME, RECIPE, few_shots, selftest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    """A workspace with the drawn videos of the self-test, read by the engine."""

    def make(folder):
        with elsewhere(folder):
            build_demo(name=NAME, shots=few_shots(), workers=2)

    return made_once(tmp_path_factory, "filmed-workspace", make)


@pytest.fixture
def small(filmed, home):
    """That corpus in the workspace of the test; its videos stay where they are."""
    shutil.copytree(filmed / "corpora", home / "corpora")
    return open_corpus(NAME)


def test_the_self_test_finds_this_machine_able():
    table = selftest(workers=2)
    assert table["state"].tolist() == ["ok"] * 6, table.to_string()
    assert "bit by bit" in table["found"][4]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("how", [{}, {"ema": 0.8, "micro_batch": 3, "decay": "matrices", "clip": 1.0}])
def test_stopped_and_resumed_is_as_if_never_stopped(how):
    whole = train(RECIPE, name="whole", modality="ocr", **how)
    stopped = train(RECIPE, name="stopped", modality="ocr", stop_at=7, **how)
    assert stopped.state == "running" and (stopped.path / "checkpoints" / "last").read_text() == "7"
    with pytest.raises(StateError, match="begun with another recipe: modality 'ocr', now 'vision'"):
        train(RECIPE, name="stopped", modality="vision", resume=True, **how)
    resumed = train(RECIPE, name="stopped", modality="ocr", resume=True, **how)
    assert np.array_equal(whole.similarity, resumed.similarity)
    losses = [run.history.query("name == 'loss'")["value"].to_list() for run in (whole, resumed)]
    assert losses[0] == losses[1] and len(losses[0]) == 20
    with pytest.raises(StateError, match="is finished"):
        train(RECIPE, name="whole", modality="ocr", resume=True)


@pytest.mark.usefixtures("small")
def test_a_name_that_is_taken_keeps_what_it_holds(home):
    first = train(RECIPE, name="mine", modality="ocr", steps=2, warmup=0)
    before = first.similarity.copy()
    with pytest.raises(ExistsError):
        train(RECIPE, name="mine", modality="ocr", steps=2, warmup=0, seed=1)
    assert np.array_equal(open_run("mine").similarity, before)
    train(RECIPE, name="mine", modality="ocr", steps=2, warmup=0, seed=1, overwrite=True)
    assert open_run("mine").info["seed"] == 1
    assert any((home / "runs" / ".trash").iterdir())


def test_a_corpus_that_lacks_an_input_is_refused_with_the_command(small):
    path = small.path / "text_coverage.parquet"
    path.unlink()
    with pytest.raises(StateError, match=f"Run: workbench ocr run {NAME}"):
        train(RECIPE, name="x", modality="ocr", steps=2, warmup=0)
    with pytest.raises(UnknownNameError, match="No run is called 'x'"):
        open_run("x")  # refused before anything was written
    assert train(RECIPE, name="y", modality="vision", steps=2, warmup=0).state == "finished"


@pytest.mark.usefixtures("small")
def test_what_was_trained_scores_other_splits_and_says_whose_child_it_is():
    parent = train(RECIPE, name="parent", steps=4, warmup=0)
    again = score_checkpoint("parent", NAME, name="again")
    np.testing.assert_allclose(again.similarity, parent.similarity, rtol=1e-5, atol=1e-6)
    assert again.info["parent"] == "parent" and corpus_of_training("parent@best") == NAME
    other = score_checkpoint("parent", NAME, name="on-val", split="val")
    assert other.split == "val" and len(other.gallery) == 4
    perfect = score_checkpoint("parent", NAME, name="perfect", engine="truth")
    assert set(perfect.inputs["engine"]) == {"truth"}
    by_decord = score_checkpoint("parent", NAME, name="by-decord", reader="decord")
    assert by_decord.inputs["reader"].str.startswith("decord").all()
    np.testing.assert_allclose(by_decord.similarity, parent.similarity, rtol=1e-4, atol=1e-5)
    with pytest.raises(StateError, match="no checkpoint '99'"):
        score_checkpoint("parent@99", NAME, name="z")


@pytest.mark.usefixtures("small")
def test_a_video_that_cannot_be_read_is_left_out_and_named():
    corpus = open_corpus(NAME, "test")
    video = corpus.videos["video_id"].iloc[0]
    path = file_of(corpus, video)
    kept, stat = path.read_bytes(), path.stat()
    try:
        path.write_bytes(kept[:500])
        run = score(build_model("textvr_fusion", preset="tiny", modality="vision"), NAME, name="r")
    finally:
        path.write_bytes(kept)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    at = run.gallery["video_id"].tolist().index(video)
    assert np.isneginf(run.similarity[:, at]).all() and np.isfinite(np.delete(run.similarity, at, 1)).all()
    assert run.inputs["reason"][at]


@pytest.mark.usefixtures("small")
def test_in_the_background_and_by_the_command():
    job = train(RECIPE, name="later", group="seeds", modality="ocr", steps=2, warmup=0, background=True)
    until = time.monotonic() + 120
    while job.state == "running" and time.monotonic() < until:
        time.sleep(0.5)
    assert job.state == "finished", job.tail()
    assert open_run("later").state == "finished" and open_run("later").info["group"] == "seeds"


@pytest.mark.usefixtures("small")
def test_a_loss_that_is_not_finite_stops_and_says_so():
    with pytest.raises((StateError, DataError), match="not a number at step"):
        train(RECIPE, name="wild", modality="ocr", learning_rate=1e30)
    assert open_run("wild").state == "failed"
