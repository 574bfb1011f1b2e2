"""What the pages Compare, Query and Domains show of ablations: a run with one thing changed, and other weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from workbench import analysis, figures
from workbench.analysis import Ablations
from workbench.analysis.comparison.ablation_sources import (
    cannot_refuse,
    said_weights,
    used_weights,
    weights_commands,
)
from workbench.analysis.comparison.ablations import AS_IT_IS
from workbench.app import loading
from workbench.app.headings import heading
from workbench.app.links import asked_number, parameters, write_address
from workbench.app.navigation import page
from workbench.app.parts.downloads import show_chart, show_table
from workbench.app.parts.widgets import folded
from workbench.app.text import extremes, plain
from workbench.core.words import counted, spread
from workbench.evaluation.metrics.measures import METRICS
from workbench.evaluation.runs.run import Run
from workbench.figures.charts import beyond_noise

Key = tuple[str, int]
Stamps = tuple[tuple[str, int], ...]
WORDS = 12
EFFECTS = {
    "word": "Word",
    "stands": "Read in",
    "change": "Adds to the score",
    "rank": "Rank",
    "rank_without": "Without it",
}


# Cached; a run with an underscore is not part of the key, which holds its folder, its time and those of other runs ---


@st.cache_resource(max_entries=8, show_spinner="Joining ablations …")
def _joined(key: Key, others: Stamps, direction: str, _run: Run) -> Ablations:
    return analysis.ablations(_run, direction=direction)


@st.cache_data(max_entries=16, show_spinner="Resampling …")
def _scores(key: Key, others: Stamps, direction: str, metric: str, by: str | None, _run: Run) -> pd.DataFrame:
    return _joined(key, others, direction, _run).scores(metric, by)


@st.cache_data(max_entries=32, show_spinner=False)
def _reweighted(key: Key, weights: tuple[tuple[str, float], ...], direction: str, metric: str, _run: Run) -> pd.Series:
    return analysis.reweighted(_run, dict(weights), direction=direction).scores(metric).iloc[1]


@st.cache_data(max_entries=64, show_spinner=False)
def _effects(key: Key, others: Stamps, caption: str, _run: Run) -> pd.DataFrame:
    return analysis.word_effects_of(_run, caption)


def joined(run: Run, direction: str) -> Ablations:
    """``analysis.ablations`` of a run; joined again when any run of the workspace changes."""
    return _joined(loading.key_with_texts(run), loading.stamps_of_runs(), direction, run)


def _table(run: Run, direction: str, metric: str, by: str | None = None) -> pd.DataFrame:
    return _scores(loading.key_with_texts(run), loading.stamps_of_runs(), direction, metric, by, run)


# Over all queries ---------------------------------------------------------------------------------------------------


def show_ablations(run: Run, metric: str, direction: str) -> None:
    """What each ablation changes, over all queries and per domain; what is absent, and the command that makes it."""
    found = joined(run, direction)
    scores = _table(run, direction, metric)
    value, chosen = scores["value"].iloc[0], METRICS[metric]
    heading(plain(f"{run.name} as it is: {chosen.label} {value:.{chosen.digits}f}"))
    unit = f"{'points of ' if chosen.scale > 1 else ''}{chosen.label}"
    if len(found.held) > 1:
        figure = figures.ablation_differences(scores, f"change of {unit}")
        code = f'figures.ablation_differences({_code(direction)}.scores("{metric}"), "change of {unit}")'
        changed = scores.iloc[1:]
        told = extremes(f"Change of {unit} by ablation", changed["label"], changed["difference"], "+.1f")
        held = changed.loc[beyond_noise(changed), "label"].to_list()
        told += f"; beyond noise after Holm's correction: {', '.join(held) or 'none'}"
        show_chart(figure, f"ablations {run.name}", key="ablations", alt=told, code=code, runs={"run": run.name})
        st.caption("Grey: within noise. Coloured: beyond it, by the 95 % interval and after Holm's correction.")
        _score_table(run, scores, metric)
    say_absent(found)
    show_by_domain(run, direction, metric)
    show_weights(run, metric, direction)


def _code(direction: str) -> str:
    """The call that joins the ablations, for "copy as code"."""
    return f'analysis.ablations(run, direction="{direction}")'


def _score_table(run: Run, scores: pd.DataFrame, metric: str) -> None:
    digits = METRICS[metric].digits
    names = {"label": "Ablation", "value": METRICS[metric].heading, "difference": "Change", "interval": "95 %",
             "p_holm": "p (Holm)", "wins": "Better", "losses": "Worse", "undecided": "By ties only", "sees": "Saw",
             "how": "Made from"}  # fmt: skip
    changed = scores.iloc[1:].reset_index(drop=True)
    interval = [spread(*ends, f"+.{digits}f") for ends in zip(changed["low"], changed["high"], strict=True)]
    table = changed.assign(interval=interval)[list(names)].rename(columns=names)
    number = st.column_config.NumberColumn(format=f"%.{digits}f")
    show_table(
        table, f"ablations {run.name} {metric}", key="ablation table", height="content",
        column_config={names["value"]: number, "Change": st.column_config.NumberColumn(format=f"%+.{digits}f"),
                       "p (Holm)": st.column_config.NumberColumn(format="%.2g")},
    )  # fmt: skip
    if (scores["sees"] != scores["sees"].iloc[0]).any():
        st.caption("What has seen other queries does not stand beside what has not: see the column Saw.")


def say_absent(found: Ablations) -> None:
    """The ablations that are not there: why, and the command that makes them."""
    can = found.absent[found.absent["command"] != ""]
    never = found.absent[found.absent["command"] == ""]
    if len(can):
        st.caption(plain(f"Not here yet: {', '.join(can['label'])}."))
        st.code("\n".join(can["command"]), language=None)
    for reason, rows in never.groupby("reason", sort=False):
        st.caption(plain(f"{', '.join(rows['label'])}: not possible here. {reason}"))


def show_by_domain(run: Run, direction: str, metric: str = "r1") -> None:
    """What each ablation changes in each domain."""
    found = joined(run, direction)
    if len(found.held) < 2 or found.queries["domain"].nunique() < 2:
        return
    heading("Ablations by domain")
    scores = _table(run, direction, metric, "domain")
    changed = scores[scores["ablation"] != AS_IT_IS]
    figure = figures.ablation_heatmap(scores, METRICS[metric].label)
    code = f'figures.ablation_heatmap({_code(direction)}.scores("{metric}", by="domain"), "{METRICS[metric].label}")'
    show_chart(
        figure, f"ablations by domain {run.name}", key="ablations by domain", code=code, runs={"run": run.name},
        alt=extremes(f"Change of {METRICS[metric].label} by ablation and domain",
                     changed["label"] + " in " + changed["domain_label"], changed["difference"], "+.1f"),
        table=scores.drop(columns="domain_label"),
    )  # fmt: skip
    st.caption(
        plain(f"Change of {METRICS[metric].label} of {run.name} (in brackets beside the domain: as it is). ")
        + "A cell in brackets: its 95 % interval, clustered by source, holds 0."
    )


@st.fragment
def show_weights(run: Run, metric: str, direction: str) -> None:
    """Other weights of two modalities, fused while the slider moves."""
    if len(run.modalities) < 2:
        return
    heading("Other weights")
    if why := cannot_refuse(run):
        st.caption(plain(f"{run.name} cannot be fused with other weights. {why}"))
        return
    if len(run.modalities) > 2:
        st.caption(plain(f"{run.name} has more than two modalities: give their weights to analysis.reweighted."))
        return
    names, used = sorted(run.modalities, reverse=True), used_weights(run)
    share = used[names[1]] / (sum(used.values()) or 1.0)
    start = asked_number("weight", round(share, 2), 0.0, 1.0)
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="center")
    with left:
        second = st.slider(plain(f"Weight of {names[1]}; the rest is {names[0]}"), 0.0, 1.0, start, 0.05, key="weight")
    write_address("weight", f"{second:g}")
    weights = {names[0]: round(1 - second, 4), names[1]: round(second, 4)}
    row = _reweighted(loading.key_of(run), tuple(weights.items()), direction, metric, run)
    digits = METRICS[metric].digits
    with right:
        st.markdown(
            f"**{plain(said_weights(weights))}: {plain(METRICS[metric].label)} {row['value']:.{digits}f}**, "
            + plain(f"{row['difference']:+.{digits}f} ({spread(row['low'], row['high'], f'+.{digits}f')}) against "
                    f"{said_weights(used)} as used; {counted(int(row['wins']), 'query')} better, "
                    f"{row['losses']:.0f} worse.")
        )  # fmt: skip
    st.caption(
        plain(f"To look at only: this weight is chosen on {run.corpus_name}/{run.split}, the queries that it is tested "
              "on. Choose it on a validation run:")
    )  # fmt: skip
    st.code(weights_commands(run), language=None)


# One query ----------------------------------------------------------------------------------------------------------


def ablation_row(run: Run, query: str, direction: str, link: Mapping[str, str | None]) -> None:
    """The rank of one query in every ablation of a run, what is absent, and what each read word does.

    Args:
        run: The run.
        query: A caption id (t2v) or a video id (v2t).
        direction: ``t2v`` or ``v2t``.
        link: Parameters of the page's address, for links to the other runs.
    """
    found = joined(run, direction)
    with st.container(border=True):
        heading(plain(f"Ablations of {run.name}"))
        ranks = found.of(query)
        cells = st.container(horizontal=True, gap="medium")
        for one in ranks.itertuples():
            with cells.container(width="content"):
                _cell(one, run, {**link, "q": query})
        if found.absent["command"].ne("").any():
            folded("Ablations that are not here", partial(say_absent, found), key="absent ablations")
        if direction == "t2v":
            _words(run, query)


def _cell(one: Any, run: Run, link: Mapping[str, str | None]) -> None:
    """One row of ``Ablations.of``: the rank, how it changes, and a link that puts the run of it beside."""
    sign = "" if one.ablation == AS_IT_IS else _sign(one.times)
    st.markdown(f"{plain(one.label)}  \n**rank {one.rank:g}** {sign}", help=plain(one.how))
    if one.run and one.run != run.name:
        values = parameters(**{**link, "other": one.run})
        st.page_link(page("query"), label="beside it", icon=":material/compare_arrows:", query_params=values)


def _sign(times: float) -> str:
    """Better, worse or the same, as a sign, a colour and a number."""
    if times == 1:
        return ":gray[= same]"
    return f":green[▲ {times:.3g} × better]" if times > 1 else f":red[▼ {1 / times:.3g} × worse]"


def _words(run: Run, query: str) -> None:
    effects = _effects(loading.key_of(run), loading.stamps_of_runs(), query, run)
    if effects.empty:
        command = analysis.word_effects_command(run)
        if "ocr" in run.modalities and command and run.word_effects is None:
            show = partial(st.code, command, language=None)
            folded("What each read word does is not here", show, key="absent words")
        return
    right = effects["right"].map({True: "the right video", False: "the best wrong video"})
    table = effects.assign(stands=right)[list(EFFECTS)].rename(columns=EFFECTS)
    with st.expander(f"What each of {counted(len(effects), 'read word')} does", expanded=True):
        show_table(
            table, f"words {run.name} {query}", key=f"words {run.name}",
            height="content" if len(table) <= WORDS else 440,
            column_config={
                EFFECTS["change"]: st.column_config.NumberColumn(
                    format="%+.3f", help="Score of caption and video minus that without the word."
                ),
                EFFECTS["rank"]: st.column_config.NumberColumn(format="%.1f"),
                EFFECTS["rank_without"]: st.column_config.NumberColumn(
                    format="%.1f", help="Rank of the right video when the word is not there."
                ),
            },
        )  # fmt: skip
        st.caption(plain(f"From run {effects['run'].iloc[0]}. Words that stand twice are taken out one at a time."))
