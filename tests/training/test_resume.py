"""Killed at any moment and resumed, a training ends bit by bit as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.training.reading import TINY, read_corpus
from tests.training.told import content, different

pytest.importorskip("torch", reason="needs torch, which make setup installs")
ROOT = Path(__file__).parents[2]
EVERYTHING = {"ema": 0.8, "micro_batch": 3, "decay": "matrices", "clip": 1.0, "patience": 3}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
HOUR = 3600  # seconds; minutes on a machine of one's own


def killed_at(home: Path, wanted: str, how: dict, workers: int = 2) -> tuple[list[str], dict[str, list[str]]]:
    """Kill at every point that matches; returns all points passed, and by point in what the resumed run differs."""
    read_corpus()
    job = home / "job.json"
    job.write_text(json.dumps({"wanted": wanted, "how": how, "workers": workers}))
    command = [sys.executable, "-m", "tests.training.killed", str(job)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ends = [one for worker in range(workers) for one in json.loads((home / f"ends.{worker}.json").read_text())]
    assert [one["point"] for one in ends if not one["killed"]] == []
    return json.loads((home / "points.json").read_text()), {one["point"]: one["apart"] for one in ends}


NAMED = {
    "after backward #7",
    "after the optimiser #7",
    "end of epoch #2",
    "before replace checkpoints/8 half/trainer.json #1",
    "before replace checkpoints/8 #1",
    "after replace checkpoints/8 #1",
    "after replace checkpoints/last #2",
    "before replace metrics.json #1",
}
"""Within an epoch; half a checkpoint; before its rename, after it, between the pointers; while the end is scored."""


def test_killed_at_named_points_and_resumed_it_is_as_if_never_killed(home):
    passed, ends = killed_at(home, "^(" + "|".join(NAMED) + ")$", EVERYTHING)
    assert ends.keys() == NAMED
    assert {point: apart for point, apart in ends.items() if apart} == {}
    assert (home / "runs" / "whole" / "checkpoints" / "best").read_text() == "8"  # neither the first nor the last


@pytest.mark.exhaustive
@pytest.mark.timeout(HOUR)
@pytest.mark.parametrize("how", [EVERYTHING, {"keep_last": 2}])
def test_killed_anywhere_and_resumed(home, how):
    passed, ends = killed_at(home, "", how)
    assert len(ends) == len(passed) > 70
    assert {point: apart for point, apart in ends.items() if apart} == {}


@pytest.mark.exhaustive
@pytest.mark.timeout(HOUR)
def test_killed_at_moments_drawn_and_resumed_by_the_command(home):
    """Real processes, killed wherever they are; a failure names the seed."""
    read_corpus()
    words = [f"{key}={value}" for key, value in {**TINY, "steps": 60, "eval_every": 7}.items()]

    def started(run: str) -> subprocess.Popen:
        begun = ["--resume"] if (home / "runs" / run).exists() else []
        command = [sys.executable, "-m", "workbench", "train", "textvr_fusion_selftest", *words, "--name", run, *begun]
        return subprocess.Popen(command, env={**os.environ, **ONE_THREAD}, stdout=subprocess.DEVNULL)

    began = time.monotonic()
    assert started("whole").wait() == 0
    usual, seed = time.monotonic() - began, secrets.randbelow(2**32)
    draw, kills = random.Random(seed), 0
    for _ in range(8):
        process = started("killed")
        try:
            process.wait(timeout=draw.uniform(0.3, 1.0) * usual)
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    else:
        assert started("killed").wait() == 0, f"seed {seed}"
    apart = different(content("whole", home), content("killed", home))
    assert apart == [], f"seed {seed}, {kills} kills"
