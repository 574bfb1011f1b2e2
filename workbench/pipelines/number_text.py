"""Matrices written as text, read at the speed of memory: one compiled pass over the bytes, on all cores.

Every number is the float32 that ``numpy.float32(float(cell))`` gives. Digits are summed as a whole number and scaled
once in float64, which is off by less than two units in its last place; a cell whose result lies closer than four to
the border between two float32 numbers, or that is written in an unusual way, is left to ``float``.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from workbench.core.errors import DataError
from workbench.evaluation.ranks.blocks import n_threads, on_all_cores
from workbench.pipelines.number_kernel import FULL, LINE, RAGGED, count_lines, parse_rows

BOM = b"\xef\xbb\xbf"
ODD_AT_ONCE = 1 << 14  # cells left to float() before the compiled pass goes on


@dataclass(frozen=True)
class TextMatrix:
    """A matrix as text states it: float32 [rows, columns], and the ids beside and above it or None."""

    values: np.ndarray
    row_ids: list[str] | None
    column_ids: list[str] | None


def read_number_text(path: Path) -> TextMatrix:
    """Read a csv or tsv of numbers, also ``.gz``, with or without a header of ids and a first column of ids.

    Raises:
        DataError: Not UTF-8, empty, lines of different length, or a cell that is no number; the sentence names line
            and column.
    """
    name = path.name.lower()
    separator = "\t" if ".tsv" in name else ","
    if name.endswith(".gz"):
        with gzip.open(path) as stream:
            content = np.frombuffer(stream.read(), np.uint8)
    else:
        content = np.memmap(path, np.uint8, "r").view(np.ndarray) if path.stat().st_size else np.zeros(0, np.uint8)
    start = len(BOM) if bytes(content[:3]) == BOM else 0
    heads = list(_first_lines(content, start, path))
    if not heads:
        raise DataError(f"{path} is empty.", "Save the matrix again.")
    cells = [next(csv.reader([text], delimiter=separator)) for text, _ in heads]
    corner = len(cells[0]) > 1 and not cells[0][0].strip()  # the empty cell over a column of ids
    has_header = corner or not all(map(_is_number, cells[0][1:] or cells[0]))
    ids_first = corner or not _is_number(cells[-1][0])
    body = _Body(content, path, separator, ids_first, len(cells[-1 if has_header else 0]) - ids_first)
    values, row_ids = body.read(heads[0][1] if has_header else start)
    if not len(values):
        raise DataError(f"{path} has no line of numbers.", "Save the matrix again.")
    header = [cell.strip() for cell in cells[0]]
    return TextMatrix(values, row_ids, header[len(header) - values.shape[1] :] if has_header else None)


def _first_lines(content: np.ndarray, start: int, path: Path) -> Iterator[tuple[str, int]]:
    """The first two lines that are not blank, each with the position after it."""
    stream = io.BytesIO(content[start : start + (1 << 26)].tobytes())
    position, found = start, 0
    for line in stream:
        position += len(line)
        if line.strip():
            yield _text(line, path).rstrip("\r\n"), position
            found += 1
        if found == 2:
            return


def _text(part: bytes, path: Path) -> str:
    try:
        return part.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text.", "Save it as UTF-8, or as .npy.") from error


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class _Body:
    """The lines of numbers of one file."""

    content: np.ndarray
    path: Path
    separator: str
    ids_first: bool
    n_columns: int

    def read(self, start: int) -> tuple[np.ndarray, list[str] | None]:
        """Values [lines, columns], and the ids at the beginning of the lines."""
        pieces = self._pieces(start)
        sizes = on_all_cores(lambda piece: count_lines(self.content[slice(*piece)]), pieces)
        first = [0, *accumulate(sizes)]
        values = np.empty((first[-1] + 1, self.n_columns), np.float32)  # the last line may have no line end
        work = [(*piece, values[at:]) for piece, at in zip(pieces, first, strict=False)]
        parts = on_all_cores(self._part, work)
        full = all(len(part) == size for (part, _), size in zip(parts[:-1], sizes, strict=False))
        n_rows = sum(len(part) for part, _ in parts)
        read = values[:n_rows] if full else np.concatenate([part for part, _ in parts])
        return read, [one for _, ids in parts for one in ids] if self.ids_first else None

    def _pieces(self, start: int) -> list[tuple[int, int]]:
        """Ranges of bytes that end behind a line, about two for each core."""
        stop = len(self.content)
        size = max(1 << 16, (stop - start) // (2 * n_threads()) + 1)
        pieces = []
        while start < stop:
            end = min(start + size, stop)
            while end < stop and self.content[end - 1] != LINE:
                ends = np.flatnonzero(self.content[end : end + (1 << 16)] == LINE)
                end = end + int(ends[0]) + 1 if len(ends) else min(end + (1 << 16), stop)
            pieces.append((start, end))
            start = end
        return pieces

    def _part(self, piece: tuple[int, int, np.ndarray]) -> tuple[np.ndarray, list[str]]:
        """Read one piece into the rows given; returns those that were filled, and their ids."""
        start, stop, values = piece
        text = self.content[start:stop]
        if text[-1] != LINE:
            text = np.append(text, np.uint8(LINE))
        ids = np.empty((len(values) if self.ids_first else 0, 2), np.int64)
        odd = np.empty((ODD_AT_ONCE + self.n_columns, 4), np.int64)
        row, position, state = 0, 0, FULL
        while state == FULL:
            row, position, n_odd, state = parse_rows(
                text, position, ord(self.separator), self.ids_first, row, values, ids, odd, ODD_AT_ONCE
            )
            for at, column, first, last in odd[:n_odd].tolist():
                values[at, column] = self._odd(bytes(text[first:last]), column, start + first)
        if state == RAGGED:
            raise DataError(
                f"{self.path} is not a table: line {self._line(start + position)} has not "
                f"{self.n_columns + self.ids_first} values.",
                "Every line needs the same number of values.",
            )
        return values[:row], [self._id(bytes(text[first:last])) for first, last in ids[:row].tolist()]

    def _line(self, position: int) -> int:
        """Number of the line that holds a byte, from 1."""
        return int(np.count_nonzero(self.content[:position] == LINE)) + 1

    def _id(self, cell: bytes) -> str:
        text = _text(cell, self.path).strip()
        return text[1:-1].replace('""', '"') if text.startswith('"') and text.endswith('"') else text

    def _odd(self, cell: bytes, column: int, position: int) -> float:
        text = _text(cell, self.path).strip().strip('"')
        if "_" not in text and _is_number(text):
            return float(text)
        raise DataError(
            f"{self.path} holds something that is not a number: line {self._line(position)}, column "
            f"{column + 1 + self.ids_first}, {text[:40]!r}.",
            "Keep scores only.",
        )
