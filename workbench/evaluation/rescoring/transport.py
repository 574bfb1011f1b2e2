"""Sinkhorn: the soft assignment that gives every caption and every video the same weight (Cuturi, "Sinkhorn Distances",
NeurIPS 2013).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.evaluation.rescoring.protocol import Rescored, ScoringProtocol, one_to_one_warnings
from workbench.evaluation.rescoring.softmax import choose_temperature, flat_warnings
from workbench.evaluation.rescoring.walks import (
    Bounds,
    block_of,
    checked,
    gather,
    new_matrix,
    rewrite,
    row_log_sums,
)


def sinkhorn(
    similarity: Any,
    relevance: Any = None,
    *,
    temperature: float | None = None,
    iterations: int = 50,
    tolerance: float = 0.01,
    out: np.ndarray | None = None,
) -> Rescored:
    """Scale exp(S / T) until all captions have the same sum and all videos have the same sum; T times its logarithm.

    ``S_ij - T f_i - T g_j``: f is one number for all videos of a caption and g one for all captions of a video, so one
    matrix serves both directions. It has seen all test queries and has the prior of dual softmax.

    Args:
        similarity: [captions, videos]; -inf = not scored. Never changed.
        relevance: Grades, to check the prior; None = judge by the shape.
        temperature: As for ``dual_softmax``.
        iterations: At most so many passes over the scores.
        tolerance: Done once no video's sum is further than this share from what it should be.
        out: Where to write; None = a new array.

    Raises:
        DataError: NaN, +inf, parameters that make no sense, or a temperature so low that a video gets no weight.
    """
    if iterations < 1 or not tolerance > 0:
        raise DataError(f"{iterations} iterations, tolerance {tolerance}.", "Use at least 1 and a tolerance above 0.")
    matrix, bounds = checked(similarity)
    chosen, why = choose_temperature(temperature, bounds)
    target = new_matrix(out, matrix)
    weights, done, gap = _balance(matrix, bounds, 1.0 / chosen, iterations, tolerance)
    n_captions = int(np.isfinite(bounds.rows).sum())

    def work(block: np.ndarray, _: tuple[int, int]) -> None:
        block /= chosen
        block -= weights
        block -= (row_log_sums(block, block.max(axis=1)) + np.log(n_captions))[:, None]
        block *= chosen

    rewrite(matrix, target, work)
    warnings = [
        *one_to_one_warnings(relevance, (matrix.shape[0], matrix.shape[1]), "Sinkhorn"),
        *flat_warnings(chosen, bounds),
    ]
    if gap > tolerance:
        warnings.append(f"It has not settled after {done} passes: sums of videos are off by up to {100 * gap:.1f} %.")
    parameters = {"temperature": chosen, "temperature_from": why, "passes": done, "off_by": gap, "tolerance": tolerance}
    return Rescored(target, ScoringProtocol("Sinkhorn", "test queries", "both", parameters, tuple(warnings)))


def _balance(
    matrix: np.ndarray, bounds: Bounds, factor: float, iterations: int, tolerance: float
) -> tuple[np.ndarray, int, float]:
    """Logarithmic weights of the videos, passes made, and by what share the sums of videos were off before the last.

    One pass: every caption's weights are set from the videos', then the videos' sums are read off. It begins with every
    video's best score, so that each has a caption it gets weight from.
    """
    scored = np.isfinite(bounds.columns)
    weights = np.where(scored, factor * np.where(scored, bounds.columns, 0.0), 0.0)
    n_captions, n_videos = int(np.isfinite(bounds.rows).sum()), int(scored.sum())
    gap, done = np.inf, 0
    while done < iterations and gap > tolerance:
        sums = _column_shares(matrix, factor, weights)[scored] * (n_videos / n_captions)
        if not sums.all():
            raise DataError(
                f"At temperature {1 / factor:g} {int((sums == 0).sum())} videos get no weight at all.",
                "Raise the temperature.",
            )
        gap = float(np.abs(sums - 1).max())
        done += 1
        if gap > tolerance:
            weights[scored] += np.log(sums)
    return weights, done, gap


def _column_shares(matrix: np.ndarray, factor: float, weights: np.ndarray) -> np.ndarray:
    """float64 [columns]: sum over rows of the softmax of a row of ``factor * score - weight``."""

    def work(ranges: list[tuple[int, int]]) -> np.ndarray:
        total = np.zeros(matrix.shape[1])
        for rows in ranges:
            block = block_of(matrix, rows)
            block *= factor
            block -= weights
            highest = block.max(axis=1)
            some = np.isfinite(highest)
            block -= np.where(some, highest, 0.0)[:, None]
            np.exp(block, out=block)
            sums = block.sum(axis=1)
            block *= (some / np.where(some, sums, 1.0))[:, None]
            total += block.sum(axis=0)
        return total

    return np.add.reduce(gather(matrix, work))
