"""Charts of runs side by side: ranks in two, causes fixed and broken, sets of runs that solve queries, ablations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from workbench.analysis.comparison.ablations import AS_IT_IS
from workbench.analysis.comparison.many import Solved
from workbench.figures.chart import Chart
from workbench.figures.charts import beyond_noise
from workbench.figures.theme import BAD, DIVERGING, GOOD, GRID, INK, MUTED, NEUTRAL, A, as_text, styled

GREYS = [[0.0, "#dbe2ea"], [1.0, "#334155"]]
BINS = 24
MOST_SETS = 24
GAINS = {  # better: label, colour, marker; colour and shape both tell
    "B": ("B much better", GOOD, "triangle-up"),
    "A": ("A much better", BAD, "triangle-down"),
}


def rank_against_rank(table: pd.DataFrame, name_a: str, name_b: str, worst: int = 50) -> go.Figure:
    """Rank of every query in run B against its rank in run A, both logarithmic; below the diagonal B is better.

    Squares: how many queries lie there, the darker the more. Triangles: the queries whose ranks differ most; each
    triangle of the figure has the id of its query as ``customdata``.

    Args:
        table: ``Comparison.table``.
        name_a: Name of run A.
        name_b: Name of run B.
        worst: How many queries stand out, those of both sides together.
    """
    top = float(max(2.0, table["rank_a"].max(), table["rank_b"].max()))
    figure = Chart(_density(table, top))
    gap = pd.Series(np.log(table["rank_a"] / table["rank_b"]), index=table.index)
    outer = table.assign(gap=gap).loc[gap.abs().sort_values(ascending=False, kind="stable").index[:worst]]
    for better, (label, colour, symbol) in GAINS.items():
        part = outer[outer["gap"] > 0] if better == "B" else outer[outer["gap"] < 0]
        figure.add_trace(
            go.Scatter(
                x=part["rank_a"], y=part["rank_b"], mode="markers", name=f"{label} ({len(part)} shown)",
                marker={"color": colour, "symbol": symbol, "size": 10, "line": {"color": "white", "width": 1}},
                customdata=part["id"], text=[as_text(text) for text in part["text"]],
                hovertemplate="%{text}<br>A rank %{x:.1f}, B rank %{y:.1f}<extra></extra>",
            )
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(x=[1, top], y=[1, top], mode="lines", line={"color": MUTED, "dash": "dot"}, showlegend=False)
    )  # fmt: skip
    styled(
        figure, height=560, x=f"rank in A: {as_text(name_a, 40)}", y=f"rank in B: {as_text(name_b, 40)}",
        legend={"orientation": "h", "y": 1.08},
    )  # fmt: skip
    ticks = [step * 10**power for power in range(6) for step in (1, 2, 5) if step * 10**power <= 1.05 * top]
    look = {"type": "log", "range": [-0.04, float(np.log10(top)) + 0.04], "tickvals": ticks}
    return figure.update_xaxes(**look).update_yaxes(**look)


def _density(table: pd.DataFrame, top: float) -> go.Scatter:
    """Queries counted in squares of equal sides on the logarithmic axes; each stands at the mean of its queries."""
    logs = table[["rank_a", "rank_b"]].apply(np.log)
    cells = (logs / (np.log(top) / BINS)).round().astype(int)
    places = logs.groupby([cells["rank_a"], cells["rank_b"]])
    (x, y), counts = np.exp(places.mean().to_numpy().T), places.size()
    depth = np.log1p(counts.to_numpy(float))
    return go.Scatter(
        x=x, y=y, mode="markers", name=f"all {len(table):,} queries, darker: more", customdata=counts,
        marker={"symbol": "square", "size": 12, "color": sample_colorscale(GREYS, depth / depth.max())},
        hovertemplate="%{customdata} queries with ranks near %{x:.1f} in A and %{y:.1f} in B<extra></extra>",
    )  # fmt: skip


def cause_change_bars(changes: pd.DataFrame) -> go.Figure:
    """Failures of A that B answers (to the right) and failures of B that A answers (to the left), by cause.

    Args:
        changes: From ``analysis.cause_changes``; causes that nothing changed are left out.
    """
    rows = changes[changes["fixed"] + changes["broken"] > 0].iloc[::-1]
    labels = [as_text(one, 34) for one in rows["label"]]
    figure = Chart()
    for column, sign, colour, said in (("fixed", 1, GOOD, "fixed by B"), ("broken", -1, BAD, "broken by B")):
        of = rows["failed_a" if sign > 0 else "failed_b"]
        figure.add_bar(
            x=sign * rows[column], y=labels, orientation="h", name=said, marker_color=colour,
            text=[f"{sign * n:+d}".replace("-", "−") if n else "" for n in rows[column]], textposition="outside",
            cliponaxis=False, customdata=np.stack([rows[column], of], axis=1),
            hovertemplate=f"%{{y}}: %{{customdata[0]}} of %{{customdata[1]}} {said}<extra></extra>",
        )  # fmt: skip
    most = 1.25 * max(1, int(rows[["fixed", "broken"]].to_numpy().max(initial=0)))
    styled(
        figure, height=110 + 30 * len(rows), x="queries", barmode="overlay",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "traceorder": "reversed"},
    )  # fmt: skip
    return figure.update_xaxes(range=[-most, most])


def upset(solved: Solved) -> go.Figure:
    """How many queries each set of runs solves and no other run: bars, above dots that say which runs they are.

    Args:
        solved: From ``analysis.solved_sets``.
    """
    sets = solved.sets.iloc[:MOST_SETS]
    names, height = list(solved.names), 1.2 * max(3, len(solved.names))
    bars = height * sets["n"] / sets["n"].max()
    nobody = [not one for one in sets["runs"]]
    figure = Chart(
        go.Bar(
            x=list(range(len(sets))), y=bars, text=[f"{n:,}" for n in sets["n"]], textposition="outside",
            marker_color=np.where(nobody, NEUTRAL, A), showlegend=False, cliponaxis=False, customdata=sets["n"],
            hovertext=[as_text(" and ".join(one) or "no run", 200) for one in sets["runs"]],
            hovertemplate="only by %{hovertext}: %{customdata} queries<extra></extra>",
        )
    )  # fmt: skip
    rows = {name: -1.0 - i for i, name in enumerate(names)}
    for held, colour in ((False, GRID), (True, INK)):
        at = [(i, rows[name]) for i, one in enumerate(sets["runs"]) for name in names if (name in one) == held]
        figure.add_scatter(
            x=[i for i, _ in at], y=[row for _, row in at], mode="markers", showlegend=False, hoverinfo="skip",
            marker={"size": 12, "color": colour, "symbol": "circle"},
        )  # fmt: skip
    for i, one in enumerate(sets["runs"]):
        if len(one) > 1:
            ends = sorted(rows[name] for name in one)
            figure.add_shape(type="line", x0=i, x1=i, y0=ends[0], y1=ends[-1], line={"color": INK, "width": 2})
    right = solved.right.sum(axis=0)
    said = [f"{as_text(name, 24)} ({n:,})" for name, n in zip(names, right, strict=True)]
    styled(figure, height=150 + 42 * len(names), bargap=0.35)
    figure.update_xaxes(range=[-0.6, max(5, len(sets)) - 0.4], tickvals=[], showgrid=False, zeroline=False)
    return figure.update_yaxes(
        range=[-len(names) - 0.6, 1.12 * height], tickvals=list(rows.values()), ticktext=said, showgrid=False,
        zeroline=False,
    )  # fmt: skip


def ablation_differences(scores: pd.DataFrame, unit: str) -> go.Figure:
    """What each ablation changes over all queries, with clustered intervals; grey: within noise (``beyond_noise``).

    Args:
        scores: From ``Ablations.scores``; its rows over all queries are shown.
        unit: Title of the value axis.
    """
    rows = scores[scores["domain"].isna() & (scores["ablation"] != AS_IT_IS)].iloc[::-1]
    ink = np.where(beyond_noise(rows), np.where(rows["difference"] > 0, GOOD, BAD), NEUTRAL)
    figure = Chart(
        go.Bar(
            x=rows["difference"], y=[as_text(one, 40) for one in rows["label"]], orientation="h", marker_color=ink,
            error_x={
                "type": "data", "symmetric": False, "array": rows["high"] - rows["difference"],
                "arrayminus": rows["difference"] - rows["low"], "thickness": 1.2,
            },
            customdata=rows[["value", "wins", "losses"]],
            hovertemplate="%{y}: %{x:+.2f}, so %{customdata[0]:.2f}<br>%{customdata[1]} queries better, "
            "%{customdata[2]} worse<extra></extra>",
        )
    )  # fmt: skip
    return styled(figure, height=90 + 40 * len(rows), x=unit)


def ablation_heatmap(scores: pd.DataFrame, unit: str) -> go.Figure:
    """What each ablation changes in each domain, in brackets where the interval holds 0.

    Args:
        scores: ``Ablations.scores(by="domain")``.
        unit: Title of the scale.
    """
    base = scores[scores["ablation"] == AS_IT_IS].set_index("domain_label")["value"]
    rows = scores[scores["ablation"] != AS_IT_IS]
    noise = ~((rows["low"] > 0) | (rows["high"] < 0))
    said = [f"{one:+.1f}".replace("-", "−") for one in rows["difference"]]
    rows = rows.assign(said=[f"({one})" if held else one for one, held in zip(said, noise, strict=True)])
    tables = {
        name: rows.pivot(index="domain_label", columns="label", values=name).reindex(
            index=list(base.index), columns=list(dict.fromkeys(rows["label"]))
        )
        for name in ("difference", "said", "low", "high")
    }
    limit = float(np.nanmax(np.abs(tables["difference"].to_numpy(float)), initial=1.0))
    figure = Chart(
        go.Heatmap(
            z=tables["difference"].to_numpy(float), x=[as_text(one, 34) for one in tables["said"].columns],
            y=[f"{as_text(name, 28)} ({value:.1f})" for name, value in base.items()],
            colorscale=DIVERGING, zmin=-limit, zmax=limit, text=tables["said"].to_numpy(), texttemplate="%{text}",
            customdata=np.dstack([tables[name].to_numpy(float) for name in ("low", "high")]),
            colorbar={"title": unit, "thickness": 12},
            hovertemplate="%{y}<br>%{x}: %{z:+.1f} (%{customdata[0]:+.1f} to %{customdata[1]:+.1f})<extra></extra>",
        )
    )  # fmt: skip
    styled(figure, height=120 + 36 * len(base))
    return figure.update_yaxes(autorange="reversed").update_xaxes(side="top")
