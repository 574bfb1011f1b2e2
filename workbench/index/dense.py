"""Exact nearest neighbours of vectors: faiss, flat, inner product of unit vectors; saved as a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from workbench.core.errors import DataError
from workbench.core.files import read_json, write_json
from workbench.core.optional import need


class DenseIndex:
    """Cosine similarity over vectors, exact.

    Source: Johnson, Douze & Jégou, Billion-scale similarity search with GPUs, 2017 (``IndexFlatIP``).

    Args:
        vectors: Float [items, dimensions]; scaled to length 1 here.
        ids: Their ids, in the same order.

    Raises:
        DataError: Wrong shapes, NaN, or a vector of length 0.
        MissingExtraError: faiss is not installed.
    """

    kind = "dense"

    def __init__(self, vectors: np.ndarray, ids: Sequence[str]) -> None:
        vectors = np.asarray(vectors, np.float32)
        if vectors.ndim != 2 or len(vectors) != len(ids) or not len(ids):
            raise DataError(f"Vectors {vectors.shape} for {len(ids)} ids.", "Give one vector per id, at least one.")
        self._fill(unit(vectors), ids)

    def _fill(self, vectors: np.ndarray, ids: Sequence[str]) -> None:
        self.ids, self._vectors = list(ids), vectors
        self._index = need("faiss", "A dense index").IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)

    def search(self, vector: np.ndarray, k: int = 10) -> list[tuple[str, float]]:
        """Ids and cosines of the nearest items, nearest first.

        Raises:
            DataError: A vector of another length.
        """
        query = np.asarray(vector, np.float32).reshape(1, -1)
        if query.shape[1] != self._index.d:
            raise DataError(
                f"The query has {query.shape[1]} dimensions, the index {self._index.d}.", "Use the same encoder."
            )
        cosines, rows = self._index.search(unit(query), min(k, len(self.ids)))
        return [(self.ids[row], float(cosine)) for row, cosine in zip(rows[0], cosines[0], strict=True)]

    def save(self, folder: Path) -> None:
        """Write the vectors into an existing folder."""
        np.save(folder / "vectors.npy", self._vectors)
        write_json(folder / "dense.json", {"ids": self.ids})

    @classmethod
    def load(cls, folder: Path) -> DenseIndex:
        """Read what ``save`` wrote."""
        index = cls.__new__(cls)  # the vectors have length 1 already; scaling again would change their last bits
        vectors = np.load(folder / "vectors.npy", allow_pickle=False)
        index._fill(vectors, read_json(folder / "dense.json", "a dense index")["ids"])
        return index


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1, float32.

    Raises:
        DataError: NaN, infinity, or a row of length 0.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths == 0).any():
        row = int(np.flatnonzero(~np.isfinite(lengths[:, 0]) | (lengths[:, 0] == 0))[0])
        raise DataError(f"Vector {row} is zero or not finite.", "Leave it out, or encode it again.")
    return np.ascontiguousarray(vectors / lengths, np.float32)
