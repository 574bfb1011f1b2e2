"""Which word of a caption fits which frame and which read word of a video."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from workbench.evaluation.runs.interactions import PairInteraction
from workbench.figures.chart import Chart
from workbench.figures.theme import DIVERGING, as_text, styled


def words_on_frames(pair: PairInteraction) -> go.Figure:
    """What every word of a caption adds to the score by each frame and each read word; the best of a row counts.

    Args:
        pair: From ``Run.interactions``.
    """
    weights = np.asarray(pair.weights, np.float64)
    values = np.hstack([weights[:, :1] * pair.frame, weights[:, 1:] * pair.word])
    limit = float(np.abs(values).max(initial=0.0)) or 1.0
    columns = [f"{time:.2f} s" for time in pair.times_s] + [as_text(word, 24) for word in pair.words]
    figure = Chart(
        go.Heatmap(
            z=values, colorscale=DIVERGING, zmin=-limit, zmax=limit, colorbar={"title": "adds", "thickness": 12},
            hovertemplate="%{z:+.3f}<extra></extra>",
        )
    )  # fmt: skip
    styled(figure, height=150 + 22 * len(pair.tokens), x="frames, then read words", y="words of the caption")
    tokens = [as_text(token, 24) for token in pair.tokens]
    figure.update_xaxes(tickvals=list(range(len(columns))), ticktext=columns, tickangle=90, showgrid=False)
    return figure.update_yaxes(
        tickvals=list(range(len(tokens))), ticktext=tokens, autorange="reversed", showgrid=False
    )  # fmt: skip
