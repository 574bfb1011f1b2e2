"""What two trainings learned: what became of the same validation queries in both."""

from __future__ import annotations

import pandas as pd

from workbench.analysis.trajectories import KINDS, Trajectories, query_kinds
from workbench.core.errors import DataError


def learned_by(a: Trajectories, b: Trajectories, k: int = 1) -> pd.DataFrame:
    """What became of every validation query by the last checkpoint of each of two trainings.

    Args:
        a: ``trajectories`` of run A.
        b: The same of run B, in the same direction.
        k: A query is right where its rank is ``k`` or better.

    Returns:
        id, kind_a, kind_b (of ``KINDS``), rank_a, rank_b (last), reciprocal_a, reciprocal_b (1 / rank at every look);
        worst rank of A over that of B first.

    Raises:
        DataError: Other directions, or no shared query.
    """
    if a.direction != b.direction:
        raise DataError(f"{a.run} is seen in {a.direction}, {b.run} in {b.direction}.", "Ask for one direction.")
    columns = ["id", "kind", "rank_last", "reciprocal"]
    found = query_kinds(a, k)[columns].merge(query_kinds(b, k)[columns], on="id", suffixes=("_a", "_b"))
    if found.empty:
        raise DataError(f"{a.run} and {b.run} share no validation query.", "Compare trainings on one corpus.")
    found = found.rename(columns={"rank_last_a": "rank_a", "rank_last_b": "rank_b"})
    order = (found["rank_a"] / found["rank_b"]).sort_values(ascending=False, kind="stable").index
    return found.loc[order].reset_index(drop=True)


def learned_table(found: pd.DataFrame) -> pd.DataFrame:
    """How many queries became what in A (rows) and in B (columns), both in the order of ``KINDS``.

    Args:
        found: From ``learned_by``.
    """
    counts = pd.crosstab(found["kind_a"], found["kind_b"]).reindex(index=list(KINDS), columns=list(KINDS), fill_value=0)
    return counts.rename(index=KINDS, columns=KINDS).rename_axis(index="A", columns="B")
