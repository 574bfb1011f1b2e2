"""Following a training from another terminal, what differs between runs, the keys of a recipe: as commands."""

from __future__ import annotations

import json
import time

import pytest

from tests.training.reading import NAME, TINY, read_corpus
from workbench.core import jobs
from workbench.core.errors import StateError
from workbench.evaluation import open_run
from workbench.training import RECIPES, train

pytest.importorskip("torch", reason="needs torch, which make setup installs")
RECIPE = "textvr_fusion_selftest"


@pytest.fixture(autouse=True)
def no_logs(monkeypatch):
    monkeypatch.setattr("workbench.training.trackers.has", lambda _: False)


def test_a_run_is_watched_while_it_is_made_and_after(workbench):
    read_corpus()
    train(RECIPE, name="r", stop_at=5, **TINY)
    code, out, _ = workbench("runs", "watch", "r", "--once")
    assert code == 0 and out.startswith("r: running, step 5 of 10, loss ") and out.rstrip().endswith("s left")
    told = json.loads(workbench("runs", "watch", "r", "--once", "--json")[1])
    assert (told["step"], told["steps"], told["state"]) == (5, 10, "running") and told["seconds_left"] > 0
    assert told["samples_per_s"] > 0 and 0 <= told["data_wait"] <= 1 and told["gpu_gib"] is None
    assert f", {told['samples_per_s']:,.1f} samples/s, data wait {told['data_wait']:.1%}, " in out
    train(RECIPE, name="r", resume=True, **TINY)
    code, out, _ = workbench("runs", "watch", "r")
    assert code == 0 and out.startswith("r: finished, step 10 of 10") and "left" not in out
    assert workbench("runs", "watch", "nothing", "--once")[0] == 2


def test_a_run_that_failed_says_why_and_is_no_success(workbench):
    read_corpus()
    with pytest.raises(StateError, match="not a number"):
        train(RECIPE, name="wild", **{**TINY, "learning_rate": 1e30})
    code, out, error = workbench("runs", "watch", "wild")
    assert code == 2 and "not a number" in out and "--resume" in error


def test_what_differs_is_said_by_kind(workbench):
    read_corpus()
    for name, seed in (("a", 0), ("b", 1)):
        train(RECIPE, name=name, seed=seed, **{**TINY, "steps": 1, "warmup": 0})
    rows = json.loads(workbench("runs", "diff", "a", "b", "--json")[1])
    assert {"of": "config", "key": "recipe.seed", "a": 0, "b": 1} in rows
    assert [row["of"] for row in rows] == sorted(
        (row["of"] for row in rows), key=["config", "commit", "data", "run"].index
    )


@pytest.mark.parametrize("asked", ["--keys", "--help"])
def test_every_key_of_a_recipe_is_shown(workbench, asked):
    code, out, _ = workbench("train", RECIPE, asked)
    assert code == 0 and "keep_last" in out and "How many of the newest checkpoints stay" in out
    assert ("--detach" in out) == (asked == "--help")
    assert all(name in out for name in RECIPES) == ("The demo's model: from scratch" in out) == (asked == "--help")


def test_seeds_on_the_command_line_and_wrong_ones(workbench):
    read_corpus()
    words = [f"{key}={value}" for key, value in {**TINY, "steps": 1, "warmup": 0}.items()]
    rows = json.loads(workbench("train", RECIPE, *words, "--seeds", "0,1", "--json")[1])
    assert [row["run"] for row in rows] == ["read-ocr-seed0", "read-ocr-seed1"]
    code, _, error = workbench("train", RECIPE, "--seeds", "0,x")
    assert code == 2 and "'0,x' is no list of seeds" in error


@pytest.mark.slow
def test_detached_it_is_watched_until_it_ends(workbench):
    read_corpus()
    words = [f"{key}={value}" for key, value in TINY.items()]
    code, out, _ = workbench("train", RECIPE, *words, "--name", "far", "--detach")
    assert code == 0 and "workbench runs watch far" in out
    assert workbench("runs", "watch", "far", "--every", "0.5")[0] == 0
    assert open_run("far").state == "finished" and open_run("far").corpus_name == NAME
    until = time.monotonic() + 30
    while jobs.find("train-far").state == "running" and time.monotonic() < until:
        time.sleep(0.2)
    assert jobs.find("train-far").state == "finished"
