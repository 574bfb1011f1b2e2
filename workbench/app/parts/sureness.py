"""What the page Compare shows of how sure two runs may be: the reliability diagram, and risk over coverage."""

from __future__ import annotations

import streamlit as st

from workbench import figures
from workbench.analysis import calibration
from workbench.analysis.calibration import Calibration
from workbench.app import loading
from workbench.app.headings import heading
from workbench.app.parts.compare import Pair
from workbench.app.parts.downloads import show_chart
from workbench.app.parts.widgets import halves
from workbench.app.text import extremes, plain
from workbench.evaluation.runs.run import Run


@st.cache_resource(max_entries=16, show_spinner="Fitting temperatures …")
def _calibration(key: tuple[str, int], direction: str, _run: Run) -> Calibration:
    return calibration(_run, direction)


def show_sureness(pair: Pair) -> None:
    """Whether confidence and margin of both runs say which answers are right."""
    runs = {"a": pair.a, "b": pair.b}
    found = [_calibration(loading.key_of(run), pair.direction, run) for run in runs.values()]
    every = ", ".join(f'analysis.calibration({one}, "{pair.direction}")' for one in runs)
    names = {one: run.name for one, run in runs.items()}
    left, right = halves()
    with left:
        heading("Is the confidence true?")
        show_chart(
            figures.reliability_diagram(found), f"reliability {pair.a.name} {pair.b.name}", key="reliability",
            alt=extremes("Points that confidence is off by", names.values(), [100 * one.error for one in found]),
            code=f"figures.reliability_diagram([{every}])", runs=names,
        )  # fmt: skip
    with right:
        heading("What may be left unanswered?")
        show_chart(
            figures.risk_coverage(found), f"risk {pair.a.name} {pair.b.name}", key="risk",
            alt=extremes("Mean risk over all coverages, %", names.values(), [100 * one.risk_area for one in found]),
            code=f"figures.risk_coverage([{every}])", runs=names,
        )  # fmt: skip
    for one in found:
        st.caption(plain(
            f"{one.run}: confidence is {100 * one.error:.1f} points off on average; mean risk over all coverages "
            f"{100 * one.risk_area:.1f} %."
        ))  # fmt: skip
    st.caption(
        "Confidence: softmax of the scores at a temperature fitted on other sources. Margin: first minus second score, "
        "in standard deviations of the query's scores. Neither carries over to another collection."
    )
