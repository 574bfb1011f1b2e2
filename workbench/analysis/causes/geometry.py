"""Causes in the geometry of the scores: ties, hubs that a correction takes away, margins no larger than chance."""

from __future__ import annotations

import numpy as np

from workbench.analysis.causes.cues import Cues
from workbench.analysis.causes.failed import Failed, Found, owners
from workbench.analysis.causes.material import Material
from workbench.analysis.structure.hubness import hubs_of
from workbench.core.words import counted
from workbench.evaluation.runs.run import Run, similarity_of

ROWS_PER_BLOCK = 256
NEIGHBOURS = 10


def tied(failed: Failed, _: Material, __: Cues) -> Found:
    """Wrong items have exactly the score of the right one."""
    times = failed.table["n_tied"].to_numpy()

    def why(i: int) -> str:
        return f"{times[i]} wrong {'item has' if times[i] == 1 else 'items have'} exactly the score of the right one"

    return Found(times > 0, why)


def anti_hub(failed: Failed, _: Material, __: Cues) -> Found:
    """The right item stands among the first 10 of no query at all."""
    counted = failed.counted
    none = (counted.right >= 0) & (counted.counts[counted.right] == 0)
    return Found(none, lambda i: "the right item stands among the first 10 of no query")


def hub(failed: Failed, material: Material, _: Cues) -> Found:
    """The best wrong item is a hub, and corrected for hubs the right item would be found.

    The correction is localised centring: a score, less the mean of the item's 10 best scores. It sees the test queries,
    so it explains and is no result. Where it does not help, or the run keeps no similarity, a hub is said to be there,
    and no more.

    Source: Hara et al., Localized Centering, AAAI 2015 (gamma = 1, neighbours among the queries).
    """
    counts, scored, top = failed.counted.counts, failed.counted.scored, failed.counted.top
    limits, mean = material.thresholds, counts[scored].mean()
    hubs = hubs_of(counts, scored, size=limits.hub_share, sd=limits.hub_sd)
    present = (top >= 0) & hubs[top] & failed.scored
    rank = np.full(len(present), np.inf)
    if failed.run.similarity is not None:
        at = np.flatnonzero(present)
        rank[at] = _corrected_ranks(failed, at)

    def why(i: int) -> str:
        many = counted(int(counts[top[i]]), "query")
        said = f"the top-1 stands among the first 10 of {many} (mean {mean:.1f})"
        if not np.isfinite(rank[i]):
            return f"a hub is present: {said}; the run keeps no similarity to correct"
        found = f"{said}; corrected for hubs (localised centring) the right one has rank {rank[i]:g}"
        return found if rank[i] <= failed.k else f"a hub is present, and no more: {found}"

    return Found(rank <= failed.k, why, note=lambda i: why(i) if present[i] else "")


def _corrected_ranks(failed: Failed, at: np.ndarray) -> np.ndarray:
    """Rank of the best right item of some queries under localised centring; equal scores count half."""
    if not len(at):
        return np.zeros(0)
    similarity = similarity_of(failed.run)
    mean = _mean_of_best(failed.run, failed.direction)
    groups = _groups(failed)
    query = (failed.right_caption if failed.direction == "t2v" else failed.right_video)[at]
    found = np.empty(len(at))
    for start in range(0, len(at), ROWS_PER_BLOCK):
        part = query[start : start + ROWS_PER_BLOCK]
        scores = similarity[part] if failed.direction == "t2v" else similarity[:, part].T
        corrected = np.asarray(scores, np.float64) - mean
        for j, row in enumerate(corrected):
            found[start + j] = _rank_of(row, np.fromiter(failed.rights_of(at[start + j]), int), groups)
    return found


def _rank_of(scores: np.ndarray, rights: np.ndarray, groups: np.ndarray | None) -> float:
    best = scores[rights].max()
    wrong = np.ones(len(scores), bool)
    wrong[rights] = False
    above, tied = wrong & (scores > best), wrong & (scores == best)
    if groups is None:
        return float(1 + above.sum() + tied.sum() / 2)
    higher = np.unique(groups[above])
    return float(1 + len(higher) + len(np.setdiff1d(groups[tied], higher)) / 2)


