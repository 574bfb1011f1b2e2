"""What the page Hubs & duplicates shows of hubs: the queries they take, and what a correction does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from workbench.analysis.structure.corrections import Correction, hub_correction
from workbench.analysis.structure.hubness import SHARES, Hubness, hubness, taken_queries
from workbench.analysis.structure.listed import UNITS
from workbench.app import loading
from workbench.app.components.thumbnails import CHOSEN, Tile, thumbnails
from workbench.app.headings import heading
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.downloads import show_chart, show_table
from workbench.app.parts.listing import listed
from workbench.app.parts.panels import has_pictures, tiles_of
from workbench.app.parts.sieve import choose_sieve
from workbench.app.parts.widgets import DIRECTIONS, choose, choose_toggle, halves
from workbench.app.text import plain
from workbench.core.words import counted, spread
from workbench.corpus import Corpus, domain_label
from workbench.evaluation.runs.run import Run
from workbench.figures.hubs import occurrence_bars

HUBS = 24
MADE_HERE = "CSLS, made here"
LARGE = 1 << 26
"""Cells of a matrix above which a whole pass over it is made only when asked for."""
Key = tuple[str, int]


# Cached tables; a run with an underscore is not part of the key, which holds its folder and its time ---------------


@st.cache_data(max_entries=32, show_spinner="Counting …")
def hubs(key: Key, k: int, direction: str, _run: Run) -> Hubness:
    """``analysis.hubness`` of a run."""
    return hubness(_run, k, n_top=HUBS, direction=direction)


@st.cache_data(max_entries=32, show_spinner=False)
def taken_by(key: Key, item: str, k: int, direction: str, _run: Run) -> pd.DataFrame:
    """``analysis.taken_queries`` of a run."""
    return taken_queries(_run, item, k, direction=direction)


@st.cache_data(max_entries=16, show_spinner="Correcting …")
def corrected(key: Key, other: Key | None, k: int, direction: str, _run: Run, _other: Run | None) -> Correction:
    """``hub_correction`` of a run."""
    return hub_correction(_run, _other, k, direction=direction)


# What is shown ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """What the page stands on: the corpus and split, the run, its direction, and the corpus where it is at hand."""

    place: str
    run: Run
    direction: str
    corpus: Corpus | None

    @property
    def key(self) -> Key:
        return loading.key_of(self.run)

    @property
    def called(self) -> str:
        """The run and the direction, for names of files."""
        return f"{self.run.name} {self.direction}"

    @property
    def query_heading(self) -> str:
        """Of a column that holds what is asked."""
        return "Query" if self.direction == "t2v" else "Video"

    def query(self, query: str, **more: Any) -> None:
        """Open the page of a query of this direction."""
        here = {"corpus": self.place, "run": self.run.name, "direction": self.direction}
        st.switch_page(page("query"), query_params=parameters(**here, **{"q": query, **more}))


# Hubs -------------------------------------------------------------------------------------------------------------


def show_hubs(shown: Shown, k: int) -> None:
    """How uneven the lists are, the hubs, and the queries that one of them takes."""
    found = hubs(shown.key, k, shown.direction, shown.run)
    left, right = halves()
    with left:
        heading("How even are the lists?")
        spread = spread_table({shown.run.name: vars(found)})
        show_table(spread, f"hubness {shown.called}", key="spread", height="content")
        if found.n_cut_in_ties:
            st.caption(
                f"{found.n_cut_in_ties:,} of {len(shown.run.per(shown.direction)):,} lists end between equal scores: "
                "what stands in them is by position there, and no hub of the model."
            )
    with right:
        show_chart(
            occurrence_bars(found), f"occurrence {shown.called}", key="occurrence",
            alt=f"How many {UNITS[found.unit]} stand in so many lists: one in {found.counts.max():,}, the most; "
            f"{100 * found.anti_hub_share:.0f} % in none", runs={"run": shown.run.name},
            code=f'figures.occurrence_bars(analysis.hubness(run, k={k}, direction="{shown.direction}"))',
        )  # fmt: skip
    _hubs(shown, found)


def spread_table(columns: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """The numbers of ``SHARES`` as a table, shares in percent."""

    def cell(name: str, value: float) -> str:
        return f"{100 * value:.1f} %" if name.endswith(("share", "places")) else f"{value:.2f}"

    table = pd.DataFrame({"Measure": [label[:1].upper() + label[1:] for label in SHARES.values()]})
    return table.assign(**{title: [cell(name, held[name]) for name in SHARES] for title, held in columns.items()})


def _hubs(shown: Shown, found: Hubness) -> None:
    top = found.top
    ids = top["item_id"].to_list()
    key = "caption" if found.unit == "caption" else CHOSEN
    known = shown.run.queries["caption_id"] if found.unit == "caption" else shown.run.gallery["video_id"]
    asked = st.query_params.get(key, "")
    hub = asked if asked in set(known) else ids[0]
    heading(f"The {len(top)} {UNITS[found.unit]} in most lists")
    st.caption(_said_hubs(found))
    pictures = shown.corpus if found.unit != "caption" and shown.corpus and has_pictures(shown.corpus) else None
    if pictures is not None:
        _tiles(pictures, top, hub)
    names = {"text": "Caption"} if found.unit == "caption" else {}
    names |= {"video_id": "Video", "label": "Domain", "count": "Lists", "n_wrong": "Wrong in", "n_taken": "Wrong at 1",
              "times_its_share": "Times its share", "is_hub": "Hub"}  # fmt: skip
    if top["domain"].isna().all():
        del names["label"]
    table = top.assign(label=top["domain"].map(domain_label))
    with st.expander("As a table", expanded=pictures is None):
        whole = table[list(names)].rename(columns=names)
        row = listed(table, names, "top", f"hubs {shown.called}", whole=whole, times_its_share=1)
    if row is not None and ids[row] != hub:
        st.query_params[key] = ids[row]
        st.rerun()
    _taken(shown, hub, found)


def _said_hubs(found: Hubness) -> str:
    of, theirs = ("videos", "the list's caption is not theirs") if found.direction == "t2v" else (
        UNITS[found.unit], "the list's video is not theirs"
    )  # fmt: skip
    said = f"Of {found.k} {of} each. Wrong: {theirs}."
    if found.unit == "group":
        said += " The captions of a video are one item, ranked by the best of them."
    none = "" if found.top["is_hub"].any() else " None stands in twice its share of lists, so none is a hub."
    return said + none


def _tiles(corpus: Corpus, top: pd.DataFrame, hub: str) -> None:
    tiles = [
        Tile(tile.video_id, text=f"{row['n_wrong']:,} wrong, {row['n_taken']:,} at rank 1",
             label=counted(row["count"], "list"), note="hub" if row["is_hub"] else "", tip=tile.tip,
             missing=tile.missing)
        for tile, row in zip(tiles_of(corpus, top["video_id"].to_list()), top.to_dict("records"), strict=True)
    ]  # fmt: skip
    thumbnails(corpus, tiles, key="hubs", chosen=hub, width=150)


def _taken(shown: Shown, hub: str, found: Hubness) -> None:
    taken = taken_by(shown.key, hub, found.k, shown.direction, shown.run)
    asked, right = ("queries", "video") if shown.direction == "t2v" else ("videos", "caption")
    heading(f"The {len(taken):,} {asked} in whose list it stands wrongly")
    said = hub
    if found.unit == "caption":
        said = str(shown.run.queries.set_index("caption_id")["text"][hub])
    st.caption(plain(f"{said}. Select one to open it."))
    names = {"text": shown.query_heading, "place": "Its place", "rank": f"Right {right} at"}
    names |= {"listed_text": "Caption there"} if found.unit == "group" else {}
    sieve = choose_sieve(shown.run, "taken", corpus=shown.corpus)
    row = listed(taken, names, "taken", f"taken by {hub} {shown.direction}", sieve=sieve, place=0, rank=1)
    if row is not None:
        shown.query(taken["query_id"][row], **({CHOSEN: hub} if shown.direction == "t2v" else {}))


# Corrections ------------------------------------------------------------------------------------------------------


def show_corrections(shown: Shown, k: int) -> None:
    """What a correction of the scores returns and costs."""
    table = loading.all_runs()
    mine = table[(table["parent"] == shown.run.name) & (table["state"] == "finished") & table["ablation"].isna()]
    made = [name for name in mine["name"] if _rescored(loading.run_named(name), shown)]
    with st.columns(3)[0]:
        name = choose("Correction", [MADE_HERE, *made], "by")
    if name == MADE_HERE and (shown.run.similarity is None or shown.run.similarity.size > LARGE):
        if not choose_toggle("Correct the whole matrix now", "correct"):
            return
    other = None if name == MADE_HERE else loading.run_named(name)
    found = corrected(
        shown.key, None if other is None else loading.key_of(other), k, shown.direction, shown.run, other
    )  # fmt: skip
    _correction_verdict(shown.run, found)
    left, right = halves()
    with left:
        spread = spread_table({shown.run.name: found.before, found.name: found.after})
        show_table(spread, f"correction {shown.called}", key="spread", height="content")
    with right:
        if len(made) == 0:
            st.caption("Other corrections stand here once they are runs:")
            st.code(
                f"workbench rescore {shown.run.name} --method qb-norm --bank TRAINRUN --name {shown.run.name}-qb",
                language=None,
            )
    sieve = choose_sieve(shown.run, "returned", "lost", corpus=shown.corpus)
    names = {"rank_before": "Before", "rank_after": "After", "taken_by": "First was", "text": shown.query_heading}
    for column, outcome, title in zip(
        halves(), ("returned", "lost"), ("Returned to rank 1", "Lost from rank 1"), strict=True
    ):
        rows = found.table[found.table["outcome"] == outcome].reset_index(drop=True)
        rows = rows.assign(taken_by=rows["from_hub"].map({True: "a hub", False: ""}))
        held = [name for name in names if name != "taken_by" or rows["from_hub"].any()]
        with column:
            heading(f"{title} ({len(rows):,})")
            own = {name: names[name] for name in held}
            file = f"{outcome} {shown.called}"
            row = listed(rows, own, outcome, file, sieve=sieve, rank_before=1, rank_after=1)
            if row is not None:
                shown.query(rows["query_id"][row], other=None if other is None else other.name)


def _rescored(run: Run, shown: Shown) -> bool:
    """Whether a run is a correction of the one shown, made for this direction."""
    more = len(run.protocol.get("steps", [])) > len(shown.run.protocol.get("steps", []))
    return more and not run.totals_only and run.protocol.get("direction", "both") in ("both", shown.direction)


def _correction_verdict(run: Run, found: Correction) -> None:
    low, high = found.test.interval
    clear = "" if low > 0 or high < 0 else ", which is within noise"
    taken = int((found.table["from_hub"] & (found.table["outcome"] == "returned")).sum())
    with st.container(border=True):
        st.markdown(
            plain(f"{found.scoring} returns {counted(found.count('returned'), 'query')} to rank 1 ({taken:,} of "
                  f"them from a hub) and costs {found.count('lost'):,}: {DIRECTIONS[found.direction]} R@1 "
                  f"{found.test.difference:+.1f} points ({spread(low, high, '+.1f')}){clear}.")
        )  # fmt: skip
        if found.test.undecided:
            st.caption(
                f"{counted(found.test.undecided, 'more query changes', 'more queries change')} only by the order of "
                "tied scores: R@1 counts that chance, and none is returned or lost."
            )
        if found.sees != "nothing":
            st.caption(
                f"It has seen {plain(found.sees)}: its numbers do not stand beside those of runs that saw "
                f"{plain(run.protocol['sees'])}."
            )
