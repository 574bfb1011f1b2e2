"""The failed queries on the page Failures: filtered, as a list with the open one beside it or by keyboard."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from workbench.app.failing import say_error
from workbench.app.headings import heading
from workbench.app.parts.failed_case import show_case
from workbench.app.parts.failure import ALL, Shown, filtered, opened, show_list
from workbench.app.parts.triage import show_triage
from workbench.core.errors import DataError
from workbench.core.words import counted


@st.fragment
def show_failed(shown: Shown, runs: pd.DataFrame, failed: pd.DataFrame, triage: bool) -> None:
    """The failed queries, filtered, and the open one beside them; what is done here runs no chart above again.

    Args:
        shown: What the page shows.
        runs: Those of the corpus, by which the list can be ordered.
        failed: From ``failures``.
        triage: Whether to go through them by keyboard.
    """
    heading("Failed queries")
    try:
        rows = filtered(shown, runs, failed)
    except DataError as error:  # an expression that cannot be read; the widgets stay, so that it can be mended
        say_error(error)
        return
    st.caption(
        f"{len(rows):,} of {counted(len(failed), 'failed query')}."
        + ("" if triage else " Select one to see it beside the list.")
    )
    if rows.empty:
        st.info("No failed query is like this. Take a filter away.")
        return
    if triage:
        show_triage(shown, rows)
        return
    by_tags = st.query_params.get("mark", ALL) != ALL  # a tag that is written changes which rows these are
    (_list_and_case if by_tags else _quick_list_and_case)(shown, rows)


def _list_and_case(shown: Shown, rows: pd.DataFrame) -> None:
    """The list, and the open query beside it."""
    sides = st.grid(2, min_column_width=420)
    with sides.cell():
        show_list(shown, rows)
    row = opened(rows)
    if row is not None:
        with sides.cell():
            show_case(shown, row)


_quick_list_and_case = st.fragment(_list_and_case)
"""Another row runs neither the filters nor the charts again."""
