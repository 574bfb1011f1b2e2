"""What the page Hubs & duplicates shows of hubs: the queries they take, and what a correction does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from workbench.analysis.structure.corrections import Correction, hub_correction
from workbench.analysis.structure.hubness import SHARES, Hubness, hubness, taken_queries
from workbench.app import loading
from workbench.app.components.thumbnails import Tile, thumbnails
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.downloads import downloads, table_downloads
from workbench.app.parts.panels import has_pictures, tiles_of
from workbench.app.parts.widgets import choose
from workbench.app.text import plain
from workbench.corpus import Corpus, domain_label
from workbench.evaluation.runs.run import Run
from workbench.figures.hubs import occurrence_bars

PER_PAGE, HUBS = 50, 24
MADE_HERE = "CSLS, made here"
LARGE = 1 << 26
"""Cells of a matrix above which a whole pass over it is made only when asked for."""
Key = tuple[str, int]


# Cached tables; a run with an underscore is not part of the key, which holds its folder and its time ---------------


@st.cache_data(max_entries=32, show_spinner="Counting …")
def hubs(key: Key, k: int, _run: Run) -> Hubness:
    """``analysis.hubness`` of a run."""
    return hubness(_run, k, n_top=HUBS)


@st.cache_data(max_entries=16, show_spinner="Correcting …")
def corrected(key: Key, other: Key | None, k: int, _run: Run, _other: Run | None) -> Correction:
    """``hub_correction`` of a run."""
    return hub_correction(_run, _other, k)


# Lists ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """What the page stands on: the parameters of every link to a query, the run, and its corpus where it is at hand."""

    link: Mapping[str, Any]
    run: Run
    corpus: Corpus | None

    @property
    def key(self) -> Key:
        return loading.key_of(self.run)

    def query(self, query: str, **more: Any) -> None:
        """Open the page of a query."""
        st.switch_page(page("query"), query_params=parameters(**{**self.link, "direction": "t2v", "q": query, **more}))


def listed(table: pd.DataFrame, names: Mapping[str, str], key: str, **digits: int) -> int | None:
    """Fifty rows of a table, with pages where there are more; the place of the row that was just selected.

    Args:
        table: All of its rows.
        names: Headings of the columns that are shown, by column.
        key: Of the widget, and of the number of the page in the address.
        **digits: Decimals of columns of numbers.
    """
    n_pages = max(1, -(-len(table) // PER_PAGE))
    asked = st.query_params.get(key, "1")
    at = min(max(1, int(asked)), n_pages) if asked.isdecimal() else 1
    start = (at - 1) * PER_PAGE
    look: dict[str, Any] = {
        names[name]: st.column_config.NumberColumn(format=f"%.{n}f", width="small") for name, n in digits.items()
    }
    look |= {names[name]: st.column_config.TextColumn(width="large") for name in ("text", "like_text") if name in names}
    part = table[list(names)].iloc[start : start + PER_PAGE].rename(columns=names)
    chosen = st.dataframe(
        part, hide_index=True, key=f"{key} {at}", on_select="rerun", selection_mode="single-row", column_config=look,
        height="content" if len(part) <= 12 else 460,
    )  # fmt: skip
    if n_pages > 1:
        turn = f"page {key} {at}"

        def turned() -> None:
            st.query_params[key] = str(st.session_state[turn])

        st.pagination(n_pages, default=at, key=turn, on_change=turned)
        st.caption(f"Rows {start + 1:,} to {start + len(part):,} of {len(table):,}")
    rows = chosen["selection"]["rows"]
    return start + rows[0] if rows else None


# Hubs -------------------------------------------------------------------------------------------------------------


def show_hubs(shown: Shown, k: int) -> None:
    """How uneven the gallery is, the hubs, and the queries that one of them takes."""
    found = hubs(shown.key, k, shown.run)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.header("How even are the lists?")
        st.dataframe(spread_table({shown.run.name: vars(found)}), hide_index=True, key="spread", height="content")
        table_downloads(spread_table({shown.run.name: vars(found)}), f"hubness {shown.run.name}")
    with right:
        figure = occurrence_bars(found)
        st.plotly_chart(figure, key="occurrence", alt="How many videos stand in so many lists")
        code = f"figures.occurrence_bars(analysis.hubness(run, k={k}))"
        downloads(figure, f"occurrence {shown.run.name}", code=code, run=shown.run.name)
    _hubs(shown, found)


def spread_table(columns: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """The numbers of ``SHARES`` as a table, shares in percent."""

    def cell(name: str, value: float) -> str:
        return f"{100 * value:.1f} %" if name.endswith(("share", "places")) else f"{value:.2f}"

    table = pd.DataFrame({"Measure": [label[:1].upper() + label[1:] for label in SHARES.values()]})
    return table.assign(**{title: [cell(name, held[name]) for name in SHARES] for title, held in columns.items()})


def _hubs(shown: Shown, found: Hubness) -> None:
    top = found.top
    ids = top["video_id"].to_list()
    asked = st.query_params.get("video", "")
    hub = asked if asked in set(shown.run.gallery["video_id"]) else ids[0]
    st.header(f"The {len(top)} videos in most lists")
    said = f"Of {found.k} videos each. Wrong: the list's caption is not theirs."
    st.caption(
        said + (" None stands in twice its share of lists, so none is a hub." if not top["is_hub"].any() else "")
    )
    if shown.corpus is not None and has_pictures(shown.corpus):
        tiles = [
            Tile(tile.video_id, text=f"{row.n_wrong:,} wrong, {row.n_taken:,} at rank 1", label=f"{row.count_:,} lists",
                 note="hub" if row.is_hub else "", tip=tile.tip, missing=tile.missing)
            for tile, row in zip(tiles_of(shown.corpus, ids[:12]),
                                 top.rename(columns={"count": "count_"}).itertuples(), strict=False)
        ]  # fmt: skip
        thumbnails(shown.corpus, tiles, key="hubs", chosen=hub, width=150)
    names = {"video_id": "Video", "label": "Domain", "count": "Lists", "n_wrong": "Wrong in", "n_taken": "Wrong at 1",
             "times_its_share": "Times its share", "is_hub": "Hub"}  # fmt: skip
    table = top.assign(label=[domain_label(str(one)) if pd.notna(one) else "–" for one in top["domain"]])
    with st.expander("As a table", expanded=shown.corpus is None or not has_pictures(shown.corpus)):
        row = listed(table, names, "top", times_its_share=1)
        table_downloads(table[list(names)].rename(columns=names), f"hubs {shown.run.name}")
    if row is not None and ids[row] != hub:
        st.query_params["video"] = ids[row]
        st.rerun()
    _taken(shown, hub, found.k)


def _taken(shown: Shown, hub: str, k: int) -> None:
    taken = taken_queries(shown.run, hub, k)
    st.header(f"The {len(taken):,} queries in whose list it stands wrongly")
    st.caption(plain(f"{hub}. Select a query to open it."))
    names = {"text": "Query", "place": "Its place", "rank": "Rank of the right video"}
    row = listed(taken, names, "taken", place=0, rank=1)
    if row is not None:
        shown.query(taken["query_id"][row], video=hub)
    table_downloads(taken, f"taken by {hub}")


# Corrections ------------------------------------------------------------------------------------------------------


def show_corrections(shown: Shown, k: int) -> None:
    """What a correction of the scores returns and costs."""
    table = loading.all_runs()
    mine = table[(table["parent"] == shown.run.name) & (table["state"] == "finished") & table["ablation"].isna()]
    made = [name for name in mine["name"] if _rescored(loading.run_named(name), shown.run)]
    name = choose("Correction", [MADE_HERE, *made], "by")
    if name == MADE_HERE and (shown.run.similarity is None or shown.run.similarity.size > LARGE):
        if not st.toggle("Correct the whole matrix now", key="correct"):
            return
    other = None if name == MADE_HERE else loading.run_named(name)
    found = corrected(shown.key, None if other is None else loading.key_of(other), k, shown.run, other)
    _correction_verdict(shown.run, found)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        spread = spread_table({shown.run.name: found.before, found.name: found.after})
        st.dataframe(spread, hide_index=True, key="spread", height="content")
        table_downloads(spread, f"correction {shown.run.name}")
    with right:
        if len(made) == 0:
            st.caption("Other corrections stand here once they are runs:")
            st.code(
                f"workbench rescore {shown.run.name} --method qb-norm --bank TRAINRUN --name {shown.run.name}-qb",
                language=None,
            )
    names = {"text": "Query", "rank_before": "Before", "rank_after": "After", "taken_by": "First was"}
    for column, outcome, title in zip(
        st.columns(2), ("returned", "lost"), ("Returned to rank 1", "Lost from rank 1"), strict=True
    ):
        rows = found.table[found.table["outcome"] == outcome].reset_index(drop=True)
        rows = rows.assign(taken_by=rows["from_hub"].map({True: "a hub", False: ""}))
        with column:
            st.header(f"{title} ({len(rows):,})")
            row = listed(rows, names, outcome, rank_before=1, rank_after=1)
            if row is not None:
                shown.query(rows["query_id"][row], other=None if other is None else other.name)
            table_downloads(rows, f"{outcome} {shown.run.name}")


def _rescored(run: Run, parent: Run) -> bool:
    return len(run.protocol.get("steps", [])) > len(parent.protocol.get("steps", [])) and not run.totals_only


def _correction_verdict(run: Run, found: Correction) -> None:
    low, high = found.test.interval
    clear = "" if low > 0 or high < 0 else ", which is within noise"
    taken = int((found.table["from_hub"] & (found.table["outcome"] == "returned")).sum())
    with st.container(border=True):
        st.markdown(
            plain(f"{found.scoring} returns {found.count('returned'):,} queries to rank 1 ({taken:,} of them from a "
                  f"hub) and costs {found.count('lost'):,}: R@1 {found.test.difference:+.1f} points "
                  f"({low:+.1f} to {high:+.1f}){clear}.")
        )  # fmt: skip
        if found.sees != "nothing":
            st.caption(
                f"It has seen {plain(found.sees)}: its numbers do not stand beside those of runs that saw "
                f"{plain(run.protocol['sees'])}."
            )
