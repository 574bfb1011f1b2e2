"""Saying what one thinks of a query: who one is, the buttons, bookmarks; written into the workspace at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import streamlit as st

from workbench.analysis import CAUSES
from workbench.analysis.tags import LABELS, NAMED, OPEN, OTHER, fitting, label_for
from workbench.app.limits import limits
from workbench.app.limits import said as limit_words
from workbench.app.stamps import stamp_of
from workbench.app.text import plain
from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.runs.notes import (
    BOOKMARK,
    CONFIRMED,
    TAG,
    add_notes,
    made_with,
    notes_file,
    read_bookmarks,
    read_tags,
)
from workbench.evaluation.runs.run import Run

WHO = "annotator"
MOST_NAME, MOST_WORDS = 40, 300


def annotator() -> str:
    """The name of the person, remembered in this session; empty = not said yet."""
    st.session_state["write annotator"] = st.session_state.get(WHO, "")

    def changed() -> None:
        st.session_state[WHO] = " ".join(st.session_state["write annotator"].split())

    st.text_input("Your name, for tags", key="write annotator", on_change=changed, placeholder="e.g. Ana",
                  max_chars=MOST_NAME)  # fmt: skip
    return str(st.session_state.get(WHO, ""))


@dataclass(frozen=True)
class Said:
    """What a person says of a query.

    Attributes:
        label: Of ``LABELS``; None = nothing yet.
        cause: The cause that they name; empty = none.
        words: Their own words.
    """

    label: str | None = None
    cause: str = ""
    words: str = ""


@dataclass(frozen=True)
class Desk:
    """Where one person tags.

    Attributes:
        corpus: Its name.
        split: Of the run.
        run: Name of the run whose wrong pairs are judged.
        direction: ``t2v`` or ``v2t``.
        who: The person; empty = not said, nothing can be written.
        sample: Name of the sample; empty = none.
        made: What its tags are made with (``notes.MADE_WITH``).
    """

    corpus: str
    split: str
    run: str
    direction: str
    who: str
    sample: str = ""
    made: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run, direction: str, who: str) -> Desk:
        """The desk of a run, with the thresholds of this session."""
        made = made_with(run, limit_words(limits()))
        return cls(run.corpus_name, run.split, run.name, direction, who, made=made)

    def tags(self) -> pd.DataFrame:
        """Everybody's tags on queries of this split and direction, in this sample or in none, that still fit."""
        table = _tags(self.corpus, stamp_of(notes_file(self.corpus).parent, (notes_file(self.corpus).name,)))
        wanted = (table["split"] == self.split) & (table["direction"] == self.direction)
        wanted &= fitting(table, {self.split: self.made.get("fingerprint", "")})
        return table[wanted & (table["sample"] == self.sample)]

    def own(self) -> dict[str, str]:
        """This person's label by query."""
        return {query: one.label for query, one in self.said().items() if one.label}

    def said(self) -> dict[str, Said]:
        """What this person says, by query."""
        table = self.tags()
        mine = table[table["annotator"] == self.who]
        said = map(Said, mine["label"], mine["named_cause"], mine["words"])
        return dict(zip(mine["query_id"], said, strict=True))

    def bookmarks(self) -> list[str]:
        """Queries that this person has bookmarked."""
        return read_bookmarks(self.corpus, self.who, self.direction)

    def write(
        self, rows: pd.DataFrame, labels: Mapping[str, str | None], marks: Mapping[str, bool],
        named: Mapping[str, str] | None = None, words: Mapping[str, str] | None = None,
    ) -> int:  # fmt: skip
        """Write what is new; gives the number of notes.

        Args:
            rows: query_id, caption_id and video_id (the wrong pair), cause, evidence; other queries are left out.
            labels: Label by query; None = take the tag back.
            marks: Bookmark set or taken away, by query.
            named: The cause that the person names, by query of ``labels``; who confirms the computed one names it.
            words: Their own words, by query; they stay where nothing new is said, and go with the tag.

        Raises:
            DataError: The person has not said their name.
            UnknownNameError: No label or cause is called so.
        """
        if not self.who:
            raise DataError("A tag needs the name of who gives it.", "Write your name first.")
        known = rows.drop_duplicates("query_id").set_index("query_id")
        own, marked, named, words = self.said(), set(self.bookmarks()), named or {}, words or {}
        labels = {**labels, **{query: own.get(query, Said()).label for query in words if query not in labels}}
        head = {"annotator": self.who, "split": self.split, "run": self.run, "direction": self.direction, **self.made}
        found: list[dict[str, Any]] = []
        for query, label in labels.items():
            before = own.get(query, Said())
            more = "" if label is None else " ".join(words.get(query, before.words).split())[:MOST_WORDS]
            said = Said(label, named.get(query, before.cause), more)
            if query not in known.index or said == before:
                continue
            about = {name: str(known.loc[query, name]) for name in ("caption_id", "video_id", "cause", "evidence")}
            kept = said.cause if label == before.label else about["cause"] if label == CONFIRMED else ""
            cause = named.get(query, kept)
            for table, one, kind in ((LABELS, label, "label"), (CAUSES, cause, "cause")):
                if one:
                    pick(table, one, kind)
            found.append({"kind": TAG, **head, "sample": self.sample, "query_id": query, **about, "label": label,
                          "named_cause": cause, "words": said.words})  # fmt: skip
        found += [
            {"kind": BOOKMARK, **head, "query_id": query, "on": on}
            for query, on in marks.items()
            if query in known.index and (query in marked) != on
        ]
        if found:
            add_notes(self.corpus, found)
        return len(found)


