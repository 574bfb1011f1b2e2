"""Whether the matrix of a run is still the one that its ranks were counted in."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workbench.core.errors import DataError
from workbench.evaluation.ranks.bounds import rank_bounds
from workbench.evaluation.runs.run import Run

N_ROWS = 64
"""Captions whose ranks are counted again."""


def ranks_outdated(run: Run) -> bool:
    """Whether ``similarity.npy`` was written after ``per_query.parquet`` and gives other ranks.

    Ranks of ``N_ROWS`` captions, spread over the matrix, are counted again; a copied folder, whose files are new in any
    order, gives the old ones. A run without a matrix cannot be outdated.

    Args:
        run: A finished run.
    """
    matrix, counted = run.path / "similarity.npy", run.path / "per_query.parquet"
    if not matrix.exists() or _written(matrix) <= _written(counted):
        return False
    table, similarity = run.per("t2v"), run.similarity
    if similarity is None or len(table) != len(similarity):
        return True
    rows = np.unique(np.linspace(0, len(table) - 1, N_ROWS).astype(int))
    rows = rows[np.diff(run.relevance_matrix.indptr)[rows] > 0]
    try:
        now = rank_bounds(similarity[rows], run.relevance_matrix[rows])
    except DataError:  # other videos, or no numbers
        return True
    columns = ("n_above", "n_tied", "n_tied_right")
    return any((getattr(now, name) != table[name].to_numpy()[rows]).any() for name in columns)


def _written(path: Path) -> int:
    """When a file was written or put where it is, in nanoseconds."""
    found = path.stat()
    return max(found.st_mtime_ns, found.st_ctime_ns)
