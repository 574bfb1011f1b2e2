"""What the app shows, as files: figures as PDF, SVG and code; tables as CSV and LaTeX."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import streamlit as st

from workbench.app.text import plain
from workbench.figures.code import as_code
from workbench.figures.export import FORMATS, export_figure
from workbench.figures.paper import COLUMN, PAGE
from workbench.pipelines.exchange.latex import any_table

WIDTHS = {COLUMN: f"one column ({COLUMN} in)", PAGE: f"whole page ({PAGE} in)"}


def downloads(figure: Any, name: str, *, code: str = "", **runs: str) -> None:
    """Below a figure: it as PDF or SVG at the width of a paper's column, and as code.

    Files are made only when the box is opened.

    Args:
        figure: A chart of ``workbench.figures``; or a function that draws a figure of matplotlib, of a width in inches.
        name: Of the file, without suffix; on a page each figure has its own.
        code: What makes the figure, for ``figures.code.as_code``; empty = no code is offered.
        **runs: Names of runs by the variables that ``code`` uses.
    """
    _figure_box(figure, file_name(name), code, runs)


@st.fragment
def _figure_box(figure: Any, name: str, code: str, runs: dict[str, str]) -> None:
    box = st.popover("Download", type="tertiary", icon=":material/download:", key=f"files {name}", on_change="rerun")
    if not box.open:
        return
    with box:
        width = st.segmented_control(
            "Width", list(WIDTHS), default=COLUMN, format_func=WIDTHS.__getitem__, required=True, key=f"width {name}"
        )
        drawn = figure(width) if callable(figure) else figure
        made = {format: export_figure(drawn, format, width=width) for format in FORMATS}
        row = st.container(horizontal=True)
        for format, one in made.items():
            row.download_button(
                format.upper(), one.data, f"{name}.{format}", FORMATS[format], key=f"{format} {name}", on_click="ignore"
            )
        if made["pdf"].note:
            st.caption(plain(made["pdf"].note))
        if code:
            st.code(as_code(code, name, **runs), language="python")


def table_downloads(table: pd.DataFrame, name: str, *, exclude: pd.DataFrame | None = None) -> None:
    """Below a table: all of its rows as CSV and LaTeX, and what it speaks against as a list to exclude.

    Args:
        table: As it is shown, all of its rows.
        name: Of the file, without suffix; on a page each table has its own.
        exclude: Captions and videos that one may want to leave out; nothing here ever does it.
    """
    _table_box(table, file_name(name), exclude)


@st.fragment
def _table_box(table: pd.DataFrame, name: str, exclude: pd.DataFrame | None) -> None:
    box = st.popover("Download", type="tertiary", icon=":material/download:", key=f"files {name}", on_change="rerun")
    if not box.open:
        return
    with box:
        files = {"CSV": (table.to_csv(index=False), "csv"), "LaTeX": (any_table(table), "tex")}
        if exclude is not None:
            files["Exclude list"] = (exclude.to_csv(index=False), "exclude.csv")
        row = st.container(horizontal=True)
        for label, (text, suffix) in files.items():
            row.download_button(label, text, f"{name}.{suffix}", key=f"{suffix} {name}", on_click="ignore")
        if exclude is not None:
            st.caption("The exclude list is only a file: no number here leaves anything out.")


def file_name(name: str) -> str:
    """The name with nothing in it that a file name may not have."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "figure"
