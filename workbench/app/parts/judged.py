"""What a person says of any query, found or failed: tags of its wrong pair, and a bookmark, on the page Query."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from workbench.analysis.tags import OPEN, tag_pairs, told_tags
from workbench.app.parts.query import Asked, texts_of
from workbench.app.parts.tag import Desk, annotator, tag_buttons
from workbench.app.text import plain, short
from workbench.evaluation.runs.notes import CONFIRMED


def judged_row(asked: Asked) -> pd.Series:
    """The wrong pair of a query in the run of the page: query_id, caption_id, video_id, cause, evidence.

    Of a query that is found it is the best wrong item of its list, and cause and evidence are empty; where all listed
    items are right, its right pair.
    """
    failed = asked.failed[asked.run.name]
    if len(failed):
        row = failed.iloc[:1].assign(**tag_pairs(failed.iloc[:1])).iloc[0]
        return row[["query_id", "caption_id", "video_id", "cause", "evidence"]]
    case = asked.cases[0]
    other = case.right_ids[0] if case.best_wrong is None else case.listed_ids[case.best_wrong]
    caption, video = (asked.query, other) if asked.direction == "t2v" else (other, asked.query)
    return pd.Series({"query_id": asked.query, "caption_id": caption, "video_id": video, "cause": "", "evidence": ""})


def judge(asked: Asked) -> None:
    """Whose tags, the buttons, the bookmark, and what others said."""
    row = judged_row(asked)
    with st.container(border=True):
        left, right = st.columns([1, 3], gap="medium")
        with left:
            who = annotator()
            other = row["video_id"] if asked.direction == "t2v" else texts_of(asked.run, [row["caption_id"]])[0]
            st.caption(plain(f"Judged beside the query: the best wrong one of {asked.run.name}, “{short(other, 60)}”."))
            desk = Desk.of(asked.run, asked.direction, who)
            told = told_tags(desk.tags()).get(asked.query)
            if told:
                st.caption(plain(f"Tags so far: {told}."))
        with right:
            tag_buttons(desk, row, OPEN if row["cause"] else [one for one in OPEN if one != CONFIRMED])
