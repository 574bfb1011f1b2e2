"""Compare: the verdict first; then queries, causes, ablations, what was learned when, and many runs at once."""

import pandas as pd
import streamlit as st

from workbench.app import loading
from workbench.app.failing import say_error
from workbench.app.headings import heading, page_heading
from workbench.app.parts.ablation import show_ablations
from workbench.app.parts.compare import Pair, show_causes, show_learned, show_queries
from workbench.app.parts.many import show_many
from workbench.app.parts.seeds import choose_side, one_of, show_groups, sides_of
from workbench.app.parts.sureness import show_sureness
from workbench.app.parts.sweep import show_sweeps
from workbench.app.parts.widgets import DIRECTIONS, choose, choose_switch, corpus_row, warn_outdated
from workbench.app.text import plain
from workbench.core.errors import StateError, WorkbenchError
from workbench.core.words import number
from workbench.evaluation.metrics.measures import METRICS
from workbench.evaluation.runs.run import Run
from workbench.evaluation.statistics.sides import members

PARTS = {
    "queries": "Queries", "causes": "Causes", "ablations": "Ablations", "training": "Validation ranks",
    "runs": "Many runs", "sure": "How sure",
}  # fmt: skip
SIDES = {"a": "A", "b": "B"}


@st.fragment
def show_part(pair: Pair, runs: pd.DataFrame) -> None:
    """One part, chosen from all of them; another one runs nothing above it again.

    Args:
        pair: What is compared.
        runs: Those of the corpus.
    """
    if pair.outdated:
        st.rerun()  # what stands above is told by the run of before
    part = choose_switch("Show", PARTS, "part")
    try:
        if part == "queries":
            show_queries(pair)
        elif part == "causes":
            show_causes(pair)
        elif part == "ablations":
            show_ablations(pair.a if choose_switch("Of", SIDES, "side") == "a" else pair.b, pair.metric, pair.direction)
            show_sweeps([pair.a, pair.b], pair.direction)
        elif part == "training":
            show_learned(pair)
        elif part == "sure":
            show_sureness(pair)
        else:
            show_many(pair, runs)
    except WorkbenchError as error:
        say_error(error)


page_heading("Compare")
place, runs, pick = corpus_row(5)
if len(runs) < 2:
    raise StateError("Two runs that can be looked at query by query are needed.", "Import a second one.")
sides = sides_of(runs)
with pick[0]:
    side_a = choose_side(sides, runs, "A", "run", first=1)
with pick[1]:
    side_b = choose_side(sides, runs, "B", "other", beside=side_a)
with pick[2]:
    metric = choose("Metric", list(METRICS), "metric", show=lambda name: METRICS[name].heading)
with pick[3]:
    direction = choose_switch("Direction", DIRECTIONS, "direction")
warn_outdated([*members(side_a), *members(side_b)])
if isinstance(side_a, Run) and isinstance(side_b, Run):
    a, b = side_a, side_b
else:
    show_groups(side_a, side_b, metric, direction)
    heading("One seed of each, query by query")
    row = st.columns(4)
    with row[0]:
        a = one_of(side_a, "Seed of A", "seed_a")
    with row[1]:
        b = one_of(side_b, "Seed of B", "seed_b")
keys = loading.key_of(a), loading.key_of(b)
result = loading.comparison(*keys, metric, direction)
with st.container(border=True):
    st.markdown(f"**{plain(result.verdict)}**")
    phi, ten = result.overlap["phi"], result.agreement[result.agreement["k"] <= 10].iloc[-1]
    st.caption(
        plain(
            f"Their first {ten['k']:.0f} have {ten['common']:.1f} of {ten['k']:.0f} items in common; "
            f"phi of their hits: {number(phi, '.2f')}. {result.note}"
        )
    )
pair = Pair(place, a, b, metric, direction, result, keys)
show_part(pair, runs)
