"""Ids that others write, found among the ids of a corpus."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from workbench.core.errors import DataError


def positions_of(given: Sequence[str], known: Sequence[str], what: str) -> np.ndarray:
    """int64 [n]: position of each given id among the known ones.

    Ids may be full, or unique file names with or without extension.

    Args:
        given: Ids as found, in the order of their lines.
        known: Ids of the corpus.
        what: What they name, for the sentence: ``row``, ``column``, ``caption``, ``video``.

    Raises:
        DataError: An id is unknown; the sentence names it, its line and the nearest known one.
    """
    lookup: dict[str, int] = {}
    for key in (str, lambda v: PurePosixPath(v).name, lambda v: PurePosixPath(v).stem):
        keys = [key(value) for value in known]
        if len(set(keys)) == len(keys):
            lookup = {**{k: i for i, k in enumerate(keys)}, **lookup}
    positions = [lookup.get(value, -1) for value in given]
    if -1 in positions:
        line = positions.index(-1)
        near = difflib.get_close_matches(given[line], known, n=1, cutoff=0.3)
        hint = f"Did you mean {near[0]!r}?" if near else f"Ids look like {known[0]!r}."
        raise DataError(f"{what.capitalize()} id {given[line]!r} (line {line + 1}) is not in the corpus.", hint)
    return np.asarray(positions, np.int64)
