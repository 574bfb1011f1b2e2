"""Curves of trainings: what is told at every step, what the select split says, and what became of its queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from workbench.figures.chart import Chart
from workbench.figures.theme import MUTED, NEUTRAL, RUNS, A, B, as_text, styled

DASHES = ("solid", "dash", "dot", "dashdot")
SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "x", "pentagon", "hexagon")
KIND_LOOKS = {"kept": (A, ""), "again": ("#6fa0d4", "."), "lost": (B, "/"), "never": (NEUTRAL, "x")}


def run_looks(names: list[str]) -> dict[str, dict[str, str]]:
    """Colour, dash and shape of each run: the same in every chart of a page; no two of 32 runs look alike."""
    return {
        name: {"color": RUNS[i % len(RUNS)], "dash": DASHES[(i + i // len(RUNS)) % len(DASHES)],
               "shape": SHAPES[i % len(SHAPES)]}
        for i, name in enumerate(names)
    }  # fmt: skip


def training_curves(
    table: pd.DataFrame, looks: Mapping[str, Mapping[str, str]], y: str, *, chosen: Mapping[str, int] | None = None
) -> go.Figure:
    """One measured thing over the steps of several trainings.

    Where the table was smoothed, the raw values lie faint behind the line. What was measured at few steps has a mark
    at each; a star stands on the chosen checkpoint.

    Args:
        table: One name of ``analysis.curves``, of several runs.
        looks: From ``run_looks``.
        y: Title of the value axis, with its unit.
        chosen: Step of the chosen checkpoint by run.
    """
    figure = Chart()
    for name, look in looks.items():
        part = table[table["run"] == name]
        if part.empty:
            continue
        _add_run(figure, as_text(name, 28), part, look)
        at = part[part["step"] == (chosen or {}).get(name)]
        if len(at):
            figure.add_scatter(
                x=at["step"], y=at["value"], mode="markers", showlegend=False, legendgroup=name,
                marker={"symbol": "star", "size": 17, "color": look["color"], "line": {"color": "white", "width": 1}},
                hovertemplate=f"{as_text(name, 28)}<br>chosen checkpoint, step %{{x}}: %{{y:.4g}}<extra></extra>",
            )  # fmt: skip
    styled(
        figure, height=290, x="step", y=y, showlegend=len(looks) > 1,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )  # fmt: skip
    return figure.update_xaxes(rangemode="tozero")


def _add_run(figure: go.Figure, label: str, part: pd.DataFrame, look: Mapping[str, str]) -> None:
    smoothed = not part["smooth"].equals(part["value"])
    line: dict[str, Any] = {"color": look["color"], "width": 2.2, "dash": look["dash"]}
    hover = f"{label}<br>step %{{x}}: %{{y:.4g}}<extra></extra>"
    if smoothed:
        figure.add_scatter(
            x=part["step"], y=part["value"], mode="lines", line={"color": look["color"], "width": 1}, opacity=0.25,
            showlegend=False, legendgroup=label, hoverinfo="skip",
        )  # fmt: skip
    few = len(part) <= 60 and not smoothed
    figure.add_scatter(
        x=part["step"], y=part["smooth"], mode="lines+markers" if few else "lines", line=line, name=label,
        legendgroup=label, marker={"symbol": look["shape"], "size": 8}, hovertemplate=hover,
    )  # fmt: skip


def kind_bars(shares: pd.DataFrame, chosen: int | None = None) -> go.Figure:
    """What had become of the select split's queries by every look, in percent of them.

    Args:
        shares: From ``analysis.kind_shares``.
        chosen: Step of the chosen checkpoint, marked with a star.
    """
    figure = Chart()
    for kind, part in shares.groupby("kind", sort=False):
        colour, pattern = KIND_LOOKS[str(kind)]
        label = as_text(part["label"].iloc[0])
        figure.add_bar(
            x=part["step"].astype(str), y=100 * part["share"], name=label, customdata=part["n"],
            marker={
                "color": colour,
                "pattern": {"shape": pattern, "fgcolor": "white", "bgcolor": colour, "size": 6},
            },
            hovertemplate=f"step %{{x}}<br>{label}: %{{customdata}} queries, %{{y:.1f}} %<extra></extra>",
        )  # fmt: skip
    steps = list(dict.fromkeys(shares["step"]))
    if chosen in steps:
        figure.add_annotation(
            x=steps.index(chosen),
            y=100,
            text="★ chosen",
            showarrow=False,
            yanchor="bottom",
            font={"size": 12},
        )
    styled(
        figure, height=360, x="step of the checkpoint", y="queries, %", barmode="stack", bargap=0.15,
        legend={"orientation": "h", "y": -0.22, "traceorder": "normal"},
    )  # fmt: skip
    figure.update_yaxes(range=[0, 109], tickvals=[0, 25, 50, 75, 100])
    return figure.update_xaxes(type="category", tickfont={"color": MUTED})
