"""Files that are whole or absent: atomic writes, folders built aside, tables, JSON, format versions, checksums."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.core.errors import DataError, ExistsError, FormatVersionError, StateError


@contextmanager
def _said_plainly(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to write into one sentence with a remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StateError(
                f"The disk of {path.parent} is full; nothing was changed.",
                "Free some space, or move the workspace with: workbench home PATH",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise StateError(
                f"{path.parent} cannot be written; nothing was changed.",
                "Give yourself write permission, or choose another workspace with: workbench home PATH",
            ) from error
        raise


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place at the end; on an error nothing is left.

    Raises:
        StateError: The disk is full or the folder cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    with _said_plainly(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def building(folder: Path, *, overwrite: bool = False, trash: Path | None = None) -> Iterator[Path]:
    """A new folder that is built aside and appears whole under its name at the end.

    Args:
        folder: The final path.
        overwrite: Whether an existing folder is moved to ``trash``, when the new one is complete.
        trash: Where the old one goes; required with ``overwrite``.

    Raises:
        ExistsError: The folder exists and ``overwrite`` is false.
        StateError: The disk is full or the place cannot be written.
    """
    folder = Path(folder)
    if folder.exists() and not (overwrite and trash):
        raise ExistsError(
            f"{folder.name} exists already in {folder.parent}.", "Choose another name, or add --overwrite."
        )
    temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.tmp")
    with _said_plainly(folder):
        try:
            temporary.mkdir(parents=True)
            yield temporary
            if folder.exists() and trash is not None:
                move_to_trash(folder, trash)
            os.replace(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def move_to_trash(path: Path, trash: Path) -> Path:
    """Move a file or folder into ``trash`` under a name that says when; returns the new path."""
    trash.mkdir(parents=True, exist_ok=True)
    target = trash / f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}.{uuid.uuid4().hex[:4]}"
    shutil.move(path, target)
    return target


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically: UTF-8, indented, no NaN.

    Raises:
        ValueError: ``value`` holds NaN or infinity.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def touch(path: Path) -> None:
    """Say that a folder changed: its description gets a new time, by which others see it."""
    os.utime(path)


def read_json(path: Path, what: str) -> Any:
    """Read a JSON file.

    Args:
        path: The file.
        what: What it is, for the sentence ("the description of run demo-ocr").

    Raises:
        DataError: The file is absent, not UTF-8 or not JSON; the sentence names line and column.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing; it should hold {what}.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (byte {error.start}).", "Save it as UTF-8.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"{path} is not valid JSON at {place}: {error.msg}.", "Repair or download it again.") from error


def write_table(path: Path, frame: pd.DataFrame) -> None:
    """Write a table as Parquet, atomically, without its index."""
    with atomic(path) as temporary:
        frame.to_parquet(temporary, index=False, compression="zstd")


def read_table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet table.

    Raises:
        DataError: The file is absent or not Parquet.
    """
    return _told(path, lambda: pd.read_parquet(path, columns=columns))


def _told(path: Path, read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """What is read, or the reason why it cannot be."""
    try:
        return read()
    except FileNotFoundError as error:
        raise DataError(f"The table {path} is missing.", "Make the corpus or run again.") from error
    except (OSError, ValueError) as error:
        why = str(error).rstrip(".")
        raise DataError(f"{path} cannot be read as Parquet: {why}.", "Make the corpus or run again.") from error


def read_small_table(path: Path) -> pd.DataFrame:
    """``read_table`` of a small file, such as the frame times of a video; kept in memory while it stays as it is.

    Raises:
        DataError: The file is absent or not Parquet.
    """
    try:
        stat = path.stat()
    except FileNotFoundError:
        return read_table(path)  # which says so
    return _read_once(path, stat.st_size, stat.st_mtime_ns, stat.st_ino).copy(deep=False)


@lru_cache(maxsize=16)
def _read_once(path: Path, *stamp: int) -> pd.DataFrame:
    """The same as ``read_table``, in half of the time: pandas opens a single file as if it were a folder of many."""
    import pyarrow.parquet as pq

    return _told(path, lambda: pq.ParquetFile(path).read(use_threads=False).to_pandas())


def check_format(found: object, known: int, what: str) -> int:
    """The format version of a folder, after checking that this workbench can read it.

    Raises:
        FormatVersionError: It is newer than ``known``.
        DataError: It is not a positive whole number.
    """
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise DataError(f"{what} states no valid format_version (found {found!r}).", "It was not made by a workbench.")
    if found > known:
        raise FormatVersionError(
            f"{what} has format version {found}; this workbench knows up to {known}.", "Update the workbench."
        )
    return found


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes, read in blocks."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
