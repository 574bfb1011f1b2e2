"""Where the words that captions name are lost between the picture and the score."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from workbench.analysis.reading.funnel import FATES
from workbench.figures.chart import Chart
from workbench.figures.oracle import NOW, PATTERN
from workbench.figures.theme import BAD, GOOD, MUTED, RUNS, A, B, as_text, styled

LOSSES = {
    "sampled": (RUNS[5], "x"), "detected": (B, ""), "recognised": (BAD, "/"), "kept": (MUTED, "."), "used": (GOOD, "-"),
}  # fmt: skip
"""Colour and pattern of the words that do not reach a stage."""
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
    figure = Chart(
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
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure.update_layout(legend=legend, margin_t=36)


def funnel_domain_bars(table: pd.DataFrame) -> go.Figure:
    """The share of the words of every domain that is lost at each stage, and what is left; the worst domain on top.

    Args:
        table: ``Funnel.table("domain")`` of ``analysis.ocr_funnel``.
    """
    parts = table.groupby(["domain", "label"], sort=False)
    sums = parts.agg(n=("n_words", "max"), lost=("n_lost", "sum")).astype(float).reset_index()
    sums = sums.assign(left=1 - sums["lost"] / sums["n"]).sort_values("left", ascending=False)
    labels = [
        f"{as_text(label, 24)} ({n:,.0f} word{'s' * (n != 1)})"
        for label, n in zip(sums["label"], sums["n"], strict=True)
    ]
    figure = Chart()
    for stage, own in table.groupby("stage", sort=False):
        lost = own.set_index("domain").reindex(sums["domain"])
        n_lost = lost["n_lost"].fillna(0).to_numpy(float)
        if not n_lost.any():
            continue
        colour, pattern = LOSSES[str(stage)]
        figure.add_bar(
            x=100 * n_lost / sums["n"].to_numpy(float), y=labels, orientation="h",
            name=f"lost before {lost['stage_label'].iloc[0].lower()}",
            customdata=[[domain, stage, int(n)] for domain, n in zip(sums["domain"], n_lost, strict=True)],
            marker={"color": colour, "pattern": {"shape": pattern, **PATTERN}},
            hovertemplate="%{y}: %{customdata[2]:,} words (%{x:.0f} %)<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    figure.add_bar(
        x=100 * sums["left"].to_numpy(float), y=labels, orientation="h", name="not lost", marker_color=NOW,
        text=[f"{100 * one:.0f}" for one in sums["left"]], hovertemplate="%{y}: %{x:.0f} % are not lost<extra></extra>",
    )  # fmt: skip
    styled(figure, height=120 + 34 * len(sums), x="share of the words that captions name, %", barmode="stack")
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"}
    return figure.update_layout(legend=legend, margin_t=40).update_xaxes(range=[0, 102]).update_yaxes(showgrid=False)


def _lost(words: pd.DataFrame) -> str:
    """How the words of a stage are lost, and the most frequent of them."""
    parts = []
    for fate, own in words.groupby("fate", sort=False):
        counts = own["word"].value_counts()
        most = ", ".join(as_text(one, 24) for one in counts.index[:NAMED])
        parts.append(f"{FATES[str(fate)][1]} {len(own):,} ({most}{', …' if len(counts) > NAMED else ''})")
    return "<br>".join(parts)
