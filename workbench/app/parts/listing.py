"""Lists of queries, videos and pairs: fifty rows at a time, with pictures, filtered by words, as files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from workbench.analysis.narrowing import Sieve
from workbench.app.components.player import thumb_address
from workbench.app.links import asked_whole
from workbench.app.parts.downloads import show_table
from workbench.app.parts.panels import has_pictures
from workbench.corpus import Corpus

PER_PAGE = 50
"""Rows of a list that are shown at once."""
TEXTS = ("text", "like_text", "listed_text", "text_a", "text_b")
"""Columns that need a wide place in a list."""
LABEL = "label"
"""The column of a domain or a cause: as wide as its longest name."""
VIDEOS = ("video_id", "video_a", "video_b")
"""Columns whose videos can be shown as pictures."""
OPEN = "Open"
"""What opens a row: the words of its button."""
OPEN_WIDTH = 56
"""Pixels of these buttons."""
PICTURE = 64
"""Pixels of the height of a row with pictures."""


def addresses(corpus: Corpus, video_ids: pd.Series) -> list[str | None]:
    """Where the browser finds a picture of each video; None for a video without a file on this machine."""
    there = set(corpus.videos["video_id"][corpus.videos["status"] == "ok"])
    return [thumb_address(corpus, one) if one in there else None for one in video_ids]


def listed(
    table: pd.DataFrame, names: Mapping[str, str], key: str, file: str, *, whole: pd.DataFrame | None = None,
    exclude: pd.DataFrame | None = None, sieve: Sieve | None = None, ids: str = "query_id",
    pictures: Corpus | None = None, **digits: int,
) -> int | None:  # fmt: skip
    """Fifty rows of a table, with pages where there are more; the place of the row that was just selected.

    Args:
        table: All of its rows.
        names: Headings of the columns that are shown, by column.
        key: Of the widget; the address holds the number of the page as ``page_KEY``, links of earlier versions as
            ``KEY``.
        file: Name of the files, as for ``show_table``.
        whole: What the files hold; None = all rows of the table.
        exclude: A list to exclude, as a file.
        sieve: Words that a row must have; the files hold those rows then.
        ids: Column of captions or videos, or of lists of them, in which the words are looked for.
        pictures: Shows each video of the columns ``VIDEOS`` as a picture too; a video without a file has none.
        **digits: Decimals of columns of numbers; none where all of a column are whole.
    """
    if table.empty:
        st.caption("None.")
        return None
    sieve = sieve or Sieve()
    kept = np.flatnonzero(sieve.passes(table[ids])) if sieve.words else np.arange(len(table))
    if sieve.words:
        st.caption(f"{len(kept):,} of {len(table):,} have these words.")
        if not len(kept):
            return None
        table, whole = table.iloc[kept], None if whole is None else whole.iloc[kept]
    n_pages = max(1, -(-len(table) // PER_PAGE))
    paged = f"page_{key}"
    at = asked_whole(paged if paged in st.query_params else key, 1, 1, n_pages)
    start = (at - 1) * PER_PAGE
    look: dict[str, Any] = {
        names[name]: st.column_config.NumberColumn(format=f"%.{n if (table[name] % 1).any() else 0}f", width="small")
        for name, n in digits.items()
    }
    text = st.column_config.TextColumn(width="medium" if "evidence" in names else "large")  # evidence wants room too
    look |= {names[name]: text for name in TEXTS if name in names}
    if LABEL in names:
        longest = max(len(str(one)) for one in (names[LABEL], *table[LABEL].unique()))
        look[names[LABEL]] = st.column_config.TextColumn(width=min(200, 24 + 7 * longest))
    layout: dict[str, Any] = {}
    shown = table.iloc[start : start + PER_PAGE]
    part = shown[list(names)].rename(columns=names)
    if pictures is not None and has_pictures(pictures):
        for name in [one for one in VIDEOS if one in names]:
            seen = f"Picture of {names[name][:1].lower()}{names[name][1:]}"
            part.insert(list(part.columns).index(names[name]), seen, addresses(pictures, shown[name]))
            look[seen] = st.column_config.ImageColumn(label="Picture", width="small")
            layout = {"row_height": PICTURE}
    own = f"{key} {at} {sieve.words}".rstrip()
    part.insert(0, OPEN, OPEN)
    look[OPEN] = st.column_config.ButtonColumn(
        width=OPEN_WIDTH, type="tertiary", key=f"press {own}", on_click=_pressed, args=(own,)
    )
    show_table(
        part, file, whole=table if whole is None else whole, exclude=exclude, key=own, column_config=look,
        on_select=partial(_selected, own), selection_mode="single-row",
        height="content" if len(part) <= 12 else 460, **layout,
    )  # fmt: skip
    if n_pages > 1:
        turn = f"page {key} {at}"

        def turned() -> None:
            st.query_params[paged] = str(st.session_state[turn])
            if key in st.query_params:
                del st.query_params[key]

        st.pagination(n_pages, default=at, key=turn, on_change=turned)
        st.caption(f"Rows {start + 1:,} to {start + len(part):,} of {len(table):,}")
    row = st.session_state.pop(f"open {own}", None)
    return None if row is None else int(kept[start + row])


def _selected(key: str) -> None:
    """A row of a list was selected, by its box or by Shift and space: it is to be opened, once."""
    rows = st.session_state[key]["selection"]["rows"]
    st.session_state[f"open {key}"] = rows[0] if rows else None


def _pressed(key: str) -> None:
    """Its button was pressed, which Streamlit tells 150 ms before a selection: it is selected, and to be opened."""
    row = st.session_state[f"press {key}"]["row"]
    st.session_state[key] = {"selection": {"rows": [row]}}
    st.session_state[f"open {key}"] = row
