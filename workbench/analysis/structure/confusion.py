"""Structure of a run's scores: confusion between domains, the ceiling."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy.sparse as sp

from workbench.analysis.structure.listed import Listed, listed_items
from workbench.core.errors import StateError
from workbench.corpus import domain_label
from workbench.corpus.text import NONE_STATED, with_unstated
from workbench.evaluation.metrics.ceilings import ceiling
from workbench.evaluation.ranks.blocks import BLOCK_ITEMS, query_block
from workbench.evaluation.runs.run import Run, open_run
from workbench.evaluation.runs.tables import query_groups
from workbench.evaluation.statistics.paired import design_effect, wilson


def domain_confusion(run: Run | str, *, direction: str = "t2v") -> pd.DataFrame:
    """Domain of each query against the domain of what stands first, with Wilson intervals clustered by source.

    Where several items share the first place, each counts by its share of it, as a random order would have it.

    Args:
        run: A run.
        direction: ``t2v``: captions of a domain (that of the right video) against the top-1 video; ``v2t``: videos of a
            domain against the top-1 caption (that of its right video).

    Returns:
        domain, label, top_domain, top_label, n (expected under ties), n_queries (of the domain), n_sources (null = not
        stated), share, low, high (0..1), direction.

    Raises:
        StateError: No domains, or totals only.
        UnknownNameError: Unknown direction.
    """
    run = open_run(run)
    listed = listed_items(run, direction)
    groups = query_groups(run, direction, listed.queries["id"].to_numpy())
    _need_domains(run, groups["domain"])
    domain_of = with_unstated(listed.items["domain"]).to_numpy()
    names = sorted(set(domain_of), key=lambda one: (one == NONE_STATED, one))
    member = np.stack([domain_of == name for name in names], axis=1).astype(float)
    shares = first_shares(run, listed) @ member
    rows = []
    for domain in names:
        mine = (with_unstated(groups["domain"]) == domain).to_numpy()
        sources = groups["source_id"][mine]
        stated = bool(sources.notna().all())
        clusters = sources.to_numpy() if stated else np.arange(int(mine.sum()))
        of = (domain, domain_label(domain)), (int(mine.sum()), int(sources.nunique()) if stated else None)
        rows += [(*of[0], other, domain_label(other), *_share(shares[mine, at], clusters, of[1]), direction)
                 for at, other in enumerate(names)]  # fmt: skip
    columns = ["domain", "label", "top_domain", "top_label", "n", "n_queries", "n_sources", "share", "low", "high",
               "direction"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _share(
    hits: np.ndarray, clusters: np.ndarray, sizes: tuple[int, int | None]
) -> tuple[float, int, int | None, float, float, float]:
    """n, n_queries, n_sources, share and its interval."""
    if not len(hits):
        return 0.0, *sizes, 0.0, 0.0, 1.0
    return float(hits.sum()), *sizes, float(hits.mean()), *wilson(hits.sum(), len(hits), design_effect(hits, clusters))


def first_shares(run: Run, listed: Listed) -> sp.csr_array:
    """Chance of every item to stand first, [queries, items]: equal shares where several have the best score.

    Lists hold 100 items. Where all of them are tied, the rest is looked up in the similarity; a run that keeps none
    shares the first place among these 100.

    Args:
        run: The run.
        listed: Its lists in one direction.
    """
    scores = run.per(listed.direction)["top_scores"]
    n_best = [int((np.asarray(own) == own[0]).sum()) if len(own) else 0 for own in scores]
    best = [items[:n] for items, n in zip(listed.lists, n_best, strict=True)]
    cut = [at for at, (n, own) in enumerate(zip(n_best, scores, strict=True)) if n == len(own) > 1]
    if run.similarity is not None and cut:
        for at, items in zip(cut, _all_best(run, run.similarity, listed, np.asarray(cut)), strict=True):
            best[at] = items
    sizes = np.asarray([len(one) for one in best])
    place = np.repeat(np.arange(len(best)), sizes), np.concatenate(best)
    return sp.csr_array((1.0 / np.repeat(sizes, sizes), place), shape=listed.rights.shape)


def _all_best(run: Run, similarity: np.ndarray, listed: Listed, queries: np.ndarray) -> list[np.ndarray]:
    """The items of the best score of some queries, read out of the similarity."""
    axis = run.queries["caption_id"] if listed.direction == "t2v" else run.gallery["video_id"]
    numbers = pd.Index(axis).get_indexer(pd.Index(listed.queries["id"].iloc[queries]))
    step = max(1, BLOCK_ITEMS // similarity.shape[listed.direction == "t2v"])
    found = []
    for start in range(0, len(numbers), step):
        block = query_block(similarity, listed.direction, numbers[start : start + step])
        found += [np.unique(one) for one in listed.items_at(np.flatnonzero(row == row.max()) for row in block)]
    return found


def ceiling_of(run: Run | str) -> dict[str, dict[str, float]]:
    """Highest reachable R@1, R@5, R@10 of a run's split where equal captions get equal scores; see ``ceiling``.

    Raises:
        StateError: The run holds totals only, so that its captions are unknown.
    """
    run = open_run(run)
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only: its captions are unknown.", "Import it with --row-ids.")
    return ceiling(run.relevance_matrix, run.queries["text"].to_list())


def _need_domains(run: Run, domains: pd.Series) -> None:
    if run.totals_only or domains.isna().all():
        raise StateError(
            f"The corpus of run {run.name} states no domains.",
            "Prepare it from annotations that have a domain or category column.",
        )
