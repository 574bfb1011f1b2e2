"""Structure of a run's scores: confusion between domains, near duplicates, the ceiling."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.corpus import domain_label
from workbench.evaluation.metrics.ceilings import ceiling
from workbench.evaluation.ranks.blocks import on_all_cores
from workbench.evaluation.runs.run import Run, similarity_of
from workbench.evaluation.runs.tables import query_groups
from workbench.evaluation.statistics.paired import design_effect, wilson

ROWS_PER_BLOCK = 512
MOST_PAIRS = 1_000_000
ROWS_AT_ONCE, PAIRS_AT_ONCE, PARTS = 128, 4096, 16
ROUNDING = 1e-9


def domain_confusion(run: Run) -> pd.DataFrame:
    """Domain of the right video against domain of the top-1 (t2v), with Wilson intervals clustered by source.

    Returns:
        domain, label, top_domain, top_label, n, n_queries (of the domain), share, low, high (0..1).

    Raises:
        StateError: No domains, or totals only.
    """
    table = run.per("t2v")
    groups = query_groups(run, "t2v", table["id"].to_numpy())
    _need_domains(run, groups["domain"])
    domains = run.gallery["domain"].to_numpy(dtype=object)
    top = np.asarray([domains[columns[0]] if len(columns) else None for columns in table["top_columns"]], object)
    names = sorted(set(domains[pd.notna(domains)]))
    rows = []
    for domain in names:
        mine = (groups["domain"] == domain).to_numpy()
        sources = groups["source_id"][mine]
        clusters = sources.to_numpy() if sources.notna().all() else np.arange(int(mine.sum()))
        for other in names:
            hits = (top[mine] == other).astype(float)
            low, high = wilson(hits.sum(), len(hits), design_effect(hits, clusters)) if len(hits) else (0.0, 1.0)
            share = float(hits.mean()) if len(hits) else 0.0
            rows.append(
                (domain, domain_label(domain), other, domain_label(other), int(hits.sum()), len(hits), share, low, high)
            )
    columns = ["domain", "label", "top_domain", "top_label", "n", "n_queries", "share", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


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


def _unit_columns(part: np.ndarray) -> np.ndarray:
    """float64: columns of mean 0 and length 1, what was not scored set to the mean; 0 where all scores are equal."""
    block = np.array(part, np.float64)
    scored = np.isfinite(block)
    mean = block.sum(axis=0, where=scored) / np.maximum(scored.sum(axis=0), 1)
    block = np.where(scored, block, mean) - mean
    length = np.linalg.norm(block, axis=0)
    return np.divide(
        block, length, out=np.zeros_like(block), where=length > ROUNDING * np.abs(mean) * np.sqrt(len(block))
    )


def near_duplicates(run: Run, threshold: float = 0.95) -> pd.DataFrame:
    """Pairs of videos whose score columns correlate at least ``threshold`` over all queries.

    A pair that was not scored counts as the mean of its column; a column of equal scores resembles nothing. One float32
    copy of the similarity is made.

    Args:
        run: A run that keeps its similarity.
        threshold: Above 0, at most 1.

    Returns:
        video_a, video_b (in the order of the gallery), correlation, same_source (null = unknown); highest first.

    Raises:
        StateError: The run keeps no similarity.
        DataError: A threshold out of range, or one that more than ``MOST_PAIRS`` pairs reach.
    """
    if not 0 < threshold <= 1:
        raise DataError(f"The threshold is {threshold}.", "Choose one above 0 and at most 1; 0.95 is usual.")
    similarity = similarity_of(run)
    a, b = _alike(_column_profiles(similarity), threshold)
    value = np.nan_to_num(column_correlations(similarity, a, b))
    order = np.argsort(-value, kind="stable")
    order = order[value[order] >= threshold - ROUNDING]
    a, b = a[order], b[order]
    ids, source = (run.gallery[c].to_numpy(dtype=object) for c in ("video_id", "source_id"))
    known = pd.notna(source[a]) & pd.notna(source[b])
    same = np.where(known, source[a] == source[b], None)
    return pd.DataFrame({"video_a": ids[a], "video_b": ids[b], "correlation": value[order], "same_source": same})


def _column_profiles(similarity: np.ndarray) -> np.ndarray:
    """float32 [captions, videos]: columns of mean 0 and length 1; all 0 where a column holds equal scores."""
    profiles = np.empty((len(similarity), similarity.shape[1]), np.float32)
    for start in range(0, profiles.shape[1], ROWS_PER_BLOCK):
        columns = slice(start, start + ROWS_PER_BLOCK)
        profiles[:, columns] = _unit_columns(similarity[:, columns])
    return profiles


def _alike(profiles: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (a < b) of columns that may reach the threshold, up to the rounding of float32."""
    found: list[tuple[np.ndarray, np.ndarray]] = []
    number = 0
    for start in range(0, profiles.shape[1], ROWS_PER_BLOCK):
        value = profiles[:, start : start + ROWS_PER_BLOCK].T @ profiles[:, start:]
        a, b = np.nonzero(value >= threshold - 1e-4)
        keep = b > a
        found.append((a[keep] + start, b[keep] + start))
        number += int(keep.sum())
        if number > MOST_PAIRS:
            raise DataError(
                f"More than {MOST_PAIRS:,} pairs of videos correlate at least {threshold}.", "Raise the threshold."
            )
    return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])


def ceiling_of(run: Run) -> dict[str, dict[str, float]]:
    """Highest reachable R@1, R@5, R@10 of a run's split where equal captions get equal scores; see ``ceiling``.

    Raises:
        StateError: The run holds totals only, so that its captions are unknown.
    """
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only: its captions are unknown.", "Import it with --row-ids.")
    return ceiling(run.relevance_matrix, run.queries["text"].to_list())


def _need_domains(run: Run, domains: pd.Series) -> None:
    if run.totals_only or domains.isna().all():
        raise StateError(
            f"The corpus of run {run.name} states no domains.",
            "Prepare it from annotations that have a domain or category column.",
        )
