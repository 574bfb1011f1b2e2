"""The engine's cost with `read_sampled` and with the engine on every sampled frame, on real videos with known texts.

The engine reads every sampled frame once, and its lines and CPU seconds are kept; both ways are computed from that.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.known_words import agreement, listed_words, read_clips
from benchmarks.report import Report
from workbench.core.errors import WorkbenchError
from workbench.core.files import read_json, write_json
from workbench.core.pool import over
from workbench.ocr import Engine, Line, Settings, read_sampled
from workbench.ocr.tracks import link
from workbench.video import probe
from workbench.video.readers import walk
from workbench.video.sampling import Sampler, sample_frames

LIMIT = 5.0  # the engine must work so many times less
POINTS = 1.0  # of recall may be lost to that
PRESET = "fast"


def ocr_reading(report: Report, cache: Path | None = None) -> None:
    """The engine's cost and what is found, over all videos with text."""
    found, how = measure(report.data, preset=PRESET, cache=cache), Settings()
    total = totals(found)
    report.say(
        "## Engine cost of reading a video's text", "",
        f"{len(found)} real videos with text, {how.fps:g} frames per second, stride {how.stride}, one engine thread;"
        " of every pair of columns the first is the engine on every sampled frame. Recall: listed words that are among"
        " the recognised ones, exactly or nearly; precision: recognised words that are listed (no list is complete).",
    )  # fmt: skip
    report.header("preset", "sampled", "read", "engine CPU s, all", "ours", "x", "recall %, all", "ours",
                  "precision %, all", "ours")  # fmt: skip
    shares = [f"{100 * total[f'{what}_{way}']:.1f}" for what in ("recall", "precision") for way in ("all", "ours")]
    report.row(PRESET, f"{total['sampled']:,.0f}", f"{total['read']:,.0f}", f"{total['seconds_all']:.0f}",
               f"{total['seconds_ours']:.0f}", f"{total['ratio']:.1f}", *shares)  # fmt: skip
    report.floor(f"at least {LIMIT:g} times less engine work", total["ratio"] >= LIMIT)
    lost = 100 * (total["recall_all"] - total["recall_ours"])
    report.floor(f"at most {POINTS:g} point of recall lost", lost <= POINTS)


def totals(found: pd.DataFrame) -> dict[str, float]:
    """Sums and shares over all videos: every listed word and every recognised word counts once."""
    total = {name: float(found[name].sum()) for name in found.columns if name != "file"}
    for way in ("all", "ours"):
        total[f"recall_{way}"] = total[f"hits_{way}"] / max(total["listed"], 1)
        total[f"precision_{way}"] = total[f"right_{way}"] / max(total[f"words_{way}"], 1)
    return {**total, "ratio": total["seconds_all"] / max(total["seconds_ours"], 1e-9)}


def measure(data: Path, *, preset: str, workers: int = 2, cache: Path | None = None, stride: int = 8) -> pd.DataFrame:
    """What reading costs and finds, video by video.

    Args:
        data: The folder that holds ``videos/clips.jsonl``.
        preset: Of the engine.
        workers: Processes, one engine thread each.
        cache: Where the engine's results are kept for a later call; None = a temporary folder.
        stride: As in ``Settings``.

    Returns:
        file, sampled, read, seconds_all, seconds_ours (CPU of the engine), listed (words that can be read), and with
        the endings _all and _ours: hits (listed words that were found), words (recognised), right (of them listed).
    """
    clips = [clip for clip in read_clips(data) if listed_words(clip["texts"])]
    with tempfile.TemporaryDirectory() as temporary:
        folder = (cache or Path(temporary)) / Settings(preset=preset).key()
        tasks = [(data / clip["file"], folder / f"{Path(clip['file']).name}.json", preset) for clip in clips]
        engine: dict[str, Any] = {}
        results = over(tasks, _read_all, label="Reading", unit="videos", workers=workers)
        for number, (task, result) in enumerate(results):
            if isinstance(result, WorkbenchError):
                raise result
            engine[task[0].name] = result
            print(f"{number + 1}/{len(tasks)} {task[0].name}", flush=True)
        return pd.DataFrame([_row(data, clip, engine[Path(clip["file"]).name], stride) for clip in clips])


def _row(data: Path, clip: dict[str, Any], engine: dict[str, Any], stride: int) -> dict[str, Any]:
    every = {int(frame): [Line(t, s, np.asarray(q).reshape(4, 2)) for t, s, q in one["lines"]]
             for frame, one in engine.items()}  # fmt: skip
    seconds = {int(frame): one["seconds"] for frame, one in engine.items()}
    pictures = _sampled(data / clip["file"])
    frame_of = {id(pixels): index for index, pixels in pictures}
    reading = read_sampled(pictures, lambda pixels: every[frame_of[id(pixels)]], stride)
    listed = listed_words(clip["texts"])
    row = {
        "file": clip["file"], "sampled": len(every), "read": len(reading.lines), "listed": len(listed),
        "seconds_all": sum(seconds.values()), "seconds_ours": sum(seconds[frame] for frame in reading.lines),
    }  # fmt: skip
    for way, lines in (("all", every), ("ours", reading.lines)):
        counts = agreement(listed, [track.best.text for track in link(lines)])
        row |= {f"{name}_{way}": counts[name] for name in ("hits", "words", "right")}
    return row


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
        start = time.process_time()
        lines = _engines[preset].read(pixels)
        seconds = time.process_time() - start
        found[str(index)] = {
            "seconds": seconds,
            "lines": [[line.text, line.score, line.quad.ravel().tolist()] for line in lines],
        }
    write_json(cache, found)
    return found
