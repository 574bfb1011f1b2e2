"""Parts of the page Training: how far trainings are, their curves, what they learned when, and why one ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from workbench import analysis, figures
from workbench.analysis.trainings import CURVE_COLUMNS
from workbench.app import loading
from workbench.app.components.work import job_named
from workbench.app.parts.board import board_table
from workbench.app.parts.downloads import numbered, show_chart, show_table
from workbench.app.parts.widgets import DIRECTIONS
from workbench.app.text import plain
from workbench.core.errors import WorkbenchError
from workbench.core.jobs import list_jobs, name_for
from workbench.evaluation.metrics.measures import METRICS
from workbench.evaluation.runs.monitor import LOOK_CURVES, Monitor
from workbench.evaluation.runs.progress import resume_command
from workbench.evaluation.runs.run import Run, open_run

OFTEN_S, SELDOM_S = 2.0, 10.0
"""How often the page looks again: at what changes with every step, and at the rest."""
TAIL = 15
NAMED = 3
"""Videos that a line names."""
PER_ROW, LEAST = 3, 300
"""Curves in a row, and the least pixels of each."""
TEST_METRICS = ("r1", "r5", "r10", "median_rank", "mrr")
UNITS = {"learning rate": "learning rate", "samples/s": "samples per second", "data wait": "share of the time",
         "GPU memory": "GPU memory, GiB"}  # fmt: skip
HEADINGS = {"loss": "Loss", "learning rate": "Learning rate", "samples/s": "Samples per second",
            "data wait": "Waiting for data", "GPU memory": "GPU memory"}  # fmt: skip
EXPECTED = ("loss", "learning rate", "samples/s", "data wait")
OF_CHOSEN = "of the chosen checkpoint on the split that chose it"
CLOCK = "%Y-%m-%d %H:%M"


def trainings_here() -> list[Run]:
    """Every training of the workspace, newest first; read anew, as a running one grows."""
    table = loading.all_runs()
    runs = [Run(Path(path)) for path in table.loc[table["state"] != "unreadable", "path"]]
    return [run for run in runs if analysis.is_training(run)]


def job_name(run: Run) -> str:
    """What the job that trains a run is called; there is none where a terminal or notebook trains it."""
    return name_for("train", run.name)


def has_ranks(run: Run) -> bool:
    """Whether a training has kept ranks of its select split, from its first look on."""
    return (run.path / "trajectory.parquet").exists()


def states_of(runs: Sequence[Run]) -> tuple[tuple[str, str, bool], ...]:
    """Which trainings there are, how they stand, what they keep; the page is drawn again when it changes."""
    return tuple((run.name, run.state, has_ranks(run)) for run in runs)


def refreshed(part: Callable[..., None], *arguments: Any, every: float | None) -> None:
    """Draw a part of the page, and again every so many seconds by itself (None = not), leaving the rest alone."""
    st.fragment(part, run_every=every)(*arguments)


def show_overview(seen: tuple[tuple[str, str, bool], ...]) -> None:
    """The table of trainings; the whole page is drawn again when one begins or ends.

    Args:
        seen: ``states_of`` when the page was drawn.
    """
    runs = trainings_here()
    if states_of(runs) != seen:
        st.rerun(scope="app")
    readable = _readable(runs)
    if not readable:
        return
    jobs = {job.name: job for job in list_jobs()}
    table = analysis.trainings(readable, {run.name: jobs[name] for run in readable if (name := job_name(run)) in jobs})
    total = table["steps"].astype("Float64").fillna(0)
    shown = pd.DataFrame({
        "Run": table["name"],
        "State": table["state"],
        "Done": (100 * table["step"] / total.where(total > 0)).clip(upper=100).astype(float),
        "Step": [_of_all(step, steps) for step, steps in zip(table["step"], table["steps"], strict=True)],
        "Time left": [_left(row) for row in table.to_dict("records")],
        "Samples/s": table["samples_per_s"].astype(float),
        "Data wait": 100 * table["data_wait"].astype(float),
        "GPU memory": table["gpu_gib"].astype(float),
        "Last sign of life": [_ago(value) for value in table["last_sign"]],
        "Chosen on": table["split"],
        "Chosen step": table["chosen_step"],
        METRICS["mrr"].heading: table["mrr"].astype(float),
        METRICS["r1"].heading: table["r1"].astype(float),
        "Job": table["job"],
        "Note": table["note"],
    })  # fmt: skip
    empty = [name for name in ("Time left", "Job", "Note") if (shown[name] == "").all()]
    empty += [name for name in ("Samples/s", "Data wait", "GPU memory") if shown[name].isna().all()]
    show_table(
        shown.drop(columns=empty), "trainings", key="trainings", height="content" if len(shown) <= 10 else 390,
        column_config={
            "Run": st.column_config.TextColumn(width=150),
            "State": st.column_config.TextColumn(width=65),
            "Done": st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100, width=105),
            "Step": st.column_config.TextColumn(width=95),
            "Time left": st.column_config.TextColumn(width=95),
            "Samples/s": st.column_config.NumberColumn(format="%.0f", width=80, help="Captions, as last reported."),
            "Data wait": st.column_config.NumberColumn(
                format="%.1f %%", width=80, help="Share of the time that steps waited for their batch."
            ),
            "GPU memory": st.column_config.NumberColumn(format="%.1f GiB", width=90, help="Most that tensors took."),
            "Last sign of life": st.column_config.TextColumn(width=115),
            "Chosen on": st.column_config.TextColumn(width=75, help="The split that chooses the checkpoint."),
            "Chosen step": st.column_config.NumberColumn(width=85),
            "MRR ↑": st.column_config.NumberColumn(format="%.3f", width=65, help=f"t2v {OF_CHOSEN}."),
            "R@1 ↑": st.column_config.NumberColumn(format="%.1f", width=60, help=f"t2v, in %, {OF_CHOSEN}."),
            "Job": st.column_config.TextColumn(width=90),
            "Note": st.column_config.TextColumn(width=260),
        },
    )  # fmt: skip


def _readable(runs: Sequence[Run]) -> list[Run]:
    """Those whose history can be read; says what hinders the others."""
    found = []
    for run in runs:
        try:
            _ = run.history  # kept by the run
        except WorkbenchError as error:
            st.warning(f"**{plain(run.name)}**: {plain(error)}", icon=":material/warning:")
            continue
        found.append(run)
    return found


def _of_all(step: int, steps: Any) -> str:
    return f"{step:,}" if pd.isna(steps) else f"{step:,} of {steps:,}"


def _left(row: dict[Any, Any]) -> str:
    if row["state"] != "running":
        return ""
    if not pd.isna(row["steps"]) and row["step"] >= row["steps"]:
        return "being scored"
    return "not known" if pd.isna(row["seconds_left"]) else f"about {_span(row['seconds_left'])}"


def _span(seconds: float) -> str:
    """A time in its largest fitting unit."""
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _ago(stamp: str) -> str:
    """A local time as its distance from now, or as a date where that is more than a day."""
    when = datetime.fromisoformat(stamp)
    gone = datetime.now() - when
    return when.strftime(CLOCK) if gone > timedelta(days=1) else f"{_span(max(0.0, gone.total_seconds()))} ago"


def show_end(run: Run) -> None:
    """Why a training failed or died: its reason, the last lines of its log, and how to go on."""
    if run.state not in ("failed", "dead"):
        return
    job = job_named(job_name(run))
    failed = run.state == "failed"
    said = (run.info.get("notes") or "No reason was given.") if failed else "Its process is gone and said nothing."
    st.error(f"**{plain(run.name)}** {'failed' if failed else 'died'}. {plain(said)}", icon=":material/error:")
    left, right = st.columns(2)
    with left:
        st.caption("The last lines of its log")
        no_job = "It was not started as a job: its output stands in the terminal or notebook that started it."
        st.code((job.tail(TAIL) or "Its log is empty.") if job else no_job, language=None, wrap_lines=True)
    with right:
        kept = (run.path / "checkpoints" / "last").is_file()
        st.caption("To go on from its last checkpoint" if kept else "To begin again: it had no checkpoint yet")
        st.code(resume_command(run), language=None, wrap_lines=True)


def show_excluded(run: Run) -> None:
    """Train videos that take no part, named with their reasons."""
    excluded: dict[str, str] = run.info.get("excluded") or {}
    if excluded:
        videos = "1 train video takes" if len(excluded) == 1 else f"{len(excluded)} train videos take"
        shown = "; ".join(f"{video}: {reason}" for video, reason in list(excluded.items())[:NAMED])
        more = "; ..." if len(excluded) > NAMED else ""
        st.warning(f"**{plain(run.name)}**: {videos} no part. {plain(shown + more)}", icon=":material/warning:")


def show_curves(names: Sequence[str], span: int, direction: str) -> None:
    """A chart for everything that the histories of some trainings hold.

    Args:
        names: The runs; their order gives their looks.
        span: Steps of smoothing; see ``analysis.curves``.
        direction: Whose metrics of the split that chooses are shown.
    """
    runs = _readable([open_run(name) for name in names])
    table = pd.concat([analysis.curves(run, span) for run in runs] or [pd.DataFrame(columns=CURVE_COLUMNS)])
    chosen = {run.name: step for run in runs if (step := analysis.chosen_step(run)) is not None}
    silent = [run for run in runs if run.name not in set(table["run"])]
    for run in silent:
        st.info(plain(_nothing_yet(run)), icon=":material/hourglass_top:")
    for name, step in analysis.not_finite(table).items():
        st.warning(plain(f"The loss of {name} is not a number from step {step} on."), icon=":material/warning:")
    looks = figures.run_looks(list(names))
    measured = analysis.names_of(table, direction)
    grid = st.grid(PER_ROW, min_column_width=LEAST)
    for name in measured:
        part = table[table["name"] == name]
        with grid.cell():
            st.markdown(f"**{plain(_heading(name, part))}**")
            marked = chosen if part["split"].any() else None
            figure = figures.training_curves(part, looks, UNITS.get(name, _axis(name)), chosen=marked)
            show_chart(
                figure, f"curve {name}", key=f"curve {name}", alt=_said_curve(_heading(name, part), part),
                code=_code_of(name, runs, names, span, marked=marked is not None), table=part, runs=numbered(runs),
            )  # fmt: skip
    absent = [HEADINGS[name].lower() for name in EXPECTED if name not in measured]
    if absent and measured:
        st.caption(plain(f"Not in these histories: {', '.join(absent)}."))
    if chosen:
        by = " or ".join(dict.fromkeys(Monitor.of_run(run.info).label for run in runs))
        st.caption(plain(f"A star marks the chosen checkpoint: the best {by} on validation, the first of equal ones."))


def _code_of(name: str, runs: Sequence[Run], names: Sequence[str], span: int, *, marked: bool) -> str:
    """What makes the chart of one name of the histories."""
    every = f"[{', '.join(numbered(runs))}]"
    table = f"pd.concat([analysis.curves(one, {span}) for one in {every}]).query({f'name == {name!r}'!r})"
    chosen = f"{{one.name: analysis.chosen_step(one) for one in {every}}}" if marked else "None"
    looks = f"figures.run_looks({list(names)!r})"
    return f"figures.training_curves({table}, {looks}, {UNITS.get(name, _axis(name))!r}, chosen={chosen})"


def _said_curve(heading: str, part: pd.DataFrame) -> str:
    """What a curve shows: its last value in every training."""
    last = part.dropna(subset="value").groupby("run", sort=False).last()
    said = [f"{run} {row['value']:.4g} at step {row['step']:,}" for run, row in last.iterrows()]
    return f"{heading} over the steps; last: {', '.join(said) or 'no value'}"


def _nothing_yet(run: Run) -> str:
    if run.state != "running":
        return f"{run.name} ended before its first step was written: it has no curve."
    return f"The first curves of {run.name} come in a moment."


def _heading(name: str, part: pd.DataFrame) -> str:
    splits = [one for one in dict.fromkeys(part["split"]) if one]
    if not splits:
        return HEADINGS.get(name, name.capitalize())
    direction, metric = LOOK_CURVES[name]
    return f"{METRICS[metric].heading} ({direction}) on {', '.join(splits)}"


def _axis(name: str) -> str:
    if name not in LOOK_CURVES:
        return name
    metric = METRICS[LOOK_CURVES[name][1]]
    return f"{metric.label}{', %' if metric.scale == 100 else ''}"


def show_test(runs: Sequence[Run], direction: str) -> None:
    """The numbers of the reported split, of the chosen checkpoint only."""
    waiting = [run.name for run in runs if run.state != "finished"]
    done = [run for run in runs if run.state == "finished"]
    st.caption(
        "The reported split is scored once, at the end, with the checkpoint that the validation split chose. No other "
        "checkpoint has such numbers, so none can be chosen by them."
    )
    for place in dict.fromkeys((run.corpus_name, run.split) for run in done):
        there = [run for run in done if (run.corpus_name, run.split) == place]
        board = loading.board(tuple(map(loading.key_of, there)), TEST_METRICS, True)
        board = board[board["n_seeds"] == 1].assign(group="")
        table, look = board_table(board, direction, TEST_METRICS)
        steps = {run.name: analysis.chosen_step(run) for run in there}
        table.insert(1, "Chosen step", table["Run"].map(steps).astype("Int64"))
        st.markdown(f"**{plain('/'.join(place))}**, {DIRECTIONS[direction]}")
        show_table(table, f"test {'/'.join(place)}", key=f"test {place}", column_config=look, height="content")
    if waiting:
        st.caption(plain(f"Not finished, so without such numbers: {', '.join(waiting)}."))
