"""Mean scores of the captions of one domain for the videos of another, with intervals; of one run or of A - B."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numba import njit
from scipy import stats

from workbench.core.errors import StateError
from workbench.corpus import domain_label
from workbench.evaluation.ranks.blocks import on_all_cores, row_ranges
from workbench.evaluation.runs.run import Run, similarity_of
from workbench.evaluation.runs.shared import row_scale, shared_axes
from workbench.evaluation.runs.tables import query_groups
from workbench.evaluation.statistics.intervals import design_effect

COLUMNS = [
    "domain", "label", "video_domain", "video_label", "mean", "low", "high", "n_captions", "n_sources", "n_videos"
]  # fmt: skip


def domain_means(run: Run, other: Run | None = None, level: float = 0.95) -> pd.DataFrame:
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
    parts = [
        _block_means(similarity_of(one), *place, number, len(names)) for one, place in zip(runs, axes, strict=True)
    ]
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
    half = float(stats.t.ppf(0.5 + level / 2, n_clusters - 1)) * float(values.std(ddof=1)) * math.sqrt(deff / n)
    return mean, mean - half, mean + half, n, n_sources


def _block_means(
    similarity: np.ndarray, rows: np.ndarray, columns: np.ndarray, group: np.ndarray, n_groups: int
) -> np.ndarray:
    """float64 [captions, groups]: mean standardised score of each caption over each group; nan where none is scored."""
    matrix = np.asarray(similarity, np.float32)

    def work(part: tuple[int, int]) -> np.ndarray:
        return _group_means(matrix, rows[slice(*part)], columns, group, n_groups)

    return np.concatenate(on_all_cores(work, row_ranges(len(rows), matrix.shape[1])))


@njit(cache=True, nogil=True)
def _group_means(matrix, rows, columns, group, n_groups):
    """float64 [rows, groups]: mean standardised score over the columns of every group; group -1 counts nowhere."""
    found = np.zeros((len(rows), n_groups))
    number = np.empty(n_groups, np.int64)
    for i in range(len(rows)):
        row = matrix[rows[i]]
        mean, spread = row_scale(row, columns)
        number[:] = 0
        for j in range(len(columns)):
            value, at = row[columns[j]], group[j]
            if at >= 0 and np.isfinite(value):
                found[i, at] += value
                number[at] += 1
        for at in range(n_groups):
            found[i, at] = (found[i, at] / number[at] - mean) / spread if number[at] else np.nan
    return found
