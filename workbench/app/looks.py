"""What a viewer sets inside components: in the address, and for players remembered from page to page (no seconds)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

import streamlit as st

from workbench.app.links import write_address

SPEEDS = {"0.25": 0.25, "0.5": 0.5, "1.5": 1.5, "2": 2.0}
BOXES = {"off": False}
TOGETHER = {"share": "share", "seconds": "seconds"}
WORDS: Mapping[str, Mapping[str, Any]] = {"speed": SPEEDS, "boxes": BOXES, "together": TOGETHER}
"""What the address may say of each thing that is set; what it leaves out is as a player begins."""
SECONDS = ("t", "t2")
"""The second of the first player and of the one beside it."""
FIRST = {"t": "t", "speed": "speed", "boxes": "boxes", "together": "together"}
BESIDE = {"t": "t2", "speed": "speed2", "boxes": "boxes2", "together": "together"}
"""Keys of the address by what a viewer sets."""
OPTIONS = {"boxes": "show_boxes"}
"""Options of ``player_data`` that are called otherwise."""
KEYS = {key: name for names in (FIRST, BESIDE) for name, key in names.items()}
"""What each key of the address sets."""
AT = "at"
"""Place, zoom, contrast and what is drawn over a matrix; its component keeps it in the address."""
PLACE = re.compile(r"-?[0-9.e+-]+_-?[0-9.e+-]+_[0-9.e+-]+_[0-9.e+-]+_[a-z]*")
QUERY = "q"
"""The query that stands open; keys lead to another one."""


def set_in(names: Mapping[str, str]) -> dict[str, Any]:
    """Options of a player: those of the address, else those last set in this session, which go into the address.

    Args:
        names: ``FIRST`` or ``BESIDE``.
    """
    found: dict[str, Any] = {}
    for name, key in names.items():
        if name not in WORDS:
            continue
        asked = (st.query_params.get(key, ""), str(st.session_state.get(f"last {key}", "")))
        said = [one for one in asked if one in WORDS[name]]
        if said:
            found[OPTIONS.get(name, name)] = WORDS[name][said[0]]
            _keep(key, said[0])
    second = asked_second(names["t"])
    return found if second is None else {**found, "start": second}


def take(values: Mapping[str, str | None]) -> None:
    """Write what components have written into the address; words that mean nothing are left out.

    Args:
        values: Words by key of the address; None = as a player begins.
    """
    if query := values.get(QUERY):
        st.query_params[QUERY] = query
    if PLACE.fullmatch(place := values.get(AT) or ""):
        st.query_params[AT] = place
    for key, name in KEYS.items():
        if key not in values:
            continue
        word = values[key]
        known = word is not None and (word in WORDS[name] if name in WORDS else _second(word) is not None)
        _keep(key, word if known else None)


def carried() -> dict[str, str]:
    """What a link to the same page takes along: all that is set but the seconds."""
    return {key: word for key in KEYS if (word := st.session_state.get(f"last {key}"))}


def asked_second(key: str = "t") -> float | None:
    """The second that the address asks for; None = it asks for none."""
    return _second(st.query_params.get(key, ""))


def _second(word: str) -> float | None:
    try:
        asked = float(word)
    except ValueError:
        return None
    return asked if isfinite(asked) and asked >= 0 else None


def _keep(key: str, word: str | None) -> None:
    if key not in SECONDS:
        st.session_state[f"last {key}"] = word
    if word is not None:
        write_address(key, word)
    elif key in st.query_params:
        del st.query_params[key]
