"""Runs that are trained: how far each is, what its select split says, and its curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.jobs import Job
from workbench.evaluation.runs.monitor import LOOK_CURVES, Monitor
from workbench.evaluation.runs.progress import newest, seconds_left, steps_made
from workbench.evaluation.runs.run import Run

TOTALS = ("seconds", "elapsed")
"""Entries of a history that are clocks, not curves."""
EXACT = ("learning rate", "GPU memory")
"""What is told at every step and has no noise: never smoothed, as metrics of the select split."""
MOST_POINTS = 1000
PACE = {"samples_per_s": "samples/s", "data_wait": "data wait", "gpu_gib": "GPU memory"}
"""Columns of what a history last said of the pace, and its names there."""
COLUMNS = [
    "name", "state", "step", "steps", "last_sign", "seconds_left", *PACE, "split", "chosen_step", "mrr", "r1", "job",
    "job_state", "note", "corpus", "path",
]  # fmt: skip
CURVE_COLUMNS = ["run", "name", "split", "step", "epoch", "value", "smooth"]


def is_training(run: Run) -> bool:
    """Whether a run was trained here, or is being: it keeps a history, or is not finished and has a recipe."""
    return (run.path / "history.parquet").exists() or (run.state != "finished" and bool(run.info.get("recipe")))


def trainings(runs: Iterable[Run], jobs: Mapping[str, Job] | None = None) -> pd.DataFrame:
    """How far trainings are, one row each, in the order given.

    Args:
        runs: Runs for which ``is_training`` holds, read just now.
        jobs: The job that trains a run, by the run's name.

    Returns:
        name, state, step (made so far), steps (of the recipe; null = not stated), last_sign (local time), seconds_left
        (null = not known), samples_per_s, data_wait (share of the time, 0..1) and gpu_gib as last reported (null = not
        told), split (that chooses), chosen_step (null = none yet), mrr (0..1) and r1 (percent) of that split there,
        job, job_state, note, corpus, path.

    Raises:
        DataError: A history cannot be read.
    """
    rows = [_progress_of(run, (jobs or {}).get(run.name)) for run in runs]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"step": "Int64", "steps": "Int64", "chosen_step": "Int64"})


def chosen_step(run: Run) -> int | None:
    """The step of the checkpoint that the select split chose so far; None where it was not looked at yet."""
    pointer = run.path / "checkpoints" / "best"
    if pointer.is_file():
        return int(pointer.read_text(encoding="utf-8"))
    return Monitor.of_run(run.info).best_step(run.history)


def curves(run: Run, span: float = 1) -> pd.DataFrame:
    """The curves of a training, long.

    Args:
        run: The run, read just now.
        span: Steps that the exponential average of what is told at every step reaches over (``alpha = 2 / (span + 1)``,
            not biased towards its start); 1 = none. Metrics of the select split and ``EXACT`` ones are never smoothed.

    Returns:
        run, name (``loss``, ``learning rate``, ...; a metric of a split as in ``LOOK_CURVES``), split ("" = none),
        step, epoch, value (null where it was not finite), smooth. Long curves keep the lowest and highest value of each
        stretch, so that no peak is lost.
    """
    return _curves(run, _names(run), span)


def not_finite(table: pd.DataFrame) -> dict[str, int]:
    """First step at which the loss of a run was not a number, by run.

    Args:
        table: From ``curves``.
    """
    bad = table[(table["name"] == "loss") & table["value"].isna()]
    return {str(run): int(step) for run, step in bad.groupby("run", sort=False)["step"].min().items()}


def _names(run: Run) -> list[str]:
    """What a history holds curves of."""
    return [] if run.history is None else [str(one) for one in run.history["name"].unique() if one not in TOTALS]


def _looks(run: Run) -> pd.DataFrame:
    """The metrics of the select split alone, as ``curves`` gives them."""
    return _curves(run, [name for name in _names(run) if _of_split(name)[1]], 1)


def _curves(run: Run, names: Sequence[str], span: float) -> pd.DataFrame:
    history = run.history
    if history is None or not names:
        return pd.DataFrame(columns=CURVE_COLUMNS)
    held = history["name"].to_numpy()
    return pd.concat([_curve(run.name, name, history[held == name], span) for name in names], ignore_index=True)


def _curve(run: str, name: str, part: pd.DataFrame, span: float) -> pd.DataFrame:
    split, metric = _of_split(name)
    part = part.drop_duplicates("step", keep="last").sort_values("step")
    value = part["value"].astype(float)
    value = value.where(np.isfinite(value))
    smooth = value if metric or name in EXACT or span <= 1 else value.ewm(span=span).mean().where(value.notna())
    table = _thinned(part[["step", "epoch"]].assign(value=value, smooth=smooth).reset_index(drop=True))
    return table.assign(run=run, name=metric or name, split=split)[CURVE_COLUMNS]


def _of_split(name: str) -> tuple[str, str]:
    """("val", "mrr") of ``val mrr``, ("val", "v2t mrr") of ``val v2t mrr``; ("", "") where it is of no split."""
    split, _, metric = name.partition(" ")
    return (split, metric) if metric in LOOK_CURVES else ("", "")


def _thinned(table: pd.DataFrame) -> pd.DataFrame:
    """At most ``MOST_POINTS`` rows: the lowest and the highest of each stretch, the first and the last."""
    n = len(table)
    if n <= MOST_POINTS:
        return table
    stretch = np.arange(n) * (MOST_POINTS // 2 - 1) // n
    filled = table["value"].fillna(np.inf).groupby(stretch)
    kept = {0, n - 1, *filled.idxmin(), *filled.idxmax()}
    return table.loc[sorted(kept)].reset_index(drop=True)


def _progress_of(run: Run, job: Job | None) -> dict[str, Any]:
    recipe = run.info.get("recipe") or {}
    looks = _looks(run)
    working = job if job is not None and job.state == "running" else None
    made = max(steps_made(run.history), _step_told(working))
    steps, told = recipe.get("steps"), newest(run.history)
    chosen = chosen_step(run)
    there = looks[looks["step"] == chosen]
    best = {str(name): float(value) for name, value in zip(there["name"], there["value"], strict=True)}
    splits = [run.protocol.get("selected_on"), *there["split"], recipe.get("select_split")]
    return {
        "name": run.name, "state": run.state, "step": made, "steps": steps,
        "last_sign": max(run.last_sign, _last_told(working)),
        "seconds_left": seconds_left(run.history, steps, made) if run.state == "running" else None,
        **{column: told.get(name) for column, name in PACE.items()},
        "split": next((one for one in splits if one), ""), "chosen_step": chosen, "mrr": best.get("mrr"),
        "r1": best.get("r1"), "job": job.name if job else "", "job_state": job.state if job else "",
        "note": run.info.get("notes", ""), "corpus": run.corpus_name, "path": str(run.path),
    }  # fmt: skip


def _step_told(job: Job | None) -> int:
    told = job.progress if job else None
    return int(told["done"]) if told and told["unit"] == "steps" else 0


def _last_told(job: Job | None) -> str:
    path = job.folder / "progress.json" if job else None
    if path is None or not path.exists():
        return ""
    return datetime.fromtimestamp(path.stat().st_mtime).isoformat(" ", "seconds")


def names_of(table: pd.DataFrame, direction: str | None = None) -> Sequence[str]:
    """What curves there are: loss first, then metrics of the select split, then the rest in its order.

    Args:
        table: From ``curves``.
        direction: ``t2v`` or ``v2t``, whose metrics are meant; None = both.
    """
    metrics = set(table.loc[table["split"] != "", "name"])
    others = {name for name in metrics if direction not in (None, LOOK_CURVES[name][0])}
    found = [str(name) for name in dict.fromkeys(table["name"]) if name not in others]
    return sorted(found, key=lambda name: (name != "loss", name not in metrics))
