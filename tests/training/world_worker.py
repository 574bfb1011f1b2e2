"""What the processes of test_world do, and how they are started; with arguments, one job under a real launcher."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from tests.ports import own_port
from tests.training.test_gradcache import RECIPE, gradients, made, small
from workbench.core.errors import StateError
from workbench.models.world import World, joined
from workbench.training.engine import Engine, engine_of
from workbench.training.optimiser import optimiser_of
from workbench.training.step import backward, make_step

N, STEPS = 10, 5
LEARNED = {"loss": "sigmoid", "sigmoid_bias": "learned"}
CASES: dict[str, dict[str, Any]] = {
    "whole": {},
    "chunks": {"micro_batch": 2},
    "large chunks": {"micro_batch": 4},
    "vision": {"modality": "vision"},
    "ocr in chunks": {"modality": "ocr", "micro_batch": 2},
    "learned bias": LEARNED,
    "learned bias in chunks": {**LEARNED, "micro_batch": 4},
    "hardest negatives": {"loss": "max_margin", "negatives": "hardest"},
    "clipped and averaged": {"clip": 0.5, "ema": 0.9, "micro_batch": 4},
}
"""What differs from the recipe."""
DTYPES = {"float32": torch.float32, "float64": torch.float64}
Found = dict[str, torch.Tensor]


def prepared(case: str, dtype: str, world: World | None = None) -> tuple[Any, Any, Any, Engine]:
    """A small model, its recipe, optimiser and engine; others than the first start from weights that are wrong."""
    recipe, world = replace(RECIPE, **CASES[case]), world or World()
    model = small(recipe.modality)
    model.network.to(world.device, DTYPES[dtype])
    optimiser = optimiser_of(model.network, recipe)
    engine = engine_of(model, optimiser, recipe, world)
    if not world.first:
        for group in optimiser.param_groups:
            torch._foreach_add_([one.data for one in group["params"]], 1.0)
    engine.spread(model.network, optimiser)
    return model, recipe, optimiser, engine


def one_batch(case: str, dtype: str, world: World | None = None) -> Found:
    """Loss and gradients of one batch."""
    model, recipe, _, engine = prepared(case, dtype, world)
    loss = backward(model, made(N), recipe, engine)
    bias = {} if engine.bias is None else {"bias": engine.bias.grad}
    return {"loss": loss, **gradients(model), **bias}


def some_steps(case: str, world: World | None = None) -> Found:
    """Losses and weights of some steps in float64."""
    model, recipe, optimiser, engine = prepared(case, "float64", world)
    losses = [make_step(model, made(N, number), optimiser, recipe, engine) for number in range(STEPS)]
    bias = {} if engine.bias is None else {"bias": engine.bias.detach()}
    weights = {name: one.cpu() for name, one in model.network.state_dict().items()}
    return {"loss": torch.tensor(losses, dtype=torch.float64), **weights, **bias}


BATCHES = {f"{case}, {dtype}": partial(one_batch, case, dtype) for case in CASES for dtype in DTYPES}
WEIGHTS = {case: partial(some_steps, case) for case in ("whole", "learned bias in chunks", "clipped and averaged")}


def equal(world: World, folder: Path) -> None:
    """Every job; then the last process is killed, and the others make steps."""
    found = {name: job(world) for name, job in (BATCHES | WEIGHTS).items()}
    found["told"] = world.told(world.rank)
    torch.save(found, folder / f"{world.size}.{world.rank}.pt")
    if world.rank == world.size - 1:
        os.kill(os.getpid(), signal.SIGKILL)
    some_steps("chunks", world)


def silent(world: World, folder: Path) -> None:
    """The last process works for longer than the time-out, and says so; then it says nothing more, and does not end."""
    with world.working():
        time.sleep(1.2 * world.timeout_s * (world.rank == world.size - 1))
    (folder / f"{world.rank}.waited").touch()
    if world.rank == world.size - 1:
        time.sleep(600)
    some_steps("whole", world)


Task = Callable[[World, Path], None]


def _worker(task: Task, folder: Path, timeout_s: float, given: dict[str, str]) -> None:
    os.environ.update(given)
    torch.set_num_threads(1)
    try:
        with joined(timeout_s) as world:
            task(world, folder)
    except StateError as error:
        (folder / f"{given['WORLD_SIZE']}.{given['RANK']}.said").write_text(str(error), encoding="utf-8")


def start(task: Task, size: int, folder: Path, timeout_s: float) -> list[Any]:
    """Processes of one world, as a launcher starts them, but out of one that has imported torch already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    given = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(own_port()), "WORLD_SIZE": str(size)}
    given |= {"OMP_NUM_THREADS": "1", "WORKBENCH_DEVICE": "cpu"}
    processes = []
    for rank in map(str, range(size)):
        own = {**given, "RANK": rank, "LOCAL_RANK": rank}
        processes.append(context.Process(target=_worker, args=(task, folder, timeout_s, own), daemon=True))
        processes[-1].start()
    return processes


if __name__ == "__main__":
    torch.set_num_threads(1)
    with joined() as once:
        some_steps("chunks", once)
    with joined() as launched:
        torch.save(some_steps("whole", launched), Path(sys.argv[1]) / f"{launched.size}.{launched.rank}.pt")
