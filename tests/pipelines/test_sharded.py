"""Several processes encode one gallery: the scores are those of one process, bit by bit, or there is a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.pipelines.encoded import read_videos
from workbench.core.errors import DataError, StateError
from workbench.core.pool import over
from workbench.evaluation import open_run
from workbench.models.checkpoints import load_folder
from workbench.models.world import World
from workbench.pipelines import sharded
from workbench.pipelines.checkpoints import encode_checkpoint, score_checkpoint
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.features import part_of
from workbench.pipelines.scoring import rules_for, score
from workbench.pipelines.sharded import in_world, joined_parts, shares_of, sharing

pytest.importorskip("torch", reason="needs torch, which make setup installs")
ROOT = Path(__file__).parents[2]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]


@pytest.fixture
def ocr(tiny_home, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    return str(tiny_home / "ocr")


@pytest.fixture
def here(monkeypatch):
    """Shares are worked on one after another in this process."""
    for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE"):
        monkeypatch.setenv(name, "0")

    def run(items, function, **how):
        yield from over(items, function, **{**how, "workers": 1})
        monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")

    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")
    monkeypatch.setattr(sharded, "over", run)


@pytest.mark.slow
def test_four_processes_score_1003_videos_as_one_does(ocr, home):
    read_videos(1003)
    shared = score_checkpoint(ocr, "many", name="shared", processes=4)
    assert shared.info["encoding"] == {"videos": 1003, "from_cache": 0}
    for path in (home / "cache" / "features").rglob("*.npz"):
        path.unlink()
    alone = score_checkpoint(ocr, "many", name="alone")
    assert alone.info["encoding"] == {"videos": 1003, "from_cache": 0}
    assert np.array_equal(shared.similarity, alone.similarity) and np.isfinite(shared.similarity).all()
    assert shared.inputs.equals(alone.inputs) and shared.per_query.equals(alone.per_query)


@pytest.mark.parametrize(("count", "size"), [(7, 2), (7, 3), (3, 8)])
def test_uneven_shares_and_more_processes_than_videos(ocr, here, count, size):
    corpus = read_videos(count)
    shared = score_checkpoint(ocr, "many", name="shared", processes=size)
    alone = score(load_folder(Path(ocr)), corpus, name="alone")
    assert np.array_equal(shared.similarity, alone.similarity) and shared.inputs.equals(alone.inputs)


def test_shares_follow_each_other():
    ids = [str(n) for n in range(1003)]
    for size in (1, 4, 7, 2000):
        shares = shares_of(ids, size)
        assert len(shares) == size and [one for share in shares for one in share] == ids
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("kind", ["fusion", "dual"])
def test_frames_and_missing_videos_are_shared_too(tiny_home, shown, here, kind):
    if kind == "dual":
        how = {"options": {"weights": str(tiny_home / "dual"), "n_frames": 2, "modality": "fusion"}}
        checkpoint = "dual_encoder"
    else:
        checkpoint, how = str(tiny_home / kind), {"frames": "shuffled"}
    shared = score_checkpoint(checkpoint, "shown", name="shared", processes=4, **how)
    alone = score_checkpoint(checkpoint, "shown", name="alone", **how)
    assert np.array_equal(shared.similarity, alone.similarity) and shared.inputs.equals(alone.inputs)
    assert shared.gallery.equals(alone.gallery) and shared.gallery["reason"].notna().sum() == 1


def test_a_process_that_ends_leaves_one_sentence_and_no_run(ocr, home, monkeypatch):
    read_videos(8)
    crashed = StateError("The process that worked on it crashed.", "Replace the file, or leave it out.")

    def dying(shares, function, **how):
        for share in shares:
            yield share, crashed if share.number == 2 else None

    monkeypatch.setattr(sharded, "over", dying)
    with pytest.raises(
        StateError, match=r"Process 3 of 4, which encodes v0004 to v0005, ended: The process .* crashed"
    ):
        score_checkpoint(ocr, "many", name="shared", processes=4)
    assert not (home / "runs").exists() or not list((home / "runs").glob("*"))


def test_ids_that_are_lost_or_there_twice_are_found(ocr):
    corpus = read_videos(6)
    model, ids = load_folder(Path(ocr)), corpus.videos["video_id"].tolist()
    made = partial(part_of, model, corpus, rules_for(model))
    first, last = made(videos=ids[:3]), made(videos=ids[3:])
    assert joined_parts([first, last], ids).video_ids == tuple(ids)
    for parts, said in (
        ([first], "3 of 6 are missing, 0 are there more than once"), ([last, first], "0 of 6 are missing, 0"),
        ([first, first, last], "0 of 6 are missing, 3 are there more than once"),
    ):  # fmt: skip
        with pytest.raises(StateError, match=f"did not hand in every video once and in order: {said}"):
            joined_parts(parts, ids)


class Two(World):
    """The first of two processes; what the second hands in is made here."""

    def collected(self, value):
        return [value, self.other()]

    def working(self):
        return nullcontext()


def test_the_first_of_a_world_puts_the_shares_together(ocr):
    corpus = read_videos(7)
    model = load_folder(Path(ocr))
    world, rules = Two(0, 2), rules_for(model)
    ids = corpus.videos["video_id"].tolist()
    object.__setattr__(world, "other", lambda: part_of(model, corpus, rules, videos=shares_of(ids, 2)[1]))
    found = in_world(world)(model, corpus, rules, Change())
    assert found.video_ids == tuple(ids) and found.inputs.table.equals(part_of(model, corpus, rules).inputs.table)


def test_what_cannot_be_shared_is_refused(ocr, home, monkeypatch):
    read_videos(4)
    with pytest.raises(StateError, match="looks at all videos together, so processes cannot share"):
        score_checkpoint("bm25_ocr", "many", name="x", processes=2)
    with pytest.raises(DataError, match="0 processes cannot encode"):
        score_checkpoint(ocr, "many", name="x", processes=0)
    with pytest.raises(StateError, match="nothing is kept of each"):
        encode_checkpoint("bm25_ocr", "many")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(DataError, match="Leave --processes out"), sharing(2):
        pass
    assert not list((home / "runs").glob("[a-z]*"))


def test_the_command_fills_the_cache_and_says_so(ocr, workbench):
    read_videos(5)
    words = ("encode", ocr, "--corpus", "many", "--split", "test")
    code, said, _ = workbench(*words)
    assert code == 0 and said.split()[-3:-1] == ["5", "0"]
    code, said, _ = workbench(*words, "--json")
    assert code == 0 and '"found": 5' in said
    code, said, _ = workbench("score", ocr, "--corpus", "many", "--name", "scored")
    assert code == 0 and "Videos: 5, out of the cache: 5." in said
    assert open_run("scored").info["encoding"] == {"videos": 5, "from_cache": 5}


@pytest.mark.slow
def test_torchrun_scores_as_one_process(ocr, home):
    read_videos(8)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = ["-m", "workbench", "score", ocr, "--corpus", "many", "--name", "shared"]
    done = subprocess.run(
        [*TORCHRUN, "2", *command], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("R@10 ") == 1  # said by the first process alone
    alone, shared = score_checkpoint(ocr, "many", name="alone"), open_run("shared")
    assert np.array_equal(shared.similarity, alone.similarity)
    assert {one.name for one in (home / "runs").glob("[a-z]*")} == {"alone", "shared"}
