"""The matrix component: tiles from the routes, pan, zoom, borders, right pairs; a click gives the cell back."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench.app.components.assets import asset
from workbench.app.links import address
from workbench.app.looks import AT
from workbench.app.parts.widgets import shown_progress
from workbench.figures.matrix_axes import ORDERS
from workbench.figures.matrix_pyramid import FACTOR, TILE
from workbench.figures.matrix_tiles import RANGES, MatrixView

SCRIPTS = ("address.js", "matrix_tiles.js", "matrix_paint.js", "matrix_overlay.js", "matrix_gestures.js", "matrix.js")


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    js = "\n".join(map(asset, SCRIPTS))
    return st.components.v2.component("workbench_matrix", js=js, css=asset("matrix.css"))


def matrix(view: MatrixView, place: str, order: str, pool: str, key: str) -> str | None:
    """Show a matrix; place and zoom are kept in the address.

    Args:
        view: The matrix; its pooled levels are made if they are not there.
        place: "corpus/split", for the links.
        order: Of its rows and columns.
        pool: ``max`` or ``mean``.
        key: Streamlit's key.

    Returns:
        The caption id of a cell that was just clicked.
    """
    with shown_progress():
        view.build()
    other = view.other.name if view.other else ""
    what = f"Difference of scores, {view.run.name} minus {other}" if other else f"Scores of {view.run.name}"
    data = {
        "run": view.run.name, "other": other, "order": order, "pool": pool, "stamp": view.key,
        "rows": view.shape[0], "columns": view.shape[1], "levels": view.n_levels, "tile": TILE, "factor": FACTOR,
        "borders": view.axes.domains, "limit": view.limit(pool), "ranges": RANGES,
        "at": st.query_params.get(AT, ""),
        "link": address("query", corpus=place, run=view.run.name, other=other),
        "about": (
            f"{what}: {view.shape[0]:,} captions (rows) by {view.shape[1]:,} videos (columns), {ORDERS[order]}. Arrows "
            "move, plus and minus zoom, 0 shows all, Enter opens the query at the middle, p and b switch right pairs "
            "and borders."
        ),
    }  # fmt: skip
    return _component()(data=data, key=key, height="content", on_cell_change=lambda: None).cell
