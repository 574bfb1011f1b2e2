"""Frames for training: random ones of the `small` files against fixed ones and the originals, and what a step waits."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.report import Report
from benchmarks.video_reading import N_FRAMES, SECONDS, SIZES, one_core, write_clip
from workbench.core.seeds import generator
from workbench.core.workspace import elsewhere
from workbench.corpus import save_corpus
from workbench.pipelines.clips import drawn_frames
from workbench.pipelines.frames import FrameFile
from workbench.pipelines.rules import InputRules
from workbench.pipelines.videos import probe_corpus
from workbench.training import estimate
from workbench.video.sampling import Sampler
from workbench.video.transcode import transcode

ROUNDS, CHOICES, SIDE = 7, 2, 224
CLIPS = {"720p": (12, 250), "1080p": (12, 250)}  # frames from key frame to key frame; the last is x264's default
COUNTS = {"train": 16, "val": 2, "test": 2}
RECIPE, STEPS, BATCH = "textvr_fusion_demo", 10, 8
FREE = 1.25
"""Random frames may take so many times what the first ones of the same file take, and still be said to cost nothing."""
Choose = Sampler | Callable[[np.ndarray], np.ndarray]


def chosen(way: str, draw: np.random.Generator) -> Choose:
    """Which frames a way of training looks at: a function of their times, or a rule."""
    if way == "random":
        return partial(drawn_frames, pick=draw.integers(0, CHOICES, N_FRAMES), choices=CHOICES)
    return Sampler({"middle": "uniform", "first": "head"}[way], N_FRAMES)


def reading(files: dict[str, Path]) -> dict[tuple[str, str], float]:
    """Median CPU milliseconds of reading one video, by rendition and way; rounds are interleaved.

    Args:
        files: One video, by rendition.
    """
    rules = InputRules(height=SIDE, width=SIDE)
    stats = {name: path.stat() for name, path in files.items()}
    sources = {
        name: FrameFile(name, path, "", rules, path, (stats[name].st_size, stats[name].st_mtime_ns))
        for name, path in files.items()
    }
    taken: dict[tuple[str, str], list[float]] = {}
    draw = generator(0, "bench, training frames")
    for _ in range(ROUNDS):
        for name, source in sources.items():
            for way in ("random", "middle", "first"):
                frames = chosen(way, draw)
                began = time.process_time()
                source.read(frames)
                taken.setdefault((name, way), []).append(1000 * (time.process_time() - began))
    return {key: float(np.median(ms)) for key, ms in taken.items()}


def film_corpus(name: str, clip: Path, small: Path | None, folder: Path) -> None:
    """A corpus in the workspace whose videos are copies of one clip.

    Args:
        name: The corpus' name.
        clip: The original.
        small: The file made for training; None = there is none.
        folder: For the copies.
    """
    files = {"original": clip} | ({} if small is None else {"small": small})
    videos = [(f"{split}-{i}.mp4", split) for split, count in COUNTS.items() for i in range(count)]
    renditions = []
    for rendition, path in files.items():
        (folder / name / rendition).mkdir(parents=True)
        for video, _ in videos:
            shutil.copy(path, folder / name / rendition / video)
            renditions.append({"video_id": video, "rendition": rendition, "path": video})
    ids, splits = zip(*videos, strict=True)
    captions = {"caption_id": [f"{one}#0" for one in ids], "video_id": ids, "split": splits, "role": "original"}
    tables = {
        "videos": pd.DataFrame({"video_id": ids, "split": splits, "source_id": ids, "status": "ok"}),
        "captions": pd.DataFrame({**captions, "text": [f"film {i}" for i in range(len(ids))], "language": "en"}),
        "renditions": pd.DataFrame(renditions),
    }
    roots = {rendition: str(folder / name / rendition) for rendition in files}
    probe_corpus(save_corpus(name, tables, {"roots": roots, "default_split": "test"}), workers=2)


def step_of(corpus: str, *, held: bool) -> tuple[float, float]:
    """Median seconds of a step of training, and the share of the steps' time that waits for frames (0..1).

    Args:
        corpus: Its name.
        held: Whether frames lie in memory; else they are read for each batch.
    """
    found = estimate(
        RECIPE, corpus=corpus, modality="vision", options={"n_frames": N_FRAMES}, batch_videos=BATCH, steps=STEPS,
        frame_choices=CHOICES, frames_in_memory=8.0 if held else 0.0, eval_every=STEPS, warmup=1,
    )  # fmt: skip
    return found.step_s, found.data_wait


def training_frames(report: Report) -> None:
    """Time readings of one video on one core, then steps of a training that reads, and append two tables."""
    report.say(
        f"## Frames for training ({N_FRAMES} of a video of {SECONDS} s)", "",
        f"CPU milliseconds per video, one core, one thread, median of {ROUNDS} interleaved rounds: open, choose,"
        f" decode, fit to {SIDE} x {SIDE}. `small`: 224 pixels, 3 frames per second, each a key frame (`workbench video"
        f" compress`). Random: one of {CHOICES} candidates of each segment; middle: the same one each time; first: the"
        " file's first frames. In brackets: times as long as random frames of `small`.",
    )  # fmt: skip
    ways = [(name, way) for name in ("small", "original") for way in ("random", "middle", "first")]
    report.header("clip", *(f"{name}, {way}" for name, way in ways), "small / original, bytes")
    with tempfile.TemporaryDirectory() as folder:
        clips: dict[str, dict[str, Path]] = {}
        ratios, gains = [], []
        for size, groups in CLIPS.items():
            for group in groups:
                name = f"{size}, key frame every {group}"
                files = {kind: Path(folder) / f"{name}, {kind}.mp4" for kind in ("small", "original")}
                write_clip(files["original"], SIZES[size], group)
                transcode(files["original"], files["small"], "small")
                with one_core():
                    found = reading(files)
                base = found["small", "random"]
                ratios.append(base / found["small", "first"])
                gains.append(found["original", "random"] / base)
                clips[size] = files  # the last group of each size
                bytes_ = files["small"].stat().st_size / files["original"].stat().st_size
                report.row(name, *(f"{found[key]:.0f} ({found[key] / base:.1f})" for key in ways), f"{bytes_:.2f}")
        with elsewhere(Path(folder)):
            steps(report, clips, Path(folder))
    report.floor(
        f"random frames of `small` take at most {FREE} times its first ones (most {max(ratios):.2f}) and less than"
        f" random ones of the original (least {min(gains):.1f} times less)", max(ratios) <= FREE and min(gains) > 1,
    )  # fmt: skip


def steps(report: Report, clips: dict[str, dict[str, Path]], folder: Path) -> None:
    """Append a table: a step of training by what it reads.

    Args:
        report: Gets it.
        clips: Files by size and rendition.
        folder: For copies of them.
    """
    report.say(
        "", f"Steps of `{RECIPE}` (vision, {N_FRAMES} frames of 48 x 64, {BATCH} videos, 2 threads; all cores decode"
        " meanwhile): the smallest model here, with which reading shows most. Median of"
        f" {STEPS - 1} steps; waits: share of the steps' time that waits for frames.",
    )  # fmt: skip
    report.header("clip", "frames are", "ms per step", "times a step with frames in memory", "waits, %")
    for size, files in clips.items():
        for kind in ("small", "original"):
            film_corpus(f"{size}-{kind}", files["original"], files["small"] if kind == "small" else None, folder)
        base, waits = step_of(f"{size}-small", held=True)
        report.row(size, "held in memory", f"{1000 * base:.0f}", "1.0", f"{100 * waits:.0f}")
        for kind in ("small", "original"):
            taken, waits = step_of(f"{size}-{kind}", held=False)
            shown = [f"{1000 * taken:.0f}", f"{taken / base:.1f}", f"{100 * waits:.0f}"]
            report.row(size, f"read from {kind}", *shown)
