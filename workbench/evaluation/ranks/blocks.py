"""Walk over a similarity matrix in blocks, on all cores, without ever copying the whole of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Any, TypeVar

import numpy as np

from workbench.core.errors import DataError

BLOCK_ITEMS = 1 << 20  # scores in one block: 4 MiB of float32
Block = TypeVar("Block")
Result = TypeVar("Result")


def n_threads() -> int:
    """Cores this process may use, or fewer where ``NUMBA_NUM_THREADS`` says so."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, int(os.environ.get("NUMBA_NUM_THREADS", cores))))


def check_similarity(similarity: Any, *, bfloat16: bool = False) -> np.ndarray:
    """The similarity as a 2-D array of numbers; no copy of an array or memory map.

    Args:
        similarity: Scores [captions, videos].
        bfloat16: Leave bfloat16 as it is stored, for a caller that reads parts by ``scores_of``; else it is copied to
            float32.

    Raises:
        DataError: Not two axes, no rows or columns, or not float16, bfloat16, float32, float64 or integers up to 32
            bits.
    """
    matrix = np.asarray(similarity)
    if matrix.ndim != 2:
        raise DataError(
            f"The similarity has {matrix.ndim} axes, shape {matrix.shape}.",
            "Give one matrix [captions, videos].",
        )
    if 0 in matrix.shape:
        raise DataError(
            f"The similarity is empty: {matrix.shape[0]} captions x {matrix.shape[1]} videos.", "Give scores."
        )
    if is_bfloat16(matrix.dtype):
        return matrix if bfloat16 else scores_of(matrix, np.dtype(np.float32))
    small_integer = matrix.dtype.kind in "iu" and matrix.dtype.itemsize <= 4
    if not small_integer and (matrix.dtype.kind != "f" or matrix.dtype.itemsize > 8):
        raise DataError(
            f"The similarity holds {matrix.dtype}.",
            "Give float16, bfloat16, float32, float64 or integers of at most 32 bits.",
        )
    return matrix


def is_bfloat16(dtype: np.dtype) -> bool:
    """Whether it is bfloat16, which NumPy itself only knows as two bytes without a meaning (so files name it)."""
    return dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None


def compared_type(matrix: np.ndarray) -> np.dtype:
    """The type scores are compared in: exact for each stored type (16 bits in float32, integers in float64)."""
    small = matrix.dtype.kind == "f" and matrix.dtype.itemsize <= 4
    return np.dtype(np.float32 if small or is_bfloat16(matrix.dtype) else np.float64)


def scores_of(part: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """A part of a similarity as a C-contiguous array of that type; a view where it is one already."""
    if not is_bfloat16(part.dtype):
        return np.ascontiguousarray(part, dtype)
    bits = np.ascontiguousarray(part).view(np.uint16).astype(np.uint32)  # the upper half of a float32
    bits <<= 16
    return bits.view(np.float32).astype(dtype, copy=False)


def contiguous(part: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """As ``scores_of``, read-only."""
    block = scores_of(part, dtype).view(np.ndarray)
    block = block[:]
    block.flags.writeable = False
    return block


def row_ranges(n_rows: int, n_columns: int, items: int | None = None) -> list[tuple[int, int]]:
    """Ranges of rows of about ``items`` scores each; None = ``BLOCK_ITEMS``."""
    size = max(1, (items or BLOCK_ITEMS) // n_columns)
    return [(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]


def query_block(matrix: np.ndarray, direction: str, queries: np.ndarray) -> np.ndarray:
    """Scores of some queries [queries, items]: rows (t2v) or columns turned to rows (v2t) of the matrix."""
    consecutive = len(queries) > 0 and queries[-1] - queries[0] == len(queries) - 1
    chosen: Any = slice(queries[0], queries[-1] + 1) if consecutive else queries
    part = matrix[chosen] if direction == "t2v" else matrix[:, chosen].T
    return contiguous(part, compared_type(matrix))


def on_all_cores(work: Callable[[Block], Result], blocks: Iterable[Block], workers: int | None = None) -> list[Result]:
    """Results of ``work`` for all blocks, in their order; the work must free the interpreter's lock.

    The calling thread works too. Threads take block after block by themselves, and stay for the next call: to start
    one, or to hand it a task for each block, takes longer than many a block.

    Args:
        work: Done for every block; it may itself call this.
        blocks: The blocks.
        workers: Threads; None = one per core.
    """
    todo, threads = list(blocks), n_threads() if workers is None else workers
    results: list[Any] = [None] * len(todo)
    numbers, turn = iter(range(len(todo))), threading.Lock()

    def take() -> None:
        while True:
            with turn:
                number = next(numbers, None)
            if number is None:
                return
            try:
                results[number] = work(todo[number])
            except BaseException:
                with turn:
                    list(numbers)  # nobody begins another one
                raise

    helpers = min(threads, len(todo)) - 1
    asked = [_threads(threads - 1).submit(take) for _ in range(helpers)]
    try:
        take()
    finally:
        begun = [one for one in asked if not one.cancel()]  # who has not begun yet is not needed any more
        wait(begun)
    for one in begun:
        one.result()
    return results


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    """Threads that are kept for the next call."""
    return ThreadPoolExecutor(count, thread_name_prefix="blocks")
