"""What the page Human tags shows: drawing a sample, labelling it blind, agreement, and corrected numbers."""

from __future__ import annotations

import hashlib
from typing import Any

import pandas as pd
import streamlit as st

from workbench.analysis import CAUSES
from workbench.analysis.agreements import agreement_table, cause_agreement
from workbench.analysis.tags import BLIND, LABELS, corrected_metrics, draw_sample, false_negatives
from workbench.app import loading
from workbench.app.links import asked_whole, parameters
from workbench.app.navigation import page
from workbench.app.parts.downloads import show_table
from workbench.app.parts.panels import has_pictures, play
from workbench.app.parts.tag import Desk, meaning, tag_buttons
from workbench.app.parts.widgets import DIRECTIONS
from workbench.app.text import marked, plain
from workbench.core.errors import UnknownNameError
from workbench.corpus import Corpus
from workbench.evaluation.runs.notes import SAMPLE, add_notes, read_notes, read_sample, read_tags
from workbench.evaluation.runs.run import Run

MOST, MOST_SEED = 1000, 10**6
"""Of queries of a sample, and of its seed."""
AGREEMENT = {
    "of": "Of", "first": "First", "second": "Second", "n": "Queries", "equal": "Equal, %", "kappa": "Kappa",
    "low": "95 % low", "high": "95 % high",
}  # fmt: skip
CAUSE_AGREEMENT = {
    "label": "Cause", "n_computed": "Computed", "n_named": "Named", "n_both": "Both", "kappa": "Kappa",
    "low": "95 % low", "high": "95 % high",
}  # fmt: skip


def offer_drawing(run: Run, k: int, direction: str) -> None:
    """Draw a sample of the failures of a run; the same numbers draw the same queries."""
    row = st.columns([1, 1, 2], vertical_alignment="bottom")
    n = row[0].number_input("Queries", 1, MOST, asked_whole("n", 40, 1, MOST), key="sample n")
    seed = row[1].number_input("Seed", 0, MOST_SEED, asked_whole("seed", 0, 0, MOST_SEED), key="sample seed")
    st.query_params.update({"n": str(n), "seed": str(seed)})
    if not row[2].button("Draw a sample", type="primary", icon=":material/casino:"):
        return
    texts = dict(zip(run.queries["caption_id"], run.queries["text"], strict=True))
    items = draw_sample(loading.failures(run, k, direction), int(n), int(seed), texts)
    asked_of = [run.name, run.fingerprint, run.split, k, n, seed, direction, *items["query_id"]]
    name = "s" + hashlib.sha256("\x1f".join(map(str, asked_of)).encode()).hexdigest()[:8]
    if name not in {one["name"] for one in read_notes(run.corpus_name, SAMPLE)}:
        head: dict[str, Any] = {"kind": SAMPLE, "name": name, "run": run.name, "split": run.split,
                                "direction": direction}  # fmt: skip
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
    desk = Desk(corpus_name, split, sample["run"], direction, who, name)
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
        tag_buttons(desk, row, BLIND, bookmark=False)
        (_both_videos if direction == "t2v" else _both_captions)(place, row)
    with st.expander("What the labels mean"):
        meaning(BLIND, direction)


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
        said = tags[tags["sample"] == one["name"]]
        with st.container(border=True):
            row = st.columns([4, 1], vertical_alignment="center")
            way = DIRECTIONS[one.get("direction", "t2v")]
            done = ", ".join(f"{who}: {n}" for who, n in said["annotator"].value_counts().items()) or "nobody yet"
            row[0].markdown(
                f"**{plain(one['name'])}**  ·  {way}, {one['n']} queries, seed {one['seed']}, rank > {one['k']}, "
                f"drawn {plain(one['at'][:16].replace('T', ' '))} UTC  ·  labelled by {plain(done)}"
            )
            row[1].page_link(
                page("tags"), label="Label it blind", icon=":material/label:",
                query_params=parameters(corpus=f"{corpus}/{split}", sample=one["name"]),
            )  # fmt: skip
            if len(said):
                _agreement(one, said)


def _agreement(sample: dict[str, Any], tags: pd.DataFrame) -> None:
    with st.expander("Agreement (tells the computed causes: label first)"):
        _agreement_tables(tags, f"agreement {sample['name']}")


def _agreement_tables(tags: pd.DataFrame, name: str) -> None:
    """Kappa of raters with each other and with the computed causes, as a whole and for each cause."""
    table, causes = agreement_table(tags), cause_agreement(tags)
    shown = table[list(AGREEMENT)].rename(columns=AGREEMENT).round(2)
    show_table(shown, name, whole=table, key=name, height="content")
    st.caption("Cohen's kappa: 0 = as by chance, 1 = always equal. No kappa where both only ever say one thing.")
    if len(causes):
        shown = causes[list(CAUSE_AGREEMENT)].rename(columns=CAUSE_AGREEMENT).round(2)
        show_table(shown, f"{name} by cause", whole=causes, key=f"{name} by cause", height="content")
        st.caption("Each cause against all others, over the queries whose cause people named.")


def show_named(corpus: str, split: str) -> None:
    """How far people who saw the computed causes agree with them: tags outside of samples."""
    tags = read_tags(corpus)
    tags = tags[(tags["split"] == split) & (tags["sample"] == "") & (tags["named_cause"] != "")]
    if tags.empty:
        st.caption("Nobody has named or confirmed a cause on the page Failures yet.")
        return
    st.caption("Who named these causes saw the computed one: blind samples are the fair measure.")
    _agreement_tables(tags, f"named causes {corpus}")


def show_corrected(run: Run) -> None:
    """Official numbers of a run, and those in which false negatives count as right."""
    tags = read_tags(run.corpus_name)
    tags = tags[tags["split"] == run.split]
    found = false_negatives(tags)
    if found.empty:
        st.caption("No query is tagged as a false negative yet.")
        return
    if run.similarity is None:
        st.caption("This run keeps no similarity matrix, so that its ranks cannot be corrected.")
        return
    table = corrected_metrics(run, tags)
    names = {"relevance": "Relevance", "n_added": "Pairs added"}
    names |= {name: f"{name[:3]} R@{name[5:]}" for name in table.columns if "_r" in name}
    shown = table.rename(columns=names).round(2)
    show_table(shown, f"corrected {run.name}", whole=table, key="corrected", height="content")
    st.caption(
        f"{len(found)} pairs are tagged as false negatives by more people than not. Only the official numbers may be "
        "compared with those of others."
    )


def show_tags(corpus: str, split: str) -> None:
    """All tags of a split, to take along."""
    tags = read_tags(corpus)
    tags = tags[tags["split"] == split].reset_index(drop=True)
    st.caption(f"{len(tags):,} tags. Export: workbench tags {plain(corpus)} --output tags.parquet")
    if len(tags):
        named = [CAUSES[one].label if one in CAUSES else one for one in tags["named_cause"]]
        shown = tags.assign(label=[LABELS[one].label for one in tags["label"]], named_cause=named)
        shown = shown[["at", "annotator", "direction", "label", "named_cause", "query_id", "caption_id", "video_id",
                       "run", "cause", "sample"]]  # fmt: skip
        height = 38 + 35 * min(len(tags), 8)
        show_table(shown.iloc[::-1].head(200), f"tags {corpus}", whole=tags, key="tags", height=height)
