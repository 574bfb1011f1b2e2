"""Structure of a run's scores: hubs, confusion between domains, means of blocks, near duplicates, the ceiling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from workbench.core.errors import StateError
from workbench.corpus import domain_label
from workbench.evaluation.ceilings import ceiling
from workbench.evaluation.runs import Run, similarity_of
from workbench.evaluation.saving import query_groups
from workbench.evaluation.statistics import design_effect, k_occurrence, wilson

ROWS_PER_BLOCK = 512


@dataclass(frozen=True)
class Hubness:
    """How unevenly the gallery is retrieved (t2v).

    Attributes:
        counts: int64 [videos]: in how many queries' first k each video stands.
        skewness: Of these counts; near 0 for a fair gallery, above 1 hubs are strong.
        anti_hub_share: Share of videos that stand in no list.
        robin_hood: Share of all places that would have to move for an even spread, 0..1.
        top: video_id, domain, count, n_wrong (queries in whose list it stands though it is wrong), k times its share.
        k: Length of the lists.
    """

    counts: np.ndarray
    skewness: float
    anti_hub_share: float
    robin_hood: float
    top: pd.DataFrame
    k: int


def hubness(run: Run, k: int = 10, n_top: int = 20) -> Hubness:
    """Hubs of a run: k-occurrence, its skewness, anti-hubs and the Robin Hood index.

    Source: Radovanovic, Nanopoulos and Ivanovic, JMLR 2010; Robin Hood index as in Feldbauer et al., 2018.
    """
    lists = run.per("t2v")["top_columns"].to_list()
    counts = k_occurrence(lists, len(run.gallery), k)
    relevance = run.relevance_matrix.tocsc()
    right = np.zeros(len(counts), int)
    rows = (
        pd.Series(np.arange(len(run.queries)), index=run.queries["caption_id"]).reindex(run.per("t2v")["id"]).to_numpy()
    )
    place = {int(row): lists[i][:k] for i, row in enumerate(rows)}
    for column in np.argsort(-counts, kind="stable")[:n_top]:
        owners = relevance.indices[relevance.indptr[column] : relevance.indptr[column + 1]]
        right[column] = sum(column in place[int(row)] for row in owners)
    best = np.argsort(-counts, kind="stable")[:n_top]
    top = run.gallery.iloc[best][["video_id", "domain"]].reset_index(drop=True)
    mean = counts.mean() or 1.0
    top = top.assign(count=counts[best], n_wrong=counts[best] - right[best], times_its_share=counts[best] / mean)
    robin_hood = float(np.abs(counts - counts.mean()).sum() / (2 * max(1, counts.sum())))
    skew = float(stats.skew(counts)) if counts.std() > 0 else 0.0
    return Hubness(counts, skew, float((counts == 0).mean()), robin_hood, top, k)


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


def domain_means(run: Run, other: Run | None = None) -> pd.DataFrame:
    """Mean similarity of captions of one domain to videos of another; of z-scored rows, so that runs compare.

    Args:
        run: A run with its similarity.
        other: Give the means of ``run - other`` instead; same rows and columns.

    Returns:
        A square table, labels of domains as index (captions) and columns (videos), in standard deviations of a row.

    Raises:
        StateError: No domains, no similarity, totals only, or runs of different rows and columns.
    """
    table = run.queries
    groups = query_groups(run, "t2v", table["caption_id"].to_numpy())["domain"]
    _need_domains(run, groups)
    means = _block_means(run, groups)
    if other is not None:
        if not (same_axes(run, other)):
            raise StateError(f"{run.name} and {other.name} have other rows or columns.", "Compare runs of one split.")
        means = means - _block_means(other, groups)
    return means


def same_axes(a: Run, b: Run) -> bool:
    """Whether two runs have the same captions as rows and the same videos as columns."""
    return (
        a.queries["caption_id"].equals(b.queries["caption_id"])
        and a.gallery["video_id"].equals(b.gallery["video_id"])
        and not a.totals_only
        and not b.totals_only
    )


def _block_means(run: Run, row_domain: pd.Series) -> pd.DataFrame:
    similarity = similarity_of(run)
    names = sorted(run.gallery["domain"].dropna().unique())
    columns = pd.get_dummies(pd.Categorical(run.gallery["domain"], names)).to_numpy(float)
    rows = pd.get_dummies(pd.Categorical(row_domain, names)).to_numpy(float)
    total, count = np.zeros((len(names),) * 2), np.zeros((len(names),) * 2)
    for start in range(0, len(similarity), ROWS_PER_BLOCK):
        block = np.asarray(similarity[start : start + ROWS_PER_BLOCK], np.float64)
        scored = np.isfinite(block)
        mean = np.nanmean(np.where(scored, block, np.nan), axis=1, keepdims=True)
        spread = np.nanstd(np.where(scored, block, np.nan), axis=1, keepdims=True)
        z = np.where(scored, (block - mean) / np.where(spread > 0, spread, 1), 0)
        part = rows[start : start + ROWS_PER_BLOCK]
        total += part.T @ z @ columns
        count += part.T @ scored @ columns
    labels = [domain_label(name) for name in names]
    return pd.DataFrame(total / np.maximum(count, 1), index=labels, columns=labels)


def column_correlations(similarity: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Correlation over all queries of the columns ``left[i]`` and ``right[i]``; nan where one is constant."""
    value = np.full(len(left), np.nan)
    for start in range(0, len(left), ROWS_PER_BLOCK):
        a, b = (np.array(similarity[:, at[start : start + ROWS_PER_BLOCK]], np.float64) for at in (left, right))
        for block in (a, b):
            scored = np.isfinite(block)
            mean = block.sum(axis=0, where=scored) / np.maximum(scored.sum(axis=0), 1)
            block[:] = np.where(scored, block, mean) - mean
        norm = np.sqrt((a**2).sum(0) * (b**2).sum(0))
        part = (a * b).sum(0)
        value[start : start + ROWS_PER_BLOCK] = np.divide(part, norm, out=np.full(len(norm), np.nan), where=norm > 0)
    return value


