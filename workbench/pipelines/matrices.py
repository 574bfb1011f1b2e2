"""Read a similarity matrix or a pair of embedding files: npy, npz, pt, pkl, csv, tsv, arrays, tensors."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.models.torch_files import as_array, is_tensor, read_torch_file
from workbench.pipelines.number_text import read_number_text
from workbench.pipelines.pickles import read_pickle

TEXT_SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
PICKLE_SUFFIXES = (".pkl", ".pickle")
KNOWN_SUFFIXES = (".npy", ".npz", ".pt", ".pth", *PICKLE_SUFFIXES, *TEXT_SUFFIXES)
MATRIX_KEYS = ("similarity", "sim_matrix", "sims", "sim", "scores", "S", "")


@dataclass(frozen=True)
class Matrix:
    """A matrix as found, with the ids that its file states.

    Attributes:
        values: float array [captions, videos], or [videos, captions of a video, videos] padded with -inf.
        row_ids: Ids of the rows, or None.
        column_ids: Ids of the columns, or None.
        origin: Where it came from, for run.json and sentences.
    """

    values: np.ndarray
    row_ids: list[str] | None
    column_ids: list[str] | None
    origin: str


def read_matrix(source: Any, kind: str | None = None) -> Matrix:
    """Read a similarity matrix.

    Args:
        source: Path of an ``.npy`` (memory-mapped), ``.npz``, ``.pt``, ``.pkl``, ``.csv`` or ``.tsv`` (also ``.gz``,
            with or without a header of column ids and a first column of row ids); an array; a tensor; or a pair (text,
            video) of paths or arrays of embeddings [n, d], whose cosine similarity is taken.
        kind: The suffix that a file ought to have; None = the one it has.

    Raises:
        DataError: Unknown kind of file, damaged, not numbers, or several arrays to choose from.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        values, rows, columns = _read_file(path, kind or path.name)
        return Matrix(_numbers(values, str(path)), rows, columns, path.name)
    if isinstance(source, Sequence) and len(source) == 2:
        return _from_embeddings(*(read_matrix(part) for part in source))
    if is_tensor(source):
        return Matrix(_numbers(as_array(source), "the tensor"), None, None, "a tensor")
    return Matrix(_numbers(np.asarray(source), "the array"), None, None, "an array")


