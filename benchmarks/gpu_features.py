"""A frozen vision tower: steps that look at frames each time, against steps on vectors of frames that are kept."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from benchmarks.gpu_measuring import Machine, attempted, median_seconds
from benchmarks.gpu_training import prepared
from benchmarks.gpu_workloads import CLIP_L14, made_batch, window
from benchmarks.report import Report

VIDEOS = 32


def features(report: Report, machine: Machine) -> None:
    """Append a table: the same training with and without its feature cache.

    Args:
        report: Gets it.
        machine: Where.
    """
    videos = 2 if machine.tiny else VIDEOS
    report.say(
        "", "### A frozen tower, with and without its features kept", "",
        f"`clip_ocr_window` on CLIP ViT-L/14, {videos} videos of 12 frames and 12 sentences, bf16; both towers are"
        " frozen, the fusion is trained. Kept: what the cache gives, read into memory.",
    )  # fmt: skip
    report.header("vectors of frames", "ms per step", "videos/s", "GiB")
    for kept in (False, True):
        name, taken = "kept" if kept else "computed in each step", []

        def part(kept: bool = kept, taken: list[str] = taken) -> None:
            taken += _cells(machine, videos, kept)

        said = attempted(machine, part)
        report.row(name, *(taken or [f"not measured: {said}", "", ""]))


def _cells(machine: Machine, videos: int, kept: bool) -> list[str]:
    ready = prepared(machine, window(CLIP_L14))
    batch = made_batch(ready.model, videos)
    if kept:
        vectors = ready.model.frame_features(batch.gallery.frames)
        batch = replace(batch, gallery=replace(batch.gallery, frames=None, features=vectors))
    timing = {"warm": 1, "least": 1, "seconds": 0.0} if machine.tiny else {"warm": 2, "least": 3, "seconds": 2.0}
    seconds, memory = median_seconds(machine, partial(ready.step, batch), **timing), machine.peak()
    return [f"{1000 * seconds:.0f}", f"{videos / seconds:.4g}", "" if memory is None else f"{memory:.0f}"]
