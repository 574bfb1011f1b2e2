"""Parts of the page Matrix: means of domain by domain, and every pair, which moves without running the page again."""

from __future__ import annotations

import streamlit as st

from workbench.app import loading
from workbench.app.components.matrix import matrix
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.text import plain
from workbench.evaluation.runs.run import Run
from workbench.figures import domain_heatmap


def show_domains(run: Run, other: Run | None) -> None:
    """Mean scores of the captions of each domain for the videos of each."""
    means = loading.domain_means(loading.key_of(run), loading.key_of(other) if other else None)
    st.plotly_chart(domain_heatmap(means, difference=other is not None), key="domains")
    said = "Mean score of captions (rows) for videos (columns), in standard deviations (sd) of each caption's scores; "
    if other is None:
        st.caption(said + "how many there are in brackets. Hover: the 95 % interval, clustered by source.")
    else:
        st.caption(
            plain(f"{said}{run.name} minus {other.name}. ")
            + "In brackets: the 95 % interval, clustered by source, holds 0."
        )


@st.fragment
def show_pairs(place: str, run: Run, other: Run | None, order: str, pool: str) -> None:
    """Every pair of caption and video; a click opens the query."""
    view = loading.matrix_view(run.name, other.name if other else "", order)
    clicked = matrix(view, place, order, pool, key="matrix")
    st.caption(
        "Wheel, pinch or + −: zoom. Drag or arrows: move. Click or Enter: open the query (Ctrl: in a new tab). 0: all."
    )
    if clicked:
        values = parameters(corpus=place, run=run.name, other=other.name if other else None, q=clicked)
        st.switch_page(page("query"), query_params=values)
