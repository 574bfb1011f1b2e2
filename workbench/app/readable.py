"""Runs whose files cannot be read: pages leave them out and say why, and show all others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from workbench.app.loading import all_runs, key_of, run_named
from workbench.app.text import plain
from workbench.core.errors import StateError, WorkbenchError
from workbench.core.files import read_table
from workbench.evaluation.runs.run import Run

READ = ("queries", "gallery", "relevance", "metrics", "similarity", "modalities")
"""Parts of a run that are read, or mapped, to see whether they can be."""
COUNTS = ["direction", "id", "n_above", "n_tied", "score_right"]
"""Columns of its table of ranks that are: not the lists, which are large."""


def trouble(name: str) -> str:
    """Why the files of a finished run cannot be read; empty = they can. Looked at again when one is written again."""
    run = run_named(name)
    return _trouble(key_of(run), run)


@st.cache_data(max_entries=512, show_spinner=False)
def _trouble(key: tuple[str, int], _run: Run) -> str:
    try:
        read_table(_run.path / "per_query.parquet", COUNTS)
        for part in READ:
            getattr(_run, part)
    except WorkbenchError as error:
        return str(error)
    return ""


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
