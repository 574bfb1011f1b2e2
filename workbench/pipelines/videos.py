"""Videos of a corpus: probe them all, hand out playable and small files, thumbnails; compress a folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, WorkbenchError
from workbench.core.files import atomic, read_table, sha256_file, write_table
from workbench.core.locks import lock
from workbench.core.pool import over
from workbench.core.workspace import workspace
from workbench.corpus import Corpus
from workbench.corpus.formats.parsed import VIDEO_SUFFIXES
from workbench.corpus.media import file_of, forget_frame_times, write_frame_times
from workbench.corpus.store import replace_media
from workbench.video import VideoInfo, probe
from workbench.video.transcode import ENCODINGS, Encoding, thumbnail, transcode

SAVE_EVERY = 500
"""Probed files after which the tables are written, so that little is lost when the process is killed."""


@dataclass(frozen=True)
class _Probed:
    info: VideoInfo
    sha256: str


def _probe_one(path: Path) -> _Probed:
    return _Probed(probe(path), sha256_file(path))


def probe_corpus(corpus: Corpus, *, again: bool = False, workers: int | None = None) -> Corpus:
    """Fill ``renditions`` (size, rate, frames, codec, rotation, checksum) and the frame times of every file.

    Files that were probed and have not changed are skipped, so an interrupted probe goes on. A file that cannot be read
    makes its video ``broken`` with the reason; it is never replaced.

    Args:
        corpus: A corpus with folders of videos.
        again: Probe also what was probed.
        workers: Processes; None = all cores, 1 = this one.

    Raises:
        BusyError: Another process writes the corpus.
    """
    whole = corpus.with_split(None)
    videos, renditions = whole.videos.copy(), whole.renditions.copy()
    todo: dict[Path, list[int]] = {}
    for at, row in enumerate(renditions.to_dict("records")):
        path = Path(whole.roots.get(row["rendition"], ""), row["path"])
        if path.is_file() and (again or pd.isna(row["sha256"]) or not _unchanged(row, path)):
            todo.setdefault(path, []).append(at)
    updated = corpus
    unsaved = 0
    try:
        for path, found in over(todo, _probe_one, label="Probing", unit="videos", workers=workers):
            for at in todo[path]:
                _note(whole, videos, renditions, at, found, path)
            unsaved += 1
            if unsaved == SAVE_EVERY:
                updated, unsaved = replace_media(corpus, videos, renditions), 0
    finally:  # also when it is interrupted
        if unsaved or not todo:
            updated = replace_media(corpus, videos, renditions)
    return updated


def _note(
    corpus: Corpus, videos: pd.DataFrame, renditions: pd.DataFrame, at: int, found: _Probed | WorkbenchError, path: Path
) -> None:
    """Enter what a probe found for a row of ``renditions``; of a file that cannot be read nothing older stays."""
    video_id, rendition = str(renditions.at[at, "video_id"]), str(renditions.at[at, "rendition"])
    place = videos["video_id"] == video_id
    _fill(renditions, at, None if isinstance(found, WorkbenchError) else found, path)
    if isinstance(found, WorkbenchError):
        forget_frame_times(corpus, video_id, rendition)
        if renditions.loc[renditions["video_id"] == video_id, "n_frames"].isna().all():
            videos.loc[place, ["status", "reason"]] = ["broken", found.message]
        return
    write_frame_times(corpus, video_id, rendition, found.info.times, found.info.keys)
    if (videos.loc[place, "status"] == "broken").any():
        videos.loc[place, ["status", "reason"]] = ["ok", None]
    if rendition == "original":
        videos.loc[place, "duration_s"] = found.info.duration_s
        videos.loc[place, "reason"] = found.info.damage or None


def _unchanged(row: dict[Any, Any], path: Path) -> bool:
    stat = path.stat()
    return stat.st_size == row["n_bytes"] and abs(stat.st_mtime - row["mtime"]) < 2


def _fill(renditions: pd.DataFrame, at: int, found: _Probed | None, path: Path) -> None:
    stat = path.stat()
    columns = ("width", "height", "rotation", "fps", "n_frames", "codec")
    for column in columns:
        renditions.at[at, column] = getattr(found.info, column) if found else None
    renditions.at[at, "sha256"] = found.sha256 if found else None
    renditions.at[at, "n_bytes"], renditions.at[at, "mtime"] = stat.st_size, stat.st_mtime


# Files made for the browser and for training ----------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """A file in the cache and the times of its frames."""

    path: Path
    times: np.ndarray


def proxy(corpus: Corpus, video_id: str) -> Made:
    """The proxy of a video, made when it is first asked for and kept in the cache.

    Raises:
        StateError: The video has no file here.
        UnreadableVideo: It cannot be decoded.
    """
    source = file_of(corpus, video_id)
    target = _cached("proxies", source, ".mp4")
    times = target.with_suffix(".npy")
    if not (target.exists() and times.exists()):
        with lock(target.with_suffix(".lock"), f"The proxy of {video_id}"):
            if not (target.exists() and times.exists()):
                made = transcode(source, target, "proxy")
                with atomic(times) as temporary, open(temporary, "wb") as out:
                    np.save(out, made.times)
    return Made(target, np.load(times))


def thumbnail_of(corpus: Corpus, video_id: str, height: int = 180) -> Path:
    """A JPEG of the middle frame, made when it is first asked for and kept in the cache.

    Raises:
        StateError: The video has no file here.
        UnreadableVideo: It cannot be decoded.
    """
    source = file_of(corpus, video_id)
    target = _cached("thumbnails", source, f".{height}.jpg")
    if not target.exists():
        picture = thumbnail(source, height=height)
        with atomic(target) as temporary:
            temporary.write_bytes(picture)
    return target


def _cached(part: str, source: Path, suffix: str) -> Path:
    stat = source.stat()
    key = hashlib.sha256(f"{source}\x1f{stat.st_size}\x1f{stat.st_mtime_ns}".encode()).hexdigest()[:24]
    folder = workspace().cache / part / key[:2]
    folder.mkdir(parents=True, exist_ok=True)
    return folder / (key + suffix)


@dataclass(frozen=True)
class _Compression:
    source: Path
    target: Path
    encoding: Encoding


def _compress_one(task: _Compression) -> VideoInfo:
    return transcode(task.source, task.target, task.encoding)


def compress(
    root: Path,
    target: Path,
    *,
    short_side: int | None = None,
    fps: float | None = None,
    kind: str = "small",
    workers: int | None = None,
) -> pd.DataFrame:
    """Write another rendition of every video below a folder: the tree is kept, extensions become ``.mp4``.

    Finished files that are newer than their source are skipped, so it can be interrupted and goes on. The report lies
    beside the files as ``report.parquet``.

    Args:
        root: Folder of the originals.
        target: Folder of the new files.
        short_side: Pixels of the shorter side; None = as ``kind`` says (small: 224).
        fps: Frames per second to keep; None = as ``kind`` says (small: 3); 0 = every frame.
        kind: ``small`` (training: every frame a key frame) or ``proxy`` (browser).
        workers: Processes; None = all cores.

    Returns:
        source, target, state (made, kept, failed), reason, width, height, n_frames, source_bytes, target_bytes.

    Raises:
        DataError: The folder holds no video, the target lies in it, or two videos would become one file.
    """
    if target.resolve().is_relative_to(root.resolve()):
        raise DataError(f"{target} lies in the folder of the originals.", "Choose a folder outside it.")
    base = ENCODINGS[kind]
    encoding = Encoding(
        short_side or base.short_side, base.gop, base.crf, base.max_rate, base.fps if fps is None else fps or None
    )
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file())
    if not files:
        raise DataError(f"{root} holds no video file.", f"Looked for {', '.join(VIDEO_SUFFIXES)} below it.")
    goals = {path: target / path.relative_to(root).with_suffix(".mp4") for path in files}
    taken: dict[Path, Path] = {}
    for path, goal in goals.items():
        if goal in taken:
            raise DataError(
                f"{path.relative_to(root)} and {taken[goal].relative_to(root)} would become one file.",
                "Rename one of them.",
            )
        taken[goal] = path
    done = {path for path, goal in goals.items() if goal.exists() and goal.stat().st_mtime >= path.stat().st_mtime}
    tasks = [_Compression(path, goals[path], encoding) for path in files if path not in done]
    known = _known(target)
    rows = [_report_row(root, path, goals[path], "kept") for path in sorted(done)]
    rows = [{**known.get(row["source"], {}), **row} for row in rows]
    for task, found in over(tasks, _compress_one, label="Compressing", unit="videos", workers=workers):
        failed = isinstance(found, WorkbenchError)
        row = _report_row(root, task.source, task.target, "failed" if failed else "made")
        if isinstance(found, WorkbenchError):
            row["reason"] = found.message
        else:
            row |= {"width": found.width, "height": found.height, "n_frames": found.n_frames}
        rows.append(row)
    columns = ["source", "target", "state", "reason", "width", "height", "n_frames", "source_bytes", "target_bytes"]
    report = pd.DataFrame(rows, columns=columns).sort_values("source").reset_index(drop=True)
    write_table(target / "report.parquet", report)
    return report


def _known(target: Path) -> dict[str, dict[str, Any]]:
    """Size of the files that were made before, by source, from the report of then."""
    path = target / "report.parquet"
    columns = ["source", "width", "height", "n_frames"]
    rows = read_table(path, columns).to_dict("records") if path.exists() else []
    return {row["source"]: {str(key): value for key, value in row.items()} for row in rows}


def _report_row(root: Path, source: Path, target: Path, state: str) -> dict[str, Any]:
    return {
        "source": str(source.relative_to(root)), "target": str(target), "state": state, "reason": "",
        "source_bytes": source.stat().st_size, "target_bytes": target.stat().st_size if target.exists() else None,
    }  # fmt: skip
