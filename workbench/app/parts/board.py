"""The table of the leaderboard page: numbers that sort as numbers, each beside its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from workbench.analysis import biggest_gains
from workbench.analysis.leaderboard import BESIDE
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.downloads import numbered, show_chart
from workbench.app.parts.failure import Shown as Failures
from workbench.app.parts.tag import Desk
from workbench.app.parts.widgets import choose_several
from workbench.app.text import extremes
from workbench.evaluation.metrics.measures import METRICS, SHOWN, Metric
from workbench.evaluation.runs.run import Run
from workbench.figures import domain_bars, leaderboard_intervals, oracle_bars
from workbench.figures.theme import RUNS

BOTH = "both"
"""What stands for RSum over both directions among the metrics that can be chosen."""
DEFAULT = SHOWN[:5]
CHARTED = 6
"""Runs that the charts of parts show where none is chosen."""


def metric_options() -> dict[str, str]:
    """Heading of everything that a leaderboard can show, by name; first what it shows where nothing is chosen."""
    rest = [name for name in METRICS if name not in DEFAULT]
    found = {name: METRICS[name].heading for name in (*DEFAULT, *rest)}
    return {**found, BOTH: f"{METRICS['sum_recall'].label} t2v + v2t ↑"}


def board_table(board: pd.DataFrame, direction: str, metrics: Sequence[str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """What the page shows of one direction, and how its columns look.

    Args:
        board: From ``analysis.leaderboard``.
        direction: ``t2v`` or ``v2t``.
        metrics: Names out of ``metric_options``.
    """
    options = metric_options()
    shown = pd.DataFrame(
        {"Run": [f"↳ {run}" if group else run for run, group in zip(board["run"], board["group"], strict=True)]}
    )
    look: dict[str, Any] = {"Run": st.column_config.TextColumn(width=165)}
    if (board["n_seeds"] > 1).any():
        shown["Seeds"] = [_seeds(row, direction, METRICS["r1"]) for row in board.to_dict("records")]
        look["Seeds"] = st.column_config.TextColumn(
            width=115,
            help="How many runs, and R@1 of the lowest and the highest. The interval beside R@1 is that of their mean.",
        )
    for name in metrics:
        column = "both_sum_recall" if name == BOTH else f"{direction}_{name}"
        metric = METRICS["sum_recall" if name == BOTH else name]
        shown[options[name]] = board[column].to_numpy(float)
        spread = f"{options[name][:-2]} 95 %"
        bounds = zip(board[f"{column}_low"], board[f"{column}_high"], strict=True)
        shown[spread] = [_interval(low, high, metric.digits) for low, high in bounds]
        look[options[name]] = st.column_config.NumberColumn(format=f"%.{metric.digits}f", width="small")
        look[spread] = st.column_config.TextColumn(
            "95 %",
            width=_width(shown[spread]),
            help=f"95 % interval of {metric.label}; empty where an older version stored none, or for one source only.",
        )
    for end, heading in BESIDE.items():
        if board[f"{direction}_r1_{end}"].notna().any():
            shown[f"R@1 {heading}"] = board[f"{direction}_r1_{end}"].to_numpy(float)
            look[f"R@1 {heading}"] = st.column_config.NumberColumn(format="%.1f", width=105)
    shown["Scoring"], shown["Order"] = board["scoring_label"].to_numpy(), board["order_label"].to_numpy()
    return shown, look


def show_intervals(
    board: pd.DataFrame, runs: Sequence[Run], direction: str, limit: float | None, *, seeds: bool
) -> None:
    """R@1 of every run with its interval.

    Args:
        board: From ``analysis.leaderboard``.
        runs: What it was made of.
        direction: ``t2v`` or ``v2t``.
        limit: The ceiling, in percent.
        seeds: Whether it has a row for each seed.
    """
    variables = numbered(runs)
    made = f"analysis.leaderboard([{', '.join(variables)}], seeds={seeds})"
    show_chart(
        leaderboard_intervals(board, direction, limit), f"R@1 {direction} {runs[0].corpus_name}",
        key=f"interval {direction}", alt=extremes(f"{direction} R@1, %", board["run"], board[f"{direction}_r1"]),
        code=f'figures.leaderboard_intervals({made}, "{direction}", {limit})', runs=variables,
    )  # fmt: skip


def show_parts(tables: Mapping[str, pd.DataFrame], kind: str, call: str) -> None:
    """R@1 of several runs in each part of the queries.

    Args:
        tables: ``analysis.by_domain`` or ``by_slice`` by the name of the run.
        kind: What divides the queries.
        call: What makes the table of the run ``one``.
    """
    unit = "text → video R@1, %"
    variables = {f"run_{at}": name for at, name in enumerate(tables)}
    every = f"{{one.name: {call} for one in [{', '.join(variables)}]}}"
    table = pd.concat([table.assign(run=name) for name, table in tables.items()])
    show_chart(
        domain_bars(tables, unit), f"R@1 by {kind}", key=f"parts {kind}", table=table, runs=variables,
        alt=extremes(unit, table["run"] + " in " + table["label"], table["value"]),
        code=f'figures.domain_bars({every}, "{unit}")',
    )  # fmt: skip


def choose_charted(runs: Sequence[Run]) -> list[Run]:
    """Which of many runs the charts of parts show; where there are few, all of them."""
    if len(runs) <= CHARTED:
        return list(runs)
    names = {run.name: run.name for run in runs}
    chosen = choose_several("Runs in the charts below", names, "charts", list(names)[:CHARTED])
    if len(chosen) > len(RUNS):
        st.caption(f"The charts show the first {len(RUNS)} of them: more could not be told apart.")
    return [run for name in chosen[: len(RUNS)] for run in runs if run.name == name]


def show_biggest(place: str, run: Run) -> None:
    """The three causes that cost a run the most points of R@1, and the way to all of them."""
    shown = Failures(place, run, "t2v", 1, Desk.of(run, "t2v", ""))
    table = biggest_gains(shown.gains())
    if table.empty:
        st.caption("No query fails at rank 1.")
        return
    said = [f"{label} {gain:.1f}" for label, gain in zip(table["cause_label"], table["gain"], strict=True)]
    show_chart(
        oracle_bars(table), f"biggest gains {run.name}", key="biggest gains", table=table, runs={"run": run.name},
        alt=f"Points of R@1 that fixing a cause would give {run.name}: {', '.join(said)}",
        code=shown.code("figures.oracle_bars(analysis.biggest_gains(analysis.oracle_gain(run, ...)))"),
    )  # fmt: skip
    values = parameters(corpus=place, run=run.name, direction="t2v", k=1)
    st.page_link(page("failures"), label="All causes", icon=":material/error:", query_params=values)


def _interval(low: float, high: float, digits: int) -> str:
    return "" if pd.isna(low) else f"{low:.{digits}f} – {high:.{digits}f}"


def _width(texts: pd.Series) -> int:
    """Pixels that the longest text of a column needs."""
    return 20 + 6 * max(6, int(texts.str.len().max()))


def _seeds(row: dict[Any, Any], direction: str, metric: Metric) -> str:
    if row["n_seeds"] < 2:
        return ""
    low, high = row[f"{direction}_r1_min"], row[f"{direction}_r1_max"]
    return f"{row['n_seeds']}: {low:.{metric.digits}f} to {high:.{metric.digits}f}"
