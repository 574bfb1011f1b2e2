"""What the page Hubs & duplicates shows of what stands twice: captions, videos, what other splits share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
import streamlit as st

from workbench import analysis
from workbench.analysis.structure.twins import ACROSS, across_splits, equal_captions, near_captions, same_source
from workbench.app import loading
from workbench.app.parts.downloads import table_downloads
from workbench.app.parts.hub import LARGE, Key, Shown, listed
from workbench.app.parts.widgets import choose
from workbench.app.text import plain
from workbench.core.errors import StateError
from workbench.corpus import Corpus, domain_label
from workbench.evaluation.runs.run import Run

CORRELATIONS = ("0.99", "0.95", "0.9")


@st.cache_data(max_entries=32, show_spinner="Comparing captions …")
def twins(key: Key, what: str, _run: Run) -> pd.DataFrame:
    """``equal_captions``, ``near_captions`` or ``same_source`` of a run."""
    return {"equal": equal_captions, "near": near_captions, "source": same_source}[what](_run)


@st.cache_data(max_entries=8, show_spinner="Comparing splits …")
def shared_with_splits(key: tuple[str, int, str | None], _corpus: Corpus) -> pd.DataFrame:
    """``across_splits`` of a corpus."""
    return across_splits(_corpus)


@st.cache_data(max_entries=8, show_spinner="Comparing videos …")
def alike(key: Key, least: float, _run: Run) -> pd.DataFrame:
    """``analysis.near_duplicates`` of a run."""
    return analysis.near_duplicates(_run, least)


def excluding(captions: Iterable[Any], videos: Iterable[Any], reason: str) -> pd.DataFrame:
    """A list of what one may want to leave out, with the reason."""
    found = pd.DataFrame({"caption_id": list(captions), "video_id": list(videos), "reason": reason})
    return found.drop_duplicates(["caption_id", "video_id"])


def show_captions(shown: Shown) -> None:
    """Captions that cannot be told apart."""
    equal, near = twins(shown.key, "equal", shown.run), twins(shown.key, "near", shown.run)
    st.header(f"Equal captions of other videos ({len(equal):,})")
    if equal.empty:
        st.caption("Every caption is unique, or its twins have the same right videos.")
    else:
        n_groups = int(equal["group"].max())
        st.caption(f"{n_groups:,} sentences; no model can tell which of their videos is meant. Select one to open it.")
        names = {"group": "Sentence", "text": "Caption", "video_id": "Right video", "rank": "Rank"}
        row = listed(equal, names, "equal", rank=1)
        table_downloads(
            equal, f"equal captions {shown.run.corpus_name}",
            exclude=excluding(equal["query_id"], equal["video_id"], "equal caption of another video"),
        )  # fmt: skip
        if row is not None:
            shown.query(equal["query_id"][row])
    st.header(f"Captions that differ by one word ({len(near):,})")
    if near.empty:
        st.caption("No caption differs from one of another video by punctuation or one word only.")
        return
    names = {"text": "Caption", "rank": "Rank", "like_text": "Nearly the same"}
    row = listed(near, names, "near", rank=1)
    table_downloads(
        near, f"near captions {shown.run.corpus_name}",
        exclude=excluding(near["query_id"], near["video_id"], "caption differs from another by one word"),
    )  # fmt: skip
    if row is not None:
        shown.query(near["query_id"][row])


def show_videos(shown: Shown) -> None:
    """Videos that look alike to the run, and those of one source."""
    st.header("Videos that get the same scores")
    least = choose("Correlation of their scores at least", CORRELATIONS, "least", first=1)
    size = 0 if shown.run.similarity is None else shown.run.similarity.size
    if size == 0:
        st.caption(plain(f"Run {shown.run.name} keeps no similarity matrix, so its videos cannot be compared."))
    elif size <= LARGE or st.toggle("Compare all pairs now", key="compare all"):
        _alike(shown, float(least))
    st.header("Videos of one source")
    try:
        _same_source(shown)
    except StateError as error:
        st.caption(plain(str(error)))


def _alike(shown: Shown, least: float) -> None:
    pairs = alike(shown.key, least, shown.run)
    if pairs.empty:
        st.caption("No two videos do.")
        return
    same = pairs["same_source"].map({True: "yes", False: "no"}).fillna("unknown")
    table = pairs.assign(same=same)
    said = int((same == "no").sum())
    st.caption(f"{len(pairs):,} pairs, {said:,} of them of two sources. Select one to open the first video's query.")
    names = {"video_a": "Video", "video_b": "Its twin", "correlation": "Correlation", "same": "Same source"}
    row = listed(table, names, "alike", correlation=3)
    exclude = excluding([None] * len(pairs), pairs["video_b"], f"scores correlate {least} or more with another video's")
    table_downloads(table[list(names)].rename(columns=names), f"near videos {shown.run.name}", exclude=exclude)
    if row is not None:
        shown.query(pairs["video_a"][row], video=pairs["video_b"][row])


def _same_source(shown: Shown) -> None:
    found = twins(shown.key, "source", shown.run)
    if found.empty:
        st.caption("Every video has a source of its own.")
        return
    confused = int(found["n_confused"].sum())
    st.caption(
        f"{len(found):,} sources have several videos; {confused:,} queries have a sibling at rank 1. "
        "Select a source to open a query."
    )
    table = found.assign(label=[domain_label(str(one)) if pd.notna(one) else "–" for one in found["domain"]])
    names = {"source_id": "Source", "label": "Domain", "n_videos": "Videos", "n_queries": "Queries",
             "n_confused": "Sibling at rank 1"}  # fmt: skip
    row = listed(table, names, "source")
    videos = [(video, source) for own, source in zip(found["videos"], found["source_id"], strict=True)
              for video in own[1:]]  # fmt: skip
    exclude = excluding([None] * len(videos), [one for one, _ in videos], "same source as another video")
    table_downloads(table[list(names)].rename(columns=names), f"sources {shown.run.corpus_name}", exclude=exclude)
    if row is not None:
        own = found["queries"][row] or found["videos"][row]
        shown.query(own[0])


def show_splits(shown: Shown) -> None:
    """What stands in another split as well."""
    if shown.corpus is None:
        st.caption(plain(f"The corpus {shown.run.corpus_name} is not in this workspace as the run saw it."))
        return
    if len(shown.corpus.with_split(None).splits) < 2:
        st.caption("This corpus has one split, so nothing can stand in another.")
        return
    found = shared_with_splits(loading.key_of_corpus(shown.corpus), shown.corpus)
    for kind, said in ACROSS.items():
        rows = found[found["kind"] == kind].reset_index(drop=True)
        st.header(f"{said[:1].upper() + said[1:]} in another split ({len(rows):,})")
        if rows.empty:
            st.caption("None, as far as the corpus states it.")
            continue
        names = {"text": "Caption" if kind == "caption" else "Source", "video_id": "Video", "other_split": "Split",
                 "other_id": "There", "n_others": "Times there"}  # fmt: skip
        names = {name: title for name, title in names.items() if kind != "file" or name != "text"}
        row = listed(rows, names, f"split {kind}")
        exclude = excluding(rows["caption_id"], rows["video_id"], f"{said} in another split")
        table_downloads(rows[list(names)].rename(columns=names), f"{kind} across splits {shown.run.corpus_name}",
                        exclude=exclude)  # fmt: skip
        if row is not None:
            shown.query(rows["caption_id"][row] or rows["video_id"][row])
