"""The engine's cost with `read_sampled` and with the engine on every sampled frame, on real videos with known texts.

    python -m benchmarks.ocr_reading DATA [--preset fast] [--cache folder] [--limit n] [--workers 2]

The engine reads every sampled frame once, and its lines and CPU seconds are kept; both ways are computed from that.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import WorkbenchError
from workbench.core.files import read_json, write_json
from workbench.core.pool import over
from workbench.ocr import Engine, Line, Settings, read_sampled
from workbench.ocr.matching import caption_words, match_words
from workbench.ocr.tracks import link
from workbench.video import probe
from workbench.video.readers import walk
from workbench.video.sampling import Sampler, sample_frames

LIMIT = 5.0  # the engine must work so many times less
POINTS = 1.0  # of recall may be lost to that
DESCRIPTIONS = ("single letters ", "keys such as ", "part of ", "digit")  # what is to be seen, in words of its own


def ocr_reading(lines: list[str], data: Path | None) -> None:
    """Append a table of the engine's cost and of what is found, over all videos with text."""
    lines += ["", "## Engine cost of reading a video's text", ""]
    if data is None:
        lines.append("Not measured: no DATA folder was given.")
        return
    found = measure(data, preset="fast")
    lines += table(found, "fast")


def table(found: pd.DataFrame, preset: str) -> list[str]:
    """Markdown of what ``measure`` found."""
    all_of_it, how = totals(found), Settings()
    cost = f"{all_of_it['seconds_all']:.0f} | {all_of_it['seconds_ours']:.0f} | {all_of_it['ratio']:.1f}"
    share = " | ".join(f"{100 * all_of_it[f'{what}_{way}']:.1f}"
                       for what in ("recall", "precision") for way in ("all", "ours"))  # fmt: skip
    return [
        f"{len(found)} real videos with text, {how.fps:g} frames per second, stride {how.stride}, one engine thread;"
        " of every pair of columns the first is the engine on every sampled frame. Recall: listed words that are among"
        " the recognised ones, exactly or nearly; precision: recognised words that are listed (no list is complete).",
        "",
        "| preset | sampled | read | engine CPU s, all | ours | x | recall %, all | ours | precision %, all | ours |",
        "|---|---|---|---|---|---|---|---|---|---|",
        f"| {preset} | {all_of_it['sampled']:,.0f} | {all_of_it['read']:,.0f} | {cost} | {share} |",
    ]


def totals(found: pd.DataFrame) -> dict[str, float]:
    """Sums and shares over all videos: every listed word and every recognised word counts once."""
    total = {name: float(found[name].sum()) for name in found.columns if name != "file"}
    for way in ("all", "ours"):
        total[f"recall_{way}"] = total[f"hits_{way}"] / max(total["listed"], 1)
        total[f"precision_{way}"] = total[f"right_{way}"] / max(total[f"words_{way}"], 1)
    return {**total, "ratio": total["seconds_all"] / max(total["seconds_ours"], 1e-9)}


def measure(
    data: Path, *, preset: str, limit: int | None = None, workers: int = 2, cache: Path | None = None, stride: int = 8
) -> pd.DataFrame:
    """What reading costs and finds, video by video.

    Args:
        data: The folder that holds ``videos/clips.jsonl``.
        preset: Of the engine.
        limit: The first so many videos only; None = all with text.
        workers: Processes, one engine thread each.
        cache: Where the engine's results are kept for a later call; None = a temporary folder.
        stride: As in ``Settings``.

    Returns:
        file, sampled, read, seconds_all, seconds_ours (CPU of the engine), listed (words that can be read), and with
        the endings _all and _ours: hits (listed words that were found), words (recognised), right (of them listed).
    """
    clips = [json.loads(line) for line in (data / "videos/clips.jsonl").read_text("utf8").splitlines()]
    clips = [clip for clip in clips if listed_words(clip["texts"])][:limit]
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


def listed_words(texts: list[str]) -> list[str]:
    """The words that can be read: not what stands in parentheses, no running counter, no description; each once."""
    stable = [text for text in texts if "running)" not in text and not text.startswith(DESCRIPTIONS)]
    words = (word for text in stable for word in caption_words(re.sub(r"\(.*?\)", " ", text)))
    return list(dict.fromkeys(words))


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
        words = list(dict.fromkeys(word for track in link(lines) for word in caption_words(track.best.text)))
        row[f"hits_{way}"] = len(match_words(listed, words))
        row[f"words_{way}"], row[f"right_{way}"] = len(words), len(match_words(words, listed))
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


def main() -> None:
    """Measure one preset, print the table and the videos, and fail when too much is read or too little is found."""
    parser = argparse.ArgumentParser(description="Engine cost of reading the text of real videos.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--stride", type=int, default=Settings().stride)
    how = parser.parse_args()
    found = measure(how.data, preset=how.preset, limit=how.limit, workers=how.workers, cache=how.cache,
                    stride=how.stride)  # fmt: skip
    print(found.round(1).to_string())
    print("\n".join(table(found, how.preset)))
    total = totals(found)
    lost = 100 * (total["recall_all"] - total["recall_ours"])
    if total["ratio"] < LIMIT or lost > POINTS:
        raise SystemExit(f"{total['ratio']:.1f} times less engine work (at least {LIMIT}), {lost:.1f} points lost.")


if __name__ == "__main__":
    main()
