"""What every weight of two modalities gives."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from workbench.corpus import domain_label
from workbench.evaluation.metrics.measures import METRICS
from workbench.evaluation.rescoring import WeightSweep
from workbench.figures.chart import Chart
from workbench.figures.theme import MUTED, RUNS, as_text, styled


def sweep_curves(sweep: WeightSweep, used: float | None = None) -> go.Figure:
    """A metric over the weight of the second modality: all queries as a thick line, every domain as a thin one.

    A star marks the best weight over all queries, circles the best of each domain.

    Args:
        sweep: From ``pipelines.rescoring.sweep_run``.
        used: The weight that a run was made with, 0..1; drawn as a line.
    """
    curve, second = sweep.curve, list(sweep.weights)[1]
    figure = Chart()
    parts = curve[curve["domain"].notna()].groupby("domain", sort=False)
    for place, (domain, part) in enumerate(parts):
        colour = RUNS[place % len(RUNS)]
        label = as_text(domain_label(str(domain)), 28)
        _add(figure, part, label, sweep.best_of_domain[str(domain)], line={"color": colour, "width": 1.2}, size=8)
    every = curve[curve["domain"].isna()]
    _add(figure, every, "all queries", sweep.weights[second], line={"color": MUTED, "width": 4}, size=16)
    if used is not None:
        figure.add_vline(
            x=used, line={"color": MUTED, "dash": "dash"}, annotation_text=f"used {used:.2f}",
            annotation_position="bottom right",
        )  # fmt: skip
    unit = ", %" if METRICS[sweep.metric].scale == 100 else ""
    styled(
        figure, height=440, x=f"weight of {as_text(second, 28)}; the rest is {as_text(list(sweep.weights)[0], 28)}",
        y=f"{sweep.direction} {METRICS[sweep.metric].label}{unit}", legend={"orientation": "h", "y": -0.2},
    )  # fmt: skip
    return figure.update_xaxes(range=[-0.02, 1.02])


def frame_sweep_curves(table: pd.DataFrame) -> go.Figure:
    """R@1 over the frames per video, a line per size of the frames; the hover says what it costs.

    Args:
        table: From ``pipelines.sweeps.sweep_frames``.
    """
    figure = Chart()
    for place, ((height, width), part) in enumerate(table.groupby(["height", "width"])):
        ordered = part.sort_values("n_frames")
        figure.add_scatter(
            x=ordered["n_frames"], y=ordered["t2v_r1"], mode="lines+markers", name=f"{width} x {height} pixels",
            line={"color": RUNS[place % len(RUNS)]}, customdata=ordered[["t2v_median_rank", "seconds_per_100"]],
            hovertemplate="%{x} frames: R@1 %{y:.2f}, MdR %{customdata[0]:g}<br>"
            "%{customdata[1]:.2f} s per 100 videos<extra></extra>",
        )  # fmt: skip
    styled(figure, height=380, x="frames per video", y="t2v R@1, %", legend={"orientation": "h", "y": -0.2})
    return figure.update_xaxes(type="log", tickvals=sorted(table["n_frames"].unique().tolist()))


def _add(figure: go.Figure, part: pd.DataFrame, label: str, best: float, *, line: dict[str, Any], size: int) -> None:
    """One line and the mark of its best weight."""
    hover = f"{label}<br>weight %{{x:.2f}}: %{{y:.2f}}<extra></extra>"
    figure.add_scatter(
        x=part["weight"], y=part["value"], mode="lines", name=f"{label} ({int(part['n_queries'].iloc[0])})", line=line,
        legendgroup=label, hovertemplate=hover,
    )  # fmt: skip
    top = part[part["weight"] == best]
    figure.add_scatter(
        x=top["weight"], y=top["value"], mode="markers", showlegend=False, legendgroup=label, hovertemplate=hover,
        marker={"size": size, "color": line["color"], "symbol": "star" if size > 10 else "circle"},
    )  # fmt: skip
