"""A similarity matrix as a file that others read: npy, npz, pt, csv, tsv; ids go along where the kind can hold them."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from workbench.core.errors import DataError
from workbench.core.files import atomic
from workbench.core.lookup import nearest
from workbench.evaluation.runs.run import Run, similarity_of
from workbench.models.torch_files import write_torch_file

ROWS_AT_ONCE = 256


def write_matrix(run: Run, path: Path) -> str:
    """Write the similarity of a run; the suffix says how.

    Raises:
        DataError: An unknown suffix, or an id that a table of text cannot hold.
        StateError: The run keeps no similarity.
        MissingExtraError: ``.pt`` without torch.
    """
    name = path.name.lower()
    kind = next((suffix for suffix in WRITERS if name.endswith(suffix)), None)
    if kind is None:
        raise DataError(f"{path.name} is of an unknown kind.", nearest(path.suffix, WRITERS))
    similarity = similarity_of(run)
    with atomic(path) as temporary:
        WRITERS[kind](run, similarity, temporary)
    ids = "without ids, in the corpus' order" if kind == ".npy" else "with ids"
    return f"{similarity.shape[0]} captions x {similarity.shape[1]} videos, {ids}"


def _ids(run: Run) -> dict[str, list[str]]:
    if run.totals_only:
        return {}
    return {"caption_ids": run.queries["caption_id"].to_list(), "video_ids": run.gallery["video_id"].to_list()}


def _npy(run: Run, similarity: np.ndarray, path: Path) -> None:
    with open(path, "wb") as stream:
        np.lib.format.write_array(stream, similarity, allow_pickle=False)


def _npz(run: Run, similarity: np.ndarray, path: Path) -> None:
    with open(path, "wb") as stream:
        arrays = {"similarity": similarity, **{key: np.asarray(ids) for key, ids in _ids(run).items()}}
        np.savez(stream, **arrays)  # type: ignore[arg-type]  # NumPy types its switch as any keyword


def _pt(run: Run, similarity: np.ndarray, path: Path) -> None:
    write_torch_file(path, similarity, **_ids(run))


def _text(separator: str, packed: bool) -> Callable[[Run, np.ndarray, Path], None]:
    def write(run: Run, similarity: np.ndarray, path: Path) -> None:
        ids = _ids(run)
        rows = ids.get("caption_ids") or [f"row {number}" for number in range(1, len(similarity) + 1)]
        columns = ids.get("video_ids") or [f"column {number}" for number in range(1, similarity.shape[1] + 1)]
        for name in [*rows, *columns]:
            if name != name.strip() or "\n" in name or "\r" in name:
                raise DataError(f"The id {name!r} begins or ends with a blank, or breaks a line.", "Use .npz.")
        schema = pa.schema([("", pa.string()), *((column, pa.float32()) for column in columns)])
        options = pa_csv.WriteOptions(delimiter=separator)
        with gzip.open(path, "wb") if packed else open(path, "wb") as stream:
            with pa_csv.CSVWriter(stream, schema, write_options=options) as writer:
                for start in range(0, len(rows), ROWS_AT_ONCE):
                    block = np.asarray(similarity[start : start + ROWS_AT_ONCE])
                    arrays = [
                        pa.array(rows[start : start + ROWS_AT_ONCE]),
                        *map(pa.array, np.ascontiguousarray(block.T)),
                    ]
                    writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))

    return write


WRITERS: dict[str, Callable[[Run, np.ndarray, Path], None]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".pt": _pt,
    ".csv": _text(",", False),
    ".tsv": _text("\t", False),
    ".csv.gz": _text(",", True),
    ".tsv.gz": _text("\t", True),
}
