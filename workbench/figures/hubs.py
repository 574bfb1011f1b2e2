"""How often the items of a run, videos or captions, are retrieved."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.structure.hubness import Hubness, hub_limit
from workbench.analysis.structure.listed import UNITS
from workbench.figures.chart import Chart
from workbench.figures.theme import MUTED, NEUTRAL, A, B, styled

MOST_BARS = 40


def occurrence_bars(found: Hubness) -> go.Figure:
    """How many videos (v2t: captions) stand in so many lists: anti-hubs on the left, hubs right of the dashed line.

    Args:
        found: From ``analysis.hubness``.
    """
    counts = found.counts[found.scored]
    step = max(1, -(-int(counts.max() + 1) // MOST_BARS))
    numbers = np.bincount(counts // step)
    limit = max(1.0, hub_limit(counts))
    starts = np.arange(len(numbers)) * step
    colour = np.where(starts + step / 2 > limit, B, np.where((starts == 0) & (step == 1), NEUTRAL, A))
    spans = [f"{low:,}" if step == 1 else f"{low:,} to {low + step - 1:,}" for low in starts]
    figure = Chart(
        go.Bar(
            x=starts + (step - 1) / 2, y=numbers, width=0.85 * step, marker_color=colour, customdata=spans,
            hovertemplate=f"in %{{customdata}} lists: %{{y:,}} {UNITS[found.unit]}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_vline(
        x=limit - 0.5, line={"color": MUTED, "dash": "dash"}, annotation_text="hubs →",
        annotation_position="top right", annotation_xshift=4,
    )  # fmt: skip
    return styled(figure, height=300, x=f"in so many lists of {found.k}", y=UNITS[found.unit])
