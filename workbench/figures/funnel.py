"""Where the words that captions name are lost between the picture and the score."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from workbench.analysis.reading.funnel import FATES
from workbench.figures.oracle import PATTERN
from workbench.figures.theme import BAD, A, as_text, styled

NAMED = 8
"""Words that the box of a bar names."""


def funnel_bars(table: pd.DataFrame, words: pd.DataFrame | None = None) -> go.Figure:
    """How many words reach each stage, and how many are lost there; a stage that cannot be told has no bar.

    Args:
        table: ``Funnel.table()`` of ``analysis.ocr_funnel``.
        words: ``Funnel.words``: those that are lost stand in the box of a bar.
    """
    reach, lost = (table[name].fillna(0).to_numpy(int) for name in ("n_words", "n_lost"))
    told = zip(table["n_words"], table["share"], table["told"], strict=True)
    says = [f"{n:,} ({100 * share:.0f} %)" if known else "not told" for n, share, known in told]
    labels = [f"{label}<br>{one}" for label, one in zip(table["stage_label"], says, strict=True)]
    figure = go.Figure(
        go.Bar(
            x=reach, y=labels, orientation="h", name="reach it", marker_color=A, customdata=table["stage"].to_list(),
            hovertemplate="%{y}<extra></extra>",
        )
    )  # fmt: skip
    boxes = ["" if words is None else _lost(words[words["lost_at"] == stage]) for stage in table["stage"]]
    figure.add_bar(
        x=lost, y=labels, orientation="h", name="are lost here", customdata=table["stage"].to_list(), hovertext=boxes,
        marker={"color": BAD, "pattern": {"shape": "/", **PATTERN}},
        hovertemplate="%{x:,} lost %{hovertext}<extra></extra>",
    )  # fmt: skip
    styled(figure, height=90 + 34 * len(table), x="words that captions name", barmode="stack", bargap=0.25)
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"}
    figure.update_yaxes(autorange="reversed")
    return figure.update_layout(legend=legend, margin_t=36)


def _lost(words: pd.DataFrame) -> str:
    """How the words of a stage are lost, and the most frequent of them."""
    parts = []
    for fate, own in words.groupby("fate", sort=False):
        counts = own["word"].value_counts()
        most = ", ".join(as_text(one, 24) for one in counts.index[:NAMED])
        parts.append(f"{FATES[str(fate)][1]} {len(own):,} ({most}{', …' if len(counts) > NAMED else ''})")
    return "<br>".join(parts)
