"""Headings of pages and of their parts, as Markdown: on every click a browser draws `st.header` three times as long."""

from __future__ import annotations

import streamlit as st


def page_heading(said: str) -> None:
    """The heading of a page; ``said`` is Markdown of one line."""
    st.markdown(f"# {said}")


def heading(said: str) -> None:
    """The heading of a part of a page; ``said`` is Markdown of one line."""
    st.markdown(f"## {said}")
