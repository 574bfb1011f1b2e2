"""The player component: a video of a corpus with the words that were read in it, or a calm reason why there is none."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pandas as pd
import streamlit as st

from workbench.app.components.assets import with_player
from workbench.app.text import plain
from workbench.core.errors import StateError, WorkbenchError
from workbench.corpus import Corpus, video_key
from workbench.corpus.media import rendition_row
from workbench.figures.player_of import video_player


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    js, css = with_player("address.js", "player.js")
    return st.components.v2.component("workbench_player", js=js, css=css)


def thumb_address(corpus: Corpus, video_id: str) -> str:
    """Where the browser finds the middle picture of a video."""
    return f"/thumb/{quote(corpus.name)}/{video_key(video_id)}.jpg"


def video_address(corpus: Corpus, video_id: str, rendition: str) -> str:
    """Where the browser finds a file of a video; another one when the original has changed, so that none is stale."""
    sha256 = rendition_row(corpus, video_id)["sha256"]
    stamp = "" if pd.isna(sha256) else f"?v={quote(str(sha256)[:12])}"
    return f"/video/{quote(corpus.name)}/{video_key(video_id)}/{quote(rendition)}{stamp}"


def player(
    corpus: Corpus,
    video_id: str,
    *,
    key: str,
    matched: Collection[str] = (),
    ticks: Sequence[int] = (),
    names: Mapping[str, str] | None = None,
    engine: str | None = None,
    **options: Any,
) -> None:
    """Show a video with its words; one that cannot be played is a sentence with the reason.

    Args:
        corpus: The corpus.
        video_id: The video.
        key: Streamlit's key; the same key and video keep playing through a rerun.
        matched: ``text_id`` of the texts that the query names.
        ticks: Frames to mark, e.g. those that a model saw.
        names: Keys of the address by what a viewer sets (``app.looks``); None = it does not stand there.
        engine: Whose texts; None = rapidocr, kwai or another, ``truth`` only when asked for.
        **options: Of ``figures.player.player_data``: ``start``, ``title``, ``sub``, ``group``, ``speed``, ...
    """
    try:
        data = video_player(
            corpus, video_id, lambda rendition: video_address(corpus, video_id, rendition), matched=matched,
            ticks=ticks, engine=engine, **{"poster": thumb_address(corpus, video_id), **options},
        )  # fmt: skip
    except WorkbenchError as error:
        said = plain(f"{error.message} {error.remedy}".strip())
        if isinstance(error, StateError):
            st.info(said, icon=":material/videocam_off:")
        else:
            st.warning(said, icon=":material/videocam_off:")
        return
    mount(data, key, names)


def mount(data: Mapping[str, Any], key: str, names: Mapping[str, str] | None = None) -> None:
    """Show a player of data that stands already.

    Args:
        data: Of ``video_player``.
        key: Streamlit's key.
        names: As for ``player``.
    """
    _component()(data={**data, "names": dict(names or {})}, key=key, height="content")
