"""What is loaded once and never goes away is taken out of the sight of Python's collector of cycles.

Streamlit runs that collector after every run of the script. Modules of plotly, pandas and others are a quarter of a
million objects, so that looking at all of them again would take longer than most pages do.
"""

from __future__ import annotations

import gc

import streamlit as st


@st.cache_resource(show_spinner=False)
def settle(page: str) -> None:
    """Once for each page, after its first run: what it has loaded stays and is not looked at again.

    Args:
        page: Its name.
    """
    gc.collect()
    gc.freeze()
