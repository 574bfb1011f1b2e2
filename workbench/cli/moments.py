"""Numbers of moment retrieval, as ``workbench evaluate`` prints them for a run that holds moments."""

from __future__ import annotations

from typing import Any

import pandas as pd

from workbench.cli.common import say, show_table
from workbench.evaluation import MomentMetrics, moment_metrics
from workbench.evaluation.runs.run import Run

KINDS = {"": "all", "v": "v (video)", "t": "t (text)", "vt": "vt (both)"}


def moments_of(run: Run, nms: float | None) -> MomentMetrics | None:
    """The moment metrics of a run; None where it holds no moments and none were asked for."""
    return None if run.moments is None and nms is None else moment_metrics(run, nms=nms)


def as_json(found: MomentMetrics, nms: float | None) -> dict[str, Any]:
    """All numbers, and those of TVR's metric files in their layout."""
    return {"moments": {
        "nms": nms, "clustered": found.clustered, "missing": found.n_missing, "tvr": found.to_dict(),
        "table": found.table.to_dict("records"),
    }}  # fmt: skip


def show_moments(found: MomentMetrics, nms: float | None) -> None:
    """Print R@K by task, query type and temporal IoU, with the interval of R@1."""
    rows = []
    for (task, kind, tiou), part in found.table.groupby(["task", "query_type", "tiou"], sort=False, dropna=False):
        first = part.iloc[0]
        rows.append({
            "task": str(task).upper(), "queries": KINDS.get(str(kind), str(kind)), "tIoU": tiou,
            **{f"R@{row.k}": row.recall for row in part.itertuples()},
            f"R@{first['k']} 95 %": f"[{first['low']:.2f}, {first['high']:.2f}]", "n": int(first["n_queries"]),
        })  # fmt: skip
    show_table(pd.DataFrame(rows))
    for task, n in found.n_missing.items():
        if n:
            say(f"{task.upper()}: queries without a prediction, which are misses: {n:,}.")
    if not found.clustered:
        say("Intervals are not clustered: sources are not stated.")
    if nms is not None:
        say(f"After temporal suppression at tIoU {nms:g}.")
