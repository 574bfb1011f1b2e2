"""The matrix component: tiles from the routes, pan, zoom, borders, diagonal; a click gives the cell back."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import streamlit as st

from workbench.app.widgets import shown_progress
from workbench.corpus import domain_label
from workbench.figures.matrix_tiles import FACTOR, TILE, MatrixView


def _asset(name: str) -> str:
    return files("workbench.app.components").joinpath(name).read_text(encoding="utf-8")


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component("workbench_matrix", js=_asset("matrix.js"), css=_asset("matrix.css"))


def matrix(view: MatrixView, pool: str, key: str) -> str | None:
    """Show a matrix; returns the caption id of a cell that was just clicked.

    Args:
        view: The matrix; its pooled levels are made if they are not there.
        pool: ``max`` or ``mean``.
        key: Streamlit's key; the same key keeps place and zoom.
    """
    with shown_progress():
        view.build()
    borders = [{**border, "label": domain_label(str(border["domain"]))} for border in view.borders]
    data = {
        "run": view.run.name, "other": view.other.name if view.other else "", "pool": pool, "levels": view.n_levels,
        "rows": view.shape[0], "columns": view.shape[1], "tile": TILE, "factor": FACTOR, "borders": borders,
        "stamp": view.folder.name,
    }  # fmt: skip
    result = _component()(data=data, key=key, height=660, on_cell_change=lambda: None)
    return result.cell
