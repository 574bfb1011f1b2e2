"""A batch of 4,096 videos in the memory of one GPU: the engine's chunks with the gradients of the whole."""

from __future__ import annotations

from benchmarks.gpu_measuring import Machine, attempted, median_seconds
from benchmarks.gpu_training import prepared
from benchmarks.gpu_workloads import PIECES, WORKLOADS, made_batch
from benchmarks.report import Report

VIDEOS, CHUNK = 4096, 64
LIMIT_GIB = 80
"""Memory of the one GPU that it must fit into."""


def gradcache(report: Report, machine: Machine, most: float) -> None:
    """Append a row: memory, seconds per step, share of the ceiling.

    Args:
        report: Gets it.
        machine: Where.
        most: FLOP/s of the fastest product.
    """
    workload = WORKLOADS[0]
    videos, chunk = (6, 4) if machine.tiny else (VIDEOS, CHUNK)
    report.say(
        "", f"### A batch of {videos:,} in chunks of {chunk}", "",
        f"{workload.name}, bf16: loss and gradients of all {videos:,} x {videos:,} pairs (GradCache, Gao et al. 2021);"
        f" captions of {PIECES} pieces. Each chunk goes forth twice and back once; the second time forth is not"
        " counted as work.",
    )  # fmt: skip
    report.header("videos per step", "s per step", "videos/s", "TFLOP/s", "% of the ceiling", "GiB at most")
    peak: list[float] = []

    def part() -> None:
        ready = prepared(machine, workload.make, micro_batch=chunk)
        ready.step(made_batch(ready.model, 2 * chunk))
        batch = made_batch(ready.model, videos)
        seconds = median_seconds(machine, lambda: ready.step(batch), warm=0, least=1, seconds=0.0)
        speed, memory = workload.flops(ready.model, videos) / seconds, machine.peak()
        peak.extend([] if memory is None else [memory])
        shown = "" if memory is None else f"{memory:.1f}"
        report.row(f"{videos:,}", f"{seconds:.1f}", f"{videos / seconds:.4g}", f"{speed / 1e12:.3g}",
                   f"{100 * speed / most:.0f}", shown)  # fmt: skip

    if said := attempted(machine, part):
        report.row(f"{videos:,}", f"not measured: {said}", "", "", "", "")
    if machine.device.type == "cuda":
        fits = bool(peak) and peak[0] <= LIMIT_GIB
        report.floor(f"a step on {videos:,} videos within {LIMIT_GIB} GiB", fits)
