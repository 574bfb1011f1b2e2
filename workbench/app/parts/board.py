"""The table of the leaderboard page: numbers that sort as numbers, each beside its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from workbench.evaluation.metrics.measures import METRICS, SHOWN, Metric

BOTH = "both"
"""What stands for RSum over both directions among the metrics that can be chosen."""
DEFAULT = SHOWN[:5]


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
    shown = pd.DataFrame({"Run": [f"↳ {row.run}" if row.group else row.run for row in board.itertuples()]})
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
        shown[spread] = [_interval(row, column, metric.digits) for row in board.to_dict("records")]
        look[options[name]] = st.column_config.NumberColumn(format=f"%.{metric.digits}f", width="small")
        look[spread] = st.column_config.TextColumn(
            "95 %",
            width=_width(shown[spread]),
            help=f"95 % interval of {metric.label}; empty where an older version stored none, or for one source only.",
        )
    shown["Scoring"], shown["Order"] = board["scoring_label"].to_numpy(), board["order_label"].to_numpy()
    return shown, look


def _interval(row: dict[Any, Any], column: str, digits: int) -> str:
    low, high = row[f"{column}_low"], row[f"{column}_high"]
    return "" if pd.isna(low) else f"{low:.{digits}f} – {high:.{digits}f}"


def _width(texts: pd.Series) -> int:
    """Pixels that the longest text of a column needs."""
    return 20 + 6 * max(6, int(texts.str.len().max()))


def _seeds(row: dict[Any, Any], direction: str, metric: Metric) -> str:
    if row["n_seeds"] < 2:
        return ""
    low, high = row[f"{direction}_r1_min"], row[f"{direction}_r1_max"]
    return f"{row['n_seeds']}: {low:.{metric.digits}f} to {high:.{metric.digits}f}"
