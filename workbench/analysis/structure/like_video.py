"""Videos that a run scores like a clip: one of its videos, or one that was scored alone (``own_clip``)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.core.lookup import pick
from workbench.evaluation.runs.run import Run, similarity_of

ROWS_AT_ONCE = 512
ROUNDING = 1e-9


def like_video(run: Run, clip: str | np.ndarray, k: int = 12) -> pd.DataFrame:
    """The videos whose scores for all captions correlate most with those of a clip.

    Args:
        run: A run that keeps its similarity.
        clip: A video of its gallery, or a clip's scores for its captions, float [captions].
        k: How many.

    Returns:
        video_id, correlation; highest first, without the video itself and without those that were not scored.

    Raises:
        StateError: The run keeps no similarity.
        UnknownNameError: The run has no such video.
    """
    similarity, ids = similarity_of(run), run.gallery["video_id"]
    value = _correlations(similarity, _scores(run, clip))
    others = ((run.gallery["state"] == "scored") & (ids != (clip if isinstance(clip, str) else ""))).to_numpy(bool)
    value = np.where(others, value, np.nan)
    best = [at for at in np.argsort(-value, kind="stable")[:k] if np.isfinite(value[at])]
    return pd.DataFrame({"video_id": ids.iloc[best].to_numpy(), "correlation": value[best]})


def shared_captions(run: Run, first: str | np.ndarray, second: str, n: int = 3) -> pd.DataFrame:
    """The captions that fit both of two videos best: why a run takes them for alike.

    Args:
        run: A run that keeps its similarity.
        first: A video, or a clip's scores for the captions.
        second: Another video.
        n: How many captions.

    Returns:
        text, score_first, score_second; ordered by the lesser of both scores, in standard deviations of each video.

    Raises:
        StateError: The run keeps no similarity.
        UnknownNameError: The run has no such video.
    """
    scores = np.stack([_scores(run, one) for one in (first, second)])
    known = np.where(np.isfinite(scores), scores, np.nan)
    spread = np.nanstd(known, axis=1, keepdims=True)
    fit = np.min((known - np.nanmean(known, axis=1, keepdims=True)) / np.where(spread > 0, spread, 1), axis=0)
    best = np.argsort(-np.nan_to_num(fit, nan=-np.inf), kind="stable")[:n]
    texts = run.queries["text"].iloc[best].to_numpy()
    return pd.DataFrame({"text": texts, "score_first": scores[0, best], "score_second": scores[1, best]})


def fitting_captions(run: Run, scores: np.ndarray, n: int = 5) -> pd.DataFrame:
    """The captions that a run finds fittest for a clip, one for each text.

    Args:
        run: The run.
        scores: The clip's score for each of its captions, float [captions].
        n: How many.

    Returns:
        caption_id, text, score; highest first.
    """
    table = run.queries[["caption_id", "text"]].assign(score=scores)
    ordered = table.sort_values("score", ascending=False, kind="stable")
    return ordered.drop_duplicates("text").head(n).reset_index(drop=True)


def _scores(run: Run, clip: str | np.ndarray) -> np.ndarray:
    """float64 [captions]: scores of a clip."""
    if not isinstance(clip, str):
        return np.asarray(clip, float)
    column = pick({video: at for at, video in enumerate(run.gallery["video_id"])}, clip, "video")
    return np.asarray(similarity_of(run)[:, column], float)


def _correlations(similarity: np.ndarray, values: np.ndarray) -> np.ndarray:
    """float64 [videos]: correlation of every column with ``values`` over all captions; nan where one is constant.

    Two passes over blocks of rows, so that a memory map is read in its order; what was not scored counts as the mean.
    """
    mine = _centred(values, np.mean(values, where=np.isfinite(values)) if np.isfinite(values).any() else 0.0)
    total, count = np.zeros(similarity.shape[1]), np.zeros(similarity.shape[1])
    blocks = range(0, len(similarity), ROWS_AT_ONCE)
    for start in blocks:
        block = np.asarray(similarity[start : start + ROWS_AT_ONCE])
        known = np.isfinite(block)
        total += block.sum(axis=0, where=known, dtype=float)
        count += known.sum(axis=0)
    mean = total / np.maximum(count, 1)
    square, product = np.zeros_like(mean), np.zeros_like(mean)
    for start in blocks:
        block = _centred(np.asarray(similarity[start : start + ROWS_AT_ONCE], float), mean)
        square += np.einsum("ij,ij->j", block, block)
        product += mine[start : start + ROWS_AT_ONCE] @ block
    length = np.sqrt(square)
    length[length <= ROUNDING * np.abs(mean) * np.sqrt(len(similarity))] = np.nan
    return np.clip(product / (length * (np.linalg.norm(mine) or np.nan)), -1, 1)


def _centred(values: np.ndarray, mean: np.ndarray | float) -> np.ndarray:
    rest = values - mean
    return np.where(np.isfinite(rest), rest, 0.0)
