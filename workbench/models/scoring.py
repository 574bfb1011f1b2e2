"""Score captions against a gallery tile by tile, into a matrix or into counts that need none.

Tiles hold a fixed number of captions in a fixed order, so that a score has the same bits whoever asks for it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np
import scipy.sparse as sp

from workbench.core.optional import need
from workbench.evaluation.metrics.retrieval import RetrievalMetrics
from workbench.evaluation.ranks.passes import rows_of_groups
from workbench.evaluation.ranks.relevance import check_relevance
from workbench.evaluation.ranks.streaming import stream_metrics
from workbench.models.device_counter import DeviceCounter
from workbench.models.registry import FusesParts, RetrievalModel, ScoresOnDevice, fused

CAPTIONS_PER_TILE = 256
TILES_KEPT = 3  # a block may begin in the tile where the last one ended, and threads may ask out of turn


class Tiles:
    """Scores of any captions, out of tiles that are always computed in the same company.

    Attributes:
        relevance: Sparse grades [captions, videos].
    """

    def __init__(
        self,
        model: RetrievalModel,
        captions: Sequence[str],
        looks: Sequence[Any],
        relevance: sp.csr_array,
        absent: Sequence[int] = (),
    ) -> None:
        """Nothing is scored yet.

        Args:
            model: The model.
            captions: Texts of the rows.
            looks: The gallery as the model encoded it; several where it was looked at several times. The similarities
                of all looks are averaged, part by part. (Frozen in Time averages the embeddings instead, which only
                models of one vector per video have; the cosine with their mean is the same up to its length.)
            relevance: Sparse grades [captions, videos], > 0 is right: captions of one video share a tile.
            absent: Columns that are not scored: -inf.
        """
        self.relevance = relevance
        self._model, self._captions, self._looks = model, captions, looks
        self._absent = np.asarray(absent, np.int64)
        pairs = check_relevance(relevance, relevance.shape)
        grouped = pairs.level("auto") == "video"
        self._order = rows_of_groups(pairs)[0] if grouped else np.arange(len(captions))
        self._place = np.argsort(self._order)
        self._kept: OrderedDict[int, Any] = OrderedDict()
        self._turn = threading.Lock()

    @property
    def blocks(self) -> list[np.ndarray]:
        """Captions of each tile; asked for together, a tile's are computed once."""
        return [self._order[at : at + CAPTIONS_PER_TILE] for at in range(0, len(self._order), CAPTIONS_PER_TILE)]

    def matrix(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The whole similarity, float32 [captions, videos], and its parts by modality."""
        similarity = np.empty(self.relevance.shape, np.float32)
        parts: dict[str, np.ndarray] = {}
        for rows, scores, of_tile in self._with_parts():
            similarity[rows] = scores
            for name, part in of_tile.items():
                parts.setdefault(name, np.empty_like(similarity))[rows] = part
        return similarity, parts

    def metrics(self) -> dict[str, RetrievalMetrics]:
        """Metrics of both directions, equal to those of ``matrix``, which is never held; on a GPU counted there."""
        counter = DeviceCounter(self._model.device) if _on_gpu(self._model) else None
        return stream_metrics(self.rows, self.relevance.shape, self.relevance, counter=counter)

    def rows(self, rows: slice | np.ndarray) -> Any:
        """Scores [rows, videos] of some captions, where the model computes; may be called from several threads."""
        numbers = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
        tile, place = np.divmod(self._place[numbers], CAPTIONS_PER_TILE)
        with self._turn:
            found = [self._tile(one)[place[tile == one]] for one in np.unique(tile)]
        return _joined(found)[np.argsort(np.argsort(tile, kind="stable"))]

    def _with_parts(self) -> Iterator[tuple[np.ndarray, np.ndarray, Mapping[str, np.ndarray]]]:
        for rows in self.blocks:
            yield rows, *self._numbers([self._captions[row] for row in rows])

    def _tile(self, number: int) -> Any:
        """A tile, computed unless it was asked for a moment ago."""
        if number not in self._kept:
            first = number * CAPTIONS_PER_TILE
            captions = [self._captions[row] for row in self._order[first : first + CAPTIONS_PER_TILE]]
            self._kept[number] = self._scored(captions)
            if len(self._kept) > TILES_KEPT:
                self._kept.popitem(last=False)
        return self._kept[number]

    def _numbers(self, captions: Sequence[str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """A tile as an array, and its parts by modality."""
        model = self._model
        each = [model.parts(captions, encoded) for encoded in self._looks]
        parts = {name: _mean([one[name] for one in each]) for name in each[0]}
        if parts and isinstance(model, FusesParts):
            scores = model.fuse(parts)
        elif parts:
            scores = _mean([fused(model, one) for one in each])
        else:
            scores = _mean([np.array(model.similarity(captions, encoded), np.float32) for encoded in self._looks])
        for matrix in (scores, *parts.values()):
            matrix[:, self._absent] = -np.inf
        return scores, parts

    def _scored(self, captions: Sequence[str]) -> Any:
        """A tile where the model computes: a tensor on a GPU, else an array."""
        model = self._model
        if not _on_gpu(model):
            return self._numbers(captions)[0]
        torch = need("torch", "Scoring on a GPU")
        scores = _mean([model.device_similarity(captions, encoded) for encoded in self._looks])
        return scores.index_fill(1, torch.as_tensor(self._absent, device=scores.device), float("-inf"))


def _on_gpu(model: RetrievalModel) -> TypeGuard[ScoresOnDevice]:
    return isinstance(model, ScoresOnDevice) and model.device.type != "cpu"


def _joined(blocks: Sequence[Any]) -> Any:
    if len(blocks) == 1 or isinstance(blocks[0], np.ndarray):
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    return need("torch", "Scoring on a GPU").cat(list(blocks))


def _mean(looks: Sequence[Any]) -> Any:
    """The mean of some tiles; one is itself."""
    return looks[0] if len(looks) == 1 else sum(looks[1:], looks[0]) / len(looks)
