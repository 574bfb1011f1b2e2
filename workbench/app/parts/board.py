"""The table of the leaderboard page: numbers that sort as numbers, each beside its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from workbench.analysis import biggest_gains
from workbench.analysis.beside import BESIDE
from workbench.app import loading
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.downloads import numbered, show_chart
from workbench.app.parts.failure import Shown as Failures
from workbench.app.parts.tag import Desk
from workbench.app.parts.widgets import choose_several
from workbench.app.text import extremes, plain
from workbench.evaluation.metrics.measures import METRICS, SHOWN, Metric
from workbench.evaluation.runs.run import Run
from workbench.figures import domain_bars, leaderboard_intervals, oracle_bars
from workbench.figures.theme import RUNS

BOTH = "both"
"""What stands for RSum over both directions among the metrics that can be chosen."""
DEFAULT = SHOWN[:5]
HEADINGS = {"macro": "Macro", "text": "Text"}
"""Short headings of what stands beside R@1."""
PROTOCOL = {"scoring_label": "Scoring", "order_label": "Order", "ablation": "Counterfactual"}
"""Columns that are only there where runs differ in them."""
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
    look: dict[str, Any] = {"Run": st.column_config.TextColumn(width=140)}
    if (board["n_seeds"] > 1).any():
        shown["Seeds"] = [_seeds(row, direction, METRICS["r1"]) for row in board.to_dict("records")]
        look["Seeds"] = st.column_config.TextColumn(
            width=115,
            help="How many runs, and R@1 of the lowest and the highest. The interval beside R@1 is that of their mean.",
        )
    for name in metrics:
        column = "both_sum_recall" if name == BOTH else f"{direction}_{name}"
        metric = METRICS["sum_recall" if name == BOTH else name]
        _add(shown, look, board, column, (options[name], options[name][:-2], metric.label, metric.digits))
    for end, told in BESIDE.items():
        column = f"{direction}_r1_{end}"
        if board[column].notna().any():
            _add(shown, look, board, column, (f"{HEADINGS[end]} R@1 ↑", f"{HEADINGS[end]} R@1", f"R@1, {told}", 1))
    for column, heading in PROTOCOL.items():
        if board[column].nunique() > 1:
            shown[heading] = board[column].to_numpy()
    return shown, look


def _add(
    shown: pd.DataFrame, look: dict[str, Any], board: pd.DataFrame, column: str, said: tuple[str, str, str, int]
) -> None:
    """Add a number and its interval to the table; heading, its beginning beside the interval, what it is, decimals."""
    heading, short, label, digits = said
    shown[heading] = board[column].to_numpy(float)
    spread = f"{short} 95 %"
    bounds = zip(board[f"{column}_low"], board[f"{column}_high"], strict=True)
    shown[spread] = [_interval(low, high, digits) for low, high in bounds]
    look[heading] = st.column_config.NumberColumn(format=f"%.{digits}f", width=18 + 6 * len(heading), help=label)
    look[spread] = st.column_config.TextColumn(
        "95 %", width=_width(shown[spread]),
        help=f"95 % interval of {label}; empty where an older version stored none, or for one source only.",
    )  # fmt: skip


def show_verdict(runs: Sequence[tuple[str, int]], ceiling: Mapping[str, Mapping[str, float]] | None) -> None:
    """Which run is best and whether beyond noise, and what no model can pass here.

    Args:
        runs: Keys of the runs.
        ceiling: Highest reachable R@1 in percent by direction; None = it is not known.
    """
    with st.container(border=True):
        st.markdown(f"**{plain(loading.verdict(tuple(runs)))}**")
        if ceiling and ceiling["t2v"]["r1"] < 99.995:
            st.caption(
                f"Ceiling here, as equal captions cannot be told apart: text → video R@1 {ceiling['t2v']['r1']:.2f}, "
                f"video → text R@1 {ceiling['v2t']['r1']:.2f}."
            )


def show_warnings(board: pd.DataFrame) -> None:
    """What is to be known before the numbers are believed: every warning once, with the runs that it is about."""
    about: dict[str, list[str]] = {}
    for run, warning in zip(board["run"], board["warning"], strict=True):
        for one in warning.split("; ") if warning else ():
            about.setdefault(one, []).append(run)
    every = len(board) if len(board) > 1 else -1
    lines = [
        f"- **{'All runs' if len(runs) == every else plain(', '.join(runs))}**: {plain(one)}."
        for one, runs in about.items()
    ]
    if lines:
        st.warning("\n".join(lines), icon=":material/warning:")


def show_notes(board: pd.DataFrame) -> None:
    """What the tables do not say in their columns."""
    said = [f"{HEADINGS[end]}: {told}." for end, told in BESIDE.items() if board[f"t2v_r1_{end}"].notna().any()]
    alike = [str(board[column].iloc[0]) for column in PROTOCOL if board[column].nunique() == 1]
    alike = [one for one in alike if one]
    said += [f"All runs: {', '.join(alike)}."] if len(board) > 1 and alike else []
    if (board["n_seeds"] > 1).any():
        said.append(
            "A group of seeds is one row: the mean over its seeds. Its interval says what other queries could have "
            "given at these seeds; the spread of seeds stands apart."
        )
    if (board["ablation"] != "").any():
        said.append("Counterfactuals, whose inputs were changed on purpose, do not compete and come last.")
    if len(board) and not board["clustered"].all():
        said.append(
            "The corpus does not state which videos share a source, so intervals are not clustered: they may be too "
            "narrow."
        )
    st.caption(plain("  ".join(said)))


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
    figure = oracle_bars(table).update_xaxes(title="R@1 once fixed, %", tickangle=0)
    figure.update_xaxes(range=[max(0.0, float(table["recall"].iloc[0]) - 4), 119])  # the last number is not cut
    said = [f"{label} {gain:.1f}" for label, gain in zip(table["cause_label"], table["gain"], strict=True)]
    show_chart(
        figure, f"biggest gains {run.name}", key="biggest gains", table=table, runs={"run": run.name},
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
