"""Training steps of the engine on one GPU: videos per second, and the share of what products reach on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.gpu_measuring import Machine, attempted, median_seconds
from benchmarks.gpu_workloads import WORKLOADS, Workload, made_batch
from benchmarks.report import Report
from workbench.core.optional import need
from workbench.models.world import World
from workbench.training.engine import engine_of
from workbench.training.optimiser import optimiser_of
from workbench.training.recipes import Recipe, load_recipe
from workbench.training.step import make_step

GOAL, FLOOR = 35, 20
"""Percent of the ceiling. Floor: what CLIP and CLAP trainings publish out of the box on an H100."""
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "activations again": {"activation_checkpointing": True},
    "compiled": {"compile": True},
    "compiled, activations again": {"compile": True, "activation_checkpointing": True},
}
"""Keys of the recipe; what takes longest comes last, as it falls out first."""


@dataclass
class Prepared:
    """A model on its device with all that a step needs."""

    model: Any
    recipe: Recipe
    optimiser: Any
    engine: Any

    def step(self, batch: Any) -> float:
        """One step of the training engine."""
        return make_step(self.model, batch, self.optimiser, self.recipe, self.engine)


def prepared(machine: Machine, make: Callable[[Path, bool], Any], **keys: Any) -> Prepared:
    """A model of random weights, trained in bf16 unless ``keys`` say otherwise."""
    recipe = replace(load_recipe("textvr_fusion_demo"), **{"precision": "bf16", "learning_rate": 1e-5, **keys})
    model = make(machine.folder, machine.tiny)
    model.network.to(machine.device)
    optimiser = optimiser_of(model.network, recipe)
    return Prepared(model, recipe, optimiser, engine_of(model, optimiser, recipe, World(device=machine.device)))


@dataclass
class Row:
    """What was measured of a workload in one way."""

    videos: int = 0
    seconds: float = float("nan")
    flops: float = 0.0
    memory: float | None = None

    def cells(self, most: float) -> list[str]:
        """Videos per step, ms, videos/s, TFLOP/s, percent of the ceiling, GiB."""
        speed = self.flops / self.seconds
        memory = "" if self.memory is None else f"{self.memory:.0f}"
        return [
            str(self.videos), f"{1000 * self.seconds:.0f}", f"{self.videos / self.seconds:.4g}",
            f"{speed / 1e12:.3g}", f"{100 * speed / most:.0f}", memory,
        ]  # fmt: skip


def measured(machine: Machine, workload: Workload, keys: dict[str, Any]) -> Row:
    """Steps on batches as large as fit: halved until one does."""
    torch = need("torch", "The GPU benchmark")
    videos = 2 if machine.tiny else workload.checkpointed if "activation_checkpointing" in keys else workload.videos
    timing = {"warm": 1, "least": 1, "seconds": 0.0} if machine.tiny else {"warm": 3, "least": 5, "seconds": 4.0}
    ready = prepared(machine, workload.make, **keys)
    while True:
        step = partial(ready.step, made_batch(ready.model, videos))
        try:
            seconds = median_seconds(machine, step, **timing)
            return Row(videos, seconds, workload.flops(ready.model, videos), machine.peak())
        except torch.cuda.OutOfMemoryError:
            if videos == 1:
                raise
        videos //= 2  # only here is the failed step's memory free
        ready.optimiser.zero_grad(set_to_none=True)
        torch.cuda.empty_cache()


def training(report: Report, machine: Machine, most: float) -> None:
    """Append a table, a row for each workload and way; those that fall out say why.

    Args:
        report: Gets it.
        machine: Where.
        most: FLOP/s of the fastest product.
    """
    report.say(
        "", "### Steps of the training engine", "",
        "Frames as uint8 in the machine's memory, captions of 32 pieces as text; a step is tokens, copy to the GPU,"
        " both towers forth and back, InfoNCE, AdamW. bf16, one process, median; operations by formula (gpu_flops.py),"
        " what is computed twice is not counted.",
    )  # fmt: skip
    report.header("model", "way", "videos per step", "ms", "videos/s", "TFLOP/s", "% of the ceiling", "GiB")
    best = dict.fromkeys((one.name for one in WORKLOADS), 0.0)
    for way, keys in WAYS.items():
        for workload in () if machine.tiny and "compile" in keys else WORKLOADS:
            best[workload.name] = max(best[workload.name], _row(report, machine, workload, way, most))
    if machine.device.type != "cuda":
        return
    for name, share in best.items():
        reached = "reached" if share >= GOAL else "not reached"
        report.floor(f"{name}: at least {FLOOR} % ({share:.0f} %; goal of {GOAL} % {reached})", share >= FLOOR)


def _row(report: Report, machine: Machine, workload: Workload, way: str, most: float) -> float:
    """Write a row; returns its percentage of the ceiling, 0 where it fell out."""
    found = Row()

    def part() -> None:
        nonlocal found
        found = measured(machine, workload, WAYS[way])

    if said := attempted(machine, part):
        report.row(workload.name, way, f"not measured: {said}", "", "", "", "", "")
        return 0.0
    report.row(workload.name, way, *found.cells(most))
    return 100 * found.flops / found.seconds / most
