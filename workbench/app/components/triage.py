"""The triage component: fifty failed queries gone through by keyboard without a run of the page per key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import streamlit as st

from workbench.app.components.assets import with_player
from workbench.corpus import Corpus, video_key


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    js, css = with_player("address.js", "triage.js", "triage.css")
    return st.components.v2.component("workbench_triage", js=js, css=css)


def playing_address(corpus: Corpus, video_id: str, text: str) -> str:
    """Where the browser finds what the player needs of a video, with the words of a text matched."""
    return f"/player/{quote(corpus.name)}/{video_key(video_id)}?{urlencode({'text': text})}"


def triage(
    cases: Sequence[Mapping[str, Any]],
    labels: Sequence[Mapping[str, str]],
    *,
    who: str,
    tags: Mapping[str, str],
    marks: Sequence[str],
    chosen: str,
    key: str,
    write: Callable[[Mapping[str, str | None], Mapping[str, bool]], object],
) -> None:
    """Show cases one at a time; what was tagged comes back some moments after the last key.

    The component itself writes the case that stands open into the address (key ``q``).

    Args:
        cases: id, text, rank, cause, evidence, thumb, link, videos (src or missing, title, sub).
        labels: id, label, sentence: what can be said of a case, in the order of the keys 1, 2, ...
        who: The person; empty = nothing can be tagged.
        tags: The person's label by case.
        marks: The cases that they bookmarked.
        chosen: The case that stands open first.
        key: Streamlit's key.
        write: Takes label by case (None = taken back) and bookmark by case.
    """
    data = {
        "cases": list(cases), "labels": list(labels), "who": who, "tags": dict(tags), "marks": list(marks),
        "chosen": chosen,
    }  # fmt: skip

    def said() -> None:
        found = (st.session_state.get(key) or {}).get("said")
        if found:
            write(found.get("tags") or {}, found.get("marks") or {})

    _component()(data=data, key=key, height="content", on_said_change=said)
