"""Named orders of a corpus as permutations, with the conversion of a matrix both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.corpus import Corpus


@dataclass(frozen=True)
class NamedOrder:
    """One order in which matrices of a split are found.

    Attributes:
        name: For example ``scrambled``.
        rows: int64 [captions]: where each caption of the corpus stands in that order.
        columns: int64 [videos]: where each video of the corpus stands in that order.
    """

    name: str
    rows: np.ndarray
    columns: np.ndarray

    @property
    def moved(self) -> tuple[int, int]:
        """How many captions and how many videos stand elsewhere than in the corpus."""
        return tuple(int((axis != np.arange(len(axis))).sum()) for axis in (self.rows, self.columns))  # type: ignore[return-value]  # two axes

    def to_corpus(self, similarity: Any) -> np.ndarray:
        """A matrix in this order brought into the corpus' order: ``S[rows][:, columns]``."""
        return self._checked(similarity)[self.rows][:, self.columns]

    def from_corpus(self, similarity: Any) -> np.ndarray:
        """A matrix in the corpus' order brought into this order; undoes ``to_corpus``."""
        return self._checked(similarity)[np.argsort(self.rows)][:, np.argsort(self.columns)]

    def _checked(self, similarity: Any) -> np.ndarray:
        matrix = np.asarray(similarity)
        expected = (len(self.rows), len(self.columns))
        if matrix.shape != expected:
            raise DataError(
                f"The matrix is {matrix.shape}, the order {self.name!r} is of {expected}.", "Check the split."
            )
        return matrix


def named_orders(corpus: Corpus) -> list[NamedOrder]:
    """The orders of a split that differ from its own: of the videos alone, then of captions and videos together."""
    own_rows, own_columns = corpus.captions["caption_id"].to_list(), corpus.videos["video_id"].to_list()
    of_captions, same = corpus.orders("captions"), np.arange(len(own_rows))
    found = []
    for name, ids in corpus.orders("videos").items():
        columns = _positions(ids, own_columns)
        rows = _positions(of_captions.get(name, own_rows), own_rows)
        if columns is None or rows is None:
            continue
        found.append(NamedOrder(name, same, columns))
        if (rows != same).any():
            found.append(NamedOrder(f"{name} (captions and videos)", rows, columns))
    return [one for one in found if any(one.moved)]


def _positions(order: list[str], own: list[str]) -> np.ndarray | None:
    """Where each own id stands in an order; None where the order is of other ids."""
    place = {one: at for at, one in enumerate(order)}
    if len(place) != len(own) or any(one not in place for one in own):
        return None
    return np.asarray([place[one] for one in own], np.int64)
