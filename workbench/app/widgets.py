"""Widgets that several pages share. Each is bound to the address and remembered from page to page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from workbench.app.loading import all_runs, run_named
from workbench.app.text import plain
from workbench.core.errors import StateError
from workbench.evaluation.runs import Run

DIRECTIONS = {"t2v": "text → video", "v2t": "video → text"}
HELP_BRING = "Bring one with: workbench import sim.npy --corpus NAME --name NAME"


def choose(label: str, options: Sequence[str], key: str, *, show: Callable[[str], str] = str, first: int = 0) -> str:
    """One of several names; the choice stands in the address and is kept on other pages."""
    remembered = st.session_state.get(f"last {key}")
    index = options.index(remembered) if remembered in options else min(first, len(options) - 1)
    value = st.selectbox(label, options, index=index, key=key, format_func=show, bind="query-params")
    st.session_state[f"last {key}"] = value
    return str(value)


def choose_switch(label: str, options: dict[str, str], key: str) -> str:
    """One of two or three, side by side; ``options`` maps values to labels."""
    values = list(options)
    remembered = st.session_state.get(f"last {key}")
    default = remembered if remembered in values else values[0]
    value = st.segmented_control(
        label,
        values,
        default=default,
        key=key,
        format_func=lambda one: options[one],
        required=True,
        bind="query-params",
    )
    st.session_state[f"last {key}"] = value
    return str(value or default)


def choose_corpus() -> tuple[str, pd.DataFrame]:
    """A corpus and split that have finished runs; returns "name/split" and its runs, best first.

    Raises:
        StateError: There is no finished run.
    """
    table = all_runs()
    done = table[table["state"] == "finished"].sort_values("t2v_r1", ascending=False)
    if done.empty:
        raise StateError("No run is finished yet.", HELP_BRING)
    done = done.assign(place=done["corpus"] + "/" + done["split"])
    chosen = choose("Corpus / split", list(dict.fromkeys(done["place"])), "corpus")
    return chosen, done[done["place"] == chosen].reset_index(drop=True)


def choose_run(runs: pd.DataFrame, label: str = "Run", key: str = "run", first: int = 0) -> Run:
    """One of these runs."""
    return run_named(choose(label, runs["name"].to_list(), key, first=first))


def per_query_only(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs whose rows can be tied to captions; says which are left out.

    Raises:
        StateError: None of them can.
    """
    able = [not run_named(name).totals_only for name in runs["name"]]
    left_out = runs["name"][[not one for one in able]]
    if len(left_out):
        st.caption(plain(f"Without {', '.join(left_out)}: totals only, their rows cannot be tied to captions."))
    if not any(able):
        raise StateError("No run here can be looked at query by query.", "Import one with --row-ids and --col-ids.")
    return runs[able].reset_index(drop=True)
