"""Read a similarity matrix or a pair of embedding files: npy, npz, pt, pkl, csv, tsv, arrays, tensors."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
MASK_KEYS = ("query_masks", "query_mask", "masks")
MATRIX_KEYS = ("similarity", "sim_matrix", "sims", "sim", "scores", "S", "")


@dataclass(frozen=True)
class Matrix:
    """A matrix as found, with the ids that its file states.

    Attributes:
        values: float array [captions, videos], or [videos, captions of a video, videos] padded with -inf.
        row_ids: Ids of the rows, or None.
        column_ids: Ids of the columns, or None.
        origin: Where it came from, for run.json and sentences.
        masks: Which rows hold a caption, [videos, captions of a video] or [rows]; None = all. Collaborative Experts and
            QB-Norm give every video the same number of rows, and masks where it has fewer captions.
    """

    values: np.ndarray
    row_ids: list[str] | None
    column_ids: list[str] | None
    origin: str
    masks: np.ndarray | None = None


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
        found = _read_file(path, kind or path.name)
        return replace(found, values=_numbers(found.values, str(path)), origin=path.name)
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


def _read_file(path: Path, named: str) -> Matrix:
    suffix = _suffix(path, named)
    with _readable(path):
        if suffix in TEXT_SUFFIXES:
            read = read_number_text(path)
            return Matrix(read.values, read.row_ids, read.column_ids, path.name)
        arrays = _arrays(path, suffix)
    return Matrix(arrays[""], None, None, path.name) if suffix == ".npy" else _choose(arrays, path)


def _suffix(path: Path, named: str) -> str:
    if not path.is_file():
        raise DataError(f"{path} does not exist or is not a file.", "Check the path.")
    suffix = next((suffix for suffix in KNOWN_SUFFIXES if named.lower().endswith(suffix)), None)
    if suffix is None:
        raise DataError(f"{path.name} is of an unknown kind.", f"Known: {', '.join(KNOWN_SUFFIXES)}.")
    return suffix


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, EOFError, zipfile.BadZipFile, OSError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} cannot be read: {error}.", "Save or download it again.") from error


def _arrays(path: Path, suffix: str) -> dict[str, np.ndarray]:
    """The arrays of a file by name; that of an ``.npy`` is memory-mapped and called ``""``."""
    if suffix == ".npy":
        return {"": np.load(path, mmap_mode="r", allow_pickle=False)}
    if suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    return read_pickle(path) if suffix in PICKLE_SUFFIXES else read_torch_file(path)


def _choose(arrays: dict[str, np.ndarray], path: Path) -> Matrix:
    """The matrix among named arrays, and the ids and masks beside it."""

    def ids(*keys: str) -> list[str] | None:
        return next((list(map(str, arrays[key])) for key in keys if key in arrays), None)

    masks = next((arrays[key] for key in MASK_KEYS if key in arrays), None)
    numeric = {
        key: value for key, value in arrays.items()
        if value.ndim in (2, 3) and value.dtype.kind in "fiuV" and key not in MASK_KEYS
    }  # fmt: skip
    named = [key for key in MATRIX_KEYS if key in numeric]
    if not named and len(numeric) != 1:
        found = ", ".join(f"{key} {value.shape}" for key, value in arrays.items()) or "nothing"
        raise DataError(f"{path} has no single matrix: it holds {found}.", "Name the matrix 'similarity' in it.")
    values = numeric[named[0] if named else next(iter(numeric))]
    rows, columns = ids("row_ids", "caption_ids", "query_ids"), ids("col_ids", "column_ids", "video_ids")
    return Matrix(values, rows, columns, path.name, masks)


def read_masks(path: Path) -> np.ndarray:
    """Masks of rows from a file of their own: npy, npz, pt or pkl.

    Raises:
        DataError: It cannot be read, or holds several arrays none of which is called ``query_masks``.
    """
    suffix = _suffix(path, path.name)
    if suffix in TEXT_SUFFIXES:
        raise DataError(f"{path.name} is text; masks are read from npy, npz, pt and pkl.", "Save them with numpy.save.")
    with _readable(path):
        arrays = _arrays(path, suffix)
    key = next((key for key in MASK_KEYS if key in arrays), next(iter(arrays)) if len(arrays) == 1 else None)
    if key is None:
        raise DataError(f"{path} holds {', '.join(arrays)}.", f"Call the masks {MASK_KEYS[0]!r}.")
    return arrays[key]


def unmasked(matrix: Matrix) -> Matrix:
    """The matrix without the rows that hold no caption.

    Raises:
        DataError: Not one mask per row, or masks that are not yes or no.
    """
    if matrix.masks is None:
        return matrix
    flat = np.asarray(matrix.masks).reshape(-1)
    if flat.dtype.kind not in "biuf" or not np.isin(flat, (0, 1)).all():
        raise DataError(f"The masks of {matrix.origin} are not 0 and 1.", "A mask says which rows hold a caption.")
    if matrix.values.ndim != 2 or len(flat) != len(matrix.values):
        shape = " x ".join(map(str, matrix.values.shape))
        raise DataError(
            f"There are {len(flat)} masks for the rows of {matrix.origin}, which is {shape}.",
            "Give one mask for each row, videos one after another.",
        )
    kept = np.flatnonzero(flat)
    rows = None if matrix.row_ids is None else [matrix.row_ids[row] for row in kept]
    return replace(matrix, values=matrix.values[kept], row_ids=rows, masks=None)


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


def without_padding(matrix: Matrix, sizes: Sequence[int]) -> Matrix:
    """The rows that hold a caption, grouped by video: those of masks, or of slots that are not -inf throughout.

    Args:
        matrix: [videos, slots of a video, videos], or [videos x slots, videos] with masks.
        sizes: Captions of each video in the corpus.

    Raises:
        DataError: The number of used slots of a video differs from its captions.
    """
    values = matrix.values
    if values.ndim == 3:
        used = ~np.all(np.isneginf(values), axis=2) if matrix.masks is None else matrix.masks
        matrix = replace(matrix, values=values.reshape(-1, values.shape[2]), masks=used)
    masks = np.asarray(matrix.masks)
    slots = masks.reshape(len(sizes), -1) if masks.size and masks.size % len(sizes) == 0 else np.zeros((0, 0))
    found, wanted = slots.astype(bool).sum(1), np.asarray(sizes)
    if len(found) != len(wanted) or (found != wanted).any():
        same = len(found) == len(wanted)
        place = f"video {int(np.flatnonzero(found != wanted)[0])}" if same else "the number of videos"
        raise DataError(
            f"The padded matrix disagrees with the captions of the corpus at {place}.", "Check corpus and split."
        )
    return unmasked(matrix)


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
