"""Bars of what fixing each cause would give."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from workbench.core.errors import DataError
from workbench.figures.chart import Chart
from workbench.figures.theme import BAD, GOOD, MUTED, NEUTRAL, A, B, as_text, styled

FAMILY = {
    "artefact": (MUTED, "/"), "scene text": (B, ""), "geometry": (GOOD, "x"), "content": (A, ""),
    "query form": (BAD, "."), "where, not why": (A, "-"), "other": (NEUTRAL, "\\"),
}  # fmt: skip
"""Colour and pattern of every family of causes."""
NOW = "rgba(128,144,160,0.30)"
PATTERN = {"fillmode": "overlay", "fgcolor": "white", "fgopacity": 0.6, "size": 7}


def oracle_bars(table: pd.DataFrame, k: int = 1) -> go.Figure:
    """Points of R@K that fixing each cause gives, one after another from today's R@K up, the ceiling as a line.

    Of several runs: R@K of each and what fixing each family of causes would add to it, the ceiling as a tick.

    Args:
        table: From ``analysis.oracle_gain``, all queries.
        k: R@K.

    Raises:
        DataError: A table of parts.
    """
    if "label" in table:
        raise DataError("This table has a row for every part.", "Draw it with oracle_domain_bars.")
    if table["run"].nunique() > 1:
        return _part_bars(table, "run", k)
    rows = table.iloc[::-1]
    recall = float(table["recall"].iloc[0])
    figure = Chart(
        go.Bar(
            x=rows["gain"], base=rows["reached"] - rows["gain"], y=rows["cause_label"], orientation="h",
            marker=_look(rows["family"]), text=[f"+{one:.1f}" for one in rows["gain"]], textposition="outside",
            textangle=0, cliponaxis=False, customdata=rows[["n_queries", "family", "reached"]],
            hovertemplate="%{y} (%{customdata[1]}): +%{x:.2f} points<br>%{customdata[0]} queries; with those above: "
            "%{customdata[2]:.1f} %<extra></extra>",
        )
    )  # fmt: skip
    _upright(figure, recall, f"R@{k} now {recall:.1f}", 0, line={"color": MUTED, "width": 1.5})
    ceiling = float(table["ceiling"].iloc[0])
    if ceiling < 99.995:
        _upright(figure, ceiling, f"ceiling {ceiling:.1f}", 18, line={"color": MUTED, "dash": "dash"})
    styled(figure, height=110 + 27 * len(rows), x=f"R@{k} with this cause and those above it fixed, %")
    return figure.update_layout(margin_t=56, bargap=0.3).update_xaxes(range=[max(0.0, recall - 4), 104])


def oracle_domain_bars(table: pd.DataFrame, k: int = 1) -> go.Figure:
    """R@K of every domain and what fixing each family of causes would add to it; the ceiling as a tick.

    Args:
        table: From ``analysis.oracle_gain`` of one run, ``by="domain"``.
        k: R@K.

    Raises:
        DataError: A table without parts, or of several runs.
    """
    if "label" not in table:
        raise DataError("This table has no domains.", 'Make it with oracle_gain(run, by="domain").')
    if len(names := table["run"].unique()) > 1:
        one = f"table[table['run'] == {str(names[0])!r}]"
        raise DataError(f"This table holds {len(names)} runs.", f"Draw one after another: {one}.")
    return _part_bars(table, "label", k)


def _part_bars(table: pd.DataFrame, column: str, k: int) -> go.Figure:
    """A bar for each value of a column: R@K, then the gains of every family of causes."""
    parts = table.groupby(column, sort=False)[["recall", "ceiling"]].first().sort_values("recall")
    labels = [as_text(one, 24) for one in parts.index]
    figure = Chart(
        go.Bar(x=parts["recall"], y=labels, orientation="h", name="now", marker_color=NOW,
               text=[f"{one:.0f}" for one in parts["recall"]], hovertemplate="%{y}: %{x:.1f} %<extra>now</extra>")
    )  # fmt: skip
    gains = table.groupby([column, "family"])["gain"].sum().unstack(fill_value=0).reindex(parts.index)
    for family, (colour, pattern) in FAMILY.items():
        if family in gains and gains[family].any():
            figure.add_bar(
                x=gains[family], y=labels, orientation="h", name=family,
                marker={"color": colour, "pattern": {"shape": pattern, **PATTERN}},
                hovertemplate="%{y}: +%{x:.1f} points<extra>" + family + "</extra>",
            )  # fmt: skip
    figure.add_scatter(
        x=parts["ceiling"], y=labels, mode="markers", name="ceiling",
        hovertemplate="%{y}: %{x:.1f} %<extra>ceiling</extra>",
        marker={"symbol": "line-ns", "size": 20, "line": {"width": 2.5, "color": MUTED}},
    )  # fmt: skip
    styled(figure, height=120 + 34 * len(parts), x=f"R@{k}, %", barmode="stack")
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"}
    return figure.update_layout(legend=legend, margin_t=40).update_xaxes(range=[0, 102])


def _look(families: pd.Series) -> dict:
    return {
        "color": [FAMILY[one][0] for one in families],
        "pattern": {"shape": [FAMILY[one][1] for one in families], **PATTERN},
    }


def _upright(figure: go.Figure, x: float, said: str, up: int, line: dict[str, Any]) -> None:
    """A line with its words above the chart, ``up`` pixels higher than usual, so that two of them never meet."""
    figure.add_vline(x=x, line=line)
    figure.add_annotation(x=x, y=1, yref="paper", yanchor="bottom", yshift=up, text=said, showarrow=False)
