"""The OCR funnel on the pages Failures and Query: where words that captions name are lost, and what would keep them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd
import streamlit as st

from workbench import analysis, figures
from workbench.analysis import Funnel
from workbench.analysis.reading.funnel import FATES, FUNNEL_LIMITS, STAGES
from workbench.app import loading
from workbench.app.limits import Limits, keywords, limits
from workbench.app.parts.downloads import show_chart, show_table
from workbench.app.text import plain
from workbench.core.errors import StateError
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


def show_funnel(run: Run, closes: Sequence[str]) -> None:
    """How many words reach each stage; a click on one chooses it, which narrows the list of the page.

    Args:
        run: The run.
        closes: Keys of the address that another stage closes.
    """
    try:
        found = funnel_of(run)
    except StateError as error:
        st.info(plain(error), icon=":material/info:")
        return
    stage = st.query_params.get(LOST, "")
    table = found.table()
    event = show_chart(
        figures.funnel_bars(table, found.words), f"OCR funnel {run.name}", key=f"funnel {run.name} {stage}",
        alt=_said(table),
        code=f"figures.funnel_bars(analysis.ocr_funnel(run{_given()}).table())", table=table, select=True,
        runs={"run": run.name},
    )  # fmt: skip
    st.caption(f"{len(found.words):,} words that captions name, of all queries. Click a stage to see who loses there.")
    for untold, reason in found.untold.items():
        st.caption(plain(f"{STAGES[untold]} is not told: {reason}"))
    if found.n_unread:
        st.caption(f"{found.n_unread:,} words of videos that nobody looked at are left out.")
    for point in event["selection"]["points"]:
        if point.get("customdata") in LOSSES and point["customdata"] != stage:
            st.query_params[LOST] = point["customdata"]
            for name in {*closes} & {*st.query_params}:
                del st.query_params[name]
            st.rerun()
    if stage in LOSSES:
        _lost_words(run, found, stage)


def _said(table: pd.DataFrame) -> str:
    """The finding, for who cannot see the chart."""
    lost = table["n_lost"].fillna(0)
    if not lost.any():
        return "No word is known to be lost"
    worst = table.iloc[int(lost.to_numpy().argmax())]
    return f"Of {table['n_words'].iloc[0]:,} words most are lost before {worst['stage_label']}: {worst['n_lost']:,}"


def _given() -> str:
    return "".join(f", {name}={value:g}" for name, value in limits() if name in FUNNEL_LIMITS)


def _lost_words(run: Run, found: Funnel, stage: str) -> None:
    lost = found.words[found.words["lost_at"] == stage]
    with st.expander(f"{len(lost):,} words lost before {STAGES[stage].lower()}, and what would keep them"):
        show_remedies(run, lost["fate"].unique().tolist())
        _word_table(lost, f"words lost {stage} {run.name}", {"caption_id": "Caption"})


def _word_table(words: pd.DataFrame, name: str, first: dict[str, str]) -> None:
    names = first | COLUMNS
    shown = words.assign(end=[FATES[fate][1] for fate in words["fate"]])[list(names)].rename(columns=names)
    number = st.column_config.NumberColumn
    show_table(
        shown.head(MOST), name, whole=words, key=name, height="content" if len(shown) <= 10 else 380,
        column_config={COLUMNS["time_s"]: number(format="%.2f"), COLUMNS["effect"]: number(format="%+.3f")},
    )  # fmt: skip


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
        st.header("Where its words are lost")
        for name, own in parts.items():
            st.caption(plain(name))
            chips = "".join(map(_chip, *(own.drop_duplicates(["word", "fate"])[one] for one in ("word", "fate"))))
            st.html(f'<div dir="auto" style="line-height:2.4;overflow-wrap:anywhere">{chips}</div>')
        with st.expander("Why, and what would keep them"):
            show_remedies(runs[0], words["fate"].unique().tolist())
            _word_table(words, f"words of {caption_ids[0]} {runs[0].name}", {})


def _chip(word: str, fate: str) -> str:
    """A word with a sign and a colour for what became of it, as HTML."""
    lost, label = FATES[fate]
    sign, colour = (SIGNS[lost], BAD) if lost else ("✔", GOOD) if fate == "used" else ("○", NEUTRAL)
    look = f"border:2px solid {colour};border-radius:8px;padding:2px 8px;margin-right:8px;white-space:normal"
    return f'<span style="{look}">{sign} <strong>{escape(word)}</strong> {escape(label)}</span> '
