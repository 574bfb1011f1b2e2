"""What the page Domains shows: a card for each domain with what fails in it, its videos to browse, and confusion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
import streamlit as st

from workbench.analysis import CAUSES
from workbench.analysis.domains import ALL, domains_of
from workbench.app import loading
from workbench.app.components.thumbnails import Tile, thumbnails
from workbench.app.headings import heading
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.ablation import show_by_domain
from workbench.app.parts.downloads import show_chart
from workbench.app.parts.panels import has_pictures, paged, play, query_line, tiles_of
from workbench.app.parts.sieve import asked_engine, choose_sieve
from workbench.app.text import extremes, plain, short
from workbench.core.words import counted
from workbench.corpus import Corpus
from workbench.evaluation.runs.run import Run
from workbench.figures import confusion_heatmap

PER_ROW, ON_CARD, CAPTIONS, BESIDE = 4, 4, 20, 4


@dataclass(frozen=True)
class Shown:
    """What the page stands on.

    Attributes:
        place: "corpus/split", or "corpus" for all splits.
        corpus: That corpus.
        runs: Runs that have answered its queries, best first.
        run: The chosen one; None = there is none.
        direction: ``t2v`` or ``v2t``.
    """

    place: str
    corpus: Corpus
    runs: pd.DataFrame
    run: Run | None
    direction: str

    @property
    def here(self) -> dict[str, Any]:
        """What every link of the page carries."""
        return {"corpus": self.place, "run": self.run.name if self.run else None,
                "direction": self.direction if self.run else None}  # fmt: skip

    @cached_property
    def domain_of(self) -> pd.Series:
        """The domain of every video."""
        return domains_of(self.corpus)

    @property
    def divided(self) -> bool:
        """Whether there is more than one domain."""
        return self.domain_of.nunique() > 1

    @cached_property
    def rows(self) -> dict[str, pd.Series]:
        """What each domain holds and what fails in it, most failed queries first."""
        table = loading.overview(self.corpus, self.run, self.direction)
        return {row["domain"]: row for _, row in table.iterrows()}

    @cached_property
    def scores(self) -> dict[str, Mapping[Any, Mapping[Any, Any]]]:
        """R@1 of every domain with its interval by run: the chosen one first, of the others those that compete."""
        if self.run is None:
            return {}
        names = dict.fromkeys([self.run.name, *self.runs.loc[self.runs["parent"].isna(), "name"]])
        keys = {name: loading.key_of(loading.run_named(name)) for name in names}
        return {name: loading.scores(key, self.direction, divided=self.divided).to_dict("index")
                for name, key in keys.items()}  # fmt: skip

    def videos_in(self, domain: str) -> pd.DataFrame:
        """The videos of a domain."""
        return self.corpus.videos[(self.domain_of == domain).to_numpy()]


# One domain -------------------------------------------------------------------------------------------------------


def show_domain(shown: Shown, domain: str) -> None:
    """A domain, or a corpus that is not divided: its videos, one of them playing beside its captions."""
    row, pictures = shown.rows[domain], has_pictures(shown.corpus)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if shown.divided:
            heading(plain(short(row["label"], 80)))
            st.caption(_holdings(row))
            _scores(shown, domain)
        else:
            with st.container(border=True):
                _card(shown, row)
        if not pictures:
            st.caption("None of its videos is on this machine, so only their captions are shown.")
        sieve = choose_sieve(shown.corpus)
        every = shown.videos_in(domain)["video_id"]
        videos = every[sieve.passes(every)].to_list()
        if sieve.words:
            st.caption(f"{len(videos):,} of {len(every):,} have these words.")
        if not videos:
            return
        asked = {name: st.query_params.get(name) for name in ("words", "as", "engine")}
        video = paged(shown.corpus, videos, key="grid",
                      link=lambda at: parameters(**shown.here, **asked, domain=domain, page=at))  # fmt: skip
    with right:
        if pictures:
            play(shown.corpus, video, sieve.said, "", key="open video", engine=asked_engine(shown.corpus))
        else:
            st.markdown(f"**{plain(short(video, 80))}**")
        ranked = f", and the rank of the right item in {plain(shown.run.name)}" if shown.run else ""
        st.markdown(f"**Captions**{ranked}")
        _captions(shown, video)


def _scores(shown: Shown, domain: str) -> None:
    """R@1 of the runs with its interval, and what fails in the chosen one."""
    found = {name: table[domain] for name, table in shown.scores.items() if domain in table}
    own = found.pop(shown.run.name, None) if shown.run else None
    if own is None:
        return
    st.markdown(f"R@1 **{own['value']:.1f} %** :gray[{_interval(own)}]", help="In brackets: the 95 % interval.")
    lines = [f"{plain(name)} {one['value']:.1f} {_interval(one)}" for name, one in found.items()]
    if len(lines) > BESIDE:
        lines = [*lines[:BESIDE], f"and {len(lines) - BESIDE} more"]
    if lines:
        st.caption("Other runs, R@1 in %:  \n" + "  \n".join(lines))
    row = shown.rows[domain]
    if row["n_failed"]:
        queries = "query" if own["n_queries"] == 1 else "queries"
        said = f"**{row['n_failed']:,} of {own['n_queries']:,}** {queries} "
        said += f"{'fails' if row['n_failed'] == 1 else 'fail'}, most often:"
        st.markdown(f"{said} {plain(CAUSES[row['cause']].label)}")
    else:
        st.markdown(f"None of {counted(own['n_queries'], 'query')} fails.")


def _interval(row: Mapping[str, Any]) -> str:
    return "" if pd.isna(row["low"]) else f"({row['low']:.1f} to {row['high']:.1f})"


def _holdings(row: pd.Series) -> str:
    """What a domain holds, in one line."""
    facts = [counted(row["n_videos"], "video")]
    facts += [] if pd.isna(row["n_sources"]) else [counted(int(row["n_sources"]), "source")]
    facts += [counted(row["n_captions"], "caption")] if row["n_captions"] else []
    facts += [] if pd.isna(row["scene_text"]) else [f"{100 * row['scene_text']:.0f} % need scene text"]
    return "  ·  ".join(facts)


def _captions(shown: Shown, video: str) -> None:
    """The captions of a video; those that are queries of the run with their rank and a link."""
    own = shown.corpus.captions[shown.corpus.captions["video_id"] == video]
    ranks = loading.ranks(loading.key_of(shown.run), shown.direction) if shown.run else {}
    if shown.direction == "v2t" and video in ranks:
        query_line(ranks[video], "as a query, of its best caption", **shown.here, q=video)
    for caption, text in own.head(CAPTIONS)[["caption_id", "text"]].itertuples(index=False, name=None):
        if shown.direction == "t2v" and caption in ranks:
            query_line(ranks[caption], text, **shown.here, q=caption)
        else:
            st.markdown(plain(short(text)))
    if own.empty:
        st.caption("This video has no captions.")
    elif len(own) > CAPTIONS:
        st.caption(f"And {counted(len(own) - CAPTIONS, 'more caption')}.")


# All domains ------------------------------------------------------------------------------------------------------


def show_cards(shown: Shown) -> None:
    """A card for each domain, four in a row."""
    grid = st.grid(PER_ROW, min_column_width=270, border=True)
    for row in shown.rows.values():
        with grid.cell():
            _card(shown, row)


def _card(shown: Shown, row: pd.Series) -> None:
    """One domain: its pictures, what fails in it, and the link that opens it."""
    domain = row["domain"]
    st.markdown(f"## {plain(short(row['label'], 60))}")
    st.caption(_holdings(row))
    here = shown.videos_in(domain)
    seen = here[here["status"] == "ok"].drop_duplicates("source_id")["video_id"].head(ON_CARD)
    if tiles := tiles_of(shown.corpus, seen.to_list()):
        bare = [Tile(tile.video_id, tip=tile.tip) for tile in tiles]
        thumbnails(shown.corpus, bare, key=f"card {domain}", width=110, opens={"domain": domain})
    _scores(shown, domain)
    if domain != ALL or shown.divided:
        values = parameters(**shown.here, domain=domain)
        st.page_link(page("domains"), label="Browse its videos", icon=":material/grid_view:", query_params=values)


def show_confusion(shown: Shown, run: Run) -> None:
    """Of which domain the first items are, and what ablations change in each domain."""
    heading("Which domain comes first")
    table = loading.confusion(loading.key_of(run), shown.direction)
    asked, found = ("captions", "video") if shown.direction == "t2v" else ("videos", "caption")
    across = table[table["domain"] != table["top_domain"]]
    told = extremes(f"Share of {asked} with a {found} of another domain at rank 1",
                    across["label"] + " to " + across["top_label"], across["share"], ".0%")  # fmt: skip
    show_chart(
        confusion_heatmap(table), f"confusion {run.name} {shown.direction}", key="confusion", table=table,
        runs={"run": run.name}, alt=told,
        code=f'figures.confusion_heatmap(analysis.domain_confusion(run, direction="{shown.direction}"))',
    )  # fmt: skip
    st.caption(
        f"Of the {asked} of one domain (row), how many have a {found} of another one (column) at rank 1, in percent. "
        "A first place that several share counts in parts. What lies off the diagonal is confused across domains."
    )
    show_by_domain(run, shown.direction)
