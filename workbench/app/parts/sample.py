"""Blind samples on the page Human tags: drawing one, labelling it, and how far the samples are."""

from __future__ import annotations

import hashlib
from typing import Any

import pandas as pd
import streamlit as st

from workbench.analysis.tags import BLIND, draw_sample
from workbench.app import loading
from workbench.app.limits import limits, said
from workbench.app.links import asked_whole, parameters, write_address
from workbench.app.navigation import page
from workbench.app.parts.panels import has_pictures, play
from workbench.app.parts.tag import Desk, meaning, tag_buttons
from workbench.app.parts.tagged import show_agreement
from workbench.app.parts.widgets import DIRECTIONS
from workbench.app.text import marked, plain
from workbench.core.errors import UnknownNameError
from workbench.core.words import counted
from workbench.corpus import Corpus
from workbench.evaluation.runs.notes import (
    MADE_WITH,
    SAMPLE,
    add_notes,
    made_with,
    read_notes,
    read_sample,
    read_tags,
)  # fmt: skip
from workbench.evaluation.runs.run import Run

MOST, MOST_SEED = 1000, 10**6
"""Of queries of a sample, and of its seed."""


def offer_drawing(run: Run, k: int, direction: str) -> None:
    """Draw a sample of the failures of a run; the same numbers draw the same queries."""
    row = st.columns([1, 1, 2], vertical_alignment="bottom")
    n = row[0].number_input("Queries", 1, MOST, asked_whole("n", 40, 1, MOST), key="sample n")
    seed = row[1].number_input("Seed", 0, MOST_SEED, asked_whole("seed", 0, 0, MOST_SEED), key="sample seed")
    write_address("n", str(n))
    write_address("seed", str(seed))
    if not row[2].button("Draw a sample", type="primary", icon=":material/casino:"):
        return
    texts = dict(zip(run.queries["caption_id"], run.queries["text"], strict=True))
    items = draw_sample(loading.failures(run, k, direction), int(n), int(seed), texts)
    made = made_with(run, said(limits()))
    asked_of = [run.name, *made.values(), run.split, k, n, seed, direction, *items["query_id"]]
    name = "s" + hashlib.sha256("\x1f".join(map(str, asked_of)).encode()).hexdigest()[:8]
    if name not in {one["name"] for one in read_notes(run.corpus_name, SAMPLE)}:
        head: dict[str, Any] = {"kind": SAMPLE, "name": name, "run": run.name, "split": run.split,
                                "direction": direction, **made}  # fmt: skip
        rows = items.astype(object).where(items.notna(), None).to_dict("records")
        add_notes(run.corpus_name, [{**head, "k": k, "n": len(items), "seed": int(seed), "items": rows}])
    open_sample(run.corpus_name, run.split, name)


def open_sample(corpus: str, split: str, name: str) -> None:
    """Go to the blind page of a sample; its address tells neither model nor cause."""
    st.switch_page(page("tags"), query_params=parameters(corpus=f"{corpus}/{split}", sample=name))


# Labelling --------------------------------------------------------------------------------------------------------


def label_blind(place: str, name: str, who: str) -> None:
    """One query of a sample after another: no model, no computed cause.

    Raises:
        UnknownNameError: There is no such sample.
    """
    corpus_name, _, split = place.partition("/")
    sample = read_sample(corpus_name, name)
    items = sample["items"]
    direction = sample.get("direction", "t2v")  # samples of earlier versions are of captions
    made = {key: sample.get(key, "") for key in MADE_WITH}
    desk = Desk(corpus_name, split, sample["run"], direction, who, name, made)
    _say_changed(place, made["fingerprint"])
    own = desk.own()
    ids = items["query_id"].to_list()
    left = [at for at, query in enumerate(ids) if query not in own]
    at = asked_whole("at", 1 + (left[0] if left else 0), 1, len(ids)) - 1
    done = len(ids) - len(left)
    st.progress(done / len(ids), text=f"{done} of {len(ids)} labelled by {plain(who or 'you')}")
    _steps(place, name, at, len(ids), left)
    row = items.iloc[at]
    with st.container(border=True):
        if direction == "t2v":
            st.html(marked(str(row["text"]), [], "1.2rem"))
        st.caption(f"Query {at + 1} of {len(ids)}")
        said_here, seen = st.columns([1, 3], gap="medium")
        with said_here:
            tag_buttons(desk, row, BLIND, bookmark=False)
        with seen:
            (_both_videos if direction == "t2v" else _both_captions)(place, row)
    with st.expander("What the labels mean"):
        meaning(BLIND, direction)


