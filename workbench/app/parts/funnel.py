"""The OCR funnel on the pages Failures and Query: where words that captions name are lost, and what would keep them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from workbench import analysis, figures
from workbench.analysis import Funnel
from workbench.analysis.reading.funnel import FATES, FUNNEL_LIMITS, STAGES
from workbench.app import loading
from workbench.app.headings import heading
from workbench.app.limits import Limits, keywords, limits
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.downloads import show_chart, show_table
from workbench.app.parts.widgets import folded
from workbench.app.text import extremes, plain
from workbench.core.errors import StateError
from workbench.core.words import counted
from workbench.corpus import domain_label
from workbench.evaluation.runs.run import Run
from workbench.figures.theme import BAD, GOOD, NEUTRAL

LOST = "lost"
"""In the address: the stage at which words are lost."""
LOSSES = [stage for stage in STAGES if stage in {lost for lost, _ in FATES.values()}]
SIGNS = {"sampled": "◷", "detected": "▢", "recognised": "≠", "kept": "✂", "used": "◐"}
"""Shape of a lost word by the stage that it does not reach."""
COLUMNS = {
    "word": "Word", "end": "What became of it", "read": "Nearest read word", "engine": "Read by",
    "time_s": "Read at, s", "effect": "Adds to the score", "evidence": "Why",
}  # fmt: skip
EMPTY = (COLUMNS["read"], COLUMNS["time_s"], COLUMNS["effect"])
"""Columns that are left out where nothing stands in them."""
MOST = 200


@st.cache_resource(max_entries=8, show_spinner="Following words …")
def _funnel(key: loading.CausesKey, others: tuple[tuple[str, int], ...], changed: Limits, _run: Run) -> Funnel:
    return analysis.ocr_funnel(_run, **keywords(changed))


def funnel_of(run: Run) -> Funnel:
    """``analysis.ocr_funnel`` of a run with the thresholds of this session; its words are not to be changed.

    Raises:
        StateError: Nothing was read in its videos.
    """
    changed = tuple((name, value) for name, value in limits() if name in FUNNEL_LIMITS)
    return _funnel(loading.key_of_causes(run), loading.stamps_of_runs(), changed, run)


def queries_losing(run: Run, stage: str, direction: str) -> set[str]:
    """Captions (v2t: their right videos) of which a word is lost at a stage.

    Raises:
        StateError: Nothing was read in the videos of the run.
    """
    words = funnel_of(run).words
    return set(words.loc[words["lost_at"] == stage, "caption_id" if direction == "t2v" else "video_id"])


def show_funnel(run: Run, place: str, by: str | None, closes: Sequence[str]) -> None:
    """How many words reach each stage; a click on one chooses it, which narrows the list of the page.

    Args:
        run: The run.
        place: "corpus/split".
        by: ``domain`` = one bar for each domain, whose click chooses the domain too; None = all together.
        closes: Keys of the address that another stage closes.
    """
    try:
        found = funnel_of(run)
    except StateError as error:
        st.info(plain(error), icon=":material/info:")
        return
    stage, domain = st.query_params.get(LOST, ""), st.query_params.get("domain", "")
    table = found.table(by)
    figure = figures.funnel_domain_bars(table) if by else figures.funnel_bars(table, found.words)
    name, asked = ("funnel_domain_bars", '"domain"') if by else ("funnel_bars", "")
    event = show_chart(
        figure, f"OCR funnel {by or ''} {run.name}", key=f"funnel {by} {run.name} {stage} {domain}",
        alt=_said_of_domains(table) if by else _said(table),
        code=f"figures.{name}(analysis.ocr_funnel(run{_given()}).table({asked}))", table=table, select=True,
        runs={"run": run.name},
    )  # fmt: skip
    what = "part of a bar" if by else "stage"
    st.caption(
        f"{counted(len(found.words), 'readable word')} of all captions. Click a {what} to see what is lost there."
    )
    for untold, reason in found.untold.items():
        st.caption(plain(f"{STAGES[untold]} is not told: {reason}"))
    if found.n_unread:
        st.caption(f"Without {counted(found.n_unread, 'word')} of videos that nobody looked at.")
    for point in event["selection"]["points"]:
        chosen = _clicked(point.get("customdata"))
        if chosen and not chosen.items() <= st.query_params.to_dict().items():
            st.query_params.update(chosen)
            for name in {*closes} & {*st.query_params}:
                del st.query_params[name]
            st.rerun()
    if stage in LOSSES:
        _lost_words(run, place, found, stage, domain if by else "")


def _clicked(told: Any) -> dict[str, str]:
    """What the address shall say after a click on a bar: the stage, and the domain where bars are domains."""
    if isinstance(told, str):
        return {LOST: told} if told in LOSSES else {}
    if isinstance(told, list) and len(told) > 1 and told[1] in LOSSES:
        return {"domain": str(told[0]), LOST: told[1]}
    return {}


def _said_of_domains(table: pd.DataFrame) -> str:
    """The finding about domains, for who cannot see the chart."""
    parts = table.groupby("label")[["n_words", "n_lost"]].agg({"n_words": "max", "n_lost": "sum"}).astype(float)
    return extremes("Share of words that is lost", parts.index, parts["n_lost"] / parts["n_words"], ".0%")


def _said(table: pd.DataFrame) -> str:
    """The finding, for who cannot see the chart."""
    lost = table["n_lost"].fillna(0)
    if not lost.any():
        return "No word is known to be lost"
    worst = table.iloc[int(lost.to_numpy().argmax())]
    return f"Of {table['n_words'].iloc[0]:,} words most are lost before {worst['stage_label']}: {worst['n_lost']:,}"


def _given() -> str:
    return "".join(f", {name}={value:g}" for name, value in limits() if name in FUNNEL_LIMITS)


def _lost_words(run: Run, place: str, found: Funnel, stage: str, domain: str) -> None:
    """The words lost at a stage, of one domain or of all; a chosen one opens its query."""
    lost = found.words[found.words["lost_at"] == stage]
    where = ""
    if domain in set(found.words["domain"].dropna()):
        lost, where = lost[lost["domain"] == domain], f" in {plain(domain_label(domain))}"
    if lost.empty:
        st.caption(f"No word{where} is lost before {STAGES[stage].lower()}.")
        return
    lost = lost.reset_index(drop=True)
    many = counted(len(lost), "word")
    with st.expander(f"{many} lost before {STAGES[stage].lower()}{where}, and what would keep them", expanded=True):
        show_remedies(run, lost["fate"].unique().tolist())
        texts = run.queries.set_index("caption_id")["text"]
        lost = lost.assign(caption=lost["caption_id"].map(texts))
        at = _word_table(lost, f"words lost {stage} {domain} {run.name}", {"word": "Word", "caption": "Caption"},
                         choose=True)  # fmt: skip
        more = f" The first {MOST} of {len(lost):,} are shown; the files hold all." if len(lost) > MOST else ""
        st.caption(f"Select a row to open its query.{more}")
    if at is not None:
        values = parameters(corpus=place, run=run.name, direction="t2v", q=lost["caption_id"].iloc[at])
        st.switch_page(page("query"), query_params=values)


def _word_table(words: pd.DataFrame, name: str, first: dict[str, str], *, choose: bool = False) -> int | None:
    """What became of words; the place of the one that was just chosen."""
    names = first | COLUMNS
    shown = words.assign(end=[FATES[fate][1] for fate in words["fate"]])[list(names)].rename(columns=names)
    column = st.column_config
    look = {
        COLUMNS["time_s"]: column.NumberColumn(format="%.2f"), COLUMNS["effect"]: column.NumberColumn(format="%+.3f"),
        "Caption": column.TextColumn(width="medium"), COLUMNS["evidence"]: column.TextColumn(width="medium"),
    }  # fmt: skip
    selecting: dict[str, Any] = {"on_select": "rerun", "selection_mode": "single-row"} if choose else {}
    known = [heading for heading in shown if heading not in EMPTY or shown[heading].notna().any()]
    event = show_table(
        shown[known].head(MOST), name, whole=words, key=name, height="content" if len(shown) <= 10 else 380,
        column_config=look, **selecting,
    )  # fmt: skip
    rows = event["selection"]["rows"] if choose else []
    return rows[0] if rows else None


def show_remedies(run: Run, fates: Sequence[str]) -> None:
    """What would keep words of these fates, and the commands."""
    told: dict[analysis.Remedy, list[str]] = {}
    for fate in fates:
        told.setdefault(analysis.remedy_of(run, fate), []).append(FATES[fate][1])
    for remedy, names in told.items():
        if remedy.sentence:
            st.caption(plain(f"{', '.join(names)}. {remedy.sentence}"))
        if remedy.command:
            st.code(remedy.command, language=None)


# One query ----------------------------------------------------------------------------------------------------------


def words_of_captions(runs: Sequence[Run], caption_ids: Sequence[str]) -> None:
    """The words that captions name, each with the stage where it is lost, and the commands that would keep it.

    Args:
        runs: One run or two; the commands are of the first.
        caption_ids: The query (t2v), or the captions of the video (v2t).
    """
    try:
        parts = {run.name: pd.concat([funnel_of(run).of(one) for one in caption_ids]) for run in runs}
    except StateError as error:
        st.caption(plain(f"Where words are lost is not known. {error}"))
        return
    words = parts[runs[0].name].drop_duplicates(["word", "fate"])
    if words.empty:
        return
    with st.container(border=True):
        heading("Where its words are lost")
        for name, own in parts.items():
            st.caption(plain(name))
            chips = "".join(map(_chip, *(own.drop_duplicates(["word", "fate"])[one] for one in ("word", "fate"))))
            st.html(f'<div dir="auto" style="line-height:2.4;overflow-wrap:anywhere">{chips}</div>')

        def show_why() -> None:
            show_remedies(runs[0], words["fate"].unique().tolist())
            _word_table(words, f"words of {caption_ids[0]} {runs[0].name}", {})

        folded("Why, and what would keep them", show_why, key="remedies")


def _chip(word: str, fate: str) -> str:
    """A word with a sign and a colour for what became of it, as HTML."""
    lost, label = FATES[fate]
    sign, colour = (SIGNS[lost], BAD) if lost else ("✔", GOOD) if fate == "used" else ("○", NEUTRAL)
    look = f"border:2px solid {colour};border-radius:8px;padding:2px 8px;margin-right:8px;white-space:normal"
    return f'<span style="{look}">{sign} <strong>{escape(word)}</strong> {escape(label)}</span> '
