"""The failed queries of the list, fifty at a time, as cases of the triage component."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from workbench.analysis import CAUSES
from workbench.analysis.causes.seen import texts_in_evidence
from workbench.analysis.tags import LABELS, NAMED, OPEN, label_for
from workbench.app.components.player import thumb_address
from workbench.app.components.thumbnails import Tile
from workbench.app.components.triage import playing_address, triage
from workbench.app.links import address, asked_whole, write_address
from workbench.app.parts.failed_case import captions_of
from workbench.app.parts.failure import Shown, with_pairs
from workbench.app.parts.panels import tiles_of
from workbench.app.text import short
from workbench.corpus import Corpus

MOST = 50
MOST_TEXT, MOST_WORDS = 600, 12


def show_triage(shown: Shown, rows: pd.DataFrame) -> None:
    """The rows by keyboard, fifty at a time.

    Args:
        shown: What the page stands on.
        rows: The failures that the filters leave, in their order.
    """
    start = _start(list(rows["query_id"]))
    part = with_pairs(rows.iloc[start : start + MOST])
    tiles: dict[str, Tile] = {}
    if shown.corpus is not None:
        ids = dict.fromkeys([*part["right_video_id"], *part["top_video_id"].dropna()])
        tiles = {one.video_id: one for one in tiles_of(shown.corpus, list(ids))}
    own = shown.desk.said()
    triage(
        [_case(shown, row, tiles) for row in part.to_dict("records")],
        [{"id": one, "label": LABELS[one].label, "sentence": LABELS[one].sentence} for one in OPEN],
        who=shown.desk.who, tags=shown.desk.own(), marks=shown.desk.bookmarks(), chosen=st.query_params.get("q", ""),
        key="triage", causes=_causes(), named={query: one.cause for query, one in own.items()},
        words={query: one.words for query, one in own.items()}, write=partial(shown.desk.write, part),
    )  # fmt: skip


def _causes() -> list[dict[str, str]]:
    """The causes that can be named, and the label that naming one sets."""
    return [{"id": one, "label": CAUSES[one].label, "tag": label_for(one, "", OPEN)} for one in NAMED]


def _start(queries: Sequence[str]) -> int:
    """The first of the fifty that the address asks for, or that hold the case that stands open."""
    if len(queries) <= MOST:
        return 0
    query = st.query_params.get("q", "")
    n_pages = -(-len(queries) // MOST)
    own = queries.index(query) // MOST + 1 if query in queries else 1
    at = asked_whole("from", own, 1, n_pages)
    write_address("from", str(at))

    def turned() -> None:
        st.query_params["from"] = str(st.session_state["triage page"])
        if "q" in st.query_params:
            del st.query_params["q"]

    st.pagination(n_pages, default=at, key="triage page", on_change=turned)
    return (at - 1) * MOST


def _case(shown: Shown, row: Mapping[Any, Any], tiles: Mapping[str, Tile]) -> dict[str, Any]:
    right, wrong, query = str(row["right_video_id"]), str(row["top_video_id"]), str(row["query_id"])
    text = "" if pd.isna(row["text"]) else str(row["text"])
    said = "  ·  ".join(f"{title}: {one}" for title, one in captions_of(shown, row).items()) or text or query
    link = address("query", corpus=shown.place, run=shown.run.name, direction=shown.direction, q=query, k=shown.k)
    corpus, tile = shown.corpus, tiles.get(right)
    pairs = ((right, "Right video"), (wrong, "Top-1, wrong")) if shown.direction == "t2v" else ((right, "The query"),)
    return {
        "id": query, "text": short(said, MOST_TEXT), "rank": f"{row['rank']:g}",
        "cause": CAUSES[row["cause"]].label, "cause_id": row["cause"],
        "evidence": short(row["evidence"], MOST_TEXT), "words": _words(row, corpus, pairs), "link": link,
        "thumb": thumb_address(corpus, right) if corpus and tile and not tile.missing else "",
        "videos": [_video(shown, row, video, title, tiles.get(video)) for video, title in pairs],
    }  # fmt: skip


def _words(
    row: Mapping[Any, Any], corpus: Corpus | None, pairs: Sequence[tuple[str, str]]
) -> list[dict[str, str | float | None]]:
    """Words of the evidence that stand in the shown videos, and where; a click moves the player there."""
    if corpus is None:
        return []
    titles, found = dict(pairs), {}
    for one in json.loads(row["places"]):
        video, seconds = one["video_id"], one["time_s"]
        if video in titles:
            when = "time not known" if seconds is None else f"{seconds:.2f} s"
            found[video, one["word"], seconds] = {
                "word": short(one["word"], 40), "place": f"{titles[video]}, {when}",
                "player": f"{corpus.name}/{video}", "seconds": seconds,
            }  # fmt: skip
    return list(found.values())[:MOST_WORDS]


def _video(shown: Shown, row: Mapping[Any, Any], video_id: str, title: str, tile: Tile | None) -> dict[str, str]:
    corpus, text = shown.corpus, "" if pd.isna(row["text"]) else short(str(row["text"]), MOST_TEXT)
    if corpus is None or tile is None or tile.missing:
        why = tile.missing if tile else "the corpus is not at hand"
        return {"title": title, "src": "", "missing": f"{video_id}: {why}", "sub": ""}
    known = texts_in_evidence(pd.DataFrame([row]), video_id)
    src = playing_address(corpus, video_id, text, run=shown.run.name, engine=shown.engine, evidence=known)
    return {"title": title, "src": src, "missing": "", "sub": tile.tip}
