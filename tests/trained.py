"""Trainings whose curves and ranks are written by hand: nothing is trained, so tests know every number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tests.made import made_similarity
from workbench.core.files import read_json, write_json, write_table
from workbench.corpus import Corpus
from workbench.evaluation import Run
from workbench.evaluation.runs.saving import complete_run, fail_run, start_run

GONE = 2**22 + 1
"""A process that cannot be."""


def history_of(losses: Sequence[float], mrr: Mapping[int, float], every_s: float = 2.0) -> pd.DataFrame:
    """``history.parquet``: a loss and a clock at every step, MRR and R@1 (a hundred times as much) at some."""
    rows = [(step, 0, "loss", loss) for step, loss in enumerate(losses)]
    rows += [(step, 0, "elapsed", every_s * (step + 1)) for step in range(len(losses))]
    rows += [(step, 0, "val mrr", value) for step, value in mrr.items()]
    rows += [(step, 0, "val r1", 100 * value) for step, value in mrr.items()]
    return pd.DataFrame(rows, columns=["step", "epoch", "name", "value"])


def ranks_of(ids: Sequence[str], ranks: Mapping[int, Sequence[int]], direction: str = "t2v") -> pd.DataFrame:
    """``trajectory.parquet`` of whole ranks by step; 0 stands for a query whose right item was not scored."""
    parts = []
    for step, row in ranks.items():
        rank = np.asarray(row, np.int32)
        counts = {"n_above": np.where(rank > 0, rank - 1, len(ids) - 1), "n_tied": 0, "n_tied_right": rank > 0}
        parts.append(pd.DataFrame({"step": step, "direction": direction, "id": list(ids), **counts}))
    return pd.concat(parts, ignore_index=True).astype({"n_tied_right": np.int32})


def training(
    corpus: Corpus, name: str, *, steps: int = 10, losses: Sequence[float] = (), mrr: Mapping[int, float] | None = None,
    best: int | None = None, ranks: pd.DataFrame | None = None, end: str = "",
) -> Run:  # fmt: skip
    """A training that runs in this very process, or ended as asked.

    Args:
        corpus: What it reports on.
        name: The run's name.
        steps: That its recipe asks for.
        losses: Of the steps made.
        mrr: Of the val split, by step.
        best: The step that the file ``best`` names; None = no such file.
        ranks: ``trajectory.parquet``; None = none.
        end: ``finished``, ``dead``, a reason why it failed, or "" = it runs.
    """
    folder = start_run(name, corpus, recipe={"steps": steps, "eval_every": 5, "select_split": "val"})
    if losses:
        write_table(folder / "history.parquet", history_of(losses, mrr or {}))
    if ranks is not None:
        write_table(folder / "trajectory.parquet", ranks)
    if best is not None:
        (folder / "checkpoints").mkdir()
        (folder / "checkpoints" / "best").write_text(str(best))
    _end(folder, corpus, end)
    return Run(folder)


def _end(folder: Path, corpus: Corpus, end: str) -> None:
    if end == "finished":
        complete_run(folder, made_similarity(corpus), corpus=corpus, protocol={"selected_on": "val"})
    elif end == "dead":
        info = read_json(folder / "run.json", "the run")
        write_json(folder / "run.json", {**info, "writer": {**info["writer"], "pid": GONE}})
    elif end:
        fail_run(folder, end)
