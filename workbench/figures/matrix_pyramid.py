"""The pooled levels of a similarity matrix in one cache file: made in one pass over the matrix, read as a memory map.

Values are bytes: 0 = not scored, else ``128 + 127 sign(v) sqrt(|v| / LIMIT)`` of a value v in standard deviations of
its caption's scores, finer near 0. Level 0 is the matrix itself; a cell of each next level pools 4 x 4 cells of the one
before.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.caches import prune_cache
from workbench.core.files import atomic
from workbench.core.progress import track
from workbench.evaluation.ranks.blocks import n_threads, on_all_cores
from workbench.figures.matrix_pooling import pool_again, pool_cells

TILE, FACTOR = 256, 4
LIMIT = 6.0  # standard deviations; what lies beyond is shown as this
POOLS = {"max": "max", "mean": "mean"}
SLAB = FACTOR**3  # rows that one thread pools at once; more where there are more levels
MEMORY = 256 << 20  # bytes of slabs that are held at once; one slab is always held
KEPT = 2 << 30  # bytes of pyramids that stay in the cache


@dataclass(frozen=True)
class Source:
    """A stored matrix and where the rows and columns of the picture stand in it, int64."""

    matrix: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


def n_levels(shape: tuple[int, int]) -> int:
    """Level 0 and the pooled ones; the last fits into one tile."""
    levels = 1
    while max(shape) > TILE * FACTOR ** (levels - 1):
        levels += 1
    return levels


def size_of(shape: tuple[int, int], level: int) -> tuple[int, int]:
    """Rows and columns of a level."""
    return -(-shape[0] // FACTOR**level), -(-shape[1] // FACTOR**level)


def encoded(values: np.ndarray) -> np.ndarray:
    """uint8 of standardised values; 0 where they are nan."""
    known = ~np.isnan(values)
    small = np.sqrt(np.minimum(np.abs(np.where(known, values, 0)), LIMIT) / LIMIT)
    return np.where(known, np.rint(128 + 127 * np.copysign(small, values)), 0).astype(np.uint8)


def decoded(codes: np.ndarray) -> np.ndarray:
    """float32 values of ``encoded``; nan where nothing was scored."""
    part = (codes.astype(np.float32) - 128) / 127
    return np.where(codes == 0, np.nan, LIMIT * part * np.abs(part)).astype(np.float32)


class Pyramid:
    """The cache file of one matrix, or of the difference of two.

    Args:
        file: Where it lies.
        sources: One matrix, or two of which the difference is shown.
    """

    def __init__(self, file: Path, sources: Sequence[Source]) -> None:
        self.file, self.sources = file, sources
        self.shape = len(sources[0].rows), len(sources[0].columns)
        self.places: dict[tuple[str, int], tuple[int, tuple[int, int]]] = {}
        end = self.scale_bytes = 8 * len(sources) * self.shape[0]
        for level in range(1, n_levels(self.shape)):
            size = size_of(self.shape, level)
            for pool in POOLS:
                self.places[pool, level] = end, size
                end += size[0] * size[1]
        self.n_bytes = end
        self._turn = threading.Lock()
        self._bytes: np.ndarray | None = None

    def build(self) -> np.ndarray:
        """The bytes of the file, mapped; it is made where it is not there, and whoever comes meanwhile waits."""
        with self._turn:
            if self._bytes is None:
                if not (self.file.exists() and self.file.stat().st_size == self.n_bytes):
                    self._write()
                os.utime(self.file)  # what was not used for longest is pruned first
                self._bytes = np.asarray(np.memmap(self.file, np.uint8, "r"))
            return self._bytes

    @property
    def scale(self) -> np.ndarray:
        """float32 [matrices, rows, 2]: mean and standard deviation of each caption's scores."""
        return self.build()[: self.scale_bytes].view(np.float32).reshape(len(self.sources), self.shape[0], 2)

    def level(self, level: int, pool: str) -> np.ndarray:
        """uint8 [rows, columns] of a pooled level, memory-mapped."""
        start, size = self.places[pool, level]
        return self.build()[start : start + size[0] * size[1]].reshape(size)

    def cells(self, rows: slice, columns: slice) -> np.ndarray:
        """float32: standardised values of level 0; nan = not scored."""
        parts = []
        for source, scale in zip(self.sources, self.scale, strict=True):
            block = source.matrix[np.ix_(source.rows[rows], source.columns[columns])].astype(np.float32)
            block[~np.isfinite(block)] = np.nan
            parts.append((block - scale[rows, :1]) / scale[rows, 1:])
        return parts[0] if len(parts) == 1 else parts[0] - parts[1]

    def _write(self) -> None:
        if self.file.parent.exists():
            prune_cache(self.file.parent.parent, self.file.parent.name, KEPT)
        height = max(SLAB, FACTOR ** (n_levels(self.shape) - 1))
        slabs = [slice(at, min(at + height, self.shape[0])) for at in range(0, self.shape[0], height)]
        bytes_of_slab = 4 * height * sum(source.matrix.shape[1] for source in self.sources)
        threads = max(1, min(n_threads(), MEMORY // bytes_of_slab))
        with atomic(self.file) as temporary:
            out = np.memmap(temporary, np.uint8, "w+", shape=self.n_bytes)
            turns = [slabs[at : at + 4 * threads] for at in range(0, len(slabs), 4 * threads)]
            for turn in track(turns, "Pooling the matrix", unit="parts"):
                for slab, (scales, pooled) in zip(turn, on_all_cores(self._slab, turn, threads), strict=True):
                    self._put(out, slab, scales, pooled)
            out.flush()

    def _slab(self, rows: slice) -> tuple[np.ndarray, dict[tuple[str, int], np.ndarray]]:
        """Scale of each matrix and all levels of some rows, from level to level."""
        difference = len(self.sources) > 1
        a, b = self.sources[0], self.sources[-1]
        scales, best, total, count = pool_cells(
            a.matrix, a.rows[rows], a.columns, b.matrix, b.rows[rows], b.columns, difference
        )
        found: dict[tuple[str, int], np.ndarray] = {}
        for level in range(1, n_levels(self.shape)):
            if level > 1:
                best, total, count = pool_again(best, total, count, difference)
            none = count == 0
            found["max", level] = encoded(np.where(none, np.nan, best))
            found["mean", level] = encoded(np.where(none, np.nan, total / np.maximum(count, 1)))
        return scales[: len(self.sources)], found

    def _put(self, out: np.ndarray, rows: slice, scales: np.ndarray, pooled: dict[Any, np.ndarray]) -> None:
        out[: self.scale_bytes].view(np.float32).reshape(len(scales), -1, 2)[:, rows] = scales
        for (pool, level), part in pooled.items():
            start, size = self.places[pool, level]
            first = rows.start // FACTOR**level * size[1]
            out[start + first : start + first + part.size] = part.ravel()
