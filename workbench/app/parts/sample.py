"""What the page Human tags shows: drawing a sample, labelling it blind, agreement, and corrected numbers."""

from __future__ import annotations

import hashlib
from itertools import combinations
from typing import Any

import pandas as pd
import streamlit as st

from workbench.analysis.tags import (
    BLIND,
    LABELS,
    agreement,
    as_label,
    corrected_metrics,
    draw_sample,
    false_negatives,
)  # fmt: skip
from workbench.app import loading
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.downloads import table_downloads
from workbench.app.parts.panels import has_pictures, play
from workbench.app.parts.tag import Desk, meaning, tag_buttons
from workbench.app.text import marked, plain
from workbench.core.errors import UnknownNameError
from workbench.corpus import Corpus
from workbench.evaluation.runs.notes import SAMPLE, add_notes, read_notes, read_sample, read_tags
from workbench.evaluation.runs.run import Run

DIRECTION = "t2v"
COMPUTED = "computed cause"


def offer_drawing(run: Run, k: int) -> None:
    """Draw a sample of the failures of a run; the same numbers draw the same queries."""
    row = st.columns([1, 1, 2], vertical_alignment="bottom")
    n = row[0].number_input("Queries", 1, 1000, 40, key="sample n")
    asked = st.query_params.get("seed", "0")
    seed = row[1].number_input("Seed", 0, 10**6, int(asked) if asked.isdecimal() else 0, key="sample seed")
    st.query_params["seed"] = str(seed)
    if not row[2].button("Draw a sample", type="primary", icon=":material/casino:"):
        return
    items = draw_sample(loading.failures(loading.key_with_texts(run), k, DIRECTION), int(n), int(seed))
    asked_of = [run.name, run.fingerprint, run.split, k, n, seed, *items["query_id"]]
    name = "s" + hashlib.sha256("\x1f".join(map(str, asked_of)).encode()).hexdigest()[:8]
    if name not in {one["name"] for one in read_notes(run.corpus_name, SAMPLE)}:
        head: dict[str, Any] = {"kind": SAMPLE, "name": name, "run": run.name, "split": run.split}
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
    desk = Desk(corpus_name, split, sample["run"], DIRECTION, who, name)
    own = desk.own()
    ids = items["query_id"].to_list()
    left = [at for at, query in enumerate(ids) if query not in own]
    asked = st.query_params.get("at", "")
    at = min(max(1, int(asked)), len(ids)) - 1 if asked.isdecimal() else (left[0] if left else 0)
    done = len(ids) - len(left)
    st.progress(done / len(ids), text=f"{done} of {len(ids)} labelled by {plain(who or 'you')}")
    _steps(place, name, at, len(ids), left)
    row = items.iloc[at]
    with st.container(border=True):
        st.html(marked(str(row["text"]), [], "1.2rem"))
        st.caption(f"Query {at + 1} of {len(ids)}")
        tag_buttons(desk, row, BLIND, bookmark=False)
        _both_videos(place, row)
    with st.expander("What the labels mean"):
        meaning(BLIND)


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
            done = ", ".join(f"{who}: {n}" for who, n in said["annotator"].value_counts().items()) or "nobody yet"
            row[0].markdown(
                f"**{plain(one['name'])}**  ·  {one['n']} queries, seed {one['seed']}, rank > {one['k']}, drawn "
                f"{plain(one['at'][:16].replace('T', ' '))} UTC  ·  labelled by {plain(done)}"
            )
            row[1].page_link(
                page("tags"), label="Label it blind", icon=":material/label:",
                query_params=parameters(corpus=f"{corpus}/{split}", sample=one["name"]),
            )  # fmt: skip
            if len(said):
                _agreement(one, said)


def agreement_table(sample: dict[str, Any], tags: pd.DataFrame) -> pd.DataFrame:
    """Kappa of every two raters of a sample, the computed causes being one: first, second, n, observed, kappa, ends."""
    raters = {who: part.set_index("query_id")["label"] for who, part in tags.groupby("annotator")}
    computed = pd.Series({one["query_id"]: as_label(one["cause"]) for one in sample["items"]})
    pairs = [*combinations(raters.items(), 2), *((one, (COMPUTED, computed)) for one in raters.items())]
    rows = []
    for (first, a), (second, b) in pairs:
        if len(a.index.intersection(b.index)):
            found = agreement(a, b)
            share = 100 * found.observed
            rows.append((first, second, found.n, share, found.kappa, found.low, found.high))
    columns = ["First", "Second", "Queries", "Equal, %", "Kappa", "95 % low", "95 % high"]
    return pd.DataFrame(rows, columns=columns)


def _agreement(sample: dict[str, Any], tags: pd.DataFrame) -> None:
    with st.expander("Agreement (tells the computed causes: label first)"):
        table = agreement_table(sample, tags)
        st.dataframe(table.round(2), hide_index=True, key=f"agreement {sample['name']}", height="content")
        table_downloads(table, f"agreement {sample['name']}")
        st.caption("Cohen's kappa: 0 = as by chance, 1 = always equal. No kappa where both only ever use one label.")


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
    st.dataframe(table.rename(columns=names).round(2), hide_index=True, key="corrected", height="content")
    table_downloads(table, f"corrected {run.name}")
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
        shown = tags.assign(label=[LABELS[one].label for one in tags["label"]])
        shown = shown[["at", "annotator", "label", "query_id", "video_id", "run", "cause", "sample"]]
        height = 38 + 35 * min(len(tags), 8)
        st.dataframe(shown.iloc[::-1].head(200), hide_index=True, key="tags", height=height)
        table_downloads(tags, f"tags {corpus}")
