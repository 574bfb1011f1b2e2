"""Mean scores of the captions of one domain for the videos of another, with intervals; of one run or of A - B."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numba import njit
from scipy import special

from workbench.core.errors import StateError
from workbench.corpus import domain_label
from workbench.evaluation.ranks.blocks import contiguous, on_all_cores, query_block, row_ranges
from workbench.evaluation.runs.run import Run, open_run, similarity_of
from workbench.evaluation.runs.shared import shared_axes
from workbench.evaluation.runs.tables import query_groups
from workbench.evaluation.statistics.intervals import design_effect

COLUMNS = [
    "domain", "label", "video_domain", "video_label", "mean", "low", "high", "n_captions", "n_sources", "n_videos"
]  # fmt: skip


def domain_means(run: Run | str, other: Run | str | None = None, level: float = 0.95) -> pd.DataFrame:
    """Mean score of captions of one domain for videos of another, in standard deviations of each caption's scores.

    The value of a caption is the mean of its standardised scores over the videos of a domain; means and intervals go
    over captions, those of one source in one cluster.

    Args:
        run: A run with its similarity.
        other: Give the means of ``run - other`` instead, over the captions and videos that both hold.
        level: Confidence.

    Returns:
        domain (of the captions), label, video_domain, video_label, mean, low, high (nan with fewer than two clusters),
        n_captions, n_sources (null = not stated), n_videos; every domain with every other.

    Raises:
        StateError: No domains, no similarity, totals only, or runs of different splits.
    """
    run = open_run(run)
    other = None if other is None else open_run(other)
    runs = [run] if other is None else [run, other]
    axes = shared_axes(runs)
    rows, columns = axes[0]
    groups = query_groups(run, "t2v", run.queries["caption_id"].to_numpy()[rows])
    if groups["domain"].isna().all():
        raise StateError(
            f"The corpus of run {run.name} states no domains.",
            "Prepare it from annotations that have a domain or category column.",
        )
    domain_of = run.gallery["domain"].to_numpy(dtype=object)[columns]
    names = sorted(set(domain_of[pd.notna(domain_of)]))
    number = pd.Categorical(domain_of, names).codes.astype(np.int64)
    parts = [_block_means(one, *place, number, len(names)) for one, place in zip(runs, axes, strict=True)]
    values = parts[0] if other is None else parts[0] - parts[1]
    videos = np.bincount(number[number >= 0], minlength=len(names))
    found = []
    for domain in names:
        mine = (groups["domain"] == domain).to_numpy()
        sources = groups["source_id"][mine]
        for at, video_domain in enumerate(names):
            found.append(
                (domain, domain_label(domain), video_domain, domain_label(video_domain),
                 *_mean(values[mine, at], sources, level), int(videos[at]))
            )  # fmt: skip
    return pd.DataFrame(found, columns=COLUMNS)


def _mean(values: np.ndarray, sources: pd.Series, level: float) -> tuple[float, float, float, int, float | None]:
    """Mean, low, high, number of captions and of sources; by Student's t on the clusters' number."""
    known = np.isfinite(values)
    values, sources = values[known], sources[known]
    stated = bool(sources.notna().all()) and len(sources) > 0
    n, n_clusters = len(values), int(sources.nunique()) if stated else len(values)
    n_sources = n_clusters if stated else None
    mean = float(values.mean()) if n else math.nan
    if n_clusters < 2:
        return mean, math.nan, math.nan, n, n_sources
    deff = design_effect(values, sources.to_numpy(dtype=object)) if stated else 1.0
    half = float(special.stdtrit(n_clusters - 1, 0.5 + level / 2)) * float(values.std(ddof=1)) * math.sqrt(deff / n)
    return mean, mean - half, mean + half, n, n_sources


def _block_means(run: Run, rows: np.ndarray, columns: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Mean standardised score of each caption over each group of videos, in one pass over the matrix.

    Args:
        run: A run with its similarity.
        rows: int64: its captions that count.
        columns: int64: its videos that count.
        group: int64: group of each of these videos; -1 = none, it counts for the caption's scale only.
        n_groups: How many groups there are.

    Returns:
        float64 [captions, groups]; nan where no video is scored.
    """
    matrix = similarity_of(run)
    without, left_out = n_groups, n_groups + 1
    place = np.full(matrix.shape[1], left_out, np.int64)
    place[columns] = np.where(group < 0, without, group)
    place[(run.gallery["state"] != "scored").to_numpy()] = left_out

    def work(part: tuple[int, int]) -> np.ndarray:
        block = query_block(matrix, "t2v", rows[slice(*part)])
        return _standardised(_sums(block, place, n_groups + 2), block, place)[:, :n_groups]

    return np.concatenate(on_all_cores(work, row_ranges(len(rows), matrix.shape[1])))


def _standardised(sums: np.ndarray, block: np.ndarray, place: np.ndarray) -> np.ndarray:
    """float64 [rows, places]: means in standard deviations of each row; of ``_sums``, the last place counts nowhere."""
    numbers = np.tile(np.bincount(place, minlength=sums.shape[1]).astype(float), (len(block), 1))
    odd = ~np.isfinite(sums[:, :-1]).all((1, 2))
    if odd.any():
        known = np.isfinite(block[odd])
        sums[odd] = _sums(contiguous(np.where(known, block[odd], 0), block.dtype), place, sums.shape[1])
        numbers[odd] = _sums(contiguous(known, block.dtype), place, sums.shape[1])[..., 0]
    sums, numbers = sums[:, :-1], numbers[:, :-1]
    with np.errstate(invalid="ignore"):  # 0 / 0 = nan where nothing is scored
        mean, square = (sums.sum(1) / numbers.sum(1, keepdims=True)).T
        spread = np.sqrt(np.maximum(0, square - mean**2))
        spread[~((spread > 1e-6 * np.abs(mean)) & (spread > 0))] = 1  # as ``row_scale``
        return (sums[..., 0] / numbers - mean[:, None]) / spread[:, None]


@njit(cache=True, nogil=True)
def _sums(block, place, n_places):
    """Sum and sum of squares of the scores of each row that have each place: float64 [rows, places, 2].

    Four rows at once, so that the additions to one place need not wait for each other.
    """
    found = np.empty((len(block), n_places, 2))
    held = np.empty((n_places, 8))
    last = len(block) - 1
    for i in range(0, len(block), 4):
        held[:] = 0
        a, b, c, d = block[i], block[min(i + 1, last)], block[min(i + 2, last)], block[min(i + 3, last)]
        for j in range(block.shape[1]):
            own = held[place[j]]
            p, q, r, s = np.float64(a[j]), np.float64(b[j]), np.float64(c[j]), np.float64(d[j])
            own[0] += p
            own[1] += q
            own[2] += r
            own[3] += s
            own[4] += p * p
            own[5] += q * q
            own[6] += r * r
            own[7] += s * s
        for k in range(min(4, len(block) - i)):
            found[i + k, :, 0], found[i + k, :, 1] = held[:, k], held[:, 4 + k]
    return found
