"""Videos that a run scores like a given one: a clip as the query, out of the stored scores alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.analysis.structure.alike import column_correlations
from workbench.core.lookup import pick
from workbench.evaluation.runs.run import Run, similarity_of


def like_video(run: Run, video_id: str, k: int = 12) -> pd.DataFrame:
    """The videos whose scores for all captions correlate most with those of one video.

    Args:
        run: A run that keeps its similarity.
        video_id: A video of its gallery.
        k: How many.

    Returns:
        video_id, correlation; highest first, without the video itself and without those that were not scored.

    Raises:
        StateError: The run keeps no similarity.
        UnknownNameError: The run has no such video.
    """
    similarity, ids = similarity_of(run), run.gallery["video_id"]
    mine = _column(run, video_id)
    others = np.flatnonzero(((run.gallery["state"] == "scored") & (ids != video_id)).to_numpy(bool))
    value = column_correlations(similarity, np.full(len(others), mine), others)
    best = [at for at in np.argsort(-value, kind="stable")[:k] if np.isfinite(value[at])]
    return pd.DataFrame({"video_id": ids.iloc[others[best]].to_numpy(), "correlation": value[best]})


def shared_captions(run: Run, first: str, second: str, n: int = 3) -> pd.DataFrame:
    """The captions that fit both of two videos best: why a run takes them for alike.

    Args:
        run: A run that keeps its similarity.
        first: A video.
        second: Another.
        n: How many captions.

    Returns:
        text, score_first, score_second; ordered by the lesser of both scores, in standard deviations of each video.

    Raises:
        StateError: The run keeps no similarity.
        UnknownNameError: The run has no such video.
    """
    similarity = similarity_of(run)
    scores = np.stack([np.asarray(similarity[:, _column(run, one)], float) for one in (first, second)])
    known = np.where(np.isfinite(scores), scores, np.nan)
    spread = np.nanstd(known, axis=1, keepdims=True)
    fit = np.min((known - np.nanmean(known, axis=1, keepdims=True)) / np.where(spread > 0, spread, 1), axis=0)
    best = np.argsort(-np.nan_to_num(fit, nan=-np.inf), kind="stable")[:n]
    texts = run.queries["text"].iloc[best].to_numpy()
    return pd.DataFrame({"text": texts, "score_first": scores[0, best], "score_second": scores[1, best]})


def _column(run: Run, video_id: str) -> int:
    return pick({video: at for at, video in enumerate(run.gallery["video_id"])}, video_id, "video")
