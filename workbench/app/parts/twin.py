"""What the page Hubs & duplicates shows of what stands twice: captions, videos, what other splits share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import streamlit as st

from workbench import analysis
from workbench.analysis.narrowing import Sieve
from workbench.analysis.structure.twins import (
    ACROSS,
    across_splits,
    equal_captions,
    near_captions,
    same_source,
    sibling_share,
)  # fmt: skip
from workbench.app import loading
from workbench.app.headings import heading
from workbench.app.parts.hub import LARGE, Key, Shown
from workbench.app.parts.listing import listed
from workbench.app.parts.sieve import choose_sieve
from workbench.app.parts.widgets import choose, choose_toggle
from workbench.app.text import plain
from workbench.core.errors import StateError
from workbench.core.words import counted
from workbench.corpus import Corpus, domain_label
from workbench.evaluation.runs.run import Run

CORRELATIONS = ("0.99", "0.95", "0.9")


@st.cache_data(max_entries=32, show_spinner="Comparing captions …")
def twins(key: Key, what: str, direction: str, _run: Run) -> pd.DataFrame:
    """``equal_captions``, ``near_captions`` or ``same_source`` of a run."""
    return {"equal": equal_captions, "near": near_captions, "source": same_source}[what](_run, direction=direction)


@st.cache_data(max_entries=8, show_spinner="Comparing splits …")
def shared_with_splits(key: tuple[str, int, str | None], _corpus: Corpus) -> pd.DataFrame:
    """``across_splits`` of a corpus."""
    return across_splits(_corpus)


@st.cache_data(max_entries=8, show_spinner="Comparing scores …")
def alike(key: Key, least: float, direction: str, _run: Run) -> pd.DataFrame:
    """``analysis.near_duplicates`` of a run."""
    return analysis.near_duplicates(_run, least, direction=direction)


def excluding(captions: Iterable[Any], videos: Iterable[Any], reason: str) -> pd.DataFrame:
    """A list of what one may want to leave out, with the reason."""
    found = pd.DataFrame({"caption_id": list(captions), "video_id": list(videos), "reason": reason})
    return found.drop_duplicates(["caption_id", "video_id"])


@dataclass(frozen=True)
class Block:
    """A list of what stands twice.

    Attributes:
        key: Of the widget.
        file: Name of its files.
        rows: All of it, with ``opens``: the query that a selected row opens.
        names: Headings of the columns that are shown, by column.
        none: Said where there is nothing.
        said: Said above the list.
        exclude: What one may want to leave out.
        digits: Decimals by column.
        ids: Column of captions and videos in which the words of a filter are looked for.
    """

    key: str
    file: str
    rows: pd.DataFrame
    names: Mapping[str, str]
    none: str
    said: str = ""
    exclude: pd.DataFrame | None = None
    digits: Mapping[str, int] = field(default_factory=dict)
    ids: str = "opens"


def show_block(shown: Shown, block: Block, sieve: Sieve) -> None:
    """A list of what stands twice; a selected row opens its query."""
    if block.rows.empty:
        st.caption(block.none)
        return
    if block.said:
        st.caption(plain(block.said))
    whole = block.rows[list(block.names)].rename(columns=dict(block.names))
    row = listed(
        block.rows, block.names, block.key, block.file, whole=whole, exclude=block.exclude, sieve=sieve, ids=block.ids,
        pictures=shown.corpus, **block.digits,
    )  # fmt: skip
    if row is not None:
        beside = block.rows["beside"][row] if "beside" in block.rows else None
        shown.query(block.rows["opens"][row], video=beside)


def show_captions(shown: Shown) -> None:
    """Captions that cannot be told apart."""
    equal, near = (twins(shown.key, what, shown.direction, shown.run) for what in ("equal", "near"))
    rank = "Rank" if shown.direction == "t2v" else "Rank of its video's caption"
    sieve = choose_sieve(shown.run, "equal", "near", corpus=shown.corpus)
    heading(f"Equal captions of other videos ({len(equal):,})")
    show_block(shown, Block(
        "equal", f"equal captions {shown.called}", equal.assign(opens=equal["query_id"]),
        {"group": "Sentence", "text": "Caption", "video_id": "Right video", "rank": rank},
        "Every caption is unique, or its twins have the same right videos.",
        f"{counted(equal['group'].nunique(), 'sentence')}; no model can tell which of their videos is meant. Select "
        "one to open it.",
        excluding(equal["caption_id"], equal["video_id"], "equal caption of another video"), {"rank": 1}, "caption_id",
    ), sieve)  # fmt: skip
    heading(f"Captions that differ by one word ({len(near):,})")
    show_block(shown, Block(
        "near", f"near captions {shown.called}", near.assign(opens=near["query_id"]),
        {"text": "Caption", "rank": rank, "like_text": "Nearly the same"},
        "No caption differs from one of another video by punctuation or one word only.",
        exclude=excluding(near["caption_id"], near["video_id"], "caption differs from another by one word"),
        digits={"rank": 1}, ids="caption_id",
    ), sieve)  # fmt: skip


def show_videos(shown: Shown) -> None:
    """Videos, or captions, that look alike to the run, and the videos of one source."""
    what = "Videos" if shown.direction == "t2v" else "Captions"
    sieve = choose_sieve(shown.run, "alike", "source", corpus=shown.corpus)
    heading(f"{what} that get the same scores")
    with st.columns(3)[0]:
        least = choose("Correlation of their scores at least", CORRELATIONS, "least", first=1)
    size = 0 if shown.run.similarity is None else shown.run.similarity.size
    if size == 0:
        st.caption(plain(f"Run {shown.run.name} keeps no similarity matrix, so its scores cannot be compared."))
    elif size <= LARGE or choose_toggle("Compare all pairs now", "pairs"):
        show_block(shown, _alike(shown, least), sieve)
    heading("Videos of one source")
    try:
        show_block(shown, _same_source(shown), sieve)
    except StateError as error:
        st.caption(plain(str(error)))


def _alike(shown: Shown, least: str) -> Block:
    pairs = alike(shown.key, float(least), shown.direction, shown.run)
    same = pairs["same_source"].map({True: "yes", False: "no"}).fillna("unknown")
    table = pairs.assign(same=same, opens=pairs["video_a"])
    said = f"{counted(len(pairs), 'pair')}, {int((same == 'no').sum()):,} of them of two sources. "
    why = f"scores correlate {least} or more with another"
    last = {"correlation": "Correlation", "same": "Same source"}
    if shown.direction == "t2v":
        names, none = {"video_a": "Video", "video_b": "Its twin"}, "No two videos do."
        said += "Select one to open the first video's query."
        table["beside"] = pairs["video_b"]
        exclude = excluding([None] * len(pairs), pairs["video_b"], f"{why} video's")
    else:
        names, none = {"text_a": "Caption", "text_b": "Its twin"}, "No two captions do."
        said += "Select one to open the first caption's video."
        exclude = excluding(pairs["caption_b"], pairs["video_b"], f"{why} caption's")
    return Block("alike", f"same scores {shown.called}", table, names | last, none, said, exclude, {"correlation": 3})


def _same_source(shown: Shown) -> Block:
    found = twins(shown.key, "source", shown.direction, shown.run)
    share, low, high = sibling_share(found)
    of = "a sibling" if shown.direction == "t2v" else "a caption of a sibling"
    said = (
        f"{counted(len(found), 'source has', 'sources have')} several videos. Of "
        f"{counted(int(found['n_queries'].sum()), 'query')} of these {int(found['n_confused'].sum()):,} "
        f"({100 * share:.1f} %, {100 * low:.1f} to {100 * high:.1f}) put {of} at rank 1. "
        "Select a source to open a query."
    )
    label = found["domain"].map(domain_label)
    opens = [(queries or videos)[0] for queries, videos in zip(found["queries"], found["videos"], strict=True)]
    videos = [video for own in found["videos"] for video in own[1:]]
    return Block(
        "source", f"sources {shown.called}", found.assign(label=label, opens=opens),
        {"source_id": "Source", "label": "Domain", "n_videos": "Videos", "n_queries": "Queries",
         "n_confused": "Sibling at rank 1"},
        "Every video has a source of its own.", said,
        excluding([None] * len(videos), videos, "same source as another video"), ids="videos",
    )  # fmt: skip


def show_splits(shown: Shown) -> None:
    """What stands in another split as well."""
    if shown.corpus is None:
        st.caption(plain(f"The corpus {shown.run.corpus_name} is not in this workspace as the run saw it."))
        return
    if len(shown.corpus.with_split(None).splits) < 2:
        st.caption("This corpus has one split, so nothing can stand in another.")
        return
    sieve = choose_sieve(shown.run, *(f"split {kind}" for kind in ACROSS), corpus=shown.corpus)
    found = shared_with_splits(loading.key_of_corpus(shown.corpus), shown.corpus)
    for kind, said in ACROSS.items():
        rows = found[found["kind"] == kind].reset_index(drop=True)
        heading(f"{said[:1].upper() + said[1:]} in another split ({len(rows):,})")
        names = {"text": "Caption" if kind == "caption" else "Source", "video_id": "Video", "other_split": "Split",
                 "other_id": "There", "n_others": "Times there"}  # fmt: skip
        names = {name: title for name, title in names.items() if kind != "file" or name != "text"}
        own = kind == "caption" and shown.direction == "t2v"
        show_block(shown, Block(
            f"split {kind}", f"{kind} across splits {shown.run.corpus_name}",
            rows.assign(opens=rows["caption_id"] if own else rows["video_id"]), names,
            "None, as far as the corpus states it.",
            exclude=excluding(rows["caption_id"], rows["video_id"], f"{said} in another split"),
            ids="caption_id" if kind == "caption" else "video_id",
        ), sieve)  # fmt: skip
