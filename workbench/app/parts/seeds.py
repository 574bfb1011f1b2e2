"""Groups of seeds on the page Compare: chosen like runs, compared by their mean over seeds; one seed shows queries."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from workbench import analysis
from workbench.app import loading
from workbench.app.parts.downloads import show_table
from workbench.app.parts.widgets import choose
from workbench.app.text import plain
from workbench.core.errors import StateError
from workbench.core.words import spread
from workbench.evaluation.metrics.measures import METRICS
from workbench.evaluation.runs.run import Run
from workbench.evaluation.statistics.groups import SeedGroup, SeedSummary, seed_groups, seed_summary
from workbench.evaluation.statistics.sides import members

Side = Run | SeedGroup
Keys = tuple[tuple[str, int], ...]


@st.cache_data(max_entries=16, show_spinner="Comparing …")
def _verdict(a: Keys, b: Keys, metric: str, direction: str, _a: Side, _b: Side) -> str:
    return analysis.compare_many(_a, [_b], metric=metric, direction=direction)[1][0]


@st.cache_data(max_entries=32, show_spinner="Resampling …")
def _summary(side: Keys, metric: str, direction: str, _side: Side) -> SeedSummary:
    return seed_summary(_side, metric, direction)


def _keys(side: Side) -> Keys:
    return tuple(loading.key_of(run) for run in members(side))


def sides_of(runs: pd.DataFrame) -> dict[str, Side]:
    """Everything that can be A or B, by name: the runs, then their groups of seeds; a run's name is never a group's."""
    opened = {name: loading.run_named(name) for name in runs["name"]}
    groups = [one for one in seed_groups(list(opened.values())) if isinstance(one, SeedGroup)]
    return {**{group.name: group for group in groups}, **opened}


def choose_side(
    sides: Mapping[str, Side], runs: pd.DataFrame, label: str, key: str, first: int = 0, beside: Side | None = None
) -> Side:
    """One of them; the best runs come first, groups last.

    Args:
        sides: From ``sides_of``.
        runs: In their order.
        label: Of the widget.
        key: In the address.
        first: Which is shown where nobody chose.
        beside: The other side: what shares a run with it is not offered.

    Raises:
        StateError: Nothing is left to compare with.
    """
    every = [*runs["name"], *(name for name, side in sides.items() if isinstance(side, SeedGroup))]
    names = [name for name in every if beside is None or not same_runs(sides[name], beside)]
    if not names:
        raise StateError("Nothing here can be compared with this group: all runs are seeds of it.", "Choose a run.")
    if st.query_params.get(key) in {*every} - {*names}:
        del st.query_params[key]  # it was chosen before the side beside it was
    return sides[choose(label, names, key, first=first, show=lambda name: _named(sides[name]))]


def _named(side: Side) -> str:
    return f"{side.name} ({len(side.runs)} seeds)" if isinstance(side, SeedGroup) else side.name


def same_runs(a: Side, b: Side) -> bool:
    """Whether a run would be compared with itself."""
    return not {run.name for run in members(a)}.isdisjoint(run.name for run in members(b))


def show_groups(a: Side, b: Side, metric: str, direction: str) -> None:
    """What is compared, the verdict, and mean and spread of both sides."""
    with st.container(border=True):
        st.markdown(f"**{plain(_verdict(_keys(a), _keys(b), metric, direction, a, b))}**")
        said = " with ".join(f"the mean of {_named(one)}" if len(members(one)) > 1 else one.name for one in (b, a))
        st.caption(
            plain(f"Compared is {said}, query by query. The interval says what other queries could have given at these "
                  "seeds; what other seeds gave stands in the table.")
        )  # fmt: skip
        for side in (a, b):
            if isinstance(side, SeedGroup) and side.differ:
                st.warning(plain(f"The runs of {side.name} differ in more than the seed: {', '.join(side.differ)}."))
    chosen = METRICS[metric]
    rows = [(label, side, _summary(_keys(side), metric, direction, side)) for label, side in (("A", a), ("B", b))]
    table = pd.DataFrame({
        "Side": [f"{label}: {side.name}" for label, side, _ in rows],
        "Seeds": [one.n_seeds for *_, one in rows],
        f"Mean {chosen.heading}": [one.mean for *_, one in rows],
        "sd of seeds": [one.sd for *_, one in rows],
        "Lowest seed": [one.low for *_, one in rows],
        "Highest seed": [one.high for *_, one in rows],
        "95 % of queries": [spread(*one.interval, f".{chosen.digits}f") for *_, one in rows],
    })  # fmt: skip
    whole = table.assign(values=[", ".join(f"{value:.6g}" for value in one.values) for *_, one in rows])
    number = st.column_config.NumberColumn(format=f"%.{chosen.digits}f")
    show_table(
        table, f"seeds {a.name} {b.name}", whole=whole, key="spread of seeds", height="content",
        column_config={name: number for name in table if table[name].dtype == float},
    )  # fmt: skip


def one_of(side: Side, label: str, key: str) -> Run:
    """A run to look at query by query: of a group the seed that is chosen."""
    if isinstance(side, Run):
        return side
    names = {run.name: run for run in side.runs}
    return names[choose(label, list(names), key)]
