"""What the page Failures shows: what fixing each cause would give, filters, the list, and one case beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from workbench import analysis, figures
from workbench.analysis import CAUSES
from workbench.analysis.narrowing import BANDS, by_gap, narrowed, tagged, with_read
from workbench.analysis.reading.funnel import STAGES
from workbench.analysis.tags import LABELS, tag_pairs, told_tags
from workbench.app import loading
from workbench.app.limits import Limits, keywords, limits
from workbench.app.parts.downloads import show_chart, show_table
from workbench.app.parts.funnel import LOSSES, LOST, queries_losing
from workbench.app.parts.listing import listed
from workbench.app.parts.sieve import ask_words, asked_engine
from workbench.app.parts.tag import Desk
from workbench.app.parts.widgets import choose, choose_engine, choose_several, choose_switch, folded, widget_row
from workbench.app.text import plain
from workbench.core.errors import StateError, WorkbenchError
from workbench.corpus import Corpus, domain_label
from workbench.evaluation.runs.run import Run, same_axes

ALL, NONE = "all", "none"
Key = tuple[Any, ...]
OF_LIST = ("video", "page", "t", "page_rows", "rows", "from", "q")
"""Keys of the address that another choice of rows closes."""
LISTED = {"rank": "Rank", "text": "Caption", "cause_label": "Cause", "evidence": "Evidence"}


@dataclass(frozen=True)
class Shown:
    """What the page stands on.

    Attributes:
        place: "corpus/split".
        run: The run.
        direction: ``t2v`` or ``v2t``.
        k: A query fails when its rank is greater.
        desk: Of the person who looks.
        others: Other models that tell more of it.
    """

    place: str
    run: Run
    direction: str
    k: int
    desk: Desk
    others: tuple[Run, ...] = ()

    @cached_property
    def key(self) -> Key:
        """What causes depend on when the page is drawn, other models included."""
        return *loading.key_of_causes(self.run), tuple(map(loading.key_of, self.others))

    @property
    def engine(self) -> str | None:
        """Whose words are looked through and shown: those of the address."""
        return asked_engine(self.corpus)

    def failed(self) -> pd.DataFrame:
        """The failed queries with what was read in their right videos; not to be written into."""
        return _listed(self.key, self.k, self.direction, limits(), self.engine, self.run, self.others)

    def choices(self, failed: pd.DataFrame) -> tuple[list[str], list[str]]:
        """Causes, the most frequent first, and domains of them."""
        return _choices(self.key, self.k, self.direction, limits(), self.engine, failed)

    def gains(self, by: str | None = None) -> pd.DataFrame:
        """``analysis.oracle_gain`` of the run."""
        return _gains(self.key, self.k, self.direction, by, limits(), self.run, self.others)

    @cached_property
    def corpus(self) -> Corpus | None:
        return loading.corpus_of(self.run)

    def code(self, call: str) -> str:
        """A call with the thresholds of this session and the other models, for "copy as code"."""
        changed = "".join(f", {name}={value:g}" for name, value in limits())
        changed += f", others={[one.name for one in self.others]!r}" if self.others else ""
        return call.replace("...", f'k={self.k}, direction="{self.direction}"{changed}')


def choose_parts(run: Run) -> str | None:
    """Whether charts show all queries together (None) or domain by domain, where the corpus states domains."""
    if run.gallery["domain"].nunique() < 2:
        return None
    by = choose_switch("Queries", {ALL: "All", "domain": "By domain"}, "by")
    return None if by == ALL else by


def show_gains(shown: Shown, by: str | None) -> None:
    """Points of R@K that fixing each cause would give, of all queries together or by domain."""
    every, figure = _gains_chart(shown.key, shown.k, shown.direction, by, limits(), shown)
    if by is None:
        table = every
        code = shown.code("figures.oracle_bars(analysis.oracle_gain(run, ...), k=") + f"{shown.k})"
    else:
        table = shown.gains("domain")
        code = shown.code('figures.oracle_domain_bars(analysis.oracle_gain(run, by="domain", ...), k=') + f"{shown.k})"
    top = every.sort_values("gain").iloc[-1]
    said = f"Fixing {top['cause_label']} would give {top['gain']:.1f} points of R@{shown.k}, more than any other cause"
    name = f"oracle gain {by or ALL} {shown.run.name}"
    show_chart(figure, name, key=f"gains {by}", alt=said, code=code, runs={"run": shown.run.name})

    def show_numbers() -> None:
        named = {"label": "Domain", "cause_label": "Cause", "n_queries": "Queries", "gain": "Gain, points",
                 "reached": "Reached, %", "recall": f"R@{shown.k} now, %", "ceiling": "Ceiling, %"}  # fmt: skip
        seen = table[[name for name in named if name in table]].rename(columns=named).round(2)
        show_table(seen, f"{name} table", whole=table, key=f"gains table {by}", height=min(420, 38 + 35 * len(seen)))

    folded("As a table", show_numbers, key="gains")


def show_meaning(shown: Shown, failed: pd.DataFrame) -> None:
    """What was not looked for, and what the causes that hold mean."""
    reasons = _not_computed(shown.key, limits(), shown.run, shown.others)
    said = [
        f"Not looked for: **{plain(_names(unknown))}**. {plain(reason)}"
        for reason, unknown in reasons.items()
        if any(CAUSES[one].family == "scene text" for one in unknown)
    ]
    if said:
        st.caption("  \n".join(said))

    def show_causes() -> None:
        held, _ = shown.choices(failed)
        for one in [cause for cause in CAUSES if cause in held]:
            st.caption(f"**{plain(CAUSES[one].label)}**: {plain(CAUSES[one].sentence)}")
        for reason, unknown in reasons.items():
            st.caption(f"Not looked for: {plain(_names(unknown))}. {plain(reason)}")

    folded("What the causes mean", show_causes, key="causes")


def _names(causes: list[str]) -> str:
    return ", ".join(CAUSES[one].label for one in causes)


# Cached tables; a run with an underscore is not part of the key, which holds its folder and its time ---------------


@st.cache_resource(max_entries=8, show_spinner=False)
def _listed(
    key: Key, k: int, direction: str, changed: Limits, engine: str | None, _run: Run, _others: tuple[Run, ...]
) -> pd.DataFrame:
    found = with_read(loading.failures(_run, k, direction, _others), _run, loading.corpus_of(_run), engine)
    labels = {name: one.label for name, one in CAUSES.items()}
    return found.assign(cause_label=found["cause"].map(labels), domain_label=found["domain"].map(domain_label))


@st.cache_data(max_entries=32, show_spinner=False)
def _choices(
    key: Key, k: int, direction: str, changed: Limits, engine: str | None, _failed: pd.DataFrame
) -> tuple[list[str], list[str]]:
    """Causes, the most frequent first, and domains of failures."""
    return list(_failed["causes"].explode().value_counts().index), sorted(_failed["domain"].dropna().unique())


@st.cache_data(max_entries=32, show_spinner="Looking for causes …")
def _gains(
    key: Key, k: int, direction: str, by: str | None, changed: Limits, _run: Run, _others: tuple[Run, ...]
) -> pd.DataFrame:
    return analysis.oracle_gain(_run, k=k, direction=direction, by=by, others=_others or None, **keywords(changed))


@st.cache_resource(max_entries=32, show_spinner=False)
def _gains_chart(
    key: Key, k: int, direction: str, by: str | None, changed: Limits, _shown: Shown
) -> tuple[pd.DataFrame, go.Figure]:
    """Gains of all queries together, and the chart, which takes longer to make than all the rest of the page."""
    every = _shown.gains()
    return every, figures.oracle_bars(every, k) if by is None else figures.oracle_domain_bars(_shown.gains(by), k)


@st.cache_data(max_entries=32, show_spinner=False)
def _not_computed(key: Key, changed: Limits, _run: Run, _others: tuple[Run, ...]) -> dict[str, list[str]]:
    return analysis.not_computed_by_reason(_run, others=_others or None, **keywords(changed))


def choose_others(run: Run, runs: pd.DataFrame) -> tuple[Run, ...]:
    """Other models over the same captions and videos, whose answers tell more of a failure; maybe none."""
    every = {name: loading.run_named(name) for name in runs["name"] if name != run.name}
    able = {name: name for name, one in every.items() if _stands_beside(run, one)}
    chosen = choose_several("Beside other models", able, "others", ()) if able else []
    return tuple(every[name] for name in chosen)


def _stands_beside(run: Run, other: Run) -> bool:
    """Whether another run answers for the same captions and videos; a broken one, told on its own pages, does not."""
    try:
        return same_axes(run, other) and other.similarity is not None
    except WorkbenchError:
        return False


# Filters ----------------------------------------------------------------------------------------------------------


def _one_of(label: str, key: str, options: list[str], show: Callable[[str], str], every: str) -> str | None:
    chosen = choose(label, [ALL, *options], key, closes=OF_LIST, show=lambda one: every if one == ALL else show(one))
    return None if chosen == ALL else chosen


def filtered(shown: Shown, runs: pd.DataFrame, failed: pd.DataFrame) -> pd.DataFrame:
    """Widgets of the filters and the order; gives the failures of which all holds.

    Raises:
        DataError: The regular expression cannot be read.
    """
    causes, domains = shown.choices(failed)
    row = iter(widget_row(5 + (len(domains) > 1), 160))
    with next(row):
        cause = _one_of("Cause", "cause", causes, lambda one: CAUSES[one].label, "All causes")
    domain = None
    if len(domains) > 1:
        with next(row):
            domain = _one_of("Domain", "domain", domains, domain_label, "All domains")
    with next(row):
        band = _one_of("Rank", "band", list(BANDS), _band, "All ranks")
    with next(row):
        kinds = {"yes": "Speaks of text", "no": "Does not"}
        kind = _one_of("Scene text", "scene_text", list(kinds), kinds.__getitem__, "All captions")
    with next(row):
        mark = _mark()
    with next(row):
        others = [name for name in runs["name"] if name != shown.run.name]
        other = choose(
            "Order", [NONE, *others], "gap", closes=OF_LIST,
            show=lambda one: "Worst rank first" if one == NONE else f"Rank gap to {one}",
        )  # fmt: skip
    words, expression, stage = _words(shown.corpus)
    rows = narrowed(
        failed, cause=cause, domain=domain, band=band, scene_text=kind, words=words, expression=expression
    )  # fmt: skip
    rows = _losing(shown, _marked(shown, rows, mark), stage)
    if other == NONE:
        return rows
    theirs = loading.ranks(loading.key_of(loading.run_named(other)), shown.direction)
    return by_gap(rows, pd.Series(theirs, dtype=float))


def _band(band: str) -> str:
    return "51 or worse" if band == "51-" else band.replace("-", " to ")


def _words(corpus: Corpus | None) -> tuple[str, bool, str | None]:
    several = corpus is not None and len(loading.engines(corpus)) > 1
    left, right, last, *more = st.columns([4, 2, 2, 2] if several else [4, 2, 2], vertical_alignment="bottom")
    words, expression = ask_words(left, right, OF_LIST)
    with last:
        stage = _one_of("Loses words before", LOST, LOSSES, STAGES.__getitem__, "Any")
    if corpus is not None and several:
        with more[0]:
            choose_engine(corpus)
    return words, expression, stage


def _losing(shown: Shown, rows: pd.DataFrame, stage: str | None) -> pd.DataFrame:
    """The rows of which a word is lost at a stage of the OCR funnel; all of them, and why, where that is not known."""
    if stage is None:
        return rows
    try:
        return tagged(rows, queries_losing(shown.run, stage, shown.direction))
    except StateError as error:
        st.caption(plain(f"Where words are lost is not known, so none is left out. {error}"))
        return rows


def _mark() -> str:
    names = {ALL: "All", "tagged": "Tagged", "untagged": "Not tagged", "bookmarked": "Bookmarked by me"}
    names |= {label: f"Tag: {one.label}" for label, one in LABELS.items()}
    return choose("Tags", list(names), "mark", closes=OF_LIST, show=names.__getitem__)


def _marked(shown: Shown, rows: pd.DataFrame, mark: str) -> pd.DataFrame:
    if mark == ALL:
        return rows
    if mark == "bookmarked":
        return tagged(rows, shown.desk.bookmarks())
    tags = shown.desk.tags()
    if mark in LABELS:
        tags = tags[tags["label"] == mark]
    return tagged(rows, tags["query_id"], inside=mark != "untagged")


# List and case ----------------------------------------------------------------------------------------------------


def show_list(shown: Shown, rows: pd.DataFrame) -> None:
    """The rows, fifty at a time; a selected one opens beside the list and stands in the address."""
    told = told_tags(shown.desk.tags())
    names = dict(LISTED)
    if rows["domain"].notna().any():
        names["domain_label"] = "Domain"
    digits: dict[str, Any] = {"rank": 1}
    if "gap" in rows:
        names, digits = {"gap": "Gap", "rank_other": "Rank there", **names}, {"gap": 1, "rank_other": 1, "rank": 1}
    if told:
        rows = rows.assign(tags=rows["query_id"].map(told).fillna(""))
        names["tags"] = "Tags"
    whole = rows.drop(columns=["causes", "places", "read"])
    at = listed(rows, names, "rows", f"failures {shown.run.name}", whole=whole, **digits)
    if at is not None:
        st.query_params["q"] = rows["query_id"].iloc[at]


def opened(rows: pd.DataFrame) -> pd.Series | None:
    """The row that the address opens, else the first one; with the wrong pair as caption_id and video_id."""
    if rows.empty:
        return None
    asked = rows[rows["query_id"] == st.query_params.get("q", "")]
    one = asked.iloc[:1] if len(asked) else rows.iloc[:1]
    return with_pairs(one).iloc[0]


def with_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Failures with the wrong pair that is judged in caption_id and video_id."""
    return rows.assign(**tag_pairs(rows))
