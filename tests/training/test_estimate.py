"""What a training would take, by some of its steps; nothing stays behind."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.training.filming import TINY as FILMED
from tests.training.filming import clips_corpus
from tests.training.reading import TINY, read_corpus
from workbench.core import pool
from workbench.core.errors import StateError
from workbench.training import estimate, load_recipe
from workbench.training.building import built
from workbench.training.estimate import STEPS, _readable

pytest.importorskip("torch", reason="needs torch, which make setup installs")
RECIPE = "textvr_fusion_selftest"


def files(home: Path) -> dict[str, int]:
    return {str(path.relative_to(home)): path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()}


def test_some_steps_say_what_all_take_and_leave_nothing(home, workbench):
    read_corpus()
    before = files(home)
    words = [f"{key}={value}" for key, value in {**TINY, "steps": 5000, "eval_every": 50}.items()]
    code, out, error = workbench("train", RECIPE, *words, "--estimate", "--json")
    assert code == 0, error
    found = json.loads(out)
    assert files(home) == before
    assert found["steps_made"] == STEPS and found["device"] == "cpu" and found["memory_of"].startswith("this process")
    assert found["training_h"] == pytest.approx(5000 * found["step_s"] / 3600)
    assert found["samples_per_s"] == pytest.approx(TINY["batch_videos"] / found["step_s"])
    assert 0 <= found["data_wait"] <= 1 and found["looks_h"] > 0 and found["decode_videos"] == 0
    assert 0.05 < found["memory_gib"] < 100 and found["decode_h"] == 0 < found["scoring_h"]
    once = found["training_h"] + found["looks_h"] + found["scoring_h"]
    assert found["total_h"] == pytest.approx(once) and found["runs"] == 1 and found["originals"] == ""
    code, out, _ = workbench("train", RECIPE, *words, "steps=3", "--estimate", "--seeds", "0,1")
    assert code == 0 and "Training in all, 2 runs" in out and "Out of 3 steps on cpu; no run was written." in out
    code, _, error = workbench("train", RECIPE, *words, "--estimate", "--detach")
    assert code == 2 and "An estimate is no job" in error and "Leave --detach out" in error


def test_times_are_told_in_units_that_can_be_read():
    assert [_readable(hours) for hours in (2.5, 0.5, 0.01, 0.0)] == [(2.5, "h"), (30.0, "min"), (36.0, "s"), (0.0, "s")]


def test_disk_is_that_of_checkpoints_and_frames(home, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "default_workers", lambda: 1)
    clips_corpus(tmp_path / "videos")
    before = files(home)
    found = estimate(RECIPE, runs=2, **FILMED, keep_last=2)
    assert files(home) == before
    assert found.decode_h > 0 and "has no small files: workbench video compress" in found.originals
    once = found.training_h + found.looks_h + found.scoring_h
    assert found.total_h == pytest.approx(found.decode_h + 2 * once)
    model, _ = built(load_recipe(RECIPE, FILMED))
    weights = 4 * sum(one.numel() for one in model.network.parameters())
    assert 3 * 3 * weights < found.checkpoints_gib / 2 * 2**30 < 3 * (3 * weights + 50_000)  # and AdamW's two moments
    assert found.decode_videos == 10  # of the train, select and report split
    height, width = model.reads["height"], model.reads["width"]
    frames = 6 * 4 + 2 * 2 + 2 * 2
    assert found.cache_gib * 2**30 == 3 * frames * height * width
    streamed = estimate(RECIPE, **FILMED, frames_in_memory=0)
    assert streamed.decode_videos == 4


def test_a_corpus_without_a_select_split_keeps_as_it_is(home):
    corpus = read_corpus(counts={"train": 30, "test": 8})
    found = estimate(RECIPE, **{**TINY, "steps": 2, "warmup": 0, "eval_every": 1})
    assert math.isfinite(found.looks_h) and found.looks_h > 0 and corpus.with_split(None).splits == ["train", "test"]


def test_several_processes_are_refused(monkeypatch):
    read_corpus()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(StateError, match="Estimate with one"):
        estimate(RECIPE, **TINY)
