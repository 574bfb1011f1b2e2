"""What a training learned when: ranks of the select split's queries at every look, and which were learned and lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis.cells import Cell, Content
from workbench.core.errors import DataError, StateError
from workbench.core.files import read_table
from workbench.core.lookup import pick
from workbench.core.words import counted
from workbench.evaluation.ranks.bounds import RankCounts
from workbench.evaluation.runs.run import DIRECTIONS, Run, open_run

KINDS = {
    "kept": "learned and kept",
    "again": "lost and learned again",
    "lost": "learned and lost",
    "never": "never learned",
}
"""What became of a query, by id: right at every look since it was first right; right now, but not at every look since;
wrong now, right before; wrong at every look so far."""


@dataclass(frozen=True, repr=False)
class Trajectories(Cell):
    """Ranks of one direction at every look at the select split.

    Attributes:
        run: Name of the run.
        direction: ``t2v`` or ``v2t``.
        steps: Step of each look, ascending.
        ids: Id of each query.
        ranks: float64 [queries, looks], expected rank from 1; NaN where no right item was scored.
    """

    run: str
    direction: str
    steps: list[int]
    ids: list[str]
    ranks: np.ndarray

    def _shown(self) -> Content:
        """What became of the queries by the last look."""
        shares = kind_shares(self)
        table = shares.loc[shares["step"] == self.steps[-1], ["label", "n", "share"]]
        looks = f"{counted(len(self.steps), 'look')} at {counted(len(self.ids), 'validation query')}"
        kinds = ", ".join(f"{one.n} {one.label}" for one in table.itertuples())
        said = f"{self.run}, {self.direction} R@1: {looks}, by step {self.steps[-1]}: {kinds}"
        return Content(said, (table,), digits=2)


def trajectories(run: Run | str, direction: str = "t2v") -> Trajectories:
    """Read ``trajectory.parquet`` of a run.

    Args:
        run: The run; it may be running.
        direction: ``t2v`` or ``v2t``.

    Raises:
        StateError: The run keeps none, or none of this direction.
        DataError: Some queries are missing at some looks.
    """
    run = open_run(run)
    pick({name: name for name in DIRECTIONS}, direction, "direction")
    path = run.path / "trajectory.parquet"
    table = read_table(path) if path.exists() else pd.DataFrame({"direction": []})
    table = table[table["direction"] == direction]
    if table.empty:
        raise StateError(
            f"Run {run.name} keeps no ranks of the validation split for {direction}.",
            "A training keeps them from its first checkpoint on: workbench train --help",
        )
    table = table.drop_duplicates(["step", "id"], keep="last")
    above, tied, right = (table[name].to_numpy(np.int32) for name in ("n_above", "n_tied", "n_tied_right"))
    counts = RankCounts(above, tied, right, np.arange(len(table), dtype=np.int32), 0, direction)
    rank = np.where(counts.n_tied_right > 0, counts.expected, np.nan)
    step, steps = pd.factorize(table["step"], sort=True)
    query, ids = pd.factorize(table["id"])
    if len(table) != len(steps) * len(ids):
        raise DataError(f"{path} lacks some queries at some steps.", f"Train {run.name} again with --overwrite.")
    ranks = np.full((len(ids), len(steps)), np.nan)
    ranks[query, step] = rank
    return Trajectories(run.name, direction, [int(one) for one in steps], [str(one) for one in ids], ranks)


def kinds_at(ranks: np.ndarray, k: int) -> np.ndarray:
    """What had become of each query by each look, judged by that look and those before it.

    Args:
        ranks: float [queries, looks], as in ``Trajectories``.
        k: A query is right where its rank is ``k`` or better.

    Returns:
        Names of ``KINDS`` [queries, looks].
    """
    right = ranks <= k  # NaN is never right
    learned = np.logical_or.accumulate(right, axis=1)
    lost_once = np.logical_or.accumulate(learned & ~right, axis=1)
    return np.select([right & ~lost_once, right, learned], ["kept", "again", "lost"], "never")


def kind_shares(found: Trajectories, k: int = 1) -> pd.DataFrame:
    """How many queries are of which kind at each look.

    Args:
        found: From ``trajectories``.
        k: A query is right where its rank is ``k`` or better.

    Returns:
        step, kind, label, n, share (0..1 of the queries); every kind at every step, in the order of ``KINDS``.
    """
    kinds = kinds_at(found.ranks, k)
    rows = [
        {"step": step, "kind": kind, "label": label, "n": int((column == kind).sum())}
        for step, column in zip(found.steps, kinds.T, strict=True)
        for kind, label in KINDS.items()
    ]
    return pd.DataFrame(rows).assign(share=lambda table: table["n"] / max(1, len(found.ids)))


def query_kinds(found: Trajectories, k: int = 1, chosen: int | None = None) -> pd.DataFrame:
    """What became of each query by the last look.

    Args:
        found: From ``trajectories``.
        k: A query is right where its rank is ``k`` or better.
        chosen: Step of the chosen checkpoint.

    Returns:
        id, kind, first_right (step; null = never), rank_chosen (null = not looked at that step), rank_last, reciprocal
        (list, 1 / rank at every look; 0 where not scored). Lost ones first, then never learned ones, worst first.
    """
    right = found.ranks <= k
    steps = np.asarray(found.steps)
    at = found.steps.index(chosen) if chosen in found.steps else None
    table = pd.DataFrame({
        "id": found.ids,
        "kind": kinds_at(found.ranks, k)[:, -1],
        "first_right": pd.array(np.where(right.any(1), steps[right.argmax(1)], -1), "Int64"),
        "rank_chosen": np.nan if at is None else found.ranks[:, at],
        "rank_last": found.ranks[:, -1],
        "reciprocal": list(np.nan_to_num(1 / found.ranks).round(4)),
    })  # fmt: skip
    table["first_right"] = table["first_right"].where(table["first_right"] >= 0)
    order = table["kind"].map({kind: place for place, kind in enumerate(("lost", "never", "again", "kept"))})
    worst = table["rank_last"].fillna(np.inf)
    return table.iloc[np.lexsort((-worst.to_numpy(), order.to_numpy()))].reset_index(drop=True)
