"""Read a similarity in small blocks of rows on all cores, gather what columns need, write a new one block by block.

Beside the new matrix every core holds a few blocks of 1 MiB, and each of ``STRIPS`` parts of the rows holds a row or a
few of what it gathers. Parts and their order depend on the shape alone, so the result does not depend on the cores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from workbench.core.errors import DataError
from workbench.evaluation.ranks.blocks import check_similarity, compared_type, on_all_cores

WALK_ITEMS = 1 << 17  # scores in one block: 1 MiB of float64
STRIPS = 32
Gathered = TypeVar("Gathered")


@dataclass(frozen=True)
class Bounds:
    """Extremes of the scored entries of a similarity.

    Attributes:
        low: Smallest scored entry; +inf where none is scored.
        high: Largest entry; -inf where none is scored.
        rows: float64 [captions], largest entry of every row; -inf where none is scored.
        columns: float64 [videos], largest entry of every column; -inf where none is scored.
        whole: Whether every pair was scored.
    """

    low: float
    high: float
    rows: np.ndarray
    columns: np.ndarray
    whole: bool


def small_ranges(n_rows: int, n_columns: int, first: int = 0) -> list[tuple[int, int]]:
    """Ranges of rows, from ``first`` to ``n_rows``, of about ``WALK_ITEMS`` scores each."""
    size = max(1, WALK_ITEMS // n_columns)
    return [(start, min(start + size, n_rows)) for start in range(first, n_rows, size)]


def strips(matrix: np.ndarray) -> list[list[tuple[int, int]]]:
    """At most ``STRIPS`` runs of consecutive row ranges that cover the matrix."""
    ranges = small_ranges(*matrix.shape)
    bounds = np.linspace(0, len(ranges), min(STRIPS, len(ranges)) + 1).astype(int)
    return [ranges[low:high] for low, high in zip(bounds[:-1], bounds[1:], strict=True)]


def gather(matrix: np.ndarray, work: Callable[[list[tuple[int, int]]], Gathered]) -> list[Gathered]:
    """Results of ``work`` for every strip, in their order."""
    return on_all_cores(work, strips(matrix))


def block_of(matrix: np.ndarray, rows: tuple[int, int]) -> np.ndarray:
    """A float64 copy of some rows, free to be written."""
    return np.array(matrix[slice(*rows)], np.float64, subok=False)


def bounds_of(matrix: np.ndarray, what: str = "similarity") -> Bounds:
    """Extremes of a similarity, after checking every entry.

    Raises:
        DataError: NaN or +inf; the sentence says where.
    """
    in_rows = np.empty(len(matrix))

    def work(ranges: list[tuple[int, int]]) -> tuple[float, np.ndarray, bool]:
        whole, low, columns = True, np.inf, np.full(matrix.shape[1], -np.inf)
        for start, stop in ranges:
            part = np.asarray(matrix[start:stop])
            in_rows[start:stop] = part.max(axis=1)
            if not (in_rows[start:stop] < np.inf).all():
                raise _not_finite(part, start, what)
            np.maximum(columns, part.max(axis=0), out=columns)
            least = float(part.min())
            if least == -np.inf:
                whole = False
                least = float(np.min(part, where=np.isfinite(part), initial=np.inf))
            low = min(low, least)
        return low, columns, whole

    found = gather(matrix, work)
    return Bounds(
        min(low for low, _, _ in found),
        float(in_rows.max()),
        in_rows,
        np.maximum.reduce([columns for _, columns, _ in found]),
        all(whole for _, _, whole in found),
    )


def _not_finite(part: np.ndarray, start: int, what: str) -> DataError:
    row, column = np.argwhere(np.isnan(part) | np.isposinf(part))[0]
    return DataError(
        f"The {what} holds {part[row, column]} at row {start + row}, column {column} (counted from 0).",
        "Mark pairs that were not scored with -inf; anything else comes from a fault in the model that made it.",
    )


def column_log_sums(matrix: np.ndarray, factor: float, highest: np.ndarray) -> np.ndarray:
    """float64 [columns]: logarithm of the sum over rows of ``exp(factor * score)``; -inf where nothing was scored.

    Args:
        matrix: [rows, columns], without NaN and +inf.
        factor: Above 0.
        highest: Largest entry of every column.
    """
    shift = np.where(np.isfinite(highest), highest, 0.0)

    def work(ranges: list[tuple[int, int]]) -> np.ndarray:
        total = np.zeros(matrix.shape[1])
        for rows in ranges:
            block = block_of(matrix, rows)
            block -= shift
            block *= factor
            total += np.exp(block, out=block).sum(axis=0)
        return total

    total = np.add.reduce(gather(matrix, work))
    return np.log(total, out=np.full(len(total), -np.inf), where=total > 0) + factor * shift


def row_log_sums(block: np.ndarray, highest: np.ndarray) -> np.ndarray:
    """float64 [rows]: logarithm of the sum over columns of ``exp(entry)``; 0 for rows in which nothing was scored.

    Args:
        block: [rows, columns] float64; left as it is.
        highest: Largest entry of every row.
    """
    some = np.isfinite(highest)
    shift = np.where(some, highest, 0.0)
    part = block - shift[:, None]
    total = np.exp(part, out=part).sum(axis=1)
    return np.log(total, out=np.zeros(len(total)), where=some) + shift


def rewrite(
    matrix: np.ndarray, out: np.ndarray, work: Callable[[np.ndarray, tuple[int, int]], np.ndarray | None]
) -> np.ndarray:
    """Fill ``out`` block by block.

    Args:
        matrix: [captions, videos], only read.
        out: As ``new_matrix`` gives it.
        work: Called with a float64 copy of some rows and their range; changes the copy, or returns what to write.

    Returns:
        ``out``.
    """

    def write(rows: tuple[int, int]) -> None:
        block = block_of(matrix, rows)
        made = work(block, rows)
        out[slice(*rows)] = block if made is None else made

    on_all_cores(write, small_ranges(*matrix.shape))
    return out


def checked(similarity: Any, what: str = "similarity") -> tuple[np.ndarray, Bounds]:
    """The similarity as an array (no copy) and its extremes.

    Raises:
        DataError: Wrong shape or type, empty, NaN, +inf, or not one entry that was scored.
    """
    matrix = check_similarity(similarity)
    bounds = bounds_of(matrix, what)
    if bounds.high == -np.inf:
        raise DataError(f"The {what} holds no score: every entry is -inf.", "Give scores.")
    return matrix, bounds


def new_matrix(out: np.ndarray | None, *sources: np.ndarray, beside: Sequence[np.ndarray] = ()) -> np.ndarray:
    """The array to write into: a new one, or ``out`` (an array, or a memory map on disk) after checks.

    Args:
        out: None, or float32 or float64 of the sources' shape that shares nothing with them.
        *sources: The similarities that are read, of one shape; the result has the type they are compared in.
        beside: What else is read.

    Raises:
        DataError: Wrong shape or type, read-only, or it overlaps what is read.
    """
    matrix = sources[0]
    if out is None:
        return np.empty(matrix.shape, np.result_type(*(compared_type(source) for source in sources)))
    if not isinstance(out, np.ndarray) or out.shape != matrix.shape or out.dtype not in (np.float32, np.float64):
        found = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise DataError(f"out is {found}; the similarity is {matrix.shape}.", "Give a float32 array of that shape.")
    if not out.flags.writeable:
        raise DataError("out is read-only.", "Open the memory map with mode 'w+' or 'r+'.")
    if any(np.may_share_memory(out, source) or _same_file(out, source) for source in (*sources, *beside)):
        raise DataError("out overlaps the similarity that is read.", "Give another array or file; inputs stay as is.")
    return out


def _same_file(one: np.ndarray, other: np.ndarray) -> bool:
    mine, theirs = _file_of(one), _file_of(other)
    if mine is None or theirs is None or not (mine.exists() and theirs.exists()):
        return False
    return mine.samefile(theirs)


def _file_of(array: Any) -> Path | None:
    """The file behind an array or a view of a memory map."""
    while array is not None:
        if isinstance(array, np.memmap) and array.filename is not None:
            return Path(array.filename)
        array = getattr(array, "base", None)
    return None


def same_shapes(named: Sequence[tuple[str, np.ndarray]]) -> None:
    """Check that several similarities have one shape.

    Raises:
        DataError: Fewer than one, or another shape; the sentence names it.
    """
    if not named:
        raise DataError("There is no similarity to fuse.", "Give one or more.")
    (first, matrix), *rest = named
    for name, other in rest:
        if other.shape != matrix.shape:
            raise DataError(
                f"{name} is {other.shape}, {first} is {matrix.shape}.", "Give scores of the same captions and videos."
            )
