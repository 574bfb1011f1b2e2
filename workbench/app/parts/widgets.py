"""Widgets that several pages share. Each stands in the address and is remembered from page to page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench.app.links import WORDS_OF, write_address
from workbench.app.loading import engines, finished_runs, outdated, places, run_named
from workbench.app.looks import SECONDS
from workbench.app.readable import Finished, finished_at, per_query_only, say_unreadable
from workbench.app.text import plain
from workbench.core.errors import StateError
from workbench.core.progress import CallbackSink, use_sink
from workbench.corpus import Corpus
from workbench.corpus.engines import TRUTH
from workbench.evaluation.runs.run import Run

DIRECTIONS = {"t2v": "text → video", "v2t": "video → text"}
DETAILS = ("video", "page", *SECONDS)
"""Keys of what is open on a page; another choice closes it."""
WIDGET = 210
"""Least pixels of a widget in a row: the directions fit."""
HALF = 440
"""Least pixels of a chart or a list beside another one."""
HELP_BRING = "Bring one with: workbench import sim.npy --corpus NAME --name NAME"


def _from_address(
    key: str, options: Sequence[str], first: int, closes: Sequence[str]
) -> tuple[str, Callable[[], None]]:
    """The value to show: the address', else the one last chosen, else the first; and what a change does.

    The address is written by hand because Streamlit's bound widgets leave a default value out of it, and a link must
    say everything that its page shows.
    """
    asked = st.query_params.get(key)
    if asked is not None and asked not in options:
        st.warning(plain(f"There is no {key} called {asked} here; another one is shown."))
    wanted = [one for one in (asked, st.session_state.get(f"last {key}")) if one in options]
    value = str(wanted[0]) if wanted else options[min(first, len(options) - 1)]
    st.session_state[f"choose {key}"] = value

    def changed() -> None:
        if st.session_state[f"choose {key}"] is not None:
            st.query_params[key] = st.session_state[f"choose {key}"]
            for name in {*closes} & {*st.query_params}:
                del st.query_params[name]

    return value, changed


def _keep(key: str, value: str) -> str:
    """Write a choice into the address and remember it for other pages."""
    st.session_state[f"last {key}"] = value
    write_address(key, value)
    return value


def choose(
    label: str, options: Sequence[str], key: str, *, show: Callable[[str], str] = str, first: int = 0,
    closes: Sequence[str] = DETAILS,
) -> str:  # fmt: skip
    """One of several names; the choice stands in the address and is kept on other pages.

    Args:
        label: Of the widget.
        options: The names.
        key: In the address.
        show: What the widget shows for a name.
        first: Which is shown where neither the address nor an earlier choice says.
        closes: Keys that a change takes out of the address.
    """
    value, changed = _from_address(key, options, first, closes)
    chosen = st.selectbox(label, options, key=f"choose {key}", format_func=show, on_change=changed)
    return _keep(key, str(chosen or value))


def choose_switch(label: str, options: dict[str, str], key: str) -> str:
    """One of two or three, side by side; ``options`` maps values to labels."""
    value, changed = _from_address(key, list(options), 0, DETAILS)
    chosen = st.segmented_control(
        label, list(options), key=f"choose {key}", format_func=options.__getitem__, required=True, on_change=changed
    )
    return _keep(key, str(chosen or value))


def choose_toggle(label: str, key: str, help: str | None = None) -> bool:
    """Yes or no; yes stands in the address as ``1``, no leaves it out."""
    st.session_state[f"choose {key}"] = st.query_params.get(key) == "1"

    def changed() -> None:
        if st.session_state[f"choose {key}"]:
            st.query_params[key] = "1"
        elif key in st.query_params:
            del st.query_params[key]

    return st.toggle(label, key=f"choose {key}", help=help, on_change=changed)


def choose_several(label: str, options: Mapping[str, str], key: str, first: Sequence[str]) -> list[str]:
    """Some of several names, in the order chosen; they stand in the address, joined by commas.

    Args:
        label: Of the widget.
        options: What the widget shows, by name.
        key: In the address.
        first: Those shown where neither the address nor an earlier choice says, or where none is left.
    """
    asked = str(st.query_params.get(key, st.session_state.get(f"last {key}", ""))).split(",")
    known = [one for one in dict.fromkeys(asked) if one in options]
    st.session_state[f"choose {key}"] = known or list(first)

    def changed() -> None:
        said = ",".join(st.session_state[f"choose {key}"])
        st.session_state[f"last {key}"] = said
        if said:
            st.query_params[key] = said
        else:
            st.query_params.pop(key, None)

    chosen = st.multiselect(
        label, list(options), key=f"choose {key}", format_func=options.__getitem__, on_change=changed
    )
    found = chosen or list(first)
    if found:
        _keep(key, ",".join(found))
    else:
        st.session_state[f"last {key}"] = ""
        st.query_params.pop(key, None)
    return found


def choose_corpus() -> tuple[str, Finished]:
    """A corpus and split that have finished runs: "name/split", and those runs.

    Raises:
        StateError: There is no finished run, or none of these can be read.
    """
    options = list(dict.fromkeys(finished_runs()["place"]))
    if not options:
        raise StateError("No run is finished yet.", HELP_BRING)
    chosen = choose("Corpus / split", options, "corpus", closes=(*DETAILS, "domain", "q"))
    found = finished_at(chosen)
    if found.table.empty:
        raise StateError("No run here can be read.", next(iter(found.why.values())))
    return chosen, found


def choose_place(*, whole: bool = False) -> str:
    """A corpus of the workspace, with or without runs: "name/split", or "name" for all splits together.

    Args:
        whole: Show a whole corpus first, not a split that has runs.

    Raises:
        StateError: There is no corpus.
    """
    options = places()
    if not options:
        raise StateError("There is no corpus yet.", "Make the demo: workbench demo. Or: workbench data prepare --help")
    first = next((at for at, one in enumerate(options) if "/" not in one), 0) if whole else 0
    return choose(
        "Corpus / split", options, "corpus", first=first, closes=(*DETAILS, "domain"),
        show=lambda one: one if "/" in one else f"{one} (all splits)",
    )  # fmt: skip


def choose_engine(corpus: Corpus) -> str | None:
    """Whose words are shown; None where the corpus has one engine or none, so that there is nothing to choose."""
    known = engines(corpus)
    if len(known) < 2:
        return None
    chosen = choose(
        "Words of", known, "engine", closes=(), show=lambda one: "truth (what was written)" if one == TRUTH else one
    )
    st.session_state[WORDS_OF] = corpus.name, chosen
    return chosen


def write(label: str, key: str, placeholder: str = "", closes: Sequence[str] = DETAILS) -> str:
    """A line of text that stands in the address; a change takes the keys of ``closes`` out of it."""
    st.session_state[f"write {key}"] = st.query_params.get(key, "")

    def changed() -> None:
        st.query_params[key] = st.session_state[f"write {key}"]
        for name in {*closes} & {*st.query_params}:
            del st.query_params[name]

    return st.text_input(label, key=f"write {key}", on_change=changed, placeholder=placeholder).strip()


@contextmanager
def shown_progress() -> Iterator[None]:
    """A bar on the page for long work inside the block; it goes away when the work is done."""
    place = st.empty()

    def report(label: str, done: float, total: float | None, unit: str) -> None:
        said = f"{done:,.0f} of {total:,.0f} {unit}" if total else f"{done:,.0f} {unit}"
        place.progress(min(1.0, done / total) if total else 0.0, text=plain(f"{label}: {said}"))

    with use_sink(CallbackSink(report)):
        yield
    place.empty()


def widget_row(n: int, least: int = WIDGET) -> list[DeltaGenerator]:
    """Places for so many widgets side by side; on a narrow screen they go on in the next line, and none is cut.

    Args:
        n: Places.
        least: Pixels of each.
    """
    grid = st.grid(n, min_column_width=least)
    return [grid.cell() for _ in range(n)]


@st.fragment
def folded(label: str, show: Callable[[], object], *, key: str, icon: str | None = None) -> None:
    """A part that is folded away. It is made when it is opened: what nobody looks at makes no click on a page slower.

    Args:
        label: Of the fold.
        show: Draws what is in it.
        key: Of the fold; on a page each has its own.
        icon: Before the label.
    """
    fold = st.expander(label, key=f"fold {key}", icon=icon, on_change="rerun")
    if fold.open:
        with fold:
            show()


def halves() -> list[DeltaGenerator]:
    """Two places for charts or lists side by side; below each other on a narrow screen."""
    grid = st.grid(2, min_column_width=HALF, gap="medium")
    return [grid.cell() for _ in range(2)]


def corpus_row(n: int) -> tuple[str, pd.DataFrame, list[DeltaGenerator]]:
    """The first row of a page about single queries: the corpus, and places for what the page adds.

    Args:
        n: Places, that of the corpus included.

    Returns:
        "name/split", its runs that can be looked at query by query (best first), the remaining places.
    """
    places = widget_row(n)
    with places[0]:
        place, found = choose_corpus()
    say_unreadable(found)
    return place, per_query_only(found), places[1:]


def choose_run(runs: pd.DataFrame, label: str = "Run", key: str = "run", first: int = 0) -> Run:
    """One of these runs."""
    run = run_named(choose(label, runs["name"].to_list(), key, first=first))
    warn_outdated([run])
    return run


def warn_outdated(runs: Sequence[Run]) -> None:
    """A warning for each run whose matrix is another one than its ranks were counted in."""
    for run in runs:
        if outdated(run):
            st.warning(
                plain(
                    f"Scores of {run.name} changed after its ranks were made. Make the run again: workbench import "
                    f"similarity.npy --corpus {run.corpus_name} --split {run.split} --name {run.name} --overwrite"
                ),
                icon=":material/warning:",
            )
