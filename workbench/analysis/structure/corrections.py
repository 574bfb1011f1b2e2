"""What a correction of hubness returns and what it costs: query by query, with what it has seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis.structure.hubness import check_k, hubs_of, unevenness
from workbench.core.errors import DataError, StateError
from workbench.evaluation.metrics.measures import query_values
from workbench.evaluation.metrics.retrieval import retrieval_metrics
from workbench.evaluation.rescoring import csls
from workbench.evaluation.runs.run import Run, same_axes, similarity_of
from workbench.evaluation.runs.tables import query_groups
from workbench.evaluation.statistics.paired import PairedTest, k_occurrence, paired_test_values

MOST_CELLS = 1 << 28
"""Of a matrix that is corrected in memory: one more of it, 1 GiB."""


@dataclass(frozen=True)
class Correction:
    """The scores of a run, corrected, against the run itself (t2v, at rank 1).

    Attributes:
        name: Of the corrected run, or of the method where it was made for this table.
        scoring: How it was corrected.
        sees: What that has seen: ``nothing``, ``train queries`` or ``test queries``.
        test: Corrected minus uncorrected R@1, clustered by source.
        before: ``hubness.unevenness`` of the run.
        after: The same of the corrected scores.
        table: query_id, text, domain, rank_before, rank_after, outcome (``returned`` = right only with the correction,
            ``lost`` = right only without it, ``both``, ``neither``; right = an expected rank of 1, which a tie is not),
            from_hub (before, a wrong hub stood first); largest change first.
    """

    name: str
    scoring: str
    sees: str
    test: PairedTest
    before: dict[str, float]
    after: dict[str, float]
    table: pd.DataFrame

    def count(self, outcome: str) -> int:
        """Queries of an outcome."""
        return int((self.table["outcome"] == outcome).sum())


def hub_correction(run: Run, corrected: Run | None = None, k: int = 10) -> Correction:
    """Compare a run with its corrected scores.

    Args:
        run: A run.
        corrected: A run of its scores, re-scored (``workbench rescore``); None = CSLS of the stored matrix, which has
            seen the test queries and is not stored.
        k: Length of the lists in which hubs are counted.

    Raises:
        DataError: k out of range, or runs of other captions or videos.
        StateError: Totals only; or without ``corrected``: no stored matrix, or one too large to be corrected in memory.
    """
    check_k(k)
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only.", "Import it again with --row-ids.")
    if corrected is None:
        name, scoring, sees, after = "CSLS", "CSLS", "test queries", _csls(run)
    else:
        if not same_axes(run, corrected):
            raise DataError(f"{run.name} and {corrected.name} have other rows or columns.", "Take runs of one split.")
        name, after = corrected.name, corrected.per("t2v")
        scoring, sees = corrected.protocol["scoring"], corrected.protocol["sees"]
    before = run.per("t2v")
    values = [query_values(table, "r1") for table in (before, after)]
    groups = query_groups(run, "t2v", before["id"].to_numpy())
    sources = groups["source_id"]
    test = paired_test_values(values[0], values[1], sources.to_numpy() if sources.notna().all() else None)
    scored = (run.gallery["state"] == "scored").to_numpy()
    counts = [k_occurrence(table["top_columns"].to_list(), len(run.gallery), k) for table in (before, after)]
    table = _table(run, before, after, hubs_of(counts[0], scored)).assign(domain=groups["domain"].to_numpy())
    change = pd.Series(np.abs(np.log(table["rank_before"] / table["rank_after"])), table.index)
    return Correction(
        name, scoring, sees, test, unevenness(counts[0], scored), unevenness(counts[1], scored),
        table.loc[change.sort_values(ascending=False, kind="stable").index].reset_index(drop=True),
    )  # fmt: skip


def _csls(run: Run) -> pd.DataFrame:
    """Counts and lists per query of the stored matrix after CSLS."""
    similarity = similarity_of(run)
    if similarity.size > MOST_CELLS:
        raise StateError(
            f"The matrix of {run.name} has {similarity.size:,} cells, too many to be corrected here.",
            f"Make a run of it: workbench rescore {run.name} --method csls --name {run.name}-csls",
        )
    return retrieval_metrics(csls(similarity).similarity, run.relevance_matrix).per_query


def _table(run: Run, before: pd.DataFrame, after: pd.DataFrame, hub: np.ndarray) -> pd.DataFrame:
    texts = run.queries.drop_duplicates("caption_id").set_index("caption_id")["text"]
    ranks = [query_values(table, "mean_rank") for table in (before, after)]
    right = [rank <= 1 for rank in ranks]
    outcome = np.select([right[1] & ~right[0], right[0] & ~right[1], right[0]], ["returned", "lost", "both"], "neither")
    return pd.DataFrame({
        "query_id": before["id"], "text": texts.reindex(before["id"]).to_numpy(), "rank_before": ranks[0],
        "rank_after": ranks[1], "outcome": outcome, "from_hub": _wrong_hub_first(run, before, hub),
    })  # fmt: skip


def _wrong_hub_first(run: Run, table: pd.DataFrame, hub: np.ndarray) -> np.ndarray:
    """bool [queries]: the first video of the list is a hub, and wrong."""
    first = np.asarray([columns[0] if len(columns) else -1 for columns in table["top_columns"]], np.int64)
    rows = pd.Index(run.queries["caption_id"]).get_indexer(table["id"])
    right = np.asarray((run.relevance_matrix > 0)[rows, first]).ravel()
    return (first >= 0) & hub[first] & ~right
