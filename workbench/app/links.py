"""Links between pages: everything that a page shows stands in its address."""

from __future__ import annotations

from math import isnan
from urllib.parse import urlencode

import streamlit as st

from workbench.app.limits import KEY, limits, said
from workbench.app.text import plain

VERSION = "1"
OPENED = "link of another version"
"""In the session: the page that such a link has opened."""
WORDS_OF = "words of"
"""In the session: name of a corpus, and the engine chosen for it."""


def address(page: str, **values: object) -> str:
    """The address of a page with these values; empty ones are left out."""
    return f"/{page}?{urlencode(parameters(**values))}"


def parameters(**values: object) -> dict[str, str]:
    """Query parameters of a link: these values, and what every link carries.

    That is the version of the link's format, the changed thresholds of the session, and whose words were chosen for the
    corpus: opened elsewhere, the link shows the same.
    """
    every = {"v": VERSION, **values, KEY: said(limits())}
    corpus, engine = st.session_state.get(WORDS_OF, ("", ""))
    if corpus and corpus == str(values.get("corpus") or "").partition("/")[0]:
        every = {"engine": engine, **every}
    return {key: str(value) for key, value in every.items() if value not in (None, "")}


def write_address(key: str, value: str) -> None:
    """Write a value into the address; one that stands there already is not sent again, as each takes a browser time."""
    if st.query_params.get(key) != value:
        st.query_params[key] = value


def asked_number(key: str, first: float, low: float, high: float) -> float:
    """A number of the address, brought between two limits.

    Args:
        key: In the address.
        first: Where the address holds no number.
        low: The least that it may be.
        high: The most.
    """
    try:
        asked = float(st.query_params.get(key, ""))
    except ValueError:
        return first
    return first if isnan(asked) else min(max(asked, low), high)


def asked_whole(key: str, first: int, low: int, high: int) -> int:
    """As ``asked_number``, a whole number."""
    return int(asked_number(key, first, low, high))


def keep_version(page: str = "") -> None:
    """On every page: the address states the version of its format; another one is told as long as its page is open.

    Args:
        page: Its name in addresses; the start page, which has none, hands the telling on to where it leads.
    """
    if st.query_params.get("v", VERSION) != VERSION:
        st.session_state[OPENED] = page
    if st.session_state.get(OPENED) in ("", page):
        st.session_state[OPENED] = page
        st.warning(plain("This link was made by another version of the workbench; parts of it may not be understood."))
    else:
        st.session_state.pop(OPENED, None)
    write_address("v", VERSION)
