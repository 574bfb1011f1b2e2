"""A similarity matrix written as text: how long until it can be used, against NumPy, pandas and Arrow."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from benchmarks.report import Report
from workbench.core.seeds import generator
from workbench.pipelines.matrices import read_matrix

SIZE, ROUNDS, FLOOR = 2727, 5, 5.0
KINDS = {"shortest digits that give the float32 back": "%s", "numpy.savetxt as it comes (%.18e)": "%.18e"}


def by_arrow(path: Path) -> np.ndarray:
    """Arrow's reader on all cores, told that every column is float32."""
    names = list(map(str, range(SIZE)))
    types = pa_csv.ConvertOptions(column_types={name: pa.float32() for name in names})
    table = pa_csv.read_csv(path, read_options=pa_csv.ReadOptions(column_names=names), convert_options=types)
    return np.stack([column.to_numpy() for column in table.columns], axis=1)


READERS: dict[str, Callable[[Path], np.ndarray]] = {
    "numpy.loadtxt": lambda path: np.loadtxt(path, np.float32, delimiter=","),
    "pandas.read_csv": lambda path: pd.read_csv(path, header=None).to_numpy(np.float32),
    "pyarrow.csv": by_arrow,
    "read_matrix": lambda path: read_matrix(path).values,
}


def csv_reading(report: Report) -> None:
    """Read TextVR's 2,727 x 2,727 as csv; every reader must give the same float32."""
    matrix = generator(0, "bench, csv").normal(size=(SIZE, SIZE)).astype(np.float32)
    report.say(f"## A csv of {SIZE:,} x {SIZE:,}", "", f"Best of {ROUNDS}, after one call to warm up.")
    report.header("numbers are", "MB", *(f"{name}, s" for name in READERS), "loadtxt / read_matrix")
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, form in KINDS.items():
            path = Path(folder) / "matrix.csv"
            write(path, matrix, form)
            seconds = [best(read, path, matrix) for read in READERS.values()]
            ratios.append(seconds[0] / seconds[-1])
            size = f"{path.stat().st_size / 1e6:.0f}"
            report.row(kind, size, *(f"{one:.2f}" for one in seconds), f"{ratios[-1]:.1f}")
    report.floor(f"at least {FLOOR:g} times as fast as numpy.loadtxt", min(ratios) >= FLOOR)


def write(path: Path, matrix: np.ndarray, form: str) -> None:
    """Write all numbers in one form."""
    with open(path, "w", encoding="ascii") as stream:
        stream.writelines(",".join([form % value for value in row]) + "\n" for row in matrix)


def best(read: Callable[[Path], np.ndarray], path: Path, expected: np.ndarray) -> float:
    """Least seconds of several calls.

    Raises:
        ValueError: The reader gives other numbers.
    """
    if not np.array_equal(read(path), expected):
        raise ValueError("A reader gives other numbers.")
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        read(path)
        times.append(time.perf_counter() - start)
    return min(times)
