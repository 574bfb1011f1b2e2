"""The triage component: fifty failed queries gone through by keyboard without a run of the page per key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import streamlit as st

from workbench.analysis.tags import OTHER
from workbench.app.components.assets import with_player
from workbench.corpus import Corpus, video_key
from workbench.evaluation.runs.notes import CONFIRMED


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    js, css = with_player("address.js", "triage.js", "triage.css")
    return st.components.v2.component("workbench_triage", js=js, css=css)


def playing_address(
    corpus: Corpus, video_id: str, text: str, *, run: str = "", engine: str | None = None, evidence: Sequence[str] = ()
) -> str:
    """Where the browser finds what the player needs of a video, with the words of a text matched.

    Args:
        corpus: The corpus.
        video_id: The video.
        text: A caption.
        run: Name of the run whose frames are marked; empty = none.
        engine: Whose words; None = by the rule of ``corpus.engines``.
        evidence: ``text_id`` of texts of the video that are marked too.
    """
    asked = [("text", text), ("run", run), ("engine", engine or "")]
    asked += [("evidence", one.removeprefix(f"{video_id}#")) for one in evidence]
    return f"/player/{quote(corpus.name)}/{video_key(video_id)}?{urlencode([one for one in asked if one[1]])}"


def triage(
    cases: Sequence[Mapping[str, Any]],
    labels: Sequence[Mapping[str, str]],
    *,
    who: str,
    tags: Mapping[str, str],
    marks: Sequence[str],
    chosen: str,
    key: str,
    causes: Sequence[Mapping[str, str]],
    named: Mapping[str, str],
    words: Mapping[str, str],
    write: Callable[[Mapping[str, str | None], Mapping[str, bool], Mapping[str, str], Mapping[str, str]], object],
) -> None:
    """Show cases one at a time; what was tagged comes back some moments after the last key.

    The component itself writes the case that stands open into the address (key ``q``).

    Args:
        cases: id, text, rank, cause, cause_id, evidence, words (of the evidence: word, place, player, seconds), thumb,
            link, videos (src or missing, title, sub).
        labels: id, label, sentence: what can be said of a case, in the order of the keys 1, 2, ...
        who: The person; empty = nothing can be tagged.
        tags: The person's label by case.
        marks: The cases that they bookmarked.
        chosen: The case that stands open first.
        key: Streamlit's key.
        causes: id, label, tag: the causes that can be named, and the label that naming one sets.
        named: The cause that the person named, by case.
        words: What they said in their own words, by case.
        write: Takes label by case (None = taken back), bookmark, named cause and own words by case.
    """
    data = {
        "cases": list(cases), "labels": list(labels), "who": who, "tags": dict(tags), "marks": list(marks),
        "chosen": chosen, "causes": list(causes), "named": dict(named), "words": dict(words), "confirms": CONFIRMED,
        "otherwise": OTHER,
    }  # fmt: skip

    def said() -> None:
        found = (st.session_state.get(key) or {}).get("said")
        if found:
            write(*(found.get(kind) or {} for kind in ("tags", "marks", "named", "words")))

    _component()(data=data, key=key, height="content", on_said_change=said)
