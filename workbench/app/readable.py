"""Runs whose files cannot be read: pages leave them out and say why, and show all others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from workbench.app.loading import all_runs, key_of, run_named
from workbench.app.text import plain
from workbench.core.errors import StateError
from workbench.evaluation.runs.run import Run
from workbench.evaluation.runs.whole import trouble_of


def trouble(name: str) -> str:
    """Why the files of a finished run cannot be read; empty = they can. Looked at again when one is written again."""
    run = run_named(name)
    return _trouble(key_of(run), run)


@st.cache_data(max_entries=512, show_spinner=False)
def _trouble(key: tuple[str, int], _run: Run) -> str:
    return trouble_of(_run)


def readable(runs: pd.DataFrame, *, needed: bool = True) -> pd.DataFrame:
    """The runs that can be read.

    Args:
        runs: Finished ones.
        needed: The page shows nothing without any.

    Raises:
        StateError: One is needed, and none can be read.
    """
    why = [trouble(name) for name in runs["name"]]
    if needed and all(why):
        raise StateError("No run here can be read.", why[0])
    return runs[np.asarray([not one for one in why], bool)].reset_index(drop=True)


def say_unreadable(place: str) -> None:
    """A warning for each finished run over "corpus/split" that is left out."""
    table = all_runs()
    here = table[(table["state"] == "finished") & (table["corpus"] + "/" + table["split"] == place)]
    for name in here["name"]:
        if why := trouble(name):
            st.warning(f"**{plain(name)}** {plain(f'is left out. {why}')}", icon=":material/warning:")
