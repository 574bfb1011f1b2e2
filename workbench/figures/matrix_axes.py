"""Orders of the rows and columns of a matrix, and what is drawn over it: borders of domains, sources, right pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis.structure.hubness import hubness
from workbench.core.lookup import pick
from workbench.corpus import domain_label
from workbench.evaluation.runs.run import Run

ORDERS = {"domain": "domain, then source", "hubness": "hubs first", "stored": "as stored"}
MOST_DOMAINS = 200
MOST_PAIRS = 400_000


@dataclass(frozen=True)
class Axes:
    """Rows and columns of a picture.

    Attributes:
        run: Whose captions and videos they are.
        rows: int64: positions in ``run.queries``.
        columns: int64: positions in ``run.gallery``.
    """

    run: Run
    rows: np.ndarray
    columns: np.ndarray

    @cached_property
    def right(self) -> Any:
        """int8 grades [rows, columns] as a sparse matrix; > 0 is right."""
        return self.run.relevance_matrix[self.rows][:, self.columns]

    @cached_property
    def owner(self) -> np.ndarray:
        """int64 [rows]: the first column that is right for each row; -1 = none here."""
        return _first_right(self.right, -1)

    @cached_property
    def domains(self) -> list[dict[str, Any]]:
        """Where domains start and end: domain, label, columns, rows; none where one does not stand together."""
        labels = self.run.gallery["domain"].to_numpy(dtype=object)[self.columns]
        starts, names = _stretches(labels)
        rows = self._row_edges(starts)
        if rows is None or len(set(names)) < len(names) or len(names) > MOST_DOMAINS:
            return []
        edges = [*starts, len(labels)]
        return [
            {"domain": str(name), "label": domain_label(str(name)),
             "columns": [int(edges[at]), int(edges[at + 1])], "rows": [int(rows[at]), int(rows[at + 1])]}
            for at, name in enumerate(names) if pd.notna(name)
        ]  # fmt: skip

    def marks(self) -> dict[str, list[int]]:
        """What the browser draws when it is close: row, column of the right pairs in turn; where sources start.

        ``pairs`` is empty above ``MOST_PAIRS``, the edges where sources do not stand together or are not stated.
        """
        rows, columns = self.right.nonzero()
        pairs = np.stack([rows, columns], 1)[np.lexsort((columns, rows))] if len(rows) <= MOST_PAIRS else rows[:0]
        sources = self.run.gallery["source_id"].to_numpy(dtype=object)[self.columns]
        starts, names = _stretches(sources)
        together = pd.notna(sources).all() and len(set(names)) == len(names) < len(sources)
        edges = self._row_edges(starts) if together else None
        return {
            "pairs": pairs.ravel().tolist(),
            "columns": starts.tolist() if edges is not None else [],
            "rows": edges[:-1].tolist() if edges is not None else [],
        }

    def _row_edges(self, starts: np.ndarray) -> np.ndarray | None:
        """Rows at which the stretches of columns start, and the last one's end; None where rows do not follow them."""
        own = self.owner[self.owner >= 0]
        if (np.diff(own) < 0).any() or (self.owner[: len(own)] < 0).any():
            return None
        return np.append(np.searchsorted(own, starts), len(own))


def ordered(run: Run, rows: np.ndarray, columns: np.ndarray, order: str) -> Axes:
    """The axes of a picture: columns in an order, captions in the order of their right videos.

    Args:
        run: A run.
        rows: int64: its captions that are shown, in stored order.
        columns: int64: its videos that are shown, in stored order.
        order: One of ``ORDERS``; hubs are counted in the first 10 of all queries; captions without a right video last.

    Raises:
        UnknownNameError: Another order.
    """
    pick(ORDERS, order, "order")
    if order == "stored":
        return Axes(run, rows, columns)
    columns = columns[ARRANGED[order](run, columns)]
    right = run.relevance_matrix[rows][:, columns]
    return Axes(run, rows[np.argsort(_first_right(right, len(columns)), kind="stable")], columns)


def _by_domain(run: Run, columns: np.ndarray) -> np.ndarray:
    gallery = run.gallery[["domain", "source_id"]].iloc[columns].fillna("").reset_index(drop=True)
    return gallery.sort_values(["domain", "source_id"], kind="stable").index.to_numpy()


def _by_hubness(run: Run, columns: np.ndarray) -> np.ndarray:
    return np.argsort(-hubness(run, k=10).counts[columns], kind="stable")


ARRANGED: dict[str, Callable[[Run, np.ndarray], np.ndarray]] = {"domain": _by_domain, "hubness": _by_hubness}


def _first_right(right: Any, otherwise: int) -> np.ndarray:
    """int64 [rows]: lowest right column of each row of a sparse matrix."""
    rows, columns = right.nonzero()
    first = np.full(right.shape[0], right.shape[1], np.int64)
    np.minimum.at(first, rows, columns)
    return np.where(first == right.shape[1], otherwise, first)


def _stretches(labels: np.ndarray) -> tuple[np.ndarray, list[Any]]:
    """Starts of the stretches of equal labels, and the labels; missing ones are equal."""
    named = np.asarray(["" if pd.isna(label) else label for label in labels], object)
    starts = np.flatnonzero(np.append(True, named[1:] != named[:-1]))
    return starts, [None if pd.isna(labels[at]) else labels[at] for at in starts]
