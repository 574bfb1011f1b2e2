"""A training that cannot fool its user: splits, names and numbers that are refused, and what a run says of itself."""

from __future__ import annotations

import copy
import importlib
import json
import logging
import pickle
from dataclasses import asdict, fields, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tests.training.reading import NAME, TINY, read_corpus, tiny
from workbench.core import jobs
from workbench.core.errors import DataError, ExistsError, StateError, UnknownNameError
from workbench.core.files import read_table, write_json, write_table
from workbench.corpus import open_corpus
from workbench.evaluation import Run, list_runs, open_run
from workbench.evaluation.runs.corpora import corpus_of_run
from workbench.evaluation.runs.saving import fail_run
from workbench.pipelines.audit.findings import Finding
from workbench.pipelines.audit.training import audit_training
from workbench.pipelines.checkpoints import score_checkpoint
from workbench.training import Recorder, SelectSplit, load_recipe, selection, train, train_seeds
from workbench.training.choices import say_inputs
from workbench.training.made_of import check_same
from workbench.training.ranges import RULES
from workbench.training.recipes import Recipe
from workbench.training.selection import select_corpus
from workbench.training.splits import check_apart

pytest.importorskip("torch", reason="needs torch, which make setup installs")
RECIPE = "textvr_fusion_selftest"
ONE: dict = {**TINY, "steps": 1, "warmup": 0}


@pytest.fixture(autouse=True)
def no_logs(monkeypatch):
    monkeypatch.setattr("workbench.training.trackers.has", lambda _: False)


def changed(name: str, **columns) -> None:
    """Rewrite columns of a table of the corpus: by column a function of the table."""
    path = open_corpus(NAME).path / f"{name}.parquet"
    table = read_table(path)
    write_table(path, table.assign(**{key: made(table) for key, made in columns.items()}))


def audited(run: Run) -> dict[str, Finding]:
    """What an audit says of what a run's model was trained on, by check."""
    return {one.check: one for one in audit_training(run, corpus_of_run(run)[0])}


# Splits.


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        ({"train_split": "test"}, "would train on 'test', the split that is reported"),
        ({"train_split": "val"}, "chosen on 'val', the split that is trained on"),
        ({"select_split": "train"}, "chosen on 'train', the split that is trained on"),
        ({"select_split": "test"}, "chosen on 'test', the split that is reported"),
        ({"select_split": "test", "report_split": "val"}, "select_split is 'test'. A test split is only reported on"),
        ({"train_split": "test_public"}, "train_split is 'test_public'. A test split is only reported on"),
    ],
)
def test_three_different_splits_and_test_for_the_report_alone(splits, said):
    with pytest.raises(DataError, match=said):
        load_recipe("textvr_fusion_demo", splits)


def test_splits_of_other_names_are_taken():
    named = {"train_split": "dev", "select_split": "held-out", "report_split": "latest"}
    assert load_recipe("textvr_fusion_demo", named).report_split == "latest"


def test_no_score_of_a_test_split_chooses_in_ones_own_loop_either():
    corpus = read_corpus()
    with pytest.raises(StateError, match=f"{NAME}/test: a test split is only reported on"):
        SelectSplit(corpus.with_split("test"), corpus.with_split("val"))
    with pytest.raises(StateError, match="a test split is only reported on"):
        Recorder("own", corpus=NAME, split="val", select_split="test")
    assert list_runs().empty


def test_a_video_in_two_splits_is_not_trained_on():
    corpus = read_corpus()
    own, test = corpus.with_split("train"), corpus.with_split("test")
    check_apart(own, corpus.with_split("val"), test)
    own.captions = pd.concat([own.captions, test.captions.head(1)], ignore_index=True)
    with pytest.raises(StateError, match=f"1 videos of {NAME}/test would be trained on, the first is test/00.mp4"):
        check_apart(own, corpus.with_split("val"), test)


def test_sources_in_two_splits_and_videos_that_take_no_part_are_said(caplog):
    read_corpus()
    changed("videos", source_id=lambda t: t["source_id"].where(t["video_id"] != "test/00.mp4", "train/0"))
    changed("text_coverage", state=lambda t: t["state"].where(t["video_id"] != "train/03.mp4", "failed"),
            reason=lambda t: "too dark")  # fmt: skip
    run = train(RECIPE, name="r", **ONE)
    assert f"1 sources of {NAME}/test are trained on too" in caplog.text
    for verb in ("Trains", "Trained"):
        assert f"{verb} without 1 of 16 videos: train/03.mp4: too dark" in caplog.text
    assert run.info["excluded"] == {"train/03.mp4": "too dark"}
    found = audited(run)["model is not trained on"]
    assert found.severity == "warning" and found.rows == ("train/0",)


