"""Captions and videos that runs share, by their ids, and scores on a scale on which runs compare."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numba import njit

from workbench.core.errors import StateError
from workbench.evaluation.runs.run import Run


def shared_axes(runs: Sequence[Run]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Where the captions and videos that all runs hold stand in each of them.

    Args:
        runs: Runs on one split of one corpus.

    Returns:
        For every run int64 rows and columns; the same place is the same caption or video in all of them, in the order
        of the first run.

    Raises:
        StateError: Totals only, another corpus or split, or nothing is shared.
    """
    for run in runs:
        if run.totals_only:
            raise StateError(f"Run {run.name} holds totals only: its rows are unknown.", "Import it with --row-ids.")
        if (run.fingerprint, run.split) != (runs[0].fingerprint, runs[0].split):
            raise StateError(f"{runs[0].name} and {run.name} have other captions.", "Compare runs of one split.")
    found = [
        _places([pd.Index(table[column].to_numpy(dtype=object)) for table in tables])
        for column, tables in (
            ("caption_id", [run.queries for run in runs]),
            ("video_id", [run.gallery for run in runs]),
        )
    ]
    if min(len(places[0]) for places in found) == 0:
        names = " and ".join(run.name for run in runs)
        raise StateError(f"{names} share no pair of caption and video.", "Compare runs of one split.")
    return list(zip(*found, strict=True))


def _places(ids: Sequence[pd.Index]) -> list[np.ndarray]:
    """Positions of the shared ids in each index, in the order of the first."""
    found = [np.arange(len(ids[0])) if one is ids[0] else one.get_indexer(ids[0]) for one in ids]
    shared = np.logical_and.reduce([places >= 0 for places in found])
    return [places[shared].astype(np.int64) for places in found]


@njit(cache=True, nogil=True, fastmath={"reassoc", "nsz", "contract"})
def row_scale(row, columns):
    """Mean and standard deviation of the finite scores of a row, over some columns.

    Args:
        row: float32 [videos].
        columns: int64, those that count, each once.

    Returns:
        (mean, deviation), float32; the deviation is 1 where all scores are equal, the mean is nan where none is finite.
    """
    total, squares, number = 0.0, 0.0, 0
    # where all columns count, their order does not matter and they are read as they lie
    for value in row if len(columns) == len(row) else row[columns]:
        known = abs(value) < np.inf
        score = np.float64(value) if known else 0.0
        total += score
        squares += score * score
        number += 1 if known else 0
    mean = total / number if number else np.nan
    spread = np.sqrt(max(0.0, squares / number - mean * mean)) if number else 0.0
    return np.float32(mean), np.float32(spread if spread > 1e-6 * abs(mean) and spread > 0 else 1.0)
