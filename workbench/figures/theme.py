"""One look for all figures: colours that survive colour blindness and stand on white and on dark, no clutter.

Every colour has at least 3 to 1 of contrast (WCAG 2.2, 1.4.11) with the app's paper in both themes; the colours of runs
differ for colour-blind eyes too, and wherever a colour tells something a sign or a shape tells it as well.
"""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go

INK, MUTED, GRID = (
    "#1c2733",
    "#6b7a8d",
    "#e6ebf0",
)  # ink and grid of figures on paper; on a screen the theme has its own
FAINT = "rgba(128,144,160,0.25)"  # the grid on a screen, over any paper
A, B = "#3c78c0", "#c0540c"  # the two runs of a comparison
GOOD, BAD, NEUTRAL = "#14877d", "#d0442f", "#8794a3"
RUNS = [A, B, "#188478", "#9c00fc", "#789060", "#a884b4", "#846cfc", "#e43c48"]
SEQUENTIAL = "Blues"
DIVERGING = [[0.0, B], [0.5, "#f7f7f7"], [1.0, A]]


def styled(figure: go.Figure, *, height: int, x: str = "", y: str = "", **layout: Any) -> go.Figure:
    """The figure in the workbench's look, with titled axes; the colour of its letters is left to the screen's theme.

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
        font={"family": "system-ui, sans-serif", "size": 13},
        hoverlabel={"align": "left"},
        **layout,
    )
    figure.update_traces(error_x_color=MUTED, error_y_color=MUTED, selector={"type": "bar"})
    figure.update_xaxes(title=x, gridcolor=FAINT, zerolinecolor=MUTED, automargin=True)
    figure.update_yaxes(title=y, gridcolor=FAINT, zerolinecolor=MUTED, automargin=True)
    return figure


def as_text(value: object, width: int = 70) -> str:
    """Text from data for a hover box: escaped, cut, so that it can never act as markup."""
    text = str(value)
    return escape(text if len(text) <= width else text[: width - 1] + "…")
