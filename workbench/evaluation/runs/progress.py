"""How far a training is, by what its run has written down: steps made, the time of the rest, how to go on."""

from __future__ import annotations

import shlex

import pandas as pd

from workbench.evaluation.runs.run import Run

RECENT = 20
"""Reports over which the pace is taken."""


def steps_made(history: pd.DataFrame | None) -> int:
    """Steps made, as a history says: the loss of a step stands at the number of steps before it."""
    if history is None or history.empty:
        return 0
    return int((history["step"] + (history["name"] == "loss")).max())


def newest(history: pd.DataFrame | None) -> dict[str, float]:
    """The newest value of each curve of a history, by name."""
    if history is None:
        return {}
    found = history.drop_duplicates("name", keep="last")
    return {str(name): float(value) for name, value in zip(found["name"], found["value"], strict=True)}


def seconds_left(history: pd.DataFrame | None, steps: int | None, made: int) -> float | None:
    """Seconds for the steps to come at the pace of the last reports, looks at the select split included.

    Args:
        history: As ``history.parquet`` holds it.
        steps: How many there will be.
        made: How many there are.

    Returns:
        None where no pace is known.
    """
    clock = None if history is None else history[history["name"] == "elapsed"].tail(RECENT)
    if steps is None or clock is None or len(clock) < 2:
        return None
    seconds, taken = (float(clock[name].iloc[-1] - clock[name].iloc[0]) for name in ("value", "step"))
    return max(0, steps - made) * seconds / taken if taken > 0 and seconds > 0 else None


def resume_command(run: Run) -> str:
    """The command that continues a training: the one that began it, with ``--resume``."""
    command = [str(word) for word in run.info.get("command") or []]
    if command[1:2] != ["train"]:
        return f"workbench train RECIPE --name {run.name} --resume"
    words = [word for word in command[1:] if word not in ("--overwrite", "--resume")]
    named = [] if any(word.split("=")[0] == "--name" for word in words) else ["--name", run.name]
    return shlex.join(["workbench", *words, *named, "--resume"])
