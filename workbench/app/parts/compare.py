"""What the page Compare shows of two runs: their queries, causes, and ranks on the validation split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from workbench import analysis, figures
from workbench.analysis import Comparison
from workbench.analysis.comparison.cause_changes import KINDS as CHANGES
from workbench.analysis.trajectories import KINDS
from workbench.app import loading
from workbench.app.headings import heading
from workbench.app.limits import Limits, limits
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.downloads import show_chart, show_table
from workbench.app.parts.listing import listed
from workbench.app.parts.sieve import choose_sieve
from workbench.app.parts.training_ranks import open_selected, passing, show_kinds, sieve_of, texts_of
from workbench.app.parts.widgets import choose, halves
from workbench.app.text import extremes, plain, short
from workbench.core.errors import StateError
from workbench.core.words import counted
from workbench.corpus import domain_label
from workbench.evaluation.metrics.measures import METRICS
from workbench.evaluation.runs.run import Run
from workbench.figures.charts import beyond_noise

KS = ("1", "5", "10")


@dataclass(frozen=True)
class Pair:
    """Two runs that are compared.

    Attributes:
        place: "corpus/split".
        a: The run to compare with.
        b: The run whose gain is asked.
        metric: A name of ``METRICS``.
        direction: ``t2v`` or ``v2t``.
        result: ``compare_runs`` of them.
        keys: ``loading.key_of`` both when they were compared.
    """

    place: str
    a: Run
    b: Run
    metric: str
    direction: str
    result: Comparison
    keys: tuple[tuple[str, int], tuple[str, int]]

    def open_query(self, query: str) -> None:
        """Go to the page of one query with both runs."""
        values = parameters(corpus=self.place, run=self.a.name, other=self.b.name, direction=self.direction, q=query)
        st.switch_page(page("query"), query_params=values)

    @property
    def key(self) -> tuple[Any, ...]:
        """What all that is kept of the comparison depends on."""
        return *self.keys, self.metric, self.direction

    @property
    def outdated(self) -> bool:
        """Whether a run was written again since they were compared."""
        return self.keys != (loading.key_of(self.a), loading.key_of(self.b))

    @property
    def unit(self) -> str:
        """What a difference of domains is counted in."""
        chosen = METRICS[self.metric]
        return f"B − A, {'points of ' if chosen.scale > 1 else ''}{chosen.label}"

    @property
    def code(self) -> str:
        """The call that makes the comparison, for "copy as code"."""
        return f'analysis.compare_runs(a, b, metric="{self.metric}", direction="{self.direction}")'


# Queries ------------------------------------------------------------------------------------------------------------


def show_queries(pair: Pair) -> None:
    """Rank against rank, differences per domain, wins and losses."""
    left, right = halves()
    with left:
        heading("Rank against rank")
        ranks = st.container()  # charts are filled in last: a browser draws them longer than all the rest
        _agreement(pair)
    with right:
        _parts(pair)
        heading("By domain")
        domains = st.container()
    table = pair.result.table
    lists = table.assign(times=table["rank_a"] / table["rank_b"], label=table["domain"].map(domain_label))
    sieve = choose_sieve(pair.a, "win", "loss", corpus=loading.corpus_of(pair.a))
    for column, (outcome, title) in zip(
        halves(), (("win", "Wins of B at rank 1"), ("loss", "Losses of B at rank 1")), strict=True
    ):
        rows = lists[lists["outcome"] == outcome].sort_values("times", ascending=outcome == "loss", ignore_index=True)
        with column:
            heading(f"{title} ({len(rows):,})")
            names = {"rank_a": "Rank in A", "rank_b": "Rank in B"}
            names |= {"label": "Domain"} if table["domain"].notna().any() else {}
            names |= {"text": "Query" if pair.direction == "t2v" else "Video"}
            row = listed(
                rows, names, outcome, f"{outcome} {pair.a.name} {pair.b.name}", whole=rows.drop(columns="label"),
                sieve=sieve, ids="id", rank_a=1, rank_b=1,
            )  # fmt: skip
        if row is not None:
            pair.open_query(rows["id"][row])
    st.caption("Widest gap of ranks first. Select a row to open its query.")
    with ranks:
        _ranks(pair)
    with domains:
        _domains(pair)


@st.cache_resource(max_entries=8, show_spinner=False)
def _rank_chart(key: tuple[Any, ...], _pair: Pair) -> go.Figure:
    """Of 42,200 queries it takes longer to make than all the rest of the page."""
    return figures.rank_against_rank(_pair.result.table, _pair.a.name, _pair.b.name)


@st.cache_resource(max_entries=8, show_spinner=False)
def _domain_chart(key: tuple[Any, ...], _pair: Pair) -> go.Figure:
    return figures.difference_bars(_pair.result.by_domain, _pair.unit)


def _ranks(pair: Pair) -> None:
    figure = _rank_chart(pair.key, pair)
    gap = pair.result.table["rank_a"] - pair.result.table["rank_b"]
    told = (f"Of {len(gap):,} queries B ranks the right item higher for {(gap > 0).sum():,}, lower for "
            f"{(gap < 0).sum():,}")  # fmt: skip
    event = show_chart(
        figure, f"ranks {pair.a.name} {pair.b.name}", key="ranks", alt=told,
        code=f'figures.rank_against_rank({pair.code}.table, "{pair.a.name}", "{pair.b.name}")', select=True,
        table=pair.result.table, runs={"a": pair.a.name, "b": pair.b.name},
    )  # fmt: skip
    st.caption(
        "Below the dotted line B ranks the right item higher. The 50 queries with the widest gap are triangles: click "
        "one to open it."
    )
    for point in event["selection"]["points"]:
        if (pair.result.table["id"] == point.get("customdata")).any():
            pair.open_query(point["customdata"])


def _parts(pair: Pair) -> None:
    heading("Micro, macro and slices")
    table, digits = pair.result.parts, METRICS[pair.metric].digits
    ends = zip(table["low"].astype(float), table["high"].astype(float), strict=True)
    shown = pd.DataFrame({
        "Queries": [f"{part} ({n:,})" for part, n in zip(table["part"], table["n_queries"], strict=True)],
        "A": table["a"], "B": table["b"], "B − A": table["difference"],
        "95 %": ["–" if np.isnan(low) else f"{low:+.{digits}f} to {high:+.{digits}f}" for low, high in ends],
        "p (BH)": ["–" if pd.isna(p) else f"{p:.2g}" for p in table["p_bh"]],
    })  # fmt: skip
    number = {name: st.column_config.NumberColumn(format=f"%.{digits}f", width=56) for name in "AB"}
    show_table(
        shown, f"parts {pair.a.name} {pair.b.name}", whole=table, key="parts", height="content",
        column_config=number | {
            "Queries": st.column_config.TextColumn(width=180),
            "B − A": st.column_config.NumberColumn(format=f"%+.{digits}f", width=64),
            "95 %": st.column_config.TextColumn(width=120),
            "p (BH)": st.column_config.TextColumn(
                width=64, help="Of slices: Benjamini and Hochberg's correction over them."),
        },
    )  # fmt: skip
    effects = pair.result.effects
    ratio = effects["odds_ratio"]
    won = f"{ratio:.2f} wins per loss (odds ratio)" if np.isfinite(ratio) else "No query is lost"
    st.caption(plain(f"{won}; Cliff's delta of the ranks {effects['cliffs_delta']:+.3f} (above 0: B ranks higher)."))


def _domains(pair: Pair) -> None:
    table = pair.result.by_domain
    if table.empty:
        st.caption("This corpus states no domains.")
        return
    told = extremes(f"{pair.unit} by domain", table["label"], table["difference"], f"+.{METRICS[pair.metric].digits}f")
    held = table.loc[beyond_noise(table), "label"].to_list()
    told += f"; beyond noise after Holm's correction: {', '.join(held) or 'none'}"
    show_chart(
        _domain_chart(pair.key, pair), f"domains {pair.a.name} {pair.b.name}", key="domains", alt=told,
        code=f'figures.difference_bars({pair.code}.by_domain, "{pair.unit}")', table=table,
        runs={"a": pair.a.name, "b": pair.b.name},
    )  # fmt: skip
    st.caption(
        "Grey: within noise. Coloured: beyond it, by the 95 % interval and after Holm's correction over "
        f"{counted(len(table), 'domain')}: {counted(len(held), 'differs', 'differ')}."
    )


def _agreement(pair: Pair) -> None:
    heading("How much they agree")
    table = pair.result.agreement.assign(shared=100 * pair.result.agreement["shared"])
    names = {"k": "First", "common": "Items in common", "shared": "Jaccard", "phi": "phi of hits"}
    show_table(
        table[list(names)].rename(columns=names), f"agreement {pair.a.name} {pair.b.name}", whole=pair.result.agreement,
        key="agreement", height="content",
        column_config={
            names["shared"]: st.column_config.NumberColumn(
                format="%.0f %%", help="Items in both lists, of the items in either."),
            names["common"]: st.column_config.NumberColumn(format="%.1f", help="Mean over the queries."),
            names["phi"]: st.column_config.NumberColumn(
                format="%.2f", help="1: right on the same queries. 0: independent. Empty: a run has all or none right."
            ),
        },
    )  # fmt: skip
    effects = pair.result.effects
    st.caption(
        f"One model or two? Order of the lists: rank-biased overlap {effects['rbo']:.3f}, Kendall's tau "
        + ("not defined" if np.isnan(effects["tau"]) else f"{effects['tau']:.3f}")
        + "; 1 = the same."
    )


# Causes -------------------------------------------------------------------------------------------------------------


@st.cache_resource(max_entries=8, show_spinner="Comparing …")
def _cause_changes(
    keys: tuple[loading.CausesKey, loading.CausesKey], k: int, direction: str, changed: Limits, _pair: Pair
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame], go.Figure]:
    """``analysis.cause_changes``, ``analysis.change_lists`` and the chart of two runs; not to be written into."""
    a, b = (loading.failures(run, k, direction) for run in (_pair.a, _pair.b))
    shared = _pair.result.table["id"]
    changes = analysis.cause_changes(a, b, shared)
    return changes, analysis.change_lists(a, b, shared), figures.cause_change_bars(changes)


def show_causes(pair: Pair) -> None:
    """Failures of A that B answers and failures of B that A answers, by cause; the queries themselves."""
    with st.columns(4)[0]:
        k = int(choose("Fails when rank >", KS, "k"))
    keys = loading.key_of_causes(pair.a), loading.key_of_causes(pair.b)
    changes, lists, figure = _cause_changes(keys, k, pair.direction, limits(), pair)
    fixed, broken = int(changes["fixed"].sum()), int(changes["broken"].sum())
    heading(f"B fixes {counted(fixed, 'failure')} of A and breaks {broken:,}")
    if fixed + broken == 0:
        st.caption("Both runs fail on the same queries.")
        return
    told = extremes("Failures that B fixes minus those it breaks by cause", changes["label"], changes["net"], "+d")
    changed = "".join(f", {one}={value:g}" for one, value in limits())
    failed = (f'analysis.failures({run}, k={k}, direction="{pair.direction}"{changed})' for run in "ab")
    show_chart(
        figure, f"causes {pair.a.name} {pair.b.name}", key="changes", alt=told,
        code=f"figures.cause_change_bars(analysis.cause_changes({', '.join(failed)}))", table=changes,
        runs={"a": pair.a.name, "b": pair.b.name},
    )  # fmt: skip
    st.caption("Fixed ones stand under their cause in A, broken ones under their cause in B. Artefacts come first.")
    labels = {"all": "All causes", **dict(zip(changes["cause"], changes["label"], strict=True))}
    with st.columns(3)[0]:
        cause = choose("Cause", list(labels), "cause", show=lambda one: labels.get(one, one))
    sieve = choose_sieve(pair.a, *CHANGES, corpus=loading.corpus_of(pair.a))
    for column, kind, run, title in zip(
        halves(), CHANGES, (pair.a, pair.b), ("Fixed by B", "Broken by B"), strict=True
    ):
        rows = lists[kind] if cause == "all" else lists[kind][lists[kind]["cause"] == cause]
        rows = rows.assign(label=rows["cause"].map(labels)).reset_index(drop=True)
        with column:
            heading(f"{title} ({len(rows):,})")
            names = {"rank": "Rank", "label": f"Cause in {run.name}", "text": "Caption"}
            whole = rows.drop(columns=["label", "causes"])
            row = listed(rows, names, kind, f"{kind} {pair.a.name} {pair.b.name}", whole=whole, sieve=sieve, rank=1)
        if row is not None:
            pair.open_query(rows["query_id"][row])


# Training -----------------------------------------------------------------------------------------------------------


def show_learned(pair: Pair) -> None:
    """What became of the validation queries in both trainings."""
    try:
        a, b = (analysis.trajectories(run, pair.direction) for run in (pair.a, pair.b))
    except StateError as error:
        st.info(plain(error), icon=":material/info:")
        return
    with st.columns(4)[0]:
        k = int(choose("Right when rank ≤", KS, "k"))
    for column, run, one in zip(halves(), (pair.a, pair.b), (a, b), strict=True):
        with column:
            heading(plain(run.name))
            show_kinds(run, one, k, analysis.chosen_step(run))
    both = analysis.learned_by(a, b, k)
    left, right = halves()
    counts = analysis.learned_table(both)
    with left:
        heading("What became of each query")
        table = counts.rename_axis(f"A: {pair.a.name}").reset_index()
        table.columns = pd.Index([table.columns[0], *(f"B: {kind}" for kind in KINDS)])
        show_table(table, f"learned {pair.a.name} {pair.b.name}", key="learned", height="content")
        st.caption(
            f"{counted(len(both), 'query')} of the validation split by the last checkpoint; right: rank {k} or "
            "better. " + "; ".join(f"{kind}: {said}" for kind, said in KINDS.items()) + "."
        )
    both = passing(both, sieve_of(pair.a))
    texts = texts_of(pair.a) if pair.direction == "t2v" else {}
    shown = both.assign(query=[short(texts.get(one, one)) for one in both["id"]])
    with right:
        heading("Ranks at every checkpoint")
        event = show_table(
            shown[["query", "reciprocal_a", "rank_a", "reciprocal_b", "rank_b"]],
            f"ranks per checkpoint {pair.a.name} {pair.b.name}", whole=both, height=300, key="both",
            on_select="rerun", selection_mode="single-row",
            column_config={
                "query": st.column_config.TextColumn("Query", width="medium"),
                **{f"reciprocal_{side}": st.column_config.BarChartColumn(
                    f"1 / rank in {side.upper()}", y_min=0, y_max=1, help="A bar per checkpoint; a full bar is rank 1."
                ) for side in "ab"},
                **{f"rank_{side}": st.column_config.NumberColumn(f"Last rank in {side.upper()}", format="%.1f")
                   for side in "ab"},
            },
        )  # fmt: skip
        open_selected([pair.a, pair.b], event, both["id"].to_list(), pair.direction)
