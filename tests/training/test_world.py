"""Several processes make the step of one; one that ends stops the others with a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")

from tests.ports import own_port  # noqa: E402
from tests.training import world_worker  # noqa: E402
from tests.training.test_gradcache import assert_equal, made  # noqa: E402
from tests.training.test_parts import batches  # noqa: E402
from tests.training.world_worker import BATCHES, WEIGHTS, some_steps  # noqa: E402
from workbench.core.errors import StateError  # noqa: E402
from workbench.evaluation import open_run  # noqa: E402
from workbench.models import device  # noqa: E402
from workbench.models.world import World, joined  # noqa: E402

SIZES = (2, 4)
LOST = "lost the others: one has ended, or did not answer for {} seconds. Look for the first error in the log"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> Path:
    """What each of 2 and of 4 processes found, and what it said when the last one was killed."""
    folder = tmp_path_factory.mktemp("worlds")
    for size in SIZES:
        for one in world_worker.start(world_worker.equal, size, folder, 300.0):
            one.join(300)
    return folder


@lru_cache
def found_by(folder: Path, size: int) -> list[dict]:
    return [torch.load(folder / f"{size}.{rank}.pt") for rank in range(size)]


@lru_cache
def alone(name: str) -> dict[str, torch.Tensor]:
    return (BATCHES | WEIGHTS)[name]()


def assert_same_on_every_rank(every: list[dict[str, torch.Tensor]]) -> None:
    for one in every[1:]:
        assert one.keys() == every[0].keys() and all(torch.equal(value, one[key]) for key, value in every[0].items())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", BATCHES)
def test_loss_and_gradients_are_those_of_one_process(answers, name, size):
    every, expected = [dict(one[name]) for one in found_by(answers, size)], dict(alone(name))
    assert_same_on_every_rank(every)
    close = 1e-9 if "float64" in name else 1e-5
    assert float(every[0].pop("loss")) == pytest.approx(float(expected.pop("loss")), rel=close)
    assert_equal(every[0], expected)
    assert float(expected["scale"]) != 0 and ("bias" in expected) == ("bias" in name)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", WEIGHTS)
def test_so_are_the_weights_after_some_steps(answers, name, size):
    every, expected = [one[name] for one in found_by(answers, size)], alone(name)
    assert_same_on_every_rank(every)
    assert len(set(expected["loss"].tolist())) == world_worker.STEPS
    for key, value in expected.items():
        torch.testing.assert_close(every[0][key], value, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("size", SIZES)
def test_the_others_say_so_when_one_is_killed(answers, size):
    assert [one["told"] for one in found_by(answers, size)] == [0] * size
    said = {one.name: one.read_text() for one in answers.glob(f"{size}.*.said")}
    assert said.keys() == {f"{size}.{rank}.said" for rank in range(size - 1)}
    for rank in range(size - 1):
        assert said[f"{size}.{rank}.said"].startswith(f"Process {rank + 1} of {size} {LOST.format(300)}")


def test_and_when_one_is_silent_but_not_when_it_is_at_work(tmp_path):
    waiting, silent = world_worker.start(world_worker.silent, 2, tmp_path, 3.0)
    waiting.join(60)
    assert waiting.exitcode == 0 and LOST.format(3) in (tmp_path / "2.0.said").read_text()
    assert {one.name for one in tmp_path.glob("*.waited")} == {"0.waited", "1.waited"}
    silent.kill()
    silent.join()


def launched(launcher: list[str], folder: Path, device: str) -> list[dict]:
    """What two processes found that a launcher has started."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "WORKBENCH_DEVICE": device, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", *launcher, str(own_port()), "-m", "tests.training.world_worker"]
    done = subprocess.run(
        [*command, str(folder)], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return found_by(folder, 2)


TORCHRUN = ["torch.distributed.run", "--nproc-per-node", "2", "--master-port"]
ACCELERATE = ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port"]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [TORCHRUN, ACCELERATE], ids=["torchrun", "accelerate launch"])
def test_the_launchers_start_a_world(launcher, tmp_path):
    every = launched(launcher, tmp_path, "cpu")
    assert_same_on_every_rank(every)
    for key, value in some_steps("whole").items():
        torch.testing.assert_close(every[0][key], value, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_a_training_by_two_processes_is_that_of_one(own_demo, workbench, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    words = "textvr_fusion_demo preset=tiny modality=ocr steps=6 warmup=2 eval_every=3 threads=1".split()
    code, out, error = workbench("train", *words, "--name", "one")
    assert code == 0, error
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", *TORCHRUN, str(own_port()), "-m", "workbench", "train", *words, "--name", "two"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert out.count("R@10 ") == done.stdout.count("R@10 ") == 1  # said by the first process alone
    one, two = open_run("one"), open_run("two")
    losses = [run.history.loc[run.history["name"] == "loss", "value"].to_numpy() for run in (one, two)]
    assert len(losses[0]) == 6 and np.allclose(*losses, rtol=1e-4)
    files = [{path.name for path in run.path.iterdir()} for run in (one, two)]
    assert two.state == "finished" and files[0] == files[1]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_two_processes_on_one_gpu_make_the_step_of_one(tmp_path):
    every = launched(TORCHRUN, tmp_path, "cuda:0")
    assert_same_on_every_rank(every)
    for key, value in some_steps("whole", World(device=torch.device("cuda", 0))).items():
        torch.testing.assert_close(every[0][key], value, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n", [4, 5, 7, 48, 1003])
def test_shares_cover_a_batch_and_differ_by_one_at_most(n):
    spans = [World(rank, 4).share(n) for rank in range(4)]
    assert [row for span in spans for row in range(n)[span]] == list(range(n))
    sizes = {span.stop - span.start for span in spans}
    assert max(sizes) - min(sizes) <= 1


def test_more_processes_than_videos_are_refused():
    with pytest.raises(StateError, match="4 processes cannot share a batch of 3. Start 3 at most"):
        World(0, 4).share(3)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_ranks_parts_make_the_batch_of_one_process(size):
    drawn = batches(size=13)
    for step in (0, 4):
        whole = drawn.at(step)
        parts = [drawn.at(step, World(rank, size)) for rank in range(size)]
        assert sum([part.captions for part in parts], []) == whole.captions
        assert sum((part.gallery.video_ids for part in parts), ()) == whole.gallery.video_ids
        assert np.array_equal(np.concatenate([part.gallery.frames for part in parts]), whole.gallery.frames)
        assert all(np.array_equal(part.same, whole.same) for part in parts)
        assert parts[0].rows is None if size == 1 else parts[1].rows == World(1, size).share(13)


def test_a_part_of_a_batch_is_its_rows():
    whole = made(10)
    part = whole.part(slice(3, 6))
    assert part.captions == whole.captions[3:6] and part.gallery.video_ids == ("v3", "v4", "v5")
    assert part.rows == slice(3, 6) and part.same is whole.same


def test_without_a_launcher_a_process_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    with joined() as world:
        assert (world.rank, world.size, world.first, world.device.type) == (0, 1, True, "cpu")
    assert world.gather({"a": 1}) == {"a": 1} and world.told("x") == "x" and world.share(3) == slice(0, 3)
    assert not torch.distributed.is_initialized() and not replace(world, rank=1).first


def test_half_a_launcher_is_named(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    with pytest.raises(StateError, match="WORLD_SIZE is 4, but LOCAL_RANK is not set. Start with torchrun"), joined():
        pass


def test_each_process_has_its_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(device, "trouble", lambda name: "")
    monkeypatch.delenv("WORKBENCH_DEVICE", raising=False)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert device.chosen_device() == torch.device("cuda", 1)
    monkeypatch.setenv("WORKBENCH_DEVICE", "cuda")
    assert device.chosen_device() == torch.device("cuda", 1)
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(StateError, match="process 3 of a machine with 2 usable GPUs. Start one process per GPU"):
        device.chosen_device()
    monkeypatch.setenv("WORKBENCH_DEVICE", "cuda:0")
    assert device.chosen_device() == torch.device("cuda", 0)


def test_a_gpu_that_torch_cannot_use_is_no_reason_for_the_cpu(monkeypatch):
    monkeypatch.delenv("WORKBENCH_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(device, "gpus_of_driver", lambda: ["NVIDIA H100"])
    with pytest.raises(StateError, match="NVIDIA H100 is there, but this torch cannot use it"), joined():
        pass
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    with joined() as world:
        assert world.device == torch.device("cpu")
