"""How flat the scores of a caption are: a caption that fits many videos alike says little."""

from __future__ import annotations

from functools import partial

import numpy as np

from workbench.analysis.kept import kept
from workbench.evaluation.ranks.blocks import on_all_cores
from workbench.evaluation.runs.run import Run, similarity_of

ROWS_PER_BLOCK = 256


def flatter_than(run: Run, models: tuple[Run, ...], temperature: float) -> np.ndarray:
    """Of how many captions the scores are less flat than those of each caption, in the model where that is least.

    Args:
        run: A run that keeps its similarity.
        models: Other models with the same rows and columns.
        temperature: Of the softmax, in standard deviations of the scores of a row (their median in each model).

    Returns:
        Shares 0..1, float64 [captions]; 0 where a caption has only one score, or equal ones.
    """
    shares = [
        kept(run, ("flat", str(one.path), temperature), partial(_places, similarity_of(one), temperature))
        for one in (run, *models)
    ]
    return np.min(shares, axis=0)


def _places(similarity: np.ndarray, temperature: float) -> np.ndarray:
    """The share of the rows that have a lower entropy than each row."""
    entropy = row_entropies(similarity, temperature)
    known = np.sort(entropy[~np.isnan(entropy)])
    place = np.searchsorted(known, entropy, side="left") / max(len(known), 1)
    return np.where(np.isnan(entropy), 0.0, place)


def row_entropies(similarity: np.ndarray, temperature: float) -> np.ndarray:
    """Entropy of the softmax of every row, nats, float64 [rows]; NaN where a row has one score, or equal ones.

    Args:
        similarity: Scores [rows, columns]; what was not scored is -inf and has no part in it.
        temperature: In standard deviations of the scores of a row (the median of all rows).
    """
    starts = range(0, len(similarity), ROWS_PER_BLOCK)
    spread = np.concatenate(on_all_cores(partial(_spreads, similarity), starts))
    varied = spread > 0
    found = np.full(len(similarity), np.nan)
    if varied.any():
        unit = temperature * float(np.median(spread[varied]))
        entropy = np.concatenate(on_all_cores(partial(_entropies, similarity, unit), starts))
        found[varied] = entropy[varied]
    return found


def _spreads(similarity: np.ndarray, start: int) -> np.ndarray:
    """Standard deviation of the finite scores of some rows, float64."""
    block = np.asarray(similarity[start : start + ROWS_PER_BLOCK])
    known = np.isfinite(block)
    count = np.maximum(known.sum(axis=1), 1)
    mean = block.sum(axis=1, where=known, dtype=np.float64) / count
    rest = np.where(known, block - mean[:, None].astype(np.float32), 0)
    spread = np.sqrt(np.einsum("ij,ij->i", rest, rest) / count)
    equal = np.where(known, block, np.inf).min(axis=1) == np.where(known, block, -np.inf).max(axis=1)
    return np.where(equal, 0.0, spread)


def _entropies(similarity: np.ndarray, unit: float, start: int) -> np.ndarray:
    """Entropy of the softmax of some rows: log of the sum of e^x, less the mean of x under it."""
    block = np.asarray(similarity[start : start + ROWS_PER_BLOCK], np.float32)
    block = (block - block.max(axis=1, keepdims=True)) / np.float32(unit)
    weight = np.exp(block)
    total = weight.sum(axis=1, dtype=np.float64)
    block[~np.isfinite(block)] = 0
    return np.log(total) - np.einsum("ij,ij->i", weight, block) / total
