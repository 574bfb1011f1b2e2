"""Parts that several pages share: a video with its matched words, and a grid of videos page by page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from workbench.app.components.player import player
from workbench.app.components.thumbnails import Tile, thumbnails
from workbench.app.links import asked_whole, parameters
from workbench.app.looks import set_in
from workbench.app.navigation import page
from workbench.app.text import plain, short
from workbench.corpus import Corpus, domain_label
from workbench.figures.player_of import engine_of
from workbench.pipelines.search import matched

PER_PAGE = 12
NO_PICTURE = {"missing": "not on this machine", "not_kept": "not kept", "broken": "broken file"}


@dataclass(frozen=True)
class Reading:
    """What of a text was read in a video.

    Attributes:
        engine: Who read; None = nobody did.
        text_ids: Texts that hold a matched word.
        words: Matched words of the text, normalised.
        start: Seconds at which the first of these texts stands, or the first text of all where nothing was asked; 0
            where there is none.
    """

    engine: str | None
    text_ids: list[str]
    words: list[str]
    start: float


def reading(corpus: Corpus, video_id: str, text: str, engine: str | None = None) -> Reading:
    """Match the words of a text with the words that were read in a video.

    Args:
        corpus: The corpus.
        video_id: The video.
        text: A caption or a query.
        engine: Whose readings; None = the one that the player shows by default.
    """
    chosen = engine_of(corpus, video_id, engine)
    found = matched(corpus, video_id, text, chosen)
    own = corpus.of_video("texts", video_id)
    own = own[own["engine"] == chosen]
    hits = own if not text else own[own["text_id"].isin(found["text_ids"])]
    starts = hits["start_s"].dropna()
    return Reading(chosen, found["text_ids"], found["words"], float(starts.min()) if len(starts) else 0.0)


def has_pictures(corpus: Corpus) -> bool:
    """Whether any video of a corpus lies on this machine."""
    return bool((corpus.videos["status"] == "ok").any())


def facts_of(corpus: Corpus, video_id: str) -> list[str]:
    """Domain and length of a video, and its id."""
    rows = corpus.of_video("videos", video_id).to_dict("records")
    return _facts(rows[0]) if rows else [video_id]


def _facts(video: Mapping[Any, Any]) -> list[str]:
    """``facts_of`` a row of ``videos``."""
    found = [] if pd.isna(video["domain"]) else [domain_label(str(video["domain"]))]
    return [
        *found, *([] if pd.isna(video["duration_s"]) else [f"{video['duration_s']:.1f} s"]), str(video["video_id"]),
    ]  # fmt: skip


def play(corpus: Corpus, video_id: str, text: str, title: str, *, key: str, engine: str | None = None,
         ticks: Sequence[int] = (), group: str = "", names: Mapping[str, str] | None = None,
         evidence: Collection[str] = ()) -> Reading:  # fmt: skip
    """Show a video that starts where the first matched word of a text stands, and give what of it was read there.

    Args:
        corpus: The corpus.
        video_id: The video.
        text: A caption or a query; empty = none.
        title: Above the picture.
        key: Streamlit's key.
        engine: Whose words.
        ticks: Frames that a model saw.
        group: Of players that can move together.
        names: Keys of the address that hold what a viewer sets (``app.looks``); its second is where it starts.
        evidence: ``text_id`` of more texts to be marked, of other engines too: those that tell a cause.
    """
    read = reading(corpus, video_id, text, engine)
    facts = "  ·  ".join(facts_of(corpus, video_id))
    options = {"start": read.start, "title": title, "sub": facts, "group": group, **(set_in(names) if names else {})}
    marks = [*read.text_ids, *evidence]
    player(corpus, video_id, key=key, matched=marks, ticks=ticks, engine=read.engine, names=names, **options)
    return read


def tiles_of(corpus: Corpus, video_ids: Sequence[str]) -> list[Tile]:
    """Tiles of videos with their first caption, or else the words read in them."""
    rows = {row["video_id"]: row for row in corpus.of_videos("videos", video_ids).to_dict("records")}
    captions = corpus.of_videos("captions", video_ids).drop_duplicates("video_id")
    texts = dict(zip(captions["video_id"], captions["text"], strict=True))

    def tile(video: str) -> Tile:
        row = rows.get(video)
        missing = "not in this corpus" if row is None else NO_PICTURE.get(row["status"], "")
        tip = "  ·  ".join([video] if row is None else _facts(row))
        return Tile(
            video, text=short(texts.get(video, ""), 120), tip=tip, note="" if video in texts else video, missing=missing
        )

    return [tile(video) for video in video_ids]


def paged(corpus: Corpus, video_ids: Sequence[str], *, key: str, link: Callable[[int], dict[str, str]]) -> str:
    """A grid of videos, twelve at a time; gives the open video: the address', else the first of the page.

    Args:
        corpus: The corpus.
        video_ids: All of them, in order.
        key: Streamlit's key.
        link: Parameters of the address of another page of the grid, counted from 1.
    """
    asked = st.query_params.get("video", "")
    n_pages = max(1, -(-len(video_ids) // PER_PAGE))
    own = 1 + (list(video_ids).index(asked) // PER_PAGE if asked in set(video_ids) else 0)
    at = asked_whole("page", own, 1, n_pages)
    shown = list(video_ids)[(at - 1) * PER_PAGE : at * PER_PAGE]
    chosen = asked if asked in set(video_ids) else shown[0]
    thumbnails(corpus, tiles_of(corpus, shown), key=key, chosen=chosen, width=150)
    if n_pages > 1:
        first = (at - 1) * PER_PAGE + 1
        steps = st.columns([2, 3, 2], vertical_alignment="center")
        steps[0].page_link(
            page("domains"), label="Previous", icon=":material/arrow_back:", disabled=at == 1,
            query_params=link(max(1, at - 1)),
        )  # fmt: skip
        steps[1].caption(f"Videos {first:,} to {first + len(shown) - 1:,} of {len(video_ids):,}")
        steps[2].page_link(
            page("domains"), label="Next", icon=":material/arrow_forward:", disabled=at == n_pages,
            query_params=link(min(n_pages, at + 1)),
        )  # fmt: skip
    return chosen


def query_line(rank: float, text: str, **values: object) -> None:
    """The rank of the right item as a link that opens the query, and the query's text."""
    link, said = st.columns([1, 3], vertical_alignment="center")
    icon = ":material/check_circle:" if rank == 1 else ":material/arrow_outward:"
    link.page_link(page("query"), label=f"Rank **{rank:g}**", icon=icon, query_params=parameters(**values))
    said.markdown(plain(short(text)))