def near_duplicates(run: Run, threshold: float = 0.95) -> pd.DataFrame:
    """Pairs of videos whose score columns correlate at least ``threshold`` over all queries.

    Returns:
        video_a, video_b, correlation, same_source (null = unknown); highest first.

    Raises:
        StateError: The run keeps no similarity.
    """
    similarity = np.array(similarity_of(run), np.float32)
    similarity[~np.isfinite(similarity)] = 0
    similarity -= similarity.mean(0)
    norm = np.linalg.norm(similarity, axis=0)
    similarity /= np.where(norm > 0, norm, 1)
    pairs: list[tuple[int, int, float]] = []
    for start in range(0, similarity.shape[1], ROWS_PER_BLOCK):
        value = similarity[:, start : start + ROWS_PER_BLOCK].T @ similarity
        a, b = np.nonzero(value >= threshold)
        keep = b > a + start
        pairs += zip(a[keep] + start, b[keep], value[a[keep], b[keep]], strict=True)
    found = pd.DataFrame(pairs, columns=["a", "b", "correlation"]).astype({"a": int, "b": int, "correlation": float})
    ids, source = (run.gallery[c].to_numpy(dtype=object) for c in ("video_id", "source_id"))
    a, b = found["a"].to_numpy(), found["b"].to_numpy()
    known = pd.notna(source[a]) & pd.notna(source[b])
    same = np.where(known, source[a] == source[b], None)
    table = pd.DataFrame(
        {"video_a": ids[a], "video_b": ids[b], "correlation": found["correlation"], "same_source": same}
    )
    return table.sort_values("correlation", ascending=False, kind="stable").reset_index(drop=True)


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
