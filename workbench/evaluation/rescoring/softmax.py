"""Dual softmax (Cheng et al., "Improving Video-Text Retrieval by Multi-Stream Corpus Alignment and Dual Softmax Loss",
arXiv 2109.04290): a score counts for more where its video prefers this caption, and the reverse.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.rescoring.protocol import DIRECTIONS, Rescored, ScoringProtocol, one_to_one_warnings
from workbench.evaluation.rescoring.walks import (
    Bounds,
    checked,
    column_log_sums,
    new_matrix,
    rewrite,
    row_log_sums,
)

COSINE_TEMPERATURE = 0.01  # CLIP's logit scale of 100
FLAT = 1.0  # scores that spread over less than so many temperatures make a flat softmax


def choose_temperature(temperature: float | None, bounds: Bounds) -> tuple[float, str]:
    """The temperature and where it comes from: given, or 0.01 for cosines, or 1 for logits.

    Raises:
        DataError: Not above 0, or not finite.
    """
    if temperature is None:
        if max(abs(bounds.low), abs(bounds.high)) <= 1.0 + 1e-3:
            return COSINE_TEMPERATURE, "chosen: scores lie in -1..1, taken for cosines"
        return 1.0, "chosen: scores leave -1..1, taken for logits"
    if not (np.isfinite(temperature) and temperature > 0):
        raise DataError(f"The temperature is {temperature}; it must be above 0.", "Use 0.01 for cosines, 1 for logits.")
    return float(temperature), "given"


def flat_warnings(temperature: float, bounds: Bounds) -> tuple[str, ...]:
    """A sentence where the temperature is so high that nothing can change."""
    spread = (bounds.high - bounds.low) / temperature
    if spread >= FLAT or bounds.high == bounds.low:
        return ()
    return (f"Scores spread over {spread:.2g} temperatures only, so hardly anything changes; lower the temperature.",)


def dual_softmax(
    similarity: Any,
    relevance: Any = None,
    *,
    temperature: float | None = None,
    direction: str = "both",
    out: np.ndarray | None = None,
) -> Rescored:
    """Weigh every score with a softmax over the other axis.

    With scores S, temperature T, captions i and videos j::

        t2v   S_ij * exp(S_ij / T) / Z_j     Z_j: sum over captions    (S * softmax over captions)
        v2t   S_ij * exp(S_ij / T) / W_i     W_i: sum over videos      (S * softmax over videos)
        both  S_ij * exp(S_ij / T) / (Z_j * W_i) * c    c: the geometric mean of Z

    ``both`` ranks as the two others do: 1 / W_i is one factor for all videos of a caption, 1 / Z_j for all captions of
    a video. It also holds where captions are grouped per video (v2t level ``video``), so one matrix serves every
    number.

    It has seen all test queries. Its prior is that all videos are equally often wanted; where ``relevance`` says that
    this is false, the protocol carries a warning. ``relevance`` changes no score.

    Args:
        similarity: [captions, videos], higher is better; -inf = not scored. Never changed.
        relevance: Grades [captions, videos], to check the prior; None = judge by the shape.
        temperature: In units of the scores; None = 0.01 for cosines, 1 for logits; what was taken is in the protocol.
        direction: ``t2v``, ``v2t`` or ``both``.
        out: Where to write, for example a memory map; None = a new array, the only one of that size.

    Raises:
        DataError: NaN, +inf, wrong shapes, a temperature that is not above 0.
        UnknownNameError: Unknown direction.
    """
    pick(DIRECTIONS, direction, "direction")
    matrix, bounds = checked(similarity)
    chosen, why = choose_temperature(temperature, bounds)
    target = new_matrix(out, matrix)
    factor = 1.0 / chosen
    of_columns, level = np.zeros(matrix.shape[1]), 0.0
    if direction != "v2t":
        sums = column_log_sums(matrix, factor, bounds.columns)
        scored = np.isfinite(sums)
        of_columns[scored] = sums[scored]
        level = float(of_columns[scored].mean()) if direction == "both" else 0.0
    lost = _Count()

    def work(block: np.ndarray, rows: tuple[int, int]) -> np.ndarray:
        power = block * factor
        of_rows = row_log_sums(power, factor * bounds.rows[slice(*rows)]) if direction != "t2v" else 0.0
        power -= of_columns
        power += np.reshape(level - of_rows, (-1, 1))
        np.exp(power, out=power)
        with np.errstate(invalid="ignore"):  # 0 * -inf of pairs that were not scored
            power *= block
        if not bounds.whole:
            power[block == -np.inf] = -np.inf
        made = power.astype(target.dtype)
        lost.add(int(np.count_nonzero(block)) - int(np.count_nonzero(made)))
        return made

    rewrite(matrix, target, work)
    warnings = (
        *one_to_one_warnings(relevance, (matrix.shape[0], matrix.shape[1]), "Dual softmax"),
        *flat_warnings(chosen, bounds),
        *_sign_warnings(bounds),
        *lost.warnings(),
    )
    parameters = {"temperature": chosen, "temperature_from": why}
    return Rescored(target, ScoringProtocol("DSL", "test queries", direction, parameters, warnings))


def _sign_warnings(bounds: Bounds) -> tuple[str, ...]:
    negative = int(((bounds.rows < 0) & np.isfinite(bounds.rows)).sum())
    if not negative:
        return ()
    return (
        f"In {negative} rows every score is negative: there dual softmax prefers the less likely, as it multiplies. "
        "Add a constant to the scores first.",
    )


class _Count:
    """Scores that became 0 because their share is too small for the type, counted by all threads."""

    def __init__(self) -> None:
        self.number = 0
        self._lock = threading.Lock()

    def add(self, number: int) -> None:
        with self._lock:
            self.number += number

    def warnings(self) -> tuple[str, ...]:
        if not self.number:
            return ()
        return (f"{self.number} shares are too small for the type, became 0 and tie; raise the temperature.",)
