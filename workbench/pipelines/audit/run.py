"""Everything that can be wrong with a stored run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.corpus import Corpus
from workbench.evaluation.metrics.ceilings import ceiling
from workbench.evaluation.metrics.duplicates import shared_relevance
from workbench.evaluation.metrics.retrieval import RetrievalMetrics, retrieval_metrics
from workbench.evaluation.runs.corpora import corpus_of_run
from workbench.evaluation.runs.run import Run
from workbench.pipelines.audit.findings import Finding, finding
from workbench.pipelines.audit.order import audit_agreement, audit_order, other_runs
from workbench.pipelines.audit.scores import audit_sense, audit_ties, audit_truth, audit_values, extent_of
from workbench.pipelines.audit.training import audit_training

SHOWN = ("r1", "r5", "r10", "median_rank", "mean_rank", "mrr")


def audit_run(run: Run, corpus: Corpus | None = None) -> Iterator[Finding]:
    """Order, scores, stored metrics and agreement of a run, and what its model was trained on.

    Args:
        run: A finished run.
        corpus: Its corpus; None = the workspace's, if it is that very one.

    Raises:
        DataError: The given corpus is not the one that the run was made on.
    """
    if run.state != "finished":
        yield finding(
            "state", "warning", f"The run is {run.state} (last sign of life {run.last_sign}).",
            fix="Wait until it is finished, or start it again.",
        )  # fmt: skip
        return
    found, why = corpus_of_run(run, corpus)
    yield (
        finding("corpus", "ok", f"{run.corpus_name}/{run.split} is as it was when the run was made.")
        if found is not None
        else finding("corpus", "warning", why, fix="Prepare the corpus that the run was made on, or score it again.")
    )
    yield from audit_training(run, found)
    if run.similarity is None:
        yield finding("finite values", "note", "The run keeps no similarity, so its scores cannot be looked at.")
        return
    expected = (len(run.queries), len(run.gallery))
    if run.similarity.shape != expected:
        yield finding(
            "shape", "wrong", f"The stored matrix is {run.similarity.shape}, its tables say {expected}.",
            fix="Score or import it again.",
        )  # fmt: skip
        return
    yield from _scores(run, found)


def _scores(run: Run, corpus: Corpus | None) -> Iterator[Finding]:
    extent = extent_of(run)
    yield from audit_values(run, extent)
    if len(extent.bad_rows):
        return
    both = retrieval_metrics(run.similarity, run.relevance_matrix, direction="both", v2t=run.info["v2t_level"])
    yield _stored(run, both)
    order = audit_order(run, corpus)
    yield order
    yield audit_agreement(run, other_runs(run), in_order=order.severity == "ok")
    yield audit_ties(run, {name: metrics.counts for name, metrics in both.items()})
    yield audit_sense(run, both["t2v"].counts)
    texts = [""] if run.totals_only else run.queries["text"].to_list()
    limit = 100.0 if run.totals_only else ceiling(run.relevance_matrix, texts)["t2v"]["r1"]
    yield from audit_truth(run, both["t2v"].counts, extent, limit)
    if not run.totals_only:
        yield _duplicate_aware(run, texts, both)


def _stored(run: Run, both: dict[str, RetrievalMetrics]) -> Finding:
    """Whether the stored counts are those of the stored matrix."""
    stale = []
    for direction, metrics in both.items():
        stored = run.per(direction)
        for name in ("n_above", "n_tied", "n_tied_right"):
            same = len(stored) == metrics.n_queries and np.array_equal(
                stored[name].to_numpy(), getattr(metrics.counts, name)
            )
            stale += [] if same else [f"{direction} {name}"]
        if abs(run.metrics[direction]["r1"] - metrics.r1) > 1e-6:
            stale.append(f"{direction} R@1")
    if stale:
        return finding(
            "stored metrics", "wrong", f"The stored metrics are not those of the stored matrix: {', '.join(stale)}.",
            rows=stale, fix="Import or score it again: a file was replaced.",
        )  # fmt: skip
    return finding("stored metrics", "ok", "The stored metrics are those of the stored matrix.")


def _duplicate_aware(run: Run, texts: list[str], both: dict[str, RetrievalMetrics]) -> Finding:
    """The metrics where captions of equal text share their right videos, beside the official ones."""
    shared = shared_relevance(run.relevance_matrix, texts)
    if shared.nnz == run.relevance_matrix.nnz:
        return finding("duplicate-aware metrics", "ok", "No two captions of different videos are equal.")
    aware = retrieval_metrics(run.similarity, shared, direction="both", v2t=run.info["v2t_level"])
    numbers: dict[str, Any] = {
        f"{direction}_{name}{suffix}": float(getattr(metrics[direction], name))
        for direction in ("t2v", "v2t")
        for name in SHOWN
        for suffix, metrics in (("", both), ("_aware", aware))
    }
    return finding(
        "duplicate-aware metrics", "note",
        f"Where equal captions share their videos, t2v R@1 is {aware['t2v'].r1:.2f} instead of {both['t2v'].r1:.2f}, "
        f"v2t R@1 {aware['v2t'].r1:.2f} instead of {both['v2t'].r1:.2f}.",
        fix="Show both; the official number stays the one to compare with papers.", numbers=numbers,
    )  # fmt: skip
