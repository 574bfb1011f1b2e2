"""Runs whose files cannot be read: pages leave them out and say why, and show all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from workbench.app.loading import corpus_of, finished_runs, key_of, run_named, stamps_of_runs
from workbench.app.text import plain
from workbench.core.errors import StateError
from workbench.evaluation.runs.run import Run
from workbench.evaluation.runs.whole import trouble_of


@dataclass(frozen=True)
class Finished:
    """Finished runs over one corpus and split.

    Attributes:
        table: Those that can be read, as ``loading.finished_runs``; not to be written into.
        why: Why each of the others cannot be read, by name.
        totals: Names in ``table`` whose rows cannot be tied to captions.
    """

    table: pd.DataFrame
    why: Mapping[str, str]
    totals: Sequence[str]


def finished_at(place: str) -> Finished:
    """The finished runs over "corpus/split"; looked at again when one is written again."""
    return _finished_at(place, stamps_of_runs())


@st.cache_resource(max_entries=32, show_spinner=False)
def _finished_at(place: str, stamps: tuple[tuple[str, int], ...]) -> Finished:
    every = finished_runs()
    here = every[every["place"] == place]
    why = {name: said for name in here["name"] if (said := trouble(name))}
    table = here[~here["name"].isin(list(why))].reset_index(drop=True)
    return Finished(table, why, [name for name in table["name"] if run_named(name).totals_only])


def trouble(name: str) -> str:
    """Why the files of a finished run cannot be read; empty = they can. Looked at again when one is written again."""
    run = run_named(name)
    return _trouble(key_of(run), run)


@st.cache_data(max_entries=512, show_spinner=False)
def _trouble(key: tuple[str, int], _run: Run) -> str:
    return trouble_of(_run)


def beside_videos(found: Finished) -> pd.DataFrame:
    """The readable runs whose single queries can be looked at, over a corpus that this workspace holds; maybe none."""
    held = [name for name in found.table["name"] if name not in found.totals and corpus_of(run_named(name)) is not None]
    return found.table[found.table["name"].isin(held)].reset_index(drop=True)


def say_unreadable(found: Finished) -> None:
    """A warning for each run that is left out."""
    for name, why in found.why.items():
        st.warning(f"**{plain(name)}** {plain(f'is left out. {why}')}", icon=":material/warning:")


def per_query_only(found: Finished) -> pd.DataFrame:
    """The readable runs whose rows can be tied to captions; says which are left out.

    Raises:
        StateError: None of them can.
    """
    if found.totals:
        said = f"Without {', '.join(found.totals)}: totals only, their rows cannot be tied to captions."
        st.caption(plain(said))
    if len(found.totals) == len(found.table):
        raise StateError("No run here can be looked at query by query.", "Import one with --row-ids and --col-ids.")
    return found.table[~found.table["name"].isin(list(found.totals))].reset_index(drop=True)