def _say_changed(place: str, fingerprint: str) -> None:
    """Tell where a sample was drawn from captions and videos that are others now."""
    corpus = _corpus(place)
    if fingerprint and corpus is not None and corpus.fingerprint != fingerprint:
        st.warning(
            plain(
                f"{place} has changed since this sample was drawn. What is said here fits it as it was: draw another."
            ),
            icon=":material/history:",
        )


def _steps(place: str, name: str, at: int, n: int, left: list[int]) -> None:
    row = st.container(horizontal=True)
    ahead = [one for one in left if one > at] or left
    for label, icon, target in (
        ("Previous", ":material/arrow_back:", (at - 1) % n), ("Next", ":material/arrow_forward:", (at + 1) % n),
        ("Next without a label", ":material/skip_next:", ahead[0] if ahead else None),
    ):  # fmt: skip
        values = parameters(corpus=place, sample=name, at=(target or 0) + 1)
        row.page_link(page("tags"), label=label, icon=icon, query_params=values, disabled=target is None)
    row.page_link(
        page("tags"), label="All samples", icon=":material/list:", query_params=parameters(corpus=place)
    )  # fmt: skip


def _both_videos(place: str, row: pd.Series) -> None:
    corpus = _corpus(place)
    pair = (str(row["right_video_id"]), "Counts as right"), (str(row["video_id"]), "Another video")
    if corpus is None or not has_pictures(corpus):
        st.caption(plain("No video is on this machine.  " + "  ·  ".join(f"{title}: {one}" for one, title in pair)))
        return
    for column, (video, title) in zip(st.columns(2), pair, strict=True):
        with column:
            play(corpus, video, str(row["text"]), title, key=f"blind {title}", group="blind")


def _both_captions(place: str, row: pd.Series) -> None:
    """The video that is asked, the caption that counts as right, and another one."""
    corpus, video = _corpus(place), str(row["query_id"])
    left, right = st.columns([2, 3])
    with left:
        if corpus is not None and has_pictures(corpus):
            play(corpus, video, f"{row['text']} {row['other_text']}", "The video", key="blind video")
        else:
            st.caption(plain(f"The video is not on this machine: {video}"))
    with right:
        for title, text in (("Counts as right", row["text"]), ("Another caption", row["other_text"])):
            st.caption(title)
            st.html(marked(str(text), [], "1.2rem"))


def _corpus(place: str) -> Corpus | None:
    try:
        return loading.corpus_at(place)
    except UnknownNameError:
        return None


# Results ----------------------------------------------------------------------------------------------------------


def show_samples(corpus: str, split: str) -> None:
    """The samples of a split, how far they are labelled, and how far the raters agree."""
    samples = [one for one in read_notes(corpus, SAMPLE) if one["split"] == split]
    if not samples:
        st.caption("No sample has been drawn yet.")
        return
    tags = read_tags(corpus)
    for one in reversed(samples):
        given = tags[tags["sample"] == one["name"]]
        with st.container(border=True):
            row = st.columns([4, 1], vertical_alignment="center")
            way, limited = DIRECTIONS[one.get("direction", "t2v")], one.get("thresholds", "")
            done = ", ".join(f"{who}: {n}" for who, n in given["annotator"].value_counts().items()) or "nobody yet"
            row[0].markdown(
                f"**{plain(one['name'])}**  ·  {way}, {counted(one['n'], 'query')}, seed {one['seed']}, "
                f"rank > {one['k']}, drawn {plain(one['at'][:16].replace('T', ' '))} UTC  ·  labelled by {plain(done)}"
                + (f"  ·  thresholds {plain(limited)}" if limited else "")
            )
            _say_changed(f"{corpus}/{split}", one.get("fingerprint", ""))
            row[1].page_link(
                page("tags"), label="Label it blind", icon=":material/label:",
                query_params=parameters(corpus=f"{corpus}/{split}", sample=one["name"]),
            )  # fmt: skip
            if len(given):
                _agreement(one, given)


def _agreement(sample: dict[str, Any], tags: pd.DataFrame) -> None:
    with st.expander("Agreement (tells the computed causes: label first)"):
        show_agreement(tags, f"agreement {sample['name']}")
