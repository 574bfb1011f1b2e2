"""One failed query on the page Failures: its videos and captions, why it fails, tags, and the way to all of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from workbench.analysis import CAUSES, evidence_boxes
from workbench.analysis.causes.seen import texts_in_evidence
from workbench.app.components.evidence import evidence
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.failure import Shown
from workbench.app.parts.panels import has_pictures, play
from workbench.app.parts.tag import tag_buttons
from workbench.app.text import marked, plain


def show_case(shown: Shown, row: pd.Series) -> None:
    """One failed query: both videos, why it fails, tags, and the way to all of it."""
    with st.container(border=True):
        st.html(marked(str(row["text"] or row["query_id"]) if shown.direction == "t2v" else str(row["query_id"]), []))
        st.markdown(f"Rank **{row['rank']:g}**  ·  **{plain(CAUSES[row['cause']].label)}**")
        st.caption(plain(row["evidence"]))
        videos = st.container()  # filled last: they take longer than all the words below
        for title, text in captions_of(shown, row).items():
            st.caption(title)
            st.html(marked(text, []))
        tag_buttons(shown.desk, row)
        values = parameters(corpus=shown.place, run=shown.run.name, direction=shown.direction, q=row["query_id"])
        st.page_link(page("query"), label="All of this query", icon=":material/arrow_outward:", query_params=values)
        with videos:
            _case_videos(shown, row)


def captions_of(shown: Shown, row: Mapping[Any, Any] | pd.Series) -> dict[str, str]:
    """What a video is compared with (v2t): its best right caption and the wrong one on top; t2v: nothing."""
    if shown.direction == "t2v":
        return {}
    texts = shown.run.queries.set_index("caption_id")["text"]
    ids = {"Right caption": row["caption_id"], "Top-1, wrong": row["top_caption_id"]}
    return {title: str(texts[one]) for title, one in ids.items() if pd.notna(one)}


def _case_videos(shown: Shown, row: pd.Series) -> None:
    """The videos of a failed query side by side, or their names where none is here."""
    titles = {"right_video_id": "Right", "top_video_id": "Top-1, wrong"} if shown.direction == "t2v" else {
        "right_video_id": "The query"
    }  # fmt: skip
    videos = {title: str(row[column]) for column, title in titles.items() if pd.notna(row[column])}
    corpus = shown.corpus
    if corpus is None or not has_pictures(corpus):
        st.caption(plain("  ·  ".join(f"{title}: {video}" for title, video in videos.items())))
        return
    words = "in the right video" if shown.direction == "t2v" else "in this video"
    places = dict(zip(videos.values(), (words, "in the top-1"), strict=False))
    evidence(evidence_boxes(row.to_frame().T, corpus), places, corpus.name, key="case evidence")
    for column, (title, video) in zip(st.columns(len(videos)), videos.items(), strict=True):
        with column:
            known = texts_in_evidence(row.to_frame().T, video)
            play(
                corpus, video, str(row["text"] or ""), title, key=f"case {title}", group="case", evidence=known,
                engine=shown.engine,
            )  # fmt: skip
