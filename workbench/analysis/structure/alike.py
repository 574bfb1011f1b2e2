"""Videos, or captions, that get almost the same scores: pairs of columns or rows of the similarity that correlate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.ranks.blocks import on_all_cores
from workbench.evaluation.runs.run import DIRECTIONS, Run, open_run, similarity_of

ROWS_PER_BLOCK = 512
MOST_PAIRS = 1_000_000
CELLS_AT_ONCE = 1 << 26  # of the profiles that are held: 256 MiB of float32, twice
COLUMNS_AT_ONCE = 64  # that are brought to one length, in float64
ROWS_AT_ONCE, PAIRS_AT_ONCE, PARTS = 128, 4096, 16
ROUNDING = 1e-9


def near_duplicates(run: Run | str, threshold: float = 0.95, *, direction: str = "t2v") -> pd.DataFrame:
    """Pairs of videos, or of captions, whose scores correlate at least ``threshold``.

    A pair that was not scored counts as the mean of its column (row); equal scores throughout resemble nothing. The
    similarity is read in strips and never copied as a whole.

    Args:
        run: A run that keeps its similarity.
        threshold: Above 0, at most 1.
        direction: ``t2v``: videos by their scores for all captions; ``v2t``: captions by theirs for all videos.

    Returns:
        For videos video_a, video_b (in the order of the gallery); for captions also caption_a, caption_b, text_a,
        text_b, and the first right videos of both. correlation, same_source (null = unknown); highest first.

    Raises:
        StateError: The run keeps no similarity.
        DataError: A threshold out of range, or one that more than ``MOST_PAIRS`` pairs reach.
        UnknownNameError: Unknown direction.
    """
    run = open_run(run)
    pick({name: name for name in DIRECTIONS}, direction, "direction")
    if not 0 < threshold <= 1:
        raise DataError(f"The threshold is {threshold}.", "Choose one above 0 and at most 1; 0.95 is usual.")
    similarity = similarity_of(run)
    columns = similarity if direction == "t2v" else similarity.T
    a, b = _alike(columns, threshold, "videos" if direction == "t2v" else "captions")
    value = np.nan_to_num(column_correlations(columns, a, b))
    order = np.argsort(-value, kind="stable")
    order = order[value[order] >= threshold - ROUNDING]
    sides = _sides(run, direction)
    first, second = (sides.iloc[at[order]].reset_index(drop=True) for at in (a, b))
    source_a, source_b = (side.pop("source_id").to_numpy(object) for side in (first, second))
    same = np.where(pd.notna(source_a) & pd.notna(source_b), source_a == source_b, None)
    pairs = pd.concat([first.add_suffix("_a"), second.add_suffix("_b")], axis=1)
    names = [f"{name}_{side}" for name in first.columns for side in "ab"]
    return pairs[names].assign(correlation=value[order], same_source=same)


def _sides(run: Run, direction: str) -> pd.DataFrame:
    """What a pair is made of: caption and text (v2t), video, source_id."""
    if direction == "t2v":
        return run.gallery[["video_id", "source_id"]].rename(columns={"video_id": "video"})
    ids = run.queries["caption_id"].to_numpy()
    right = run.relevance[run.relevance["grade"] > 0].drop_duplicates("caption_id").set_index("caption_id")["video_id"]
    video = right.reindex(ids).to_numpy()
    source = run.gallery.set_index("video_id")["source_id"].reindex(video).to_numpy()
    return pd.DataFrame({"caption": ids, "text": run.queries["text"].to_numpy(), "video": video, "source_id": source})


def _unit_rows(part: np.ndarray) -> np.ndarray:
    """float32: columns as rows of mean 0 and length 1; what was not scored is the mean, equal scores are 0."""
    block = np.array(part.T, np.float64, order="C")
    scored = np.isfinite(block)
    mean = block.sum(axis=1, where=scored) / np.maximum(scored.sum(axis=1), 1)
    block = np.where(scored, block, mean[:, None]) - mean[:, None]
    length = np.linalg.norm(block, axis=1)
    held = length > ROUNDING * np.abs(mean) * np.sqrt(block.shape[1])
    return (block * np.divide(1.0, length, out=np.zeros_like(length), where=held)[:, None]).astype(np.float32)


def _profiles(columns: np.ndarray, start: int, size: int) -> np.ndarray:
    """float32 [size, queries]: ``_unit_rows`` of ``size`` columns from ``start`` on."""
    stop = min(start + size, columns.shape[1])
    profiles = np.empty((stop - start, len(columns)), np.float32)

    def fill(first: int) -> None:
        last = min(first + COLUMNS_AT_ONCE, stop)
        profiles[first - start : last - start] = _unit_rows(columns[:, first:last])

    on_all_cores(fill, range(start, stop, COLUMNS_AT_ONCE))
    return profiles


def _alike(columns: np.ndarray, threshold: float, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (a < b) of columns that may reach the threshold, up to the rounding of float32."""
    size = max(1, CELLS_AT_ONCE // max(1, len(columns)))
    number = 0
    found: list[np.ndarray] = [np.zeros((2, 0), np.int64)]
    for start in range(0, columns.shape[1], size):
        mine = _profiles(columns, start, size)
        for other in range(start, columns.shape[1], size):
            theirs = mine if other == start else _profiles(columns, other, size)
            for pairs in _reaching(mine, theirs, threshold - 1e-4):
                pairs = pairs + [[start], [other]]
                found.append(pairs[:, pairs[0] < pairs[1]])
                number += found[-1].shape[1]
                if number > MOST_PAIRS:
                    raise DataError(
                        f"More than {MOST_PAIRS:,} pairs of {what} correlate at least {threshold}.",
                        "Raise the threshold.",
                    )
    a, b = np.concatenate(found, axis=1)
    return a, b


def _reaching(mine: np.ndarray, theirs: np.ndarray, least: float) -> Iterator[np.ndarray]:
    """Positions int64 [2, pairs] whose product is at least ``least``, from one block of rows after another."""
    for first in range(0, len(mine), ROWS_PER_BLOCK):
        pairs = np.stack(np.nonzero(mine[first : first + ROWS_PER_BLOCK] @ theirs.T >= least))
        yield pairs + [[first], [0]]


def column_correlations(similarity: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Correlation over all queries of the columns ``left[i]`` and ``right[i]``; nan where one is constant.

    Two passes over blocks of rows, so that a memory map is read in its order, in float32 where the scores are; sums are
    float64. What was not scored counts as the mean.
    """
    columns, at = np.unique(np.concatenate([left, right]), return_inverse=True)
    pairs, back = np.unique(at.reshape(2, -1), axis=1, return_inverse=True)
    mean = _column_means(similarity, columns)

    def sums(part: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        square, product = np.zeros(len(columns)), np.zeros(pairs.shape[1])
        for start in range(part[0], part[1], ROWS_AT_ONCE):
            block = _centred(similarity[start : min(start + ROWS_AT_ONCE, part[1])], columns, mean)
            square += np.einsum("ij,ij->i", block, block)
            for first in range(0, pairs.shape[1], PAIRS_AT_ONCE):
                a, b = pairs[:, first : first + PAIRS_AT_ONCE]
                product[first : first + PAIRS_AT_ONCE] += np.einsum("ij,ij->i", block[a], block[b])
        return square, product

    step = max(ROWS_AT_ONCE, -(-len(similarity) // PARTS))
    parts = [(start, min(start + step, len(similarity))) for start in range(0, len(similarity), step)]
    square, product = (sum(one) for one in zip(*on_all_cores(sums, parts), strict=True))
    length = np.sqrt(square)
    length[length <= ROUNDING * np.abs(mean) * np.sqrt(len(similarity))] = np.nan
    value = product / (length[pairs[0]] * length[pairs[1]])
    return np.clip(value, -1, 1)[np.ravel(back)]


def _centred(part: np.ndarray, columns: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Some columns of a block as rows, float32 or as exact as the scores are, less their means; 0 = not scored."""
    block = np.asarray(part)[:, columns] - mean
    block[~np.isfinite(block)] = 0
    return np.ascontiguousarray(block.T, np.result_type(part.dtype, np.float32))


def _column_means(similarity: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Mean of the finite scores of some columns, float64; 0 where there are none."""
    total, count = np.zeros(similarity.shape[1]), np.zeros(similarity.shape[1])
    for start in range(0, len(similarity), ROWS_PER_BLOCK):
        block = np.asarray(similarity[start : start + ROWS_PER_BLOCK])
        known = np.isfinite(block)
        total += block.sum(axis=0, where=known, dtype=np.float64)
        count += known.sum(axis=0)
    return (total / np.maximum(count, 1))[columns]
