"""What a correction of hubness returns and what it costs: query by query, with what it has seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis.cells import Cell, Content
from workbench.analysis.structure.hubness import SHARES, check_k, hubs_of, unevenness
from workbench.analysis.structure.listed import Listed, listed_items
from workbench.core.errors import DataError, StateError
from workbench.core.words import spread
from workbench.evaluation.metrics.measures import query_values, tie_bounds
from workbench.evaluation.metrics.retrieval import retrieval_metrics
from workbench.evaluation.rescoring import csls
from workbench.evaluation.runs.run import Run, open_run, same_axes, similarity_of
from workbench.evaluation.runs.tables import query_groups
from workbench.evaluation.statistics.paired import PairedTest, k_occurrence, paired_test_values

MOST_CELLS = 1 << 28
"""Of a matrix that is corrected in memory: one more of it, 1 GiB."""


@dataclass(frozen=True, repr=False)
class Correction(Cell):
    """The scores of a run, corrected, against the run itself at rank 1.

    Attributes:
        name: Of the corrected run, or of the method where it was made for this table.
        scoring: How it was corrected.
        sees: What that has seen: ``nothing``, ``train queries`` or ``test queries``.
        direction: ``t2v`` or ``v2t``.
        test: Corrected minus uncorrected R@1, clustered by source.
        before: ``hubness.unevenness`` of the run.
        after: The same of the corrected scores.
        table: query_id, text (t2v; else the video's id), domain, rank_before, rank_after, outcome (``returned`` = right
            only with the correction, ``lost`` = right only without it, ``both``, ``neither``; right = an expected rank
            of 1, which a tie is not), from_hub (before, a wrong hub stood first); largest change first.
    """

    name: str
    scoring: str
    sees: str
    direction: str
    test: PairedTest
    before: dict[str, float]
    after: dict[str, float]
    table: pd.DataFrame

    def count(self, outcome: str) -> int:
        """Queries of an outcome."""
        return int((self.table["outcome"] == outcome).sum())

    def _shown(self) -> Content:
        """What the correction returns, what it costs and how even the lists become."""
        low, high = self.test.interval
        test = pd.DataFrame({
            "R@1": ["corrected - run"], "difference": [self.test.difference], "low": [low], "high": [high],
            "p": [self.test.p], "returned": [self.count("returned")], "lost": [self.count("lost")],
        })  # fmt: skip
        lists = pd.DataFrame({
            "": [SHARES[name] for name in self.before], "before": list(self.before.values()),
            "after": [self.after[name] for name in self.before],
        })  # fmt: skip
        how = "" if self.name == self.scoring else f" ({self.scoring})"
        change = f"{self.test.difference:+.2f} points of R@1 ({spread(low, high, '+.2f')})"
        said = f"Hubs corrected: {self.name}{how}, {self.direction}: {change}; it has seen {self.sees}"
        return Content(said, (test, lists), digits=2)


def hub_correction(
    run: Run | str, corrected: Run | str | None = None, k: int = 10, *, direction: str = "t2v"
) -> Correction:
    """Compare a run with its corrected scores.

    Args:
        run: A run.
        corrected: A run of its scores, re-scored (``workbench rescore``); None = CSLS of the stored matrix, which has
            seen the test queries and is not stored.
        k: Length of the lists in which hubs are counted.
        direction: ``t2v`` or ``v2t``.

    Raises:
        DataError: k out of range, runs of other captions or videos, or a correction made for the other direction only.
        StateError: Totals only; or without ``corrected``: no stored matrix, or one too large to be corrected in memory.
    """
    run = open_run(run)
    corrected = None if corrected is None else open_run(corrected)
    check_k(k)
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only.", "Import it again with --row-ids.")
    listed = listed_items(run, direction)
    if corrected is None:
        name, scoring, sees = "CSLS", "CSLS", "test queries"
        after = _csls(run, direction)
    else:
        _check_pair(run, corrected, direction)
        name, scoring, sees = corrected.name, corrected.protocol["scoring"], corrected.protocol["sees"]
        after = corrected.per(direction)
    before = run.per(direction)
    values, bounds = ([way(table, "r1") for table in (before, after)] for way in (query_values, tie_bounds))
    groups = query_groups(run, direction, before["id"].to_numpy())
    sources = groups["source_id"]
    clusters = sources.to_numpy() if sources.notna().all() else None
    test = paired_test_values(values[0], values[1], clusters, bounds=(bounds[0], bounds[1]))
    counts = listed.counts(k)
    corrected_counts = k_occurrence(listed.items_at(after["top_columns"]), len(listed.items), k)
    table = _table(listed, before, after, hubs_of(counts, listed.scored)).assign(domain=groups["domain"].to_numpy())
    change = pd.Series(np.abs(np.log(table["rank_before"] / table["rank_after"])), table.index)
    return Correction(
        name, scoring, sees, direction, test, unevenness(counts, listed.scored),
        unevenness(corrected_counts, listed.scored),
        table.loc[change.sort_values(ascending=False, kind="stable").index].reset_index(drop=True),
    )  # fmt: skip


def _check_pair(run: Run, corrected: Run, direction: str) -> None:
    if not same_axes(run, corrected) or run.info.get("v2t_level") != corrected.info.get("v2t_level"):
        raise DataError(f"{run.name} and {corrected.name} have other rows or columns.", "Take runs of one split.")
    made_for = corrected.protocol.get("direction", "both")
    if made_for not in ("both", direction):
        raise DataError(f"{corrected.name} was corrected for {made_for} only.", f"Look at it in {made_for}.")


def _csls(run: Run, direction: str) -> pd.DataFrame:
    """Counts and lists per query of the stored matrix after CSLS."""
    similarity = similarity_of(run)
    if similarity.size > MOST_CELLS:
        raise StateError(
            f"The matrix of {run.name} has {similarity.size:,} cells, too many to be corrected here.",
            f"Make a run of it: workbench rescore {run.name} --method csls --name {run.name}-csls",
        )
    level = run.info.get("v2t_level") or "auto"
    return retrieval_metrics(csls(similarity).similarity, run.relevance_matrix, direction="both", v2t=level)[
        direction
    ].per_query


def _table(listed: Listed, before: pd.DataFrame, after: pd.DataFrame, hub: np.ndarray) -> pd.DataFrame:
    ranks = [query_values(table, "mean_rank") for table in (before, after)]
    right = [rank <= 1 for rank in ranks]
    outcome = np.select([right[1] & ~right[0], right[0] & ~right[1], right[0]], ["returned", "lost", "both"], "neither")
    return pd.DataFrame({
        "query_id": listed.queries["id"], "text": listed.queries["text"], "rank_before": ranks[0],
        "rank_after": ranks[1], "outcome": outcome, "from_hub": listed.first_is_wrong & hub[listed.first],
    })  # fmt: skip
