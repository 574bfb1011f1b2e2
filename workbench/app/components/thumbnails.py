"""Pictures of videos in a grid: loaded when they scroll into view, a click chooses one. One grid for all pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from workbench.app.components.assets import asset
from workbench.app.components.player import thumb_address
from workbench.corpus import Corpus

CHOSEN = "video"
"""The key of the address that holds the chosen video."""


@dataclass(frozen=True)
class Tile:
    """One video of a grid.

    Attributes:
        video_id: The video.
        text: Below the picture, e.g. its caption; cut to two lines.
        label: On the picture, e.g. its rank.
        note: Small, below, e.g. its score.
        words: Words that were read in it and match, as badges.
        right: It is a right item: a tick and a green frame.
        tip: Shown when the pointer rests on it.
        missing: Why there is no picture; empty = there is one.
    """

    video_id: str
    text: str = ""
    label: str = ""
    note: str = ""
    words: tuple[str, ...] = ()
    right: bool = False
    tip: str = ""
    missing: str = ""


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component("workbench_thumbnails", js=asset("thumbnails.js"), css=asset("thumbnails.css"))


def thumbnails(
    corpus: Corpus,
    tiles: Sequence[Tile],
    *,
    key: str,
    chosen: str = "",
    width: int = 150,
    opens: Mapping[str, str] | None = None,
    closes: Sequence[str] = (),
) -> None:
    """Show videos as pictures; a click writes the video into the address of the page, and the page runs again.

    Args:
        corpus: The corpus of the videos.
        tiles: What is shown, in order.
        key: Streamlit's key.
        chosen: The video that stands open beside the grid.
        width: Least pixels of a picture; as many as fit stand in a row.
        opens: What a click writes into the address beside the video.
        closes: Keys that a click takes out of the address.
    """
    stays = {name: value for name, value in st.query_params.to_dict().items() if name not in closes}
    address = {**stays, **(opens or {})}
    shown = [
        {
            **asdict(tile), "src": "" if tile.missing else thumb_address(corpus, tile.video_id),
            "href": f"?{urlencode({**address, CHOSEN: tile.video_id})}", "chosen": tile.video_id == chosen,
        }
        for tile in tiles
    ]  # fmt: skip

    def picked() -> None:
        video = (st.session_state.get(key) or {}).get("pick")
        if video:
            st.query_params.update({**(opens or {}), CHOSEN: video})
            for name in {*closes} & {*st.query_params}:
                del st.query_params[name]

    _component()(data={"tiles": shown, "width": width}, key=key, height="content", on_pick_change=picked)
