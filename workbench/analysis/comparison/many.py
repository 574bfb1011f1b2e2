"""Many runs at once: each against the same one as a family of tests, which sets of them solve what, seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from workbench.analysis.cells import Cell, Content
from workbench.analysis.comparison.compare import check_same_corpus
from workbench.core.errors import DataError
from workbench.core.words import counted
from workbench.evaluation.metrics.measures import METRICS, metric_value, query_values, tie_bounds
from workbench.evaluation.runs.run import Run, open_run
from workbench.evaluation.statistics.families import paired_tests
from workbench.evaluation.statistics.groups import SeedGroup, open_side, seed_summary
from workbench.evaluation.statistics.sides import members, query_table
from workbench.evaluation.statistics.text_half import tests_on_text

MOST_RUNS = 16
"""That are put side by side query by query; sets of more cannot be read."""


def compare_many(
    run: Run | SeedGroup | str,
    others: Sequence[Run | SeedGroup | str],
    *,
    metric: str = "r1",
    direction: str = "t2v",
    allow_other_corpus: bool = False,
) -> tuple[pd.DataFrame, list[str]]:
    """Several runs, or groups of seeds, against the same one, as one family of tests.

    Args:
        run: What the others are compared with, or its name; so with the others.
        others: The runs whose gains are asked.
        metric: A name of ``METRICS``.
        direction: ``t2v`` or ``v2t``; for ``sum_recall`` also ``both``.
        allow_other_corpus: Compare although the fingerprints differ.

    Returns:
        A table run, difference (to ``run``, in the metric's unit), low, high, p, p_holm (Holm's correction over all
        rows), wins, losses, undecided (queries that only the order of tied scores decides), odds_ratio (wins per loss),
        minimum_detectable, equivalent (whether within one point, ``PairedTest.equivalent``), verdict (``better``,
        ``worse``, ``not distinguishable``: by the interval and the corrected p); and for each row its sentence, decided
        in the same way.

    Raises:
        DataError: Other fingerprint, no shared query, or totals only.
        UnknownNameError: Unknown metric or direction.
    """
    first, rest = open_side(run), [open_side(other) for other in others]
    for other in rest:
        for a, b in product(members(first), members(other)):
            check_same_corpus(a, b, allow_other_corpus)
    pairs = [(first, other) for other in rest]
    family = paired_tests(pairs, metric, direction)
    rows = [
        (one.name_b, one.test.difference, *one.test.interval, one.test.p, one.p_holm, one.test.wins, one.test.losses,
         one.test.undecided, one.test.odds_ratio, one.test.minimum_detectable, one.test.equivalent, one.verdict)
        for one in family
    ]  # fmt: skip
    columns = [
        "run", "difference", "low", "high", "p", "p_holm", "wins", "losses", "undecided", "odds_ratio",
        "minimum_detectable", "equivalent", "verdict",
    ]  # fmt: skip
    on_text = tests_on_text(pairs, metric, direction)
    said = [one.sentence(half) for one, half in zip(family, on_text, strict=True)]
    return pd.DataFrame(rows, columns=columns), said


@dataclass(frozen=True, repr=False)
class Solved(Cell):
    """Which queries which runs answer.

    Attributes:
        names: The runs, in the order given.
        ids: Id of every query that all of them have.
        right: bool [queries, runs], expected rank k or better: with k = 1 a tie is not right.
        k: That rank.
        n_tied: Queries of which a run is right or wrong at k by the order of tied scores.
    """

    names: tuple[str, ...]
    ids: np.ndarray
    right: np.ndarray
    k: int
    n_tied: int = 0

    @property
    def sets(self) -> pd.DataFrame:
        """Every set of runs that alone solves some query, largest first.

        Columns: runs (tuple; empty = nobody), n (queries that these runs solve and no other), share (0..1).
        """
        patterns, counts = np.unique(self.right, axis=0, return_counts=True)
        names = np.asarray(self.names, dtype=object)
        table = pd.DataFrame({"runs": [tuple(names[pattern]) for pattern in patterns], "n": counts})
        table = table.assign(share=table["n"] / len(self.ids))
        return table.sort_values("n", ascending=False, kind="stable", ignore_index=True)

    @property
    def by_any(self) -> int:
        """Queries that at least one run solves."""
        return int(self.right.any(axis=1).sum())

    @property
    def by_all(self) -> int:
        """Queries that every run solves."""
        return int(self.right.all(axis=1).sum())

    def of(self, runs: Sequence[str]) -> list[str]:
        """Ids of the queries that exactly these runs solve."""
        pattern = np.isin(np.asarray(self.names), list(runs))
        return [str(one) for one in self.ids[(self.right == pattern).all(axis=1)]]

    def _shown(self) -> Content:
        """The sets."""
        sets = self.sets.assign(runs=[", ".join(runs) or "nobody" for runs in self.sets["runs"]])
        said = f"Solved at rank {self.k}: {self.by_any} of {len(self.ids)} queries by any run, {self.by_all} by all"
        tied = f"In {counted(self.n_tied, 'query')} the order of tied scores decides." if self.n_tied else ""
        return Content(said, (sets.rename(columns={"runs": "solved by exactly"}),), (tied,), digits=2)


def solved_sets(runs: Sequence[Run | str], *, k: int = 1, direction: str = "t2v") -> Solved:
    """Which sets of runs solve which queries (what an UpSet plot shows).

    Args:
        runs: Runs on one split, or their names.
        k: A query is solved where its expected rank is ``k`` or better.
        direction: ``t2v`` or ``v2t``.

    Raises:
        DataError: No run or more than 16, another corpus, totals only, no shared query, or k below 1.
        UnknownNameError: Unknown direction.

    Source: Lex et al., UpSet: Visualization of Intersecting Sets, IEEE TVCG 2014.
    """
    if not 1 <= len(runs) <= MOST_RUNS or k < 1:
        raise DataError(f"{len(runs)} runs and k = {k} were given.", f"Give 1 to {MOST_RUNS} runs, and k of 1 or more.")
    tables = []
    opened = [open_run(run) for run in runs]
    for run in opened:
        check_same_corpus(opened[0], run, allow=False)
        table = query_table(run, direction, "mean_rank")
        right, (worst, best) = query_values(table, "mean_rank") <= k, tie_bounds(table, "mean_rank") <= k
        tables.append(pd.DataFrame({"right": right, "tied": best & ~worst}, index=table["id"].to_numpy()))
    joined = pd.concat(dict(enumerate(tables)), axis=1, join="inner").swaplevel(axis=1)
    if joined.empty:
        raise DataError("These runs share no query.", "Compare runs of one corpus and split.")
    n_tied = int(joined["tied"].to_numpy(bool).any(axis=1).sum())
    return Solved(tuple(run.name for run in opened), joined.index.to_numpy(), joined["right"].to_numpy(bool), k, n_tied)


def seed_spread(sides: Sequence[Run | SeedGroup], metric: str = "r1", direction: str = "t2v") -> pd.DataFrame:
    """The spread of seeds beside the noise of queries, for every group of seeds among some runs.

    Args:
        sides: Runs and groups of seeds; single runs are left out.
        metric: A name of ``METRICS``.
        direction: ``t2v`` or ``v2t``.

    Returns:
        group, n_seeds, mean, sd, min, max (over seeds), low, high (95 % interval of the mean over queries), values
        (of each seed, a list).

    Raises:
        DataError: A group whose runs do not have the same queries.
        UnknownNameError: Unknown metric or direction.
    """
    rows = []
    for side in sides:
        if isinstance(side, SeedGroup):
            one = seed_summary(side, metric, direction)
            rows.append((side.name, one.n_seeds, one.mean, one.sd, one.low, one.high, *one.interval, list(one.values)))
    return pd.DataFrame(rows, columns=["group", "n_seeds", "mean", "sd", "min", "max", "low", "high", "values"])


def metric_table(runs: Sequence[Run | str], metric: str = "r1", direction: str = "t2v") -> pd.Series:
    """The value of a metric of each run by its name, in its unit."""
    every = [open_run(run) for run in runs]  # copies of a folder have one name and are runs all the same
    values = [metric_value(query_values(query_table(run, direction, metric), metric), metric) for run in every]
    return pd.Series(values, index=[run.name for run in every], name=METRICS[metric].label, dtype=float)
