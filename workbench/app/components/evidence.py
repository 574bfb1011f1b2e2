"""Words of the evidence as buttons: a click moves the player of their video to the frame where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from workbench.analysis import CAUSES
from workbench.app.components.assets import asset
from workbench.app.text import short
from workbench.corpus.engines import TRUTH

MOST = 12
"""Buttons; the evidence of a query is short, but a caption may quote a whole poster."""


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component("workbench_evidence", js=asset("evidence.js"), css=asset("evidence.css"))


def evidence_data(boxes: pd.DataFrame, videos: Mapping[str, str], corpus: str) -> dict[str, Any]:
    """What the component shows, as plain JSON: one button for every text that a shown video has.

    Args:
        boxes: ``analysis.evidence_boxes`` of one query.
        videos: Videos that play on the page, and what each is called there.
        corpus: Name of the corpus, with which the keys of players begin.
    """
    buttons = []
    for _, own in boxes[boxes["video_id"].isin(list(videos))].groupby(["video_id", "text_id"], sort=False):
        first = own.iloc[0]
        video = str(first["video_id"])
        seconds = None if pd.isna(first["time_s"]) else round(float(first["time_s"]), 6)
        named = ", ".join(CAUSES[str(one)].label for one in dict.fromkeys(own["cause"]))
        who = "written" if first["engine"] == TRUTH else f"read by {first['engine']}"
        buttons.append({
            "word": short(" ".join(dict.fromkeys(own["word"])), 40),
            "place": f"{videos[video]}, {'time not known' if seconds is None else f'{seconds:.2f} s'}",
            "about": f"{named}: {short(first['text'])}, {who}", "player": f"{corpus}/{video}", "seconds": seconds,
        })  # fmt: skip
    return {"buttons": buttons[:MOST], "more": max(0, len(buttons) - MOST)}


def evidence(boxes: pd.DataFrame, videos: Mapping[str, str], corpus: str, key: str) -> None:
    """Show the buttons; nothing where no video of the page holds a word of the evidence.

    Args:
        boxes: As for ``evidence_data``.
        videos: As for ``evidence_data``.
        corpus: As for ``evidence_data``.
        key: Streamlit's key.
    """
    data = evidence_data(boxes, videos, corpus)
    if data["buttons"]:
        _component()(data=data, key=key, height="content")
