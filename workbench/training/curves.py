"""Curves of a training: ``history.parquet`` and ``trajectory.parquet`` of its run, and the trackers that follow them.

Both tables only ever grow, and a checkpoint says how long they were: a resume cuts them back to that.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from workbench.core.files import read_table, write_table
from workbench.training.trackers import Tracker

HISTORY = ["step", "epoch", "name", "value"]
TRAJECTORY = ["step", "direction", "id", "n_above", "n_tied", "n_tied_right"]
WRITE_SECONDS = 5.0
"""Between looks the history is written this often, for those who watch."""
TIMED = ("elapsed", "samples/s", "data wait", "GPU memory", "seconds")
"""Names of the history that say how this machine fared; everything else is the same after any resume."""


class Curves:
    """The rows of a training so far.

    Args:
        folder: The run's folder.
        trackers: Who else follows.
    """

    def __init__(self, folder: Path, trackers: Sequence[Tracker] = ()) -> None:
        self.folder, self.trackers = folder, list(trackers)
        self._rows: list[tuple[int, int, str, float]] = []
        self._ranks: list[pd.DataFrame] = []
        self._wrote_at = 0.0
        self._written: dict[str, int] = {}
        self._closed = False

    def add(self, step: int, epoch: int, values: Mapping[str, float | None]) -> None:
        """Add numbers of one step by name; None is left out."""
        for name, value in values.items():
            if value is not None:
                self._rows.append((step, epoch, name, float(value)))
                for tracker in self.trackers:
                    tracker.log(name, float(value), step)

    def add_ranks(self, step: int, ranks: pd.DataFrame) -> None:
        """Add the counts per query of one look: direction, id, n_above, n_tied, n_tied_right."""
        self._ranks.append(ranks.assign(step=step)[TRAJECTORY])

    def write(self, *, due: bool = True) -> None:
        """Write what is new of both tables; where it is not due, only after ``WRITE_SECONDS``."""
        now, lengths = time.monotonic(), self.lengths()
        if not due and self._written and now - self._wrote_at < WRITE_SECONDS:
            return
        if lengths["history"] > self._written.get("history", 0):
            write_table(self.folder / "history.parquet", pd.DataFrame(self._rows, columns=HISTORY))
        if lengths["trajectory"] > self._written.get("trajectory", 0):
            write_table(self.folder / "trajectory.parquet", pd.concat(self._ranks, ignore_index=True))
        self._wrote_at, self._written = now, lengths

    def lengths(self) -> dict[str, int]:
        """How many rows both tables have."""
        return {"history": len(self._rows), "trajectory": sum(map(len, self._ranks))}

    def go_on(self, lengths: Mapping[str, int]) -> None:
        """Take back the first rows of both tables, as many as there were at a checkpoint.

        Raises:
            DataError: A table is absent or damaged.
        """
        history = read_table(self.folder / "history.parquet")[: lengths["history"]]
        self._rows = list(history[HISTORY].itertuples(index=False, name=None))
        if lengths["trajectory"]:
            self._ranks = [read_table(self.folder / "trajectory.parquet")[: lengths["trajectory"]]]

    def last(self, name: str) -> float | None:
        """The newest value of that name."""
        return next((value for _, _, known, value in reversed(self._rows) if known == name), None)

    def close(self) -> None:
        """Write everything; trackers get nothing more. A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        self.write()
        for tracker in self.trackers:
            tracker.close()
