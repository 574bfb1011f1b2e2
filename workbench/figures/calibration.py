"""What scores say of their own hits: the reliability diagram, and risk over coverage."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from workbench.analysis.calibration import Calibration
from workbench.figures.chart import Chart
from workbench.figures.theme import MUTED, RUNS, as_text, styled


def reliability_diagram(found: Sequence[Calibration]) -> go.Figure:
    """How often the first item is right over the confidence in it; on the dotted line both are the same.

    Args:
        found: From ``analysis.calibration``, of one run or more.
    """
    figure = Chart()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": MUTED, "dash": "dot"}, showlegend=False,
                       hoverinfo="skip")  # fmt: skip
    for place, one in enumerate(found):
        bins = one.reliability
        figure.add_scatter(
            x=bins["confidence"], y=bins["hit"], mode="lines+markers", name=as_text(one.run, 28),
            line={"color": RUNS[place % len(RUNS)]}, customdata=bins[["n", "low", "high"]],
            error_y={"type": "data", "array": bins["high"] - bins["hit"], "arrayminus": bins["hit"] - bins["low"]},
            hovertemplate="confidence %{x:.2f}: right %{y:.2f} (%{customdata[1]:.2f} to %{customdata[2]:.2f}), "
            "%{customdata[0]} queries<extra></extra>",
        )  # fmt: skip
    return styled(figure, height=380, x="confidence in the first item", y="share of it that is right",
                  legend={"orientation": "h", "y": -0.2}).update_yaxes(range=[-0.02, 1.02])  # fmt: skip


def risk_coverage(found: Sequence[Calibration]) -> go.Figure:
    """The share of wrong answers when only the queries of the widest margins are answered.

    Args:
        found: From ``analysis.calibration``, of one run or more.
    """
    figure = Chart()
    for place, one in enumerate(found):
        figure.add_scatter(
            x=one.risk["coverage"], y=one.risk["risk"], mode="lines", name=as_text(one.run, 28),
            line={"color": RUNS[place % len(RUNS)]},
            hovertemplate="%{x:.0%} answered: %{y:.1%} wrong<extra></extra>",
        )  # fmt: skip
    return styled(figure, height=380, x="share of queries answered, widest margin first", y="share of them wrong at 1",
                  legend={"orientation": "h", "y": -0.2})  # fmt: skip
