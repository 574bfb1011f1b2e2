"""A similarity matrix as tiles of a max / mean pyramid: any size, pan and zoom, never the whole matrix in one figure.

Values are in standard deviations of their caption's scores, so that runs compare.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis.structure.domain_blocks import domain_means
from workbench.core.errors import DataError
from workbench.core.files import read_table, write_table
from workbench.core.lookup import pick
from workbench.evaluation.runs.run import Run, similarity_of
from workbench.evaluation.runs.shared import shared_axes
from workbench.figures.matrix_axes import Axes, ordered
from workbench.figures.matrix_pyramid import POOLS, TILE, Pyramid, Source, decoded, encoded, n_levels, size_of

LETTERS = 400
RANGES = (0.25, 0.5, 1.0, 2.0, 4.0, 6.0)
SHOWN = 1024  # cells along the longer side of the level whose values choose the range


class MatrixView:
    """Tiles of one run, or of the difference of two over the captions and videos that both hold.

    Args:
        run: A run with its similarity.
        other: Show ``run - other``.
        cache: The workspace's cache, for the pooled levels.
        order: One of ``matrix_axes.ORDERS``.

    Attributes:
        axes: Rows and columns of the picture.
        shape: Rows and columns.
        key: Names what is shown: it changes when a matrix or the order of its axes does.

    Raises:
        StateError: No stored similarity, totals only, or runs of different splits.
        UnknownNameError: Another order.
    """

    def __init__(self, run: Run, other: Run | None, cache: Path, order: str = "domain") -> None:
        self.run, self.other = run, other
        self.runs = [run] if other is None else [run, other]
        matrices = [np.asarray(similarity_of(one), np.float32) for one in self.runs]
        shared = shared_axes(self.runs)
        self.axes: Axes = ordered(run, *shared[0], order)
        self.shape = len(self.axes.rows), len(self.axes.columns)
        sources = [
            Source(matrix, _moved(self.axes.rows, rows, shared[0][0]), _moved(self.axes.columns, columns, shared[0][1]))
            for matrix, (rows, columns) in zip(matrices, shared, strict=True)
        ]
        self.key = _key(self.runs, sources)
        self._tiles = cache / "tiles"
        self.pyramid = Pyramid(self._tiles / f"{self.key}.levels", sources)

    @property
    def n_levels(self) -> int:
        """Level 0 and the pooled ones; the last fits into one tile."""
        return n_levels(self.shape)

    def build(self) -> None:
        """Make the pooled levels, once; they are kept in the cache until it is pruned."""
        self.pyramid.build()

    @cached_property
    def domain_means(self) -> pd.DataFrame:
        """``analysis.domain_means`` of what is shown, made once; kept beside the pooled levels, for every order.

        Raises:
            StateError: The corpus states no domains.
        """
        file = self._tiles / f"{_table_key(self.runs)}.domains.parquet"
        if not file.exists():
            write_table(file, domain_means(self.run, self.other))
        return read_table(file)

    def limit(self, pool: str) -> float:
        """Where colours should end: the first of ``RANGES`` that holds 99 % of what is seen from afar, in sd."""
        values = np.abs(self.from_afar(pool))
        high = float(np.nanquantile(values, 0.99)) if np.isfinite(values).any() else 0.0
        return next((one for one in RANGES if one >= high), RANGES[-1])

    def level_from_afar(self) -> int:
        """The finest level of at most ``SHOWN`` cells a side."""
        return next(one for one in range(self.n_levels) if max(size_of(self.shape, one)) <= SHOWN)

    def from_afar(self, pool: str) -> np.ndarray:
        """float32 values of that level, in sd; nan where nothing was scored."""
        return decoded(self._codes(self.level_from_afar(), slice(None), slice(None), pool))

    def tile(self, level: int, x: int, y: int, pool: str = "max") -> np.ndarray:
        """One tile, uint8 [at most 256, at most 256]; what its bytes say: ``matrix_pyramid.decoded``.

        Args:
            level: 0 = the cells, each next pools 4 x 4 cells of the one before.
            x: Tile column.
            y: Tile row.
            pool: ``max`` keeps single hot cells (in a difference: the largest in size), ``mean`` shows blocks.

        Raises:
            DataError: No such tile.
            UnknownNameError: Another pooling.
        """
        pick(POOLS, pool, "pooling")
        if not 0 <= level < self.n_levels:
            raise DataError(f"There is no level {level}.", "Reload the page.")
        size = size_of(self.shape, level)
        if not (0 <= y * TILE < size[0] and 0 <= x * TILE < size[1]):
            raise DataError(f"There is no tile {level}/{x}/{y}.", "Reload the page.")
        return self._codes(level, slice(y * TILE, (y + 1) * TILE), slice(x * TILE, (x + 1) * TILE), pool)

    def _codes(self, level: int, rows: slice, columns: slice, pool: str) -> np.ndarray:
        if level == 0:
            return encoded(self.pyramid.cells(rows, columns))
        return np.ascontiguousarray(self.pyramid.level(level, pool)[rows, columns])

    def describe(self, row: int, column: int) -> dict[str, Any]:
        """What one cell is: caption, video, value, scores, whether the pair is right.

        Returns:
            caption_id, text (at most ``LETTERS`` letters), video, value (sd; None = not scored), scores (of each run),
            right.

        Raises:
            DataError: No such cell.
        """
        if not (0 <= row < self.shape[0] and 0 <= column < self.shape[1]):
            raise DataError(f"There is no cell {row}/{column}.", "Reload the page.")
        query = self.run.queries.iloc[self.axes.rows[row]]
        video = self.run.gallery.iloc[self.axes.columns[column]]
        value = float(self.pyramid.cells(slice(row, row + 1), slice(column, column + 1))[0, 0])
        scores = [float(one.matrix[one.rows[row], one.columns[column]]) for one in self.pyramid.sources]
        text = " ".join(str(query["text"] or query["caption_id"]).split())
        return {
            "caption_id": str(query["caption_id"]),
            "text": text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…",
            "video": str(video["video_id"]),
            "value": None if np.isnan(value) else round(value, 3),
            "scores": [float(f"{score:.5g}") if np.isfinite(score) else None for score in scores],
            "right": bool(self.axes.right[row, column] > 0),
        }


def matrix_stamp(run: Run) -> tuple[int, int, int] | None:
    """Bytes, time and number of a run's matrix file, which change when it is written again; None = it keeps none."""
    file = run.path / "similarity.npy"
    if not file.exists():
        return None
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def _moved(chosen: np.ndarray, own: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Where the chosen positions of the first run stand in another one; ``own[i]`` there is ``first[i]`` here."""
    place = np.zeros(int(first.max()) + 1, np.int64)
    place[first] = own
    return place[chosen]


def _table_key(runs: list[Run]) -> str:
    """Of the files' identity, and of everything else that domain means are made of."""
    found = hashlib.sha256(b"domain means 1")
    for run in runs:
        found.update(repr((str(run.path), matrix_stamp(run))).encode())
        for table in (
            run.queries[["caption_id"]],
            run.gallery[["video_id", "domain", "source_id", "state"]],
            run.relevance,
        ):
            found.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    return found.hexdigest()[:24]


def _key(runs: list[Run], sources: list[Source]) -> str:
    """Of the files' identity and of the order of rows and columns in each."""
    found = hashlib.sha256(b"matrix levels 2")
    for run, source in zip(runs, sources, strict=True):
        found.update(repr((str(run.path), matrix_stamp(run))).encode())
        found.update(source.rows.tobytes() + source.columns.tobytes())
    return found.hexdigest()[:24]
