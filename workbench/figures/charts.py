"""Charts of the analysis tables."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench.figures.chart import Chart
from workbench.figures.theme import BAD, DIVERGING, GOOD, MUTED, NEUTRAL, RUNS, SEQUENTIAL, A, B, as_text, styled

MOST_WRITTEN = 24  # domains up to which every cell of a heat map says its value


def leaderboard_intervals(table: pd.DataFrame, direction: str = "t2v", ceiling: float | None = None) -> go.Figure:
    """R@1 of every run with its 95 % interval; counterfactuals are grey.

    Args:
        table: From ``analysis.leaderboard``.
        direction: ``t2v`` or ``v2t``.
        ceiling: Highest reachable R@1 in percent, drawn as a line.
    """
    rows = table.iloc[::-1]
    value = rows[f"{direction}_r1"].astype(float)
    low, high = (rows[f"{direction}_r1_{end}"].astype(float) for end in ("low", "high"))
    labels = [
        as_text(name, 28) + (f" ({as_text(ablation, 20)})" if ablation else "")
        for name, ablation in zip(rows["run"], rows["ablation"], strict=True)
    ]
    colour = np.where(rows["ablation"] == "", A if direction == "t2v" else B, NEUTRAL)
    figure = Chart(
        go.Scatter(
            x=value, y=labels, mode="markers+text", text=[f"{v:.1f}" for v in value], textposition="top center",
            marker={"size": 11, "color": colour},
            error_x={"type": "data", "symmetric": False, "array": high - value, "arrayminus": value - low, "width": 6},
            hovertemplate="%{y}<br>R@1 %{x:.2f} %<extra></extra>", cliponaxis=False,
        )
    )  # fmt: skip
    if ceiling is not None and ceiling < 99.995:
        figure.add_vline(
            x=ceiling,
            line={"color": MUTED, "dash": "dash"},
            annotation_text=f"ceiling {ceiling:.2f}",
            annotation_position="bottom left",
        )
    styled(figure, height=110 + 46 * len(table), x=f"{direction} R@1, % (95 % interval)")
    top = 104 if ceiling is not None else min(104.0, 1.25 * float(high.fillna(value).max()))
    return figure.update_xaxes(range=[0, top]).update_yaxes(range=[-0.6, len(table) - 0.3])


def domain_bars(tables: Mapping[str, pd.DataFrame], unit: str = "R@1, %") -> go.Figure:
    """A metric per domain with intervals, runs side by side.

    Args:
        tables: ``analysis.by_domain`` by run name.
        unit: Title of the value axis.
    """
    figure = Chart()
    for colour, (name, table) in zip(RUNS, tables.items(), strict=False):
        spread = {"array": table["high"] - table["value"], "arrayminus": table["value"] - table["low"]}
        figure.add_bar(
            x=table["label"], y=table["value"], name=as_text(name, 28), marker_color=colour,
            error_y={"type": "data", "symmetric": False, "thickness": 1.2, **spread},
            hovertemplate="%{x}<br>%{y:.1f}<extra>" + as_text(name, 28) + "</extra>",
        )  # fmt: skip
    return styled(figure, height=340, y=unit, barmode="group", legend={"orientation": "h", "y": 1.12})


def cause_bars(table: pd.DataFrame, labels: Mapping[str, str]) -> go.Figure:
    """How many failed queries have each primary cause.

    Args:
        table: From ``analysis.failures``.
        labels: Name of every cause.
    """
    counts = table["cause"].value_counts().iloc[::-1]
    share = 100 * counts / max(1, len(table))
    figure = Chart(
        go.Bar(
            x=counts.to_numpy(), y=[labels[cause] for cause in counts.index], orientation="h",
            marker_color=[NEUTRAL if cause == "unexplained" else A for cause in counts.index],
            text=[f"{n}  ({s:.0f} %)" for n, s in zip(counts, share, strict=True)], textposition="outside",
            cliponaxis=False, hovertemplate="%{y}: %{x} queries<extra></extra>",
        )
    )  # fmt: skip
    styled(figure, height=90 + 34 * len(counts), x="failed queries")
    return figure.update_xaxes(range=[0, 1.4 * max([1, *counts])])


def difference_bars(table: pd.DataFrame, unit: str = "B − A, points of R@1") -> go.Figure:
    """Difference of two runs per domain with clustered intervals; grey where it does not hold after Holm's correction.

    Args:
        table: ``Comparison.by_domain``.
        unit: Title of the value axis.
    """
    rows = table.iloc[::-1]
    colour = np.where(beyond_noise(rows), np.where(rows["difference"] > 0, GOOD, BAD), NEUTRAL)
    figure = Chart(
        go.Bar(
            x=rows["difference"], y=rows["label"], orientation="h", marker_color=colour,
            error_x={
                "type": "data", "symmetric": False, "array": rows["high"] - rows["difference"],
                "arrayminus": rows["difference"] - rows["low"], "thickness": 1.2,
            },
            customdata=rows[["n_queries", "n_sources", "p_holm"]],
            hovertemplate="%{y}: %{x:+.1f}, p (Holm) %{customdata[2]:.2g}<br>%{customdata[0]} queries, "
            "%{customdata[1]} sources<extra></extra>",
        )
    )  # fmt: skip
    return styled(figure, height=90 + 34 * len(rows), x=unit)


def beyond_noise(table: pd.DataFrame) -> np.ndarray:
    """bool [rows]: whether a difference is beyond noise, as verdicts say it: by the interval and by Holm's p.

    Args:
        table: With low, high and p_holm: ``Comparison.by_domain``, ``Ablations.scores``.
    """
    return (((table["low"] > 0) | (table["high"] < 0)) & (table["p_holm"] < 0.05)).to_numpy(bool)


def domain_heatmap(means: pd.DataFrame, difference: bool = False) -> go.Figure:
    """Domain by domain means of standardised scores; captions are rows, videos columns.

    Every cell says its value with its sign; in brackets where the interval of a difference holds 0.

    Args:
        means: From ``analysis.domain_means``.
        difference: The values are A - B.
    """
    values = zip(means["mean"], means["low"], means["high"], strict=True)
    said = [_signed(mean, low, high, difference) for mean, low, high in values]
    tables = {
        name: means.assign(said=said).pivot(index="domain", columns="video_domain", values=name)
        for name in ("mean", "low", "high", "n_captions", "said")
    }
    captions = _counted(means, "domain", "label", "n_captions")
    videos = _counted(means, "video_domain", "video_label", "n_videos")
    known = np.nan_to_num(tables["mean"].to_numpy(float))
    limit = float(np.abs(known).max()) or 1.0
    return _heatmap(
        tables["mean"].rename(index=captions, columns=videos), colorscale=DIVERGING if difference else SEQUENTIAL,
        zmin=-limit if difference else float(known.min()), zmax=limit,
        text=tables["said"].to_numpy(), texttemplate="%{text}" if len(known) <= MOST_WRITTEN else None,
        customdata=np.dstack([tables[name].to_numpy(float) for name in ("low", "high", "n_captions")]),
        colorbar={"title": "A − B, sd" if difference else "sd", "thickness": 12},
        hovertemplate=(
            "captions of %{y}<br>videos of %{x}<br>%{z:+.3f} sd (%{customdata[0]:+.3f} to %{customdata[1]:+.3f})"
            "<br>%{customdata[2]} captions<extra></extra>"
        ),
    )  # fmt: skip


def _counted(means: pd.DataFrame, domain: str, label: str, number: str) -> dict[str, str]:
    """What stands beside each domain: its name and how many it has."""
    rows = means.groupby(domain, as_index=False).agg({label: "first", number: "max"})
    return {one: f"{name[:24]} ({n:,})" for one, name, n in zip(rows[domain], rows[label], rows[number], strict=True)}


def _signed(mean: float, low: float, high: float, difference: bool) -> str:
    """A mean with its sign; in brackets where a difference cannot be told from none."""
    if np.isnan(mean):
        return ""
    said = f"{mean:+.2f}".replace("-", "−")
    return f"({said})" if difference and not (low > 0 or high < 0) else said


def confusion_heatmap(confusion: pd.DataFrame) -> go.Figure:
    """Where what stands first for each domain's queries comes from, in percent of them; intervals where one points.

    Args:
        confusion: From ``analysis.domain_confusion``.
    """
    labels = dict(zip(confusion["domain"], confusion["label"], strict=True))
    share, low, high = (
        100 * confusion.pivot(index="domain", columns="top_domain", values=name).rename(index=labels, columns=labels)
        for name in ("share", "low", "high")
    )
    asked, listed = ("captions", "video") if (confusion["direction"] == "t2v").all() else ("videos", "caption")
    figure = _heatmap(
        share, colorscale=SEQUENTIAL, zmin=0.0, zmax=100.0, texttemplate="%{z:.0f}",
        colorbar={"title": "%", "thickness": 12}, customdata=np.dstack([low.to_numpy(), high.to_numpy()]),
        hovertemplate=f"{asked} of %{{y}}<br>top-1 is a {listed} of %{{x}}<br>%{{z:.1f}} % of them "
        "(%{customdata[0]:.1f} to %{customdata[1]:.1f})<extra></extra>",
    )  # fmt: skip
    return figure.update_xaxes(title=f"the top-1 is a {listed} of").update_yaxes(title=f"{asked} of")


def _heatmap(table: pd.DataFrame, **look: Any) -> go.Figure:
    """A table as a heat map, captions' domains from top to bottom."""
    below = ["<br>".join(as_text(line, 34) for line in wrap(str(name), 15)) for name in table.columns]
    beside = [as_text(name, 34) for name in table.index]
    figure = Chart(go.Heatmap(z=table.to_numpy(), x=below, y=beside, **look))
    styled(figure, height=120 + 38 * len(table), x="videos of", y="captions of")
    if len(table) <= MOST_WRITTEN // 2:
        figure.update_xaxes(autotickangles=[0, 45])  # upright only where there is room
    return figure.update_yaxes(autorange="reversed")
