"""Read the text in the videos of a corpus: frames to engine to tracks to tables, cached by content, resumable."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import StateError, WorkbenchError
from workbench.core.files import read_json, write_json
from workbench.core.optional import need
from workbench.core.pool import over
from workbench.core.workspace import workspace
from workbench.corpus import Corpus
from workbench.corpus.media import file_of, rendition_row
from workbench.corpus.store import replace_texts
from workbench.ocr import ChangeReader, Engine, Line, Reading, Settings, read_sampled
from workbench.ocr.tracks import link, tables
from workbench.video import probe
from workbench.video.readers import chosen_reader, reader_version, walk
from workbench.video.sampling import Sampler, sample_frames


@dataclass(frozen=True)
class _Task:
    video_id: str
    path: Path
    sha256: str
    settings: Settings
    cache: Path


@dataclass(frozen=True)
class OcrReport:
    """What reading a corpus gave.

    Attributes:
        corpus: The corpus with its new tables.
        videos: video_id, state (read, empty, failed, absent), reason, n_texts, n_sampled, n_read, cached.
    """

    corpus: Corpus
    videos: pd.DataFrame


def run_ocr(
    corpus: Corpus,
    settings: Settings | None = None,
    *,
    engine: str = Engine.name,
    workers: int | None = None,
    again: bool = False,
) -> OcrReport:
    """Read every video of a corpus and store texts, boxes and coverage.

    Results are cached per file content and settings: an interrupted run goes on, a second one takes seconds. One engine
    thread per process unless the settings say otherwise, so that one process and many agree.

    Args:
        corpus: A corpus with videos on disk.
        settings: Preset, frames per second, ...; None = the defaults for real videos.
        engine: Name under which the texts are stored, to keep two readings beside each other.
        workers: Processes; None = all cores, 1 = this one.
        again: Do not take results from the cache.

    Raises:
        StateError: The corpus has no video on disk.
        MissingExtraError: The OCR engine is not installed.
        BusyError: Another process writes the corpus.
    """
    settings = settings or Settings()
    for package in ("rapidocr", "onnxruntime"):
        need(package, "Reading text in frames")
    whole = corpus.with_split(None)
    tasks, unreadable = _tasks(whole, settings)
    if not tasks:
        raise StateError(f"{corpus.name} has no video that can be read.", f"See: workbench data check {corpus.name}")
    if again:
        for task in tasks:
            task.cache.unlink(missing_ok=True)
    cached = {task.video_id for task in tasks if task.cache.exists()}
    rows, texts, boxes = list(unreadable), {}, {}
    for task, found in over(
        tasks, _read_one, label="Reading text", unit="videos", workers=workers, setup=_set_up,
        setup_args=(settings.preset, settings.threads),
    ):  # fmt: skip
        if isinstance(found, WorkbenchError):
            rows.append(_row(task.video_id, "failed", found.message))
            continue
        of_video, boxes[task.video_id] = _tables(found, task.video_id, engine)
        texts[task.video_id] = of_video
        row = _row(task.video_id, "read" if len(of_video) else "empty", found["damage"], found)
        rows.append({**row, "n_texts": len(of_video), "cached": task.video_id in cached})
    in_order = [texts[task.video_id] for task in tasks if task.video_id in texts]  # not as the processes finished
    found_texts = [part for part in in_order if len(part)]
    coverage = pd.DataFrame(rows)
    order = {video: at for at, video in enumerate(whole.videos["video_id"])}
    coverage = coverage.sort_values("video_id", key=lambda ids: ids.map(order)).reset_index(drop=True)
    stored = coverage.drop(columns=["n_texts", "n_sampled", "n_read", "cached"]).assign(
        engine=engine, engine_version=json.dumps(settings.versions()), settings_hash=settings.key()
    )
    updated = replace_texts(
        corpus, engine, pd.concat(found_texts, ignore_index=True) if found_texts else pd.DataFrame(), stored, boxes
    )
    columns = ["video_id", "state", "reason", "n_texts", "n_sampled", "n_read", "cached"]
    return OcrReport(updated, coverage[columns])


def _tasks(corpus: Corpus, settings: Settings) -> tuple[list[_Task], list[dict[str, Any]]]:
    """One task per readable file, and coverage rows of the videos that have none."""
    tasks, rows = [], []
    folder = workspace().cache / "ocr" / settings.key()
    for video in corpus.videos.to_dict("records"):
        video_id = video["video_id"]
        try:
            if video["status"] == "broken":
                raise StateError(video["reason"] or "it is broken")
            path = file_of(corpus, video_id)
            sha = rendition_row(corpus, video_id)["sha256"]
        except WorkbenchError as error:
            state = "failed" if video["status"] == "broken" else "absent"
            rows.append(_row(video_id, state, error.message))
            continue
        if pd.isna(sha) and corpus.renditions["sha256"].isna().all():
            raise StateError(f"{corpus.name} was not probed.", f"Run: workbench video probe {corpus.name}")
        if pd.isna(sha):
            rows.append(_row(video_id, "failed", "The probe could not read its file, or has not seen it yet."))
            continue
        tasks.append(_Task(video_id, path, str(sha), settings, folder / str(sha)[:2] / f"{sha}.json"))
    return tasks, rows


def _row(video_id: str, state: str, reason: str, found: dict[str, Any] | None = None) -> dict[str, Any]:
    found = found or {}
    read = sorted(map(int, found.get("lines", {})))
    return {
        "video_id": video_id, "state": state, "reason": reason or None, "rendition": "original",
        "width": found.get("width"), "height": found.get("height"), "n_frames": found.get("n_frames"),
        "fps": found.get("fps"), "frames_read": np.asarray(read, np.int64), "n_texts": 0,
        "n_sampled": found.get("n_sampled", 0), "n_read": len(read), "cached": False,
    }  # fmt: skip


_reader: ChangeReader | None = None


def _set_up(preset: str, threads: int) -> None:
    """One engine per process, made when the first uncached video needs it."""
    global _reader  # noqa: PLW0603  # the process' own engine: it cannot be sent to it
    _reader = None
    _wanted.update(preset=preset, threads=threads)


_wanted: dict[str, Any] = {}


def _the_reader() -> ChangeReader:
    global _reader  # noqa: PLW0603  # as above
    if _reader is None:
        _reader = ChangeReader(Engine(**_wanted))
    return _reader


def _read_one(task: _Task) -> dict[str, Any]:
    if task.cache.exists():
        return read_json(task.cache, f"the text of {task.video_id}")
    info = probe(task.path)
    how = task.settings
    rule = Sampler("uniform", how.n_frames) if how.n_frames else Sampler("fps", fps=how.fps)
    for attempt in (info, None):
        info = attempt or probe(task.path, exact=True)
        try:
            pictures = walk(info, sample_frames(rule, info.times), chosen_reader(how.reader, info))
            reader = _the_reader()
            reader.forget()
            reading = read_sampled(pictures, reader.read, how.stride)
            break
        except WorkbenchError:
            if info.index == "decoded":
                raise
    found = {
        "width": info.width, "height": info.height, "n_frames": info.n_frames, "fps": info.fps,
        "n_sampled": reading.n_sampled, "held": {str(k): v for k, v in reading.held.items()},
        "times": info.times.tolist(), "damage": info.damage, "reader": reader_version(chosen_reader(how.reader, info)),
        "lines": {
            str(frame): [[line.text, line.score, line.quad.ravel().tolist()] for line in lines]
            for frame, lines in reading.lines.items()
        },
    }  # fmt: skip
    write_json(task.cache, found)
    return found


def _tables(found: dict[str, Any], video_id: str, engine: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    reading = Reading(
        {
            int(frame): [Line(text, score, np.asarray(quad).reshape(4, 2)) for text, score, quad in lines]
            for frame, lines in found["lines"].items()
        },
        {int(frame): last for frame, last in found["held"].items()},
    )
    return tables(link(reading.lines), video_id, engine, np.asarray(found["times"]), reading.held)
