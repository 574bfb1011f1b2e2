"""Changed thresholds of a session: in the address, remembered from page to page, told on every page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench.analysis.causes.thresholds import THRESHOLDS, thresholds_of
from workbench.app.text import plain
from workbench.core.errors import WorkbenchError

KEY = "limits"
"""In the address: ``near=0.8;fits=0.85``; only those that are not at their default."""
Limits = tuple[tuple[str, float], ...]


def limits() -> Limits:
    """The changed thresholds of this session, sorted by name; empty = all at their default."""
    return st.session_state.get(KEY, ())


def keywords(changed: Limits) -> dict[str, Any]:
    """As arguments of ``analysis.failures`` and its like."""
    return dict(changed)


def set_limits(values: Mapping[str, float]) -> None:
    """Use these from now on, in this session and in its links.

    Raises:
        UnknownNameError: No threshold is called so.
        DataError: A value is out of its range.
    """
    changed = thresholds_of(dict(values)).changed
    st.session_state[KEY] = tuple(sorted(changed.items()))
    words = said(limits())
    if st.query_params.get(KEY, "") == words:
        return
    if changed:
        st.query_params[KEY] = words
    else:
        del st.query_params[KEY]


def said(values: Limits) -> str:
    """As they stand in the address."""
    return ";".join(f"{name}={value:g}" for name, value in values)


def keep_limits() -> None:
    """On every page: take the thresholds of the address, else those of the session, and tell where any is changed."""
    asked = st.query_params.get(KEY)
    try:
        set_limits(dict(limits()) if asked is None else _parsed(asked))
    except (ValueError, WorkbenchError) as error:
        st.session_state[KEY] = ()
        why = f" {error}" if isinstance(error, WorkbenchError) else ""
        st.warning(plain(f"The thresholds of this link cannot be read; the defaults hold.{why}"))
    if limits():
        told = ", ".join(f"{name} = {value:g} (not {THRESHOLDS[name].default:g})" for name, value in limits())
        st.warning(plain(f"Causes are computed with changed thresholds: {told}."), icon=":material/tune:")


def _parsed(text: str) -> dict[str, float]:
    pairs = [one.split("=") for one in text.split(";") if one]
    return {name: float(value) for name, value in pairs}