def _numbers(values: np.ndarray, what: str) -> np.ndarray:
    if values.dtype.kind == "V" and values.dtype.itemsize == 2:  # bfloat16 as NumPy sees it without ml_dtypes
        values = (values.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    if values.dtype.kind not in "fiu":
        raise DataError(f"{what} holds {values.dtype}, not numbers.", "Save the scores as float32.")
    if values.ndim not in (2, 3) or 0 in values.shape:
        shape = " x ".join(map(str, values.shape)) or "a single number"
        raise DataError(f"{what} is {shape}; a similarity matrix is captions x videos.", "Save the whole matrix.")
    return values


def _read_file(path: Path, named: str) -> tuple[np.ndarray, list[str] | None, list[str] | None]:
    if not path.is_file():
        raise DataError(f"{path} does not exist or is not a file.", "Check the path.")
    suffix = next((suffix for suffix in KNOWN_SUFFIXES if named.lower().endswith(suffix)), None)
    try:
        if suffix == ".npy":
            return np.load(path, mmap_mode="r", allow_pickle=False), None, None
        if suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return _choose({key: archive[key] for key in archive.files}, path)
        if suffix in (".pt", ".pth"):
            return _choose(read_torch_file(path), path)
        if suffix in PICKLE_SUFFIXES:
            return _choose(read_pickle(path), path)
        if suffix in TEXT_SUFFIXES:
            read = read_number_text(path)
            return read.values, read.row_ids, read.column_ids
    except (ValueError, EOFError, zipfile.BadZipFile, OSError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} cannot be read: {error}.", "Save or download it again.") from error
    raise DataError(f"{path.name} is of an unknown kind.", f"Known: {', '.join(KNOWN_SUFFIXES)}.")


def _choose(arrays: dict[str, np.ndarray], path: Path) -> tuple[np.ndarray, list[str] | None, list[str] | None]:
    """The matrix among named arrays, and the ids beside it."""

    def ids(*keys: str) -> list[str] | None:
        return next((list(map(str, arrays[key])) for key in keys if key in arrays), None)

    numeric = {key: value for key, value in arrays.items() if value.ndim in (2, 3) and value.dtype.kind in "fiuV"}
    named = [key for key in MATRIX_KEYS if key in numeric]
    if not named and len(numeric) != 1:
        found = ", ".join(f"{key} {value.shape}" for key, value in arrays.items()) or "nothing"
        raise DataError(f"{path} has no single matrix: it holds {found}.", "Name the matrix 'similarity' in it.")
    key = named[0] if named else next(iter(numeric))
    return numeric[key], ids("row_ids", "caption_ids", "query_ids"), ids("col_ids", "column_ids", "video_ids")


def _from_embeddings(text: Matrix, video: Matrix) -> Matrix:
    """Cosine similarity of text and video embeddings, in float32."""
    for part, what in ((text, "text"), (video, "video")):
        if part.values.ndim != 2:
            raise DataError(f"The {what} embeddings {part.origin} are not a table [n, d].", "Give one vector per item.")
    if text.values.shape[1] != video.values.shape[1]:
        raise DataError(
            f"Text embeddings have {text.values.shape[1]} dimensions, video embeddings {video.values.shape[1]}.",
            "Both must come from the same joint space.",
        )
    a, b = (_unit(part) for part in (text, video))
    return Matrix(a @ b.T, text.row_ids, video.row_ids, f"cosine of {text.origin} and {video.origin}")


def _unit(part: Matrix) -> np.ndarray:
    vectors = np.asarray(part.values, np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    bad = np.flatnonzero(~np.isfinite(lengths[:, 0]) | (lengths[:, 0] == 0))
    if len(bad):
        raise DataError(
            f"{part.origin}: {len(bad)} embeddings are zero or not finite, the first is row {bad[0]}.",
            "Encode again.",
        )
    return vectors / lengths


def flatten_groups(values: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """A [videos, captions of a video, videos] matrix padded with -inf as rows of captions.

    Args:
        values: [V, M, V]; slot m of video i is its m-th caption, unused slots are -inf throughout.
        sizes: Captions of each video in the corpus.

    Returns:
        [sum of sizes, V], captions grouped by video.

    Raises:
        DataError: The number of used slots of a video differs from its captions.
    """
    used = ~np.all(np.isneginf(values), axis=2)
    found, wanted = used.sum(1), np.asarray(sizes)
    if len(found) != len(wanted) or (found != wanted).any():
        place = (
            f"video {int(np.flatnonzero(found != wanted)[0])}" if len(found) == len(wanted) else "the number of videos"
        )
        raise DataError(
            f"The padded matrix disagrees with the captions of the corpus at {place}.",
            "Check corpus and split.",
        )
    return values[used]


def read_ids(path: Path) -> list[str]:
    """Ids from a text file (one a line) or the first column of a csv, in file order; a header line is dropped.

    Raises:
        DataError: The file is absent, empty or not UTF-8.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from error
    separator = "\t" if path.suffix == ".tsv" else ","
    cells = [
        line.split(separator)[0].strip().strip('"') if path.suffix in (".csv", ".tsv") else line.strip()
        for line in lines
    ]
    cells = [cell for cell in cells if cell]
    if cells and cells[0].lower() in (
        "id",
        "ids",
        "video_id",
        "caption_id",
        "key",
        "query_id",
        "path",
        "0",
        "captions",
    ):
        cells = cells[1:]
    if not cells:
        raise DataError(f"{path} holds no id.", "Write one id a line.")
    return cells


def read_reasons(path: Path) -> dict[str, str]:
    """Missing videos with their reasons: one ``video_id[TAB reason]`` a line."""
    pairs = (line.partition("\t") for line in read_ids(path))
    return {video.strip(): reason.strip() or "not given" for video, _, reason in pairs}
