"""Causes that are not the model's fault: equal captions, videos of one recording or with equal scores, ties."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.analysis.failed import Failed, Found, first_video
from workbench.analysis.structure import column_correlations
from workbench.corpus import normalise_caption


def duplicate_caption(failed: Failed) -> Found:
    """Another query has the same words and another right video."""
    texts = failed.run.queries["text"].map(normalise_caption)
    video = first_video(failed.run)
    distinct = pd.Series(video).groupby(texts.to_numpy()).transform("nunique").to_numpy()
    times = texts.groupby(texts).transform("size").to_numpy()
    own = failed.right_caption
    holds = (distinct > 1)[own] & (own >= 0)
    return holds, lambda i: f"its words stand in {times[own[i]]} captions with different right videos"


def same_source(failed: Failed) -> Found:
    """The best wrong video was cut from the recording of the right one."""
    right, top = (failed.videos("source_id", at) for at in (failed.right_video, failed.top_video))
    known = pd.notna(right) & pd.notna(top) & (failed.right_video != failed.top_video)
    return known & (right == top), lambda i: f"right video and top-1 come from the recording {right[i]}"


def near_duplicate_video(failed: Failed, threshold: float) -> Found:
    """The scores of the best wrong and the right video correlate at least ``threshold`` over all queries."""
    known = (failed.right_video >= 0) & (failed.top_video >= 0) & (failed.right_video != failed.top_video)
    value = np.full(len(known), np.nan)
    if failed.run.similarity is not None and known.any():
        value[known] = column_correlations(failed.run.similarity, failed.right_video[known], failed.top_video[known])
    holds = np.nan_to_num(value, nan=-1) >= threshold
    return holds, lambda i: f"all queries score the top-1 and the right video alike (correlation {value[i]:.3f})"


def tied(failed: Failed) -> Found:
    """Wrong items have exactly the score of the right one."""
    times = failed.table["n_tied"].to_numpy()

    def why(i: int) -> str:
        return f"{times[i]} wrong {'item has' if times[i] == 1 else 'items have'} exactly the score of the right one"

    return times > 0, why
