"""The keeper of a page's address: Python hears of what components have written there, and no page runs for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from workbench.app.components.assets import asset

KEY = "address"
HEARD = "address heard"
"""In the session: number of the last message of the keeper."""


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component("workbench_keeper", js=asset("keeper.js"))


@st.fragment
def keep_address(take: Callable[[Mapping[str, str | None]], object]) -> None:
    """Once on every page.

    Args:
        take: Takes what was written, by key of the address; None = the key was taken out.
    """

    def told() -> None:
        found = (st.session_state.get(KEY) or {}).get("told")
        if found and found["number"] != st.session_state.get(HEARD):  # another page hears the last one again
            st.session_state[HEARD] = found["number"]
            take(found["values"])

    _component()(data={}, key=KEY, height=1, on_told_change=told)
