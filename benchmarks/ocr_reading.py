"""The engine's cost with `read_sampled` and with the engine on every sampled frame, on real videos with known texts.

The engine reads every sampled frame once, and its lines and CPU seconds are kept; which frames each stride reads is
computed from that. What is saved in the frames that are read (only what changed is read again, and lines that look the
same are not recognised again) is measured apart, at the default stride: those frames are read twice in turn, as the
workbench reads them and whole.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.known_words import agreement, listed_words, read_clips
from benchmarks.report import Report
from workbench.core.errors import WorkbenchError
from workbench.core.files import read_json, write_json
from workbench.core.pool import over
from workbench.core.seeds import generator
from workbench.ocr import ChangeReader, Engine, Line, Settings, read_sampled
from workbench.ocr.tracks import link
from workbench.video import probe
from workbench.video.readers import walk
from workbench.video.sampling import Sampler, sample_frames

LIMIT = 5.0  # the engine must work so many times less
POINTS = 1.0  # of recall may be lost to that
PRESET = "fast"
STRIDES = (4, 5, 6, 7, 8, 9, 10)
HALVINGS = 400
TUNED = (
    "Cut, stillness and stride were chosen on these same videos, after about 500 settings had been simulated on the"
    " engine's lines; the table therefore flatters. At the default the row holds what was really read: only what"
    " changed, which saves {saved:.0f} % there, comparing included; the other rows count whole frames. Neighbouring"
    " strides differ by several words either way: a larger default that happens to lose little here would do so by"
    " luck."
)


def ocr_reading(report: Report, cache: Path | None = None) -> None:
    """The engine's cost and what is found at several strides, over all videos with text."""
    found, how = measure(report.data, preset=PRESET, cache=cache), Settings()
    report.say(
        "## Engine cost of reading a video's text", "",
        f"{found['file'].nunique()} real videos with text, preset {PRESET}, {how.fps:g} frames per second, one engine"
        " thread. Recall: listed words that are among the recognised ones, exactly or nearly; precision: recognised"
        " words that are listed (no list is complete).",
    )  # fmt: skip
    report.header(
        "stride", "frames read", "engine CPU s", "times less", "listed words found", "recall %", "precision %"
    )
    sums = {int(stride): totals(part) for stride, part in found.groupby("stride")}
    every = sums[how.stride]
    saved = 100 * (1 - float(found["changes"].sum() / found["whole"].sum()))
    for name, total, way in (
        ("engine on every sampled frame", every, "all"),
        *((f"{stride} (default)" if stride == how.stride else stride, total, "ours") for stride, total in sums.items()),
    ):
        frames = total["sampled"] if way == "all" else total["read"]
        ratio = "" if way == "all" else f"{total['ratio']:.1f}"
        report.row(name, f"{frames:,.0f}", f"{total[f'seconds_{way}']:.0f}", ratio,
                   f"{total[f'hits_{way}']:.0f} of {total['listed']:.0f}", f"{100 * total[f'recall_{way}']:.1f}",
                   f"{100 * total[f'precision_{way}']:.1f}")  # fmt: skip
    report.say("", f"{TUNED.format(saved=saved)} {held_out(found)}")
    report.floor(f"at least {LIMIT:g} times less engine work at the default", every["ratio"] >= LIMIT)
    lost = 100 * (every["recall_all"] - every["recall_ours"])
    report.floor(f"at most {POINTS:g} point of recall lost at the default ({lost:.1f})", lost <= POINTS)