def test_a_made_val_split_is_capped(monkeypatch):
    read_corpus(counts={"train": 60, "test": 6})
    monkeypatch.setattr(selection, "MOST", 4)
    videos = select_corpus(NAME, "val", "train").with_split(None).videos
    assert (videos["split"] == "val").sum() == 4 and videos.groupby("source_id")["split"].nunique().max() == 1
    assert SelectSplit(open_corpus(NAME, "val"), open_corpus(NAME, "test")).said.endswith("share 0.0667, seed 0)")
    read_corpus("other", counts={"test": 6})
    with pytest.raises(DataError, match="no split 'val'"):
        select_corpus("other", "val", "train")


# What is said of who chose.


def test_a_child_keeps_who_chose_its_weights_and_the_audit_names_splits_it_was_made_on():
    read_corpus()
    train(RECIPE, name="r", **ONE)
    for split, role in (("val", "checkpoint is not chosen on"), ("train", "model is not trained on")):
        child = score_checkpoint("r", NAME, name=f"on-{split}", split=split)
        assert child.protocol["selected_on"] == "val"
        assert audited(child)[role].severity == "wrong"
    assert {one.severity for one in audited(open_run("r")).values()} == {"ok"}
    assert score_checkpoint("r@1", NAME, name="by-hand").protocol["selected_on"] is None


def test_a_training_says_so_where_its_initial_weights_have_seen_what_it_reports(caplog):
    read_corpus()
    pre = train(RECIPE, name="pre", **ONE)
    recipe = {**pre.info["recipe"], "train_split": "test"}
    write_json(pre.path / "run.json", {**pre.info, "recipe": recipe})
    run = train(RECIPE, name="fine", init="pre", **ONE)
    said = f"The model of run pre, where this one began (fine < pre), was trained on {NAME}/test"
    assert said in caplog.text and run.state == "finished"


def test_an_own_loop_that_never_looked_chose_on_nothing():
    corpus = read_corpus()
    with Recorder("own", corpus=NAME) as recorder:
        recorder.step(1.0)
        run = recorder.finish(corpus.with_split("test").relevance_matrix().toarray().astype(np.float32))
    assert run.protocol["selected_on"] is None


# Names of runs.


def test_a_name_that_is_taken_is_refused_before_a_job_or_a_first_seed(monkeypatch):
    read_corpus()
    monkeypatch.setattr(jobs, "start", lambda *_, **__: pytest.fail("a job was started"))
    train(RECIPE, name="r-seed1", **ONE)
    before = list_runs()["name"].tolist()
    for how in ({"background": True}, {}):
        with pytest.raises(ExistsError, match="'r-seed1' exists"):
            train_seeds(RECIPE, name="r", seeds=[0, 1], **how, **ONE)
    with pytest.raises(ExistsError, match="'r-seed1' exists"):
        train(RECIPE, name="r-seed1", background=True, **ONE)
    with pytest.raises(StateError, match="r-seed1 is finished"):
        train(RECIPE, name="r-seed1", background=True, resume=True, **ONE)
    with pytest.raises(UnknownNameError, match="nothing"):
        train(RECIPE, name="nothing", background=True, resume=True, **ONE)
    assert list_runs()["name"].tolist() == before


def test_a_wrong_value_takes_no_name_and_a_run_that_never_began_makes_room(monkeypatch, caplog):
    read_corpus()
    with pytest.raises(DataError, match="freeze names 'nope'"):
        train(RECIPE, name="r", freeze=["nope"], **ONE)
    assert list_runs().empty
    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module("workbench.training.train"), "prepared", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(RECIPE, name="r", **ONE)
    assert open_run("r").state == "failed"
    assert train(RECIPE, name="r", **ONE).state == "finished" and "it makes room" in caplog.text
    fail_run(train(RECIPE, name="begun", stop_at=1, **TINY).path, "It was interrupted.")
    with pytest.raises(ExistsError, match="was interrupted. Add --resume to go on with it, or --overwrite"):
        train(RECIPE, name="begun", **ONE)