@st.cache_resource(max_entries=8, show_spinner=False)
def _tags(corpus: str, stamp: int) -> pd.DataFrame:
    """``read_tags``, read again when the file changes."""
    return read_tags(corpus)


def tag_buttons(desk: Desk, row: pd.Series, labels: Sequence[str] = OPEN, *, bookmark: bool = True) -> None:
    """Buttons for one query: a label (again = take it back), the cause that it really is, and the bookmark.

    Args:
        desk: Whose.
        row: query_id, caption_id, video_id, cause, evidence.
        labels: Of ``LABELS``.
        bookmark: Whether to offer it.
    """
    query = str(row["query_id"])
    key = f"tag {desk.sample} {query}"
    said = desk.said().get(query, Said())
    st.session_state[key] = said.label if said.label in labels else None
    rows = row.to_frame().T

    def tagged() -> None:
        desk.write(rows, {query: st.session_state[key]}, {})

    st.pills(
        "What is it really?", labels, key=key, format_func=lambda one: LABELS[one].label, on_change=tagged,
        disabled=not desk.who, wrap=True,
        help="  \n".join(f"{LABELS[one].label}: {LABELS[one].said(desk.direction)}" for one in labels),
    )  # fmt: skip
    _named_cause(desk, rows, said, labels)
    _own_words(desk, rows, said)
    if bookmark:
        flag = f"bookmark {query}"
        st.session_state[flag] = query in desk.bookmarks()

        def flagged() -> None:
            desk.write(rows, {}, {query: st.session_state[flag]})

        st.checkbox("Bookmark", key=flag, disabled=not desk.who, on_change=flagged)
    if not desk.who:
        st.caption("Write your name to tag.")


def _own_words(desk: Desk, rows: pd.DataFrame, said: Said) -> None:
    """What else the person says; words alone are another cause."""
    query = str(rows["query_id"].iloc[0])
    key = f"words {desk.sample} {query}"
    st.session_state[key] = said.words

    def written() -> None:
        words = st.session_state[key]
        labels = {query: OTHER} if words.strip() and said.label is None else {}
        desk.write(rows, labels, {}, words={query: words})

    st.text_input(
        "In your own words", key=key, on_change=written, disabled=not desk.who, max_chars=MOST_WORDS,
        placeholder="e.g. the sign is mirrored",
    )  # fmt: skip


def _named_cause(desk: Desk, rows: pd.DataFrame, said: Said, labels: Sequence[str]) -> None:
    """Which cause of the catalogue it is; naming one sets the label that it stands for, naming none takes both back."""
    query = str(rows["query_id"].iloc[0])
    computed = "" if desk.sample else str(rows["cause"].iloc[0])
    key = f"cause {desk.sample} {query}"
    st.session_state[key] = said.cause

    def named() -> None:
        cause = st.session_state[key]
        label = label_for(cause, computed, labels) if cause else None
        desk.write(rows, {query: label}, {}, {query: cause})

    def show(cause: str) -> str:
        label = CAUSES[cause].label if cause else "not named"
        return f"{label} (as computed)" if cause and cause == computed else label

    st.selectbox(
        "Which cause is it?", ["", *NAMED], key=key, format_func=show,
        on_change=named, disabled=not desk.who,
        help="Name a cause where you know it: it sets the label above and is compared with the computed cause.",
    )  # fmt: skip


def meaning(labels: Sequence[str], direction: str) -> None:
    """What the labels mean, small."""
    for name in labels:
        st.caption(f"**{plain(LABELS[name].label)}**: {plain(LABELS[name].said(direction))}")
