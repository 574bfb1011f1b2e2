"""Parts of the page Matrix: means of domain by domain, and every pair, which moves without running the page again."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from workbench.app import loading
from workbench.app.components.matrix import matrix
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.downloads import downloads, show_chart
from workbench.app.text import extremes, plain
from workbench.core.words import counted
from workbench.evaluation.runs.run import Run
from workbench.figures import domain_heatmap, matrix_picture


def show_domains(run: Run, other: Run | None, order: str) -> None:
    """Mean scores of the captions of each domain for the videos of each."""
    with st.spinner("Averaging …"):
        means = loading.matrix_view(run.name, other.name if other else "", order).domain_means
    if said := strongest(means):
        of = "Mean scores" if other is None else f"Means of {run.name} − {other.name}"
        st.markdown(plain(f"{of}: {said}"))
    runs = {"run": run.name, **({} if other is None else {"other": other.name})}
    made = f"analysis.domain_means({', '.join(runs)})"
    pairs = means["label"] + " for " + means["video_label"]
    show_chart(
        domain_heatmap(means, difference=other is not None), f"domains {' '.join(runs.values())}", key="domains",
        table=means,
        alt=extremes("Mean score of a domain's captions for a domain's videos, in sd", pairs, means["mean"], "+.2f"),
        code=f"figures.domain_heatmap({made}, difference={other is not None})", runs=runs,
    )  # fmt: skip
    said = "Mean score of captions (rows) for videos (columns), in standard deviations (sd) of each caption's scores; "
    if other is None:
        st.caption(said + "how many there are in brackets. Hover: the 95 % interval, clustered by source.")
    else:
        st.caption(
            plain(f"{said}{run.name} minus {other.name}. ")
            + "In brackets: the 95 % interval, clustered by source, holds 0."
        )
    if unknown := int(run.gallery["domain"].isna().sum()):
        st.caption(f"Left out here: {counted(unknown, 'video')} whose domain is not stated.")


def strongest(means: pd.DataFrame) -> str:
    """The means that one looks for first: the weakest domain for its own videos, and the strongest confusion of two.

    Args:
        means: From ``analysis.domain_means``, of a run or of a difference.
    """
    known = means[means["mean"].notna()].sort_values("mean", kind="stable")
    own = known["domain"] == known["video_domain"]
    if not own.any() or own.all():
        return ""
    least, most = known[own].iloc[0], known[~own].iloc[-1]
    return (
        f"for videos of their own domain captions of {least['label']} stand lowest ({least['mean']:+.2f} sd), for "
        f"videos of another one those of {most['label']} highest ({most['video_label']}, {most['mean']:+.2f} sd)."
    )


@st.fragment
def show_pairs(place: str, run: Run, other: Run | None, order: str, pool: str) -> None:
    """Every pair of caption and video; a click opens the query."""
    view = loading.matrix_view(run.name, other.name if other else "", order)
    clicked = matrix(view, place, order, pool, key="matrix")
    st.caption(
        "Wheel, pinch or + −: zoom. Drag or arrows: move. Click or Enter: open the query (Ctrl: in a new tab). 0: all."
    )
    runs = {"run": run.name, **({} if other is None else {"other": other.name})}
    seen = f'figures.MatrixView(run, {"other" if other else None}, workspace().cache, "{order}")'
    downloads(
        f"matrix {' '.join(runs.values())}", figure=partial(matrix_picture, view, pool),
        code=f'figures.matrix_picture({seen}, "{pool}")', runs=runs,
    )  # fmt: skip
    if clicked:
        values = parameters(corpus=place, run=run.name, other=other.name if other else None, q=clicked)
        st.switch_page(page("query"), query_params=values)
