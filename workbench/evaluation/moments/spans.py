"""Spans of time: how far two overlap, and the removal of those that say the same again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numba import njit

from workbench.core.errors import DataError

DEPTH = 100  # moments of a query that are looked at


def temporal_iou(start_a: Any, end_a: Any, start_b: Any, end_b: Any) -> np.ndarray:
    """Temporal intersection over union of spans, in the type of the arrays given.

    The union is the hull of both, which is the same wherever they overlap; a reversed or empty pair has 0. As in the
    evaluator of TVR (Lei et al. 2020, arXiv 2001.09099).

    Args:
        start_a: Seconds, [n].
        end_a: Seconds, [n].
        start_b: Seconds, [n].
        end_b: Seconds, [n].
    """
    overlap = np.maximum(0, np.minimum(end_a, end_b) - np.maximum(start_a, start_b))
    hull = np.maximum(end_a, end_b) - np.minimum(start_a, start_b)
    return np.divide(overlap, hull, out=np.zeros_like(overlap), where=hull != 0)


@njit(cache=True, nogil=True)
def _suppress(starts, ends, begins, threshold, keep, kept):
    """Mark the spans that stay, group by group; spans of a group stand best first."""
    for group in range(len(begins) - 1):
        first, stop, n_kept = begins[group], begins[group + 1], 0
        for i in range(first, stop):
            if not kept[i]:
                continue
            if n_kept == keep:
                kept[i] = False
                continue
            n_kept += 1
            for j in range(i + 1, stop):
                hull = max(ends[i], ends[j]) - min(starts[i], starts[j])
                overlap = max(0.0, min(ends[i], ends[j]) - max(starts[i], starts[j]))
                if hull != 0 and overlap / hull > threshold:
                    kept[j] = False


def temporal_nms(moments: pd.DataFrame, threshold: float = 0.5, keep: int = DEPTH) -> pd.DataFrame:
    """Temporal non-maximum suppression: of spans in one video that overlap, the better one stays.

    Spans of a query are taken per video, best score first; those that overlap a kept one by MORE than the threshold go.
    What is left is merged, sorted by score and ranked again. Rows of task ``vr`` stay as they are.

    Args:
        moments: A table of moments (``check_moments``) whose scores are all given.
        threshold: Temporal IoU, 0..1; the authors of TVR use 0.5.
        keep: Moments kept per query.

    Raises:
        DataError: A score is missing, or the threshold or the number is out of range.
    """
    if not 0 <= threshold <= 1 or keep < 1:
        raise DataError(f"Suppression at tIoU {threshold} keeping {keep}.", "Give 0 <= tIoU <= 1 and keep >= 1.")
    spans = moments[moments["task"] != "vr"].reset_index(drop=True)
    if spans["score"].isna().any():
        raise DataError("Some moments have no score.", "Suppression needs the score of every moment.")
    query = spans.groupby(["task", "caption_id"], sort=False).ngroup().to_numpy()
    video = pd.factorize(spans["video_id"])[0]
    score, rank = spans["score"].to_numpy(float), spans["rank"].to_numpy(np.int64)
    order = np.lexsort((rank, -score, video, query))
    change = (np.diff(query[order]) != 0) | (np.diff(video[order]) != 0)
    begins = np.concatenate([[0], np.flatnonzero(change) + 1, [len(order)]]).astype(np.int64)
    kept = np.ones(len(order), bool)
    starts, ends = (spans[name].to_numpy(float)[order] for name in ("start_s", "end_s"))
    _suppress(starts, ends, begins, float(threshold), keep, kept)
    left = order[kept]
    left = left[np.lexsort((rank[left], -score[left], query[left]))]
    spans = spans.iloc[left].assign(rank=place_in_group(query[left]) + 1)
    spans = spans[spans["rank"] <= keep]
    return pd.concat([spans, moments[moments["task"] == "vr"]], ignore_index=True)


def place_in_group(groups: np.ndarray) -> np.ndarray:
    """int64 [n]: place of every entry among those of its group, from 0; equal groups stand together."""
    if len(groups) == 0:
        return np.zeros(0, np.int64)
    first = np.concatenate([[True], np.diff(groups) != 0])
    numbers = np.arange(len(groups))
    return numbers - numbers[first][np.cumsum(first) - 1]
