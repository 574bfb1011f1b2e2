"""What every weight of two modalities gives."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from workbench.corpus import domain_label
from workbench.evaluation.metrics.measures import METRICS
from workbench.evaluation.rescoring import WeightSweep
from workbench.figures.theme import INK, MUTED, RUNS, as_text, styled


def sweep_curves(sweep: WeightSweep, used: float | None = None) -> go.Figure:
    """A metric over the weight of the second modality: all queries as a thick line, every domain as a thin one.

    A star marks the best weight over all queries, circles the best of each domain.

    Args:
        sweep: From ``pipelines.rescoring.sweep_run``.
        used: The weight that a run was made with, 0..1; drawn as a line.
    """
    curve, second = sweep.curve, list(sweep.weights)[1]
    figure = go.Figure()
    parts = curve[curve["domain"].notna()].groupby("domain", sort=False)
    for place, (domain, part) in enumerate(parts):
        colour = RUNS[place % len(RUNS)]
        label = as_text(domain_label(str(domain)), 28)
        _add(figure, part, label, sweep.best_of_domain[str(domain)], line={"color": colour, "width": 1.2}, size=8)
    every = curve[curve["domain"].isna()]
    _add(figure, every, "all queries", sweep.weights[second], line={"color": INK, "width": 4}, size=16)
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
