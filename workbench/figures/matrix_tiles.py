"""A similarity matrix as tiles of a max / mean pyramid: any size, pan and zoom, never the whole matrix in one figure.

Rows (captions) and columns (videos) are sorted by domain, then source; captions stand in the order of their right
video, so that right pairs lie on the diagonal. Values are in standard deviations of their row, so that runs compare.
Level 0 is the matrix itself; each further level pools 4 x 4 cells and is kept as float16 in the cache.
"""

from __future__ import annotations

import hashlib
import io
from functools import cached_property
from pathlib import Path

import numpy as np

from workbench.core.errors import DataError, StateError
from workbench.core.files import building
from workbench.core.lookup import pick
from workbench.core.optional import need
from workbench.core.progress import track
from workbench.evaluation.runs.run import Run, similarity_of

TILE = 256
FACTOR = 4
POOLS = {"max": "max", "mean": "mean"}
LOW, HIGH = -1.5, 6.0
DIFFERENCE = 4.0
ROWS = 1024


class MatrixView:
    """Tiles of one run, or of the difference of two runs with the same rows and columns.

    Args:
        run: A run with its similarity.
        other: Show ``run - other``.
        cache: Folder for the pooled levels.

    Raises:
        StateError: No stored similarity, or runs whose axes differ.
    """

    def __init__(self, run: Run, other: Run | None, cache: Path) -> None:
        self.run, self.other = run, other
        self.matrices = [similarity_of(one) for one in (run, other) if one is not None]
        if len({matrix.shape for matrix in self.matrices}) > 1:
            raise StateError("The two runs have matrices of different size.", "Compare runs of one split.")
        self.shape = self.matrices[0].shape
        self.rows, self.columns = self._sorted()
        self.folder = cache / "tiles" / self._key()

    def _key(self) -> str:
        runs = [one for one in (self.run, self.other) if one is not None]
        stamps = [(one.name, str(one.path), (one.path / "similarity.npy").stat().st_mtime_ns) for one in runs]
        return hashlib.sha256(repr(stamps).encode()).hexdigest()[:24]

    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        gallery = self.run.gallery[["domain", "source_id"]].fillna("")
        columns = gallery.sort_values(["domain", "source_id"], kind="stable").index.to_numpy()
        place = np.argsort(columns)
        right = self.run.relevance_matrix
        first = np.full(self.shape[0], self.shape[1])
        has = np.diff(right.indptr) > 0
        first[has] = np.minimum.reduceat(place[right.indices], right.indptr[:-1][has])
        return np.argsort(first, kind="stable"), columns

    @property
    def n_levels(self) -> int:
        """Level 0 and the pooled ones; the last fits into one tile."""
        levels = 1
        while max(self.shape) > TILE * FACTOR ** (levels - 1):
            levels += 1
        return levels

    @cached_property
    def borders(self) -> list[dict[str, object]]:
        """Where domains start: id, first and end column, first and end row; empty without domains."""
        domain = self.run.gallery["domain"].to_numpy(dtype=object)[self.columns]
        names = [name for name in dict.fromkeys(domain) if name is not None and name == name]
        right = self.run.relevance_matrix[self.rows]
        owner = np.full(self.shape[0], -1)
        has = np.diff(right.indptr) > 0
        owner[has] = np.argsort(self.columns)[right.indices[right.indptr[:-1][has]]]
        found = []
        for name in names:
            at = np.flatnonzero(domain == name)
            row = np.flatnonzero((owner >= at[0]) & (owner <= at[-1]))
            if len(row):
                found.append(
                    {"domain": name, "columns": [int(at[0]), int(at[-1]) + 1], "rows": [int(row[0]), int(row[-1]) + 1]}
                )
        return found

    @cached_property
    def _statistics(self) -> list[np.ndarray]:
        """Per matrix [rows, 2]: mean and standard deviation of the finite scores of each row."""
        found = []
        for matrix in self.matrices:
            part = np.empty((len(matrix), 2), np.float32)
            for start in range(0, len(matrix), ROWS):
                block = np.array(matrix[start : start + ROWS], np.float32)
                block[~np.isfinite(block)] = np.nan
                part[start : start + ROWS, 0] = np.nanmean(block, axis=1)
                spread = np.nanstd(block, axis=1)
                part[start : start + ROWS, 1] = np.where(spread > 0, spread, 1)
            found.append(part)
        return found

    def cells(self, rows: slice, columns: slice) -> np.ndarray:
        """Standardised values of sorted rows and columns at level 0, float32; NaN = not scored."""
        at = np.ix_(self.rows[rows], self.columns[columns])
        parts = []
        for matrix, statistics in zip(self.matrices, self._statistics, strict=True):
            block = np.array(matrix[at], np.float32)
            block[~np.isfinite(block)] = np.nan
            parts.append((block - statistics[at[0][:, 0], :1]) / statistics[at[0][:, 0], 1:])
        return parts[0] if len(parts) == 1 else parts[0] - parts[1]

    def describe(self, row: int, column: int) -> dict[str, object]:
        """What one cell of the sorted matrix is: caption, video, value, score(s), whether the pair is right.

        Raises:
            DataError: No such cell.
        """
        if not (0 <= row < self.shape[0] and 0 <= column < self.shape[1]):
            raise DataError(f"There is no cell {row}/{column}.", "Reload the page.")
        r, c = int(self.rows[row]), int(self.columns[column])
        query, video = self.run.queries.iloc[r], self.run.gallery.iloc[c]
        value = float(self.cells(slice(row, row + 1), slice(column, column + 1))[0, 0])
        scores = [float(matrix[r, c]) for matrix in self.matrices]
        return {
            "caption_id": str(query["caption_id"]),
            "text": str(query["text"] or query["caption_id"]).strip(),
            "video": str(video["video_id"]),
            "value": None if np.isnan(value) else round(value, 3),
            "scores": [round(score, 4) if np.isfinite(score) else None for score in scores],
            "right": bool(self.run.relevance_matrix[r, c] > 0),
        }

    def build(self) -> None:
        """Make the pooled levels, once; they are kept in the cache until it is pruned."""
        if self.n_levels == 1 or self.folder.exists():
            return
        with building(self.folder) as temporary:
            size = tuple(-(-n // FACTOR) for n in self.shape)
            levels = {
                pool: np.lib.format.open_memmap(temporary / f"{pool}-1.npy", "w+", np.float16, size) for pool in POOLS
            }
            for start in track(range(0, self.shape[0], ROWS), "Making tiles", unit="blocks"):
                block = self.cells(slice(start, start + ROWS), slice(None))
                for pool, level in levels.items():
                    part = _pooled(block, pool)
                    level[start // FACTOR : start // FACTOR + len(part)] = part
            for depth in range(2, self.n_levels):
                for pool in POOLS:
                    above = np.load(temporary / f"{pool}-{depth - 1}.npy", mmap_mode="r")
                    np.save(
                        temporary / f"{pool}-{depth}.npy",
                        _pooled(np.asarray(above, np.float32), pool).astype(np.float16),
                    )

    def tile(self, level: int, x: int, y: int, pool: str = "max") -> bytes:
        """One tile as PNG bytes, at most 256 x 256 pixels.

        Args:
            level: 0 = one pixel per cell, each next 4 x 4 cells per pixel of the one before.
            x: Tile column.
            y: Tile row.
            pool: ``max`` keeps single hot cells, ``mean`` shows blocks.

        Raises:
            DataError: No such tile.
        """
        pick(POOLS, pool, "pooling")
        size = [-(-n // FACTOR**level) for n in self.shape]
        if not (0 <= level < self.n_levels and 0 <= y * TILE < size[0] and 0 <= x * TILE < size[1]):
            raise DataError(f"There is no tile {level}/{x}/{y}.", "Reload the page.")
        rows, columns = slice(y * TILE, (y + 1) * TILE), slice(x * TILE, (x + 1) * TILE)
        if level == 0:
            return _png(self.cells(rows, columns), self.other is not None)
        self.build()
        return _png(np.load(self.folder / f"{pool}-{level}.npy", mmap_mode="r")[rows, columns], self.other is not None)


def _pooled(block: np.ndarray, pool: str) -> np.ndarray:
    """4 x 4 cells into one, edges padded; NaN cells are left out."""
    height, width = (-(-n // FACTOR) * FACTOR for n in block.shape)
    padded = np.full((height, width), np.nan, np.float32)
    padded[: block.shape[0], : block.shape[1]] = block
    cells = padded.reshape(height // FACTOR, FACTOR, width // FACTOR, FACTOR)
    known = ~np.isnan(cells)
    if pool == "max":
        value = np.where(known, cells, -np.inf).max((1, 3))
        return np.where(np.isneginf(value), np.nan, value)
    total = np.where(known, cells, 0).sum((1, 3))
    return np.divide(total, known.sum((1, 3)), out=np.full(total.shape, np.nan, np.float32), where=known.any((1, 3)))


def _palette(difference: bool) -> np.ndarray:
    """256 colours: white to dark blue for scores, orange over white to blue for differences; entry 0 = not scored."""
    stops = ["#b4460a", "#f6b48f", "#f7f7f7", "#8fb8de", "#174a80"] if difference else [
        "#ffffff", "#dbe9f6", "#7fb2d9", "#2563a8", "#0b1f3a",
    ]  # fmt: skip
    rgb = np.asarray([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in stops], float)
    at = np.linspace(0, len(stops) - 1, 255)
    colours = np.stack([np.interp(at, np.arange(len(stops)), rgb[:, channel]) for channel in range(3)], 1)
    return np.vstack([[225, 225, 225], colours]).round().astype(np.uint8)


def _png(values: np.ndarray, difference: bool) -> bytes:
    image = need("PIL.Image", "Drawing the matrix")
    values = np.asarray(values, np.float32)
    low, high = (-DIFFERENCE, DIFFERENCE) if difference else (LOW, HIGH)
    scaled = 1 + np.clip((values - low) / (high - low), 0, 1) * 254
    indices = np.where(np.isnan(values), 0, np.nan_to_num(scaled)).round().astype(np.uint8)
    picture = image.frombytes("P", indices.shape[::-1], indices.tobytes())
    picture.putpalette(_palette(difference).tobytes())
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()
