"""Weighted sums of the scores of several modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.rescoring.protocol import ONE_WAY, Rescored, ScoringProtocol
from workbench.evaluation.rescoring.rank_fusion import check_weights
from workbench.evaluation.rescoring.walks import block_of, checked, gather, new_matrix, rewrite, same_shapes

SCALES = {name: name for name in ("none", "query")}


@dataclass(frozen=True)
class _Scale:
    """Mean and standard deviation of the scored entries of each query; of columns in one array, of rows per block."""

    direction: str
    mean: np.ndarray | None = None
    spread: np.ndarray | None = None

    def apply(self, block: np.ndarray) -> None:
        if self.direction == "t2v":
            mean, spread = _moments(*scored_sums(block, axis=1))
            block -= mean[:, None]
            block /= spread[:, None]
        elif self.mean is not None and self.spread is not None:
            block -= self.mean
            block /= self.spread


def fuse_scores(
    modalities: Mapping[str, Any],
    weights: Mapping[str, float] | Sequence[float],
    *,
    scale: str = "none",
    direction: str = "t2v",
    out: np.ndarray | None = None,
) -> Rescored:
    """The weighted sum of similarities of one shape.

    A pair that a modality of weight above 0 has not scored stays -inf. A modality of weight 0 is left out altogether.

    Args:
        modalities: Similarities [captions, videos] by name. Never changed.
        weights: One per modality, by name or in their order; at least 0, not all 0. Not brought to a sum of 1.
        scale: ``none``, or ``query``: each query's scores are first brought to mean 0 and standard deviation 1 over its
            own gallery, per modality; then the scores are meant for ``direction`` only. Neither sees other queries.
        direction: Whose gallery: ``t2v`` = the videos of a caption, ``v2t`` = the captions of a video.
        out: Where to write; None = a new array.

    Raises:
        DataError: No modality, other shapes, NaN, +inf, weights that do not fit.
        UnknownNameError: Unknown scale or direction.
    """
    chosen = Modalities.of(modalities, scale, direction)
    given = check_weights(weights, list(chosen.matrices))
    similarity = chosen.sum(given, new_matrix(out, *chosen.matrices.values()))
    parameters = {"weights": given, "scale": scale}
    return Rescored(
        similarity,
        ScoringProtocol("weighted sum", "nothing", "both" if scale == "none" else direction, parameters),
    )


@dataclass(frozen=True)
class Modalities:
    """Checked modalities and the scales of their queries."""

    matrices: Mapping[str, np.ndarray]
    scales: Mapping[str, _Scale]

    @classmethod
    def of(cls, modalities: Mapping[str, Any], scale: str, direction: str) -> Modalities:
        pick(SCALES, scale, "scale")
        pick(ONE_WAY, direction, "direction")
        matrices = {str(name): checked(matrix, str(name))[0] for name, matrix in modalities.items()}
        same_shapes(list(matrices.items()))
        scaled = matrices if scale == "query" else {}
        return cls(matrices, {name: _scale_of(matrix, direction) for name, matrix in scaled.items()})

    @property
    def shape(self) -> tuple[int, int]:
        """(captions, videos)."""
        rows, columns = next(iter(self.matrices.values())).shape
        return rows, columns

    def blocks(self, rows: tuple[int, int]) -> list[np.ndarray]:
        """Some rows of every modality, scaled; free to be written."""
        return [self._scaled(name, block_of(matrix, rows)) for name, matrix in self.matrices.items()]

    def _scaled(self, name: str, block: np.ndarray) -> np.ndarray:
        if name in self.scales:
            self.scales[name].apply(block)
        return block

    def sum(self, weights: Mapping[str, float | np.ndarray], out: np.ndarray) -> np.ndarray:
        """The weighted sum, written into ``out``; a weight is one number, or one above 0 for each row."""
        (first, matrix), *others = [(name, one) for name, one in self.matrices.items() if np.all(weights[name])]

        def part(name: str, block: np.ndarray, rows: tuple[int, int]) -> np.ndarray:
            weight = weights[name]
            self._scaled(name, block)
            block *= weight[slice(*rows), None] if isinstance(weight, np.ndarray) else weight
            return block

        def work(block: np.ndarray, rows: tuple[int, int]) -> None:
            part(first, block, rows)
            for name, other in others:
                block += part(name, block_of(other, rows), rows)

        return rewrite(matrix, out, work)


def _scale_of(matrix: np.ndarray, direction: str) -> _Scale:
    if direction == "t2v":
        return _Scale(direction)

    def work(ranges: list[tuple[int, int]]) -> np.ndarray:
        return np.add.reduce([np.array(scored_sums(block_of(matrix, rows), axis=0)) for rows in ranges])

    return _Scale(direction, *_moments(*np.add.reduce(gather(matrix, work))))


def scored_sums(block: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number, sum and sum of squares of the scored entries along an axis."""
    scored = block > -np.inf
    held = np.where(scored, block, 0.0)
    return scored.sum(axis=axis).astype(float), held.sum(axis=axis), np.square(held).sum(axis=axis)


def _moments(number: np.ndarray, total: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation; 1 for the latter where scores are equal up to rounding."""
    number = np.maximum(number, 1)
    mean = total / number
    variance = np.maximum(squares / number - mean**2, 0)
    return mean, np.where(variance > 1e-12 * np.maximum(squares / number, 1e-300), np.sqrt(variance), 1.0)


def check_two(modalities: Mapping[str, Any]) -> tuple[str, str]:
    """The names of two modalities.

    Raises:
        DataError: Not two.
    """
    names = tuple(map(str, modalities))
    if len(names) != 2:
        raise DataError(f"A sweep needs two modalities, there are {len(names)}: {', '.join(names)}.", "Choose two.")
    return names[0], names[1]