def test_a_job_at_work_is_joined_by_the_same_training_alone(monkeypatch):
    read_corpus()
    train(RECIPE, name="r", stop_at=1, **TINY)
    train(RECIPE, name="s-seed1", stop_at=1, **{**TINY, "seed": 1})
    monkeypatch.setattr(jobs, "is_running", lambda _: True)
    monkeypatch.setattr(jobs, "start", lambda *_, name: name)
    assert train(RECIPE, name="r", background=True, **TINY) == "train-r"
    assert train_seeds(RECIPE, name="s", seeds=[0, 1], background=True, **TINY) == "train-s"
    with pytest.raises(StateError, match="Run r is being trained by another recipe: steps 10, now 3"):
        train(RECIPE, name="r", background=True, **{**TINY, "steps": 3})
    with pytest.raises(StateError, match="Run s-seed1 is being trained by another recipe: steps 10, now 3"):
        train_seeds(RECIPE, name="s", seeds=[0, 1], background=True, **{**TINY, "steps": 3})


def test_a_run_without_metrics_is_shown_and_a_dead_one_says_how_to_go_on(workbench):
    read_corpus()
    words = [f"{key}={value}" for key, value in TINY.items()]
    assert workbench("train", RECIPE, *words, "learning_rate=1e30", "--name", "wild")[0] == 2
    code, out, _ = workbench("runs", "show", "wild")
    assert code == 0 and "The run is failed, so it has no metrics." in out
    assert json.loads(workbench("runs", "show", "wild", "--json")[1])["metrics"] is None
    code, _, error = workbench("runs", "watch", "wild")
    assert code == 2 and "Go on with it: workbench train" in error and "wild --resume" in error


def test_runs_that_keep_fingerprints_by_split_are_gone_on_with():
    now = {"train": "a", "select": "b", "report": "c"}
    for before in (None, now, {"train": "a", "val": "b", "test": "c"}):
        check_same(before, now, tiny())
    for role, split in (("select", "val"), ("val", "val"), ("test", "test")):
        with pytest.raises(StateError, match=f"The split {split} of {NAME} changed"):
            check_same({"train": "a", "val": "b", "test": "c", role: "other"}, now, tiny())


# Recipes.

WRONG = {
    "warmup": [-5, 20], "weight_decay": [-1, float("nan")], "auxiliary": [-3], "batch_videos": [1, 0],
    "clip": [float("inf"), 0], "learning_rate": [float("inf"), -1e-3], "steps": [0, 10**400], "ema": [0, 1],
    "frames_in_memory": [-1.0], "sigmoid_bias": [float("-inf")], "seed": [2**63], "rates": [{"words": float("inf")}],
    "patience": [0], "epsilon": [0], "temperature": [float("nan")],
}  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
def test_numbers_are_finite_and_in_their_range(key, value):
    with pytest.raises(DataError, match=f"Recipe: {key} "):
        load_recipe(RECIPE, {key: value})


def test_every_number_has_a_range():
    assert set(RULES) == {one.name for one in fields(Recipe) if {"int", "float"} & set(str(one.type).split(" | "))}


def test_a_recipe_cannot_be_changed_and_still_travels():
    recipe = load_recipe(RECIPE, {"options.dim": 8, "rates": {"words": 0.5}, "lora": {"targets": ["out"]}})
    for mapping in (recipe.options, recipe.rates, recipe.lora):
        with pytest.raises(TypeError):
            mapping["x"] = 1
    with pytest.raises(AttributeError):
        recipe.lora["targets"].append("more")
    copies = pickle.loads(pickle.dumps(recipe)), copy.deepcopy(recipe), Recipe(**asdict(recipe)), replace(recipe)
    assert all(one == recipe for one in copies)
    assert json.loads(json.dumps(recipe.to_dict())) == recipe.to_dict()
    assert recipe.to_dict()["lora"] == {"targets": ["out"]} and recipe.to_dict()["options"] == {"dim": 8}


# Files.


@pytest.mark.parametrize(
    ("short_px", "rendition", "said"),
    [(720, "original", True), (240, "original", False), (720, "small", False), (None, "original", False)],
)
def test_large_originals_are_said_with_the_command(caplog, short_px, rendition, said):
    files = pd.DataFrame({"rendition": ["original", "small"], "width": [1280, 398], "height": [short_px, 224]})
    corpus = SimpleNamespace(name="mine", renditions=files, roots={"original": "films"})
    clips = SimpleNamespace(said={"rendition": {"value": rendition, "reason": "there are none"}})
    with caplog.at_level(logging.WARNING):
        say_inputs(corpus, SimpleNamespace(clips=clips, excluded={}, rows=[0]))
        say_inputs(corpus, SimpleNamespace(clips=None, excluded={}, rows=[0]))
    assert ("workbench video compress films SMALL, then prepare mine with --small SMALL" in caplog.text) == said
