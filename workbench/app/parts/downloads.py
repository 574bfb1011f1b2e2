"""The one way to show a chart or a table: whatever is shown can be taken along as files, and charts as code.

Charts give PDF and SVG, tables CSV and LaTeX. ``tests/app/test_downloads.py`` holds that nothing else draws either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from workbench.app.text import plain
from workbench.core.errors import WorkbenchError
from workbench.evaluation.runs.run import Run
from workbench.figures.code import as_code
from workbench.figures.export import FORMATS, export_figure, unknown_signs
from workbench.figures.paper import COLUMN, PAGE
from workbench.pipelines.exchange.latex import any_table

WIDTHS = {COLUMN: f"one column ({COLUMN} in)", PAGE: f"whole page ({PAGE} in)"}


def show_chart(
    figure: go.Figure, name: str, *, key: str, alt: str, code: str, table: pd.DataFrame | None = None,
    select: bool = False, runs: Mapping[str, str] | None = None,
) -> Any:  # fmt: skip
    """A chart, and below it the box that gives it as files and as code.

    Args:
        figure: A chart of ``workbench.figures``.
        name: Of the files, without suffix; on a page each has its own.
        key: Of the widget.
        alt: What the chart shows, for who cannot see it.
        code: What makes the figure, for ``figures.code.as_code``.
        table: Its numbers, offered as CSV and LaTeX.
        select: A click on a point runs the page again.
        runs: Names of runs by the variables that ``code`` uses.

    Returns:
        What is selected, as ``st.plotly_chart`` gives it.
    """
    mode: Any = "rerun" if select else "ignore"  # one overload of Streamlit each
    event = st.plotly_chart(figure, key=key, alt=alt, on_select=mode, selection_mode="points")
    downloads(name, figure=figure, table=table, code=code, runs=runs)
    return event


def show_table(
    shown: pd.DataFrame, name: str, *, whole: pd.DataFrame | None = None, exclude: pd.DataFrame | None = None,
    **look: Any,
) -> Any:  # fmt: skip
    """A table, and below it the box that gives all of its rows as files.

    Args:
        shown: The table.
        name: Of the files, without suffix; on a page each has its own.
        whole: What the files hold, where that is more than what is shown.
        exclude: Captions and videos that one may want to leave out; nothing here ever does it.
        **look: For ``st.dataframe``.

    Returns:
        What is selected, as ``st.dataframe`` gives it.
    """
    event = st.dataframe(shown, hide_index=True, **look)
    downloads(name, table=shown if whole is None else whole, exclude=exclude)
    return event


@dataclass(frozen=True)
class _Offer:
    """What a box gives: see ``downloads``."""

    figure: Any = None
    table: pd.DataFrame | None = None
    exclude: pd.DataFrame | None = None
    says: str = ""
    code: str = ""
    runs: Mapping[str, str] = field(default_factory=dict)


def downloads(
    name: str, *, figure: Any = None, table: pd.DataFrame | None = None, exclude: pd.DataFrame | None = None,
    says: str = "", code: str = "", runs: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """A box with what is shown above it as files and as code; a file is made when its button is clicked.

    Args:
        name: Of the files, without suffix; on a page each has its own.
        figure: A chart; or a function that draws a figure of matplotlib, of a width in inches.
        table: All rows of a table.
        exclude: A list to exclude, as a file.
        says: Text from data that such a function draws.
        code: What makes the figure, for ``figures.code.as_code``; empty = there is no figure.
        runs: Names of runs by the variables that ``code`` uses.
    """
    _box(file_name(name), _Offer(figure, table, exclude, says, code, runs or {}))


@st.fragment
def _box(name: str, offer: _Offer) -> None:
    box = st.popover("Download", type="tertiary", icon=":material/download:", key=f"files {name}", on_change="rerun")
    if not box.open:
        return
    with box:
        try:
            _files(name, offer)
        except WorkbenchError as error:
            st.error(plain(error))
        if offer.code:
            st.code(as_code(offer.code, name, **offer.runs), language="python")


def _files(name: str, offer: _Offer) -> None:
    made: dict[str, tuple[Callable[[], bytes | str], str]] = {}
    if offer.figure is not None:
        width = st.segmented_control(
            "Width", list(WIDTHS), default=COLUMN, format_func=WIDTHS.__getitem__, required=True, key=f"width {name}"
        )
        made |= {one.upper(): (partial(_drawn, offer.figure, one, width), one) for one in FORMATS}
    if offer.table is not None:
        made |= {"CSV": (partial(_csv, offer.table), "csv"), "LaTeX": (partial(any_table, offer.table), "tex")}
    if offer.exclude is not None:
        made["Exclude list"] = partial(_csv, offer.exclude), "exclude.csv"
    row = st.container(horizontal=True)
    for label, (make, suffix) in made.items():
        row.download_button(
            label, make, f"{name}.{suffix}", FORMATS.get(suffix, "text/plain"), key=f"{suffix} {name}",
            on_click="ignore",
        )  # fmt: skip
    if note := unknown_signs(offer.figure if isinstance(offer.figure, go.Figure) else offer.says):
        st.caption(plain(note))
    if offer.exclude is not None:
        st.caption("The exclude list is only a file: no number here leaves anything out.")


def _drawn(figure: Any, format: str, width: float) -> bytes:
    return export_figure(figure(width) if callable(figure) else figure, format, width=width).data


def _csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False)


def numbered(runs: Sequence[Run]) -> dict[str, str]:
    """Variables for the code of a figure of several runs: their names by ``run_0``, ``run_1`` ..."""
    return {f"run_{at}": run.name for at, run in enumerate(runs)}


def file_name(name: str) -> str:
    """The name with nothing in it that a file name may not have."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "figure"
