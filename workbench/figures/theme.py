"""One look for all figures: colours that survive colour blindness, one font, no clutter."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go

INK, MUTED, GRID = "#1c2733", "#64748b", "#e6ebf0"
A, B = "#2563a8", "#c2570c"  # the two runs of a comparison
GOOD, BAD, NEUTRAL = "#0f766e", "#b42318", "#9aa5b1"
RUNS = ["#2563a8", "#c2570c", "#0f766e", "#7c3aed", "#a16207", "#be185d", "#475569", "#0891b2"]
SEQUENTIAL = "Blues"
DIVERGING = [[0.0, B], [0.5, "#f7f7f7"], [1.0, A]]


def styled(figure: go.Figure, *, height: int, x: str = "", y: str = "", **layout: Any) -> go.Figure:
    """The figure in the workbench's look, with titled axes.

    Args:
        figure: The figure; changed in place.
        height: Pixels.
        x: Title of the horizontal axis, with its unit.
        y: Title of the vertical axis, with its unit.
        **layout: More of plotly's layout.
    """
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13, "color": INK},
        hoverlabel={"align": "left"},
        **layout,
    )
    figure.update_xaxes(title=x, gridcolor=GRID, zerolinecolor=MUTED, automargin=True)
    figure.update_yaxes(title=y, gridcolor=GRID, zerolinecolor=MUTED, automargin=True)
    return figure


def as_text(value: object, width: int = 70) -> str:
    """Text from data for a hover box: escaped, cut, so that it can never act as markup."""
    text = str(value)
    return escape(text if len(text) <= width else text[: width - 1] + "…")
