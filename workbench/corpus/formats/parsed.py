"""What a format gives back, and what several formats share: reading annotation files and finding video files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.core.errors import DataError

VIDEO_SUFFIXES = (".mp4", ".webm", ".mkv", ".avi", ".mov", ".mpg", ".m4v")


@dataclass(frozen=True)
class Parsed:
    """The tables of a data set, and what else its files told.

    Attributes:
        tables: By name; see ``workbench.corpus.tables``.
        title: The data set's name as people write it.
        protocol: What is asked of whom, in a sentence.
        default_split: The split that numbers are reported on.
        orders: Named orders (split, order, axis, position, id), or None.
        notes: What a user should know: repairs, omissions, defects seen.
    """

    tables: Mapping[str, pd.DataFrame]
    title: str
    protocol: str
    default_split: str = "test"
    orders: pd.DataFrame | None = None
    notes: list[str] = field(default_factory=list)


def read_text(path: Path) -> str:
    """The text of an annotation file, UTF-8 with or without mark, gzipped where it ends in ``.gz``.

    Raises:
        DataError: It is absent, empty, not UTF-8, or a broken gzip file.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = raw.decode("utf-8-sig")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DataError(f"The annotation file {path} does not exist.", "Check the path.") from error
    except (gzip.BadGzipFile, EOFError) as error:
        raise DataError(f"{path} is not a whole gzip file.", "Download it again.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (byte {error.start}).", "Save it as UTF-8.") from error
    if not text.strip():
        raise DataError(f"{path} is empty.", "Download it again.")
    return text


def read_annotation_json(path: Path) -> Any:
    """The content of a JSON annotation file.

    Raises:
        DataError: Unreadable, or not JSON; the sentence names line and column.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"{path} is not valid JSON at {place}: {error.msg}.", "Download it again.") from error


def field_of(record: Any, path: Path, number: int, *keys: str) -> Any:
    """A nested value of record ``number`` of a file, or an error that names the record and the key."""
    value = record
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise DataError(f"{path}, record {number}: there is no {'.'.join(keys)!r}.", "Is this the right file?")
        value = value[key]
    return value


def one_relevance_per_caption(captions: pd.DataFrame) -> pd.DataFrame:
    """Every caption is right for its own video, whole length, grade 1."""
    return captions[["caption_id", "video_id"]].assign(start_s=None, end_s=None, grade=1, annotator=None)


def find_renditions(
    video_ids: Iterable[str], roots: Mapping[str, Path], candidates: Callable[[str], Iterable[str]]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Files of the videos under the given roots.

    Args:
        video_ids: All videos.
        roots: Folder by rendition (original, small, proxy).
        candidates: Relative paths at which the file of a video may lie, best first.

    Returns:
        The renditions table, and the status of every video: ``ok`` with any file, ``missing`` without, ``not_kept``
        where no root was given.

    Raises:
        DataError: A root is not a folder.
    """
    rows, status = [], {video: "missing" if roots else "not_kept" for video in video_ids}
    for rendition, root in roots.items():
        if not root.is_dir():
            raise DataError(f"The folder of {rendition} videos {root} does not exist.", "Check --root.")
        for video in status:
            found = next((root / name for name in candidates(video) if (root / name).is_file()), None)
            if found is not None:
                status[video] = "ok"
                size = found.stat()
                rows.append({
                    "video_id": video, "rendition": rendition, "path": str(found.relative_to(root)),
                    "n_bytes": size.st_size, "mtime": size.st_mtime,
                })  # fmt: skip
    columns = ["video_id", "rendition", "path", "n_bytes", "mtime"]
    return pd.DataFrame(rows, columns=columns), status