def _groups(failed: Failed) -> np.ndarray | None:
    """The video of each caption where captions of a video are ranked as one group."""
    grouped = failed.direction == "v2t" and failed.run.info.get("v2t_level") == "video"
    return owners(failed.run) if grouped else None


def _mean_of_best(run: Run, direction: str) -> np.ndarray:
    """Mean of the 10 best scores of every item over the queries, float64 [items]; 0 where nothing was scored."""
    similarity, other = similarity_of(run), "v2t" if direction == "t2v" else "t2v"
    items = run.gallery["video_id"] if direction == "t2v" else run.queries["caption_id"]
    table = run.per(other)
    means = np.asarray([float(np.mean(one[:NEIGHBOURS])) if len(one) else 0.0 for one in table["top_scores"]])
    at = table["id"].to_numpy()
    found = np.full(len(items), np.nan)
    place = {item: i for i, item in enumerate(items)}
    found[[place[one] for one in at]] = means
    unasked = np.flatnonzero(np.isnan(found))  # videos without captions of their own
    for start in range(0, len(unasked), ROWS_PER_BLOCK):
        part = unasked[start : start + ROWS_PER_BLOCK]
        scores = np.asarray(similarity[:, part] if direction == "t2v" else similarity[part].T, np.float64)
        best = np.sort(scores, axis=0)[-NEIGHBOURS:]
        known = np.isfinite(best)
        found[part] = np.where(known, best, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return found


def coin_flip(failed: Failed, material: Material, _: Cues) -> Found:
    """The margin of the run is smaller than its standard deviation between seeds, in standard deviations of a query.

    Margins are those of the best right and the best wrong pair of this run, divided by the standard deviation of the
    query's scores in each run.
    """
    runs, times = (failed.run, *material.related.seeds), material.thresholds.coin_flip
    margins = np.stack([_margin(failed, run) for run in runs])
    spread = np.std(margins, axis=0, ddof=1) if len(runs) > 1 else np.full(margins.shape[1], np.nan)
    holds = np.abs(margins[0]) < times * spread
    return Found(
        holds,
        lambda i: (
            f"the margin is {margins[0][i]:.2f} standard deviations of the query's scores,"
            f" and varies by {spread[i]:.2f} between {len(runs)} seeds"
        ),
    )


def _margin(failed: Failed, run: Run) -> np.ndarray:
    """Margin of the right pair in a run, in standard deviations of its query's scores; NaN where one has no score."""
    similarity = run.similarity
    if similarity is None:
        return np.full(len(failed.table), np.nan)
    right, wrong = failed.pair_scores(similarity)
    query = failed.right_caption if failed.direction == "t2v" else failed.right_video
    spread = _spreads(similarity, 1 if failed.direction == "t2v" else 0)[query]
    with np.errstate(invalid="ignore", divide="ignore"):
        margin = (right - wrong) / spread
    return np.where(np.isfinite(margin), margin, np.nan)


def _spreads(similarity: np.ndarray, axis: int) -> np.ndarray:
    """Standard deviation of the scores of every row (axis 1) or column (axis 0), over those that are finite."""
    length = similarity.shape[1 - axis]
    count, total, square = (np.zeros(length) for _ in range(3))
    for start in range(0, len(similarity), ROWS_PER_BLOCK):
        block = np.asarray(similarity[start : start + ROWS_PER_BLOCK], np.float64)
        known = np.isfinite(block)
        block = np.where(known, block, 0)
        at = slice(start, start + len(block)) if axis == 1 else slice(None)
        count[at] += known.sum(axis=axis)
        total[at] += block.sum(axis=axis)
        square[at] += (block * block).sum(axis=axis)
    mean = total / np.maximum(count, 1)
    return np.sqrt(np.maximum(square / np.maximum(count, 1) - mean**2, 0))