def held_out(found: pd.DataFrame) -> str:
    """What the best stride that reaches ``LIMIT`` on half of the videos loses there, and on the other half."""
    draw, files = generator(0, "bench, halves"), found["file"].unique()
    lost, sizes = [], []
    for _ in range(HALVINGS):
        here = found["file"].isin(draw.permutation(files)[: len(files) // 2])
        mine = {stride: totals(part) for stride, part in found[here].groupby("stride")}
        able = [stride for stride, total in mine.items() if total["ratio"] >= LIMIT]
        if able:
            best = max(able, key=lambda stride: mine[stride]["recall_ours"])
            other = totals(found[~here & (found["stride"] == best)])
            lost.append([100 * (total["recall_all"] - total["recall_ours"]) for total in (mine[best], other)])
            sizes.append(other["ratio"])
    if not lost:
        return f"No stride reaches {LIMIT:g} times on any half of the videos."
    chosen, rest = np.mean(lost, axis=0)
    return (
        f"In {len(lost)} of {HALVINGS} random halvings some stride reached {LIMIT:g} times on one half; the one that"
        f" lost least there lost {chosen:.1f} points of recall, and on the other half {rest:.1f}, at"
        f" {np.mean(sizes):.1f} times less work."
    )


def totals(found: pd.DataFrame) -> dict[str, float]:
    """Sums and shares over all videos: every listed word and every recognised word counts once."""
    total = {name: float(found[name].sum()) for name in found.columns if name not in ("file", "stride")}
    for way in ("all", "ours"):
        total[f"recall_{way}"] = total[f"hits_{way}"] / max(total["listed"], 1)
        total[f"precision_{way}"] = total[f"right_{way}"] / max(total[f"words_{way}"], 1)
    return {**total, "ratio": total["seconds_all"] / max(total["seconds_ours"], 1e-9)}


def measure(data: Path, *, preset: str, workers: int = 2, cache: Path | None = None) -> pd.DataFrame:
    """What reading costs and finds, video by video and stride by stride.

    Args:
        data: The folder that holds ``videos/clips.jsonl``.
        preset: Of the engine.
        workers: Processes, one engine thread each.
        cache: Where the engine's results are kept for a later call; None = a temporary folder.

    Returns:
        file, stride, sampled, read, seconds_all, seconds_ours (CPU of the engine), listed (words that can be read), and
        with the endings _all and _ours: hits (listed words that were found), words (recognised), right (listed ones).
    """
    clips = [clip for clip in read_clips(data) if listed_words(clip["texts"])]
    with tempfile.TemporaryDirectory() as temporary:
        folder = (cache or Path(temporary)) / Settings(preset=preset).key()
        tasks = [(data / clip["file"], folder / f"{Path(clip['file']).name}.json", preset) for clip in clips]
        engine: dict[str, Any] = {}
        saved = _savings(tasks, workers)
        results = over(tasks, _read_all, label="Reading", unit="videos", workers=workers)
        for number, (task, result) in enumerate(results):
            if isinstance(result, WorkbenchError):
                raise result
            engine[task[0].name] = result
            print(f"{number + 1}/{len(tasks)} {task[0].name}", flush=True)
        rows = [row for clip in clips for row in _rows(data, clip, engine[Path(clip["file"]).name], saved)]
        return pd.DataFrame(rows)


def _rows(
    data: Path, clip: dict[str, Any], engine: dict[str, Any], saved: dict[str, dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    every = {int(frame): _lines(one["lines"]) for frame, one in engine.items()}
    seconds = {int(frame): one["seconds"] for frame, one in engine.items()}
    pictures = _sampled(data / clip["file"])
    frame_of = {id(pixels): index for index, pixels in pictures}
    listed = listed_words(clip["texts"])
    for stride in STRIDES:
        read = read_sampled(pictures, lambda pixels: every[frame_of[id(pixels)]], stride).lines
        row = {
            "file": clip["file"], "stride": stride, "sampled": len(every), "read": len(read), "listed": len(listed),
            "seconds_all": sum(seconds.values()), "seconds_ours": sum(seconds[frame] for frame in read),
        }  # fmt: skip
        if stride == Settings().stride:
            ours = saved[Path(clip["file"]).name]
            row |= {"changes": ours["changes"], "whole": ours["whole"]}
            row["seconds_ours"] *= ours["changes"] / max(ours["whole"], 1e-9)
            read = {int(frame): _lines(lines) for frame, lines in ours["lines"].items()}
        for way, lines in (("all", every), ("ours", read)):
            counts = agreement(listed, [track.best.text for track in link(lines)])
            row |= {f"{name}_{way}": counts[name] for name in ("hits", "words", "right")}
        yield row


def _lines(stored: list[Any]) -> list[Line]:
    return [Line(text, score, np.asarray(quad).reshape(4, 2)) for text, score, quad in stored]


def _savings(tasks: list[tuple[Path, Path, str]], workers: int) -> dict[str, dict[str, Any]]:
    """By file name: CPU seconds at the default stride, of ours and of whole frames, and the lines that ours finds."""
    found = {}
    for task, result in over(tasks, _read_twice, label="Reading twice", unit="videos", workers=workers):
        if isinstance(result, WorkbenchError):
            raise result
        found[task[0].name] = result
    return found


def _read_twice(task: tuple[Path, Path, str]) -> dict[str, Any]:
    path, cache, preset = task
    kept = cache.with_suffix(".twice.json")
    if kept.exists():
        return dict(read_json(kept, f"the text of {path.name}"))
    seconds = {"changes": 0.0, "whole": 0.0}
    ours, whole = ChangeReader(Engine(preset)), Engine(preset)

    def read(pixels: np.ndarray) -> list[Line]:
        whole.forget()
        for way, reader in (("whole", whole), ("changes", ours)):
            start = time.process_time()
            lines = reader.read(pixels)
            seconds[way] += time.process_time() - start
        return lines

    found = read_sampled(_sampled(path), read, Settings().stride).lines
    stored = {str(frame): [[line.text, line.score, line.quad.ravel().tolist()] for line in lines]
              for frame, lines in found.items()}  # fmt: skip
    write_json(kept, {**seconds, "lines": stored})
    return {**seconds, "lines": stored}


def _sampled(path: Path) -> list[tuple[int, np.ndarray]]:
    info = probe(path)
    try:
        return list(walk(info, sample_frames(Sampler("fps", fps=Settings().fps), info.times)))
    except WorkbenchError:  # as in the pipeline: count what can be decoded
        info = probe(path, exact=True)
        return list(walk(info, sample_frames(Sampler("fps", fps=Settings().fps), info.times)))


_engines: dict[str, Engine] = {}


def _read_all(task: tuple[Path, Path, str]) -> dict[str, Any]:
    """Lines and CPU seconds of the engine for every sampled frame, from the cache where they are."""
    path, cache, preset = task
    if cache.exists():
        return dict(read_json(cache, f"the text of {path.name}"))
    if preset not in _engines:
        _engines[preset] = Engine(preset)
    found = {}
    for index, pixels in _sampled(path):
        _engines[preset].forget()
        start = time.process_time()
        lines = _engines[preset].read(pixels)
        seconds = time.process_time() - start
        found[str(index)] = {
            "seconds": seconds,
            "lines": [[line.text, line.score, line.quad.ravel().tolist()] for line in lines],
        }
    write_json(cache, found)
    return found
