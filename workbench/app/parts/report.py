"""What the page Report shows: what a report would hold, the report as files, and the check of an old one."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from workbench.analysis.case import query_near
from workbench.analysis.reports.data import MOST_CASES, WAYS
from workbench.analysis.reports.lock import Difference, check_lock, read_lock
from workbench.app import loading
from workbench.app.limits import Limits, keywords, limits
from workbench.app.parts.downloads import file_name, show_table
from workbench.app.parts.tag import Desk, annotator
from workbench.app.text import plain
from workbench.core.errors import WorkbenchError
from workbench.core.words import counted
from workbench.evaluation.runs.notes import notes_file
from workbench.evaluation.runs.run import Run
from workbench.figures.report.writing import Report, make_report

Key = loading.CausesKey
MOST_LOCK = 20
"""Megabytes of a lock file that is read."""


@dataclass(frozen=True)
class Wanted:
    """The report that is asked for: the arguments of ``make_report``."""

    run: Run
    other: Run | None
    direction: str
    k: int
    cases: tuple[str, ...] | None


@st.cache_data(max_entries=4, show_spinner="Making the report …")
def made_report(run: Key, other: Key | None, direction: str, k: int, cases: tuple[str, ...] | None, changed: Limits,
                notes: int, _run: Run, _other: Run | None) -> Report:  # fmt: skip
    """``make_report`` of one or two runs."""
    return make_report(_run, _other, direction=direction, k=k, cases=cases, **keywords(changed))


def asked_cases(run: Run, direction: str) -> tuple[str, ...] | None:
    """The queries to show, one a line; they stand in the address. None = those that changed most.

    Ids of the other direction become the video of that caption, or the first caption of that video.
    """
    _take_bookmarks(run, direction)
    text = st.query_params.get("cases", "")
    if found := _lines(text)[:MOST_CASES]:
        near = [query_near(run, one, direction) or one for one in found]
        if near != found:
            text = st.query_params["cases"] = "\n".join(dict.fromkeys([*near, *_lines(text)[MOST_CASES:]]))
    st.session_state["write cases"] = text

    def changed() -> None:
        st.query_params["cases"] = st.session_state["write cases"]

    text = st.text_area(
        f"Cases: {WAYS[direction].query} ids, one a line", key="write cases", on_change=changed, height=110,
        placeholder="Empty: the queries that changed most, or the worst failures of one run",
    )  # fmt: skip
    return tuple(_lines(text)) or None


def _lines(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _take_bookmarks(run: Run, direction: str) -> None:
    """Who one is, and a button that makes one's bookmarks of a direction the cases."""
    left, right = st.columns([2, 5], vertical_alignment="bottom")
    with left:
        who = annotator()
    marked = set(Desk.of(run, direction, who).bookmarks()) if who else set()
    mine = [query for query in run.per(direction)["id"] if query in marked]
    with right:
        if st.button("Take my bookmarks", disabled=not mine, icon=":material/bookmark:"):
            st.query_params["cases"] = "\n".join(mine[:MOST_CASES])
        if who:
            more = f" The first {MOST_CASES} are taken." if len(mine) > MOST_CASES else ""
            st.caption(f"{counted(len(mine), WAYS[direction].query)} of this run bookmarked by you.{more}")


def show_report(wanted: Wanted) -> None:
    """Make the report and offer its files."""
    run, other, direction = wanted.run, wanted.other, wanted.direction
    other_key = None if other is None else loading.key_of_causes(other)
    notes = notes_file(run.corpus_name)
    said = notes.stat().st_mtime_ns if notes.exists() else 0
    key = loading.key_of_causes(run), other_key, direction, wanted.k, wanted.cases, limits(), said
    if st.button("Make the report", type="primary", icon=":material/description:"):
        st.session_state["report made"] = key
    if st.session_state.get("report made") != key:
        st.caption(
            "One HTML file with the verdict, all numbers with their intervals, domains, causes, hubs and cases with "
            "their pictures. It needs no network and can be mailed."
        )
        return
    made = made_report(*key, run, other)
    names = ["report", run.name, other.name if other else "", direction if direction != "t2v" else ""]
    name = file_name(" ".join(filter(None, names)))
    with st.container(border=True):
        numbers = made.lock["numbers"]
        st.caption(f"{made.n_bytes / 1e6:.1f} MB, {len(numbers):,} numbers, "
                   f"{counted(len(made.lock['options']['cases']), 'case')}")  # fmt: skip
        row = st.container(horizontal=True)
        row.download_button(
            "Report (HTML)", made.html, f"{name}.html", "text/html", key="report html", on_click="ignore"
        )
        text = json.dumps(made.lock, indent=2, ensure_ascii=False, allow_nan=False)
        row.download_button(
            "Lock file", text, f"{name}.lock.json", "application/json", key="report lock", on_click="ignore",
            help="Hashes of runs and corpus, thresholds, versions, and every number of the report.",
        )  # fmt: skip
    st.code(f"workbench report --check {name}.lock.json", language=None)


def show_check() -> None:
    """Check a lock file against the runs as they are now."""
    given = st.file_uploader("A lock file", type="json", key="lock", max_upload_size=MOST_LOCK)
    if given is None:
        st.caption("Months later: drop a report's lock file here to see whether its numbers still hold.")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.lock.json"
        path.write_bytes(given.getvalue())
        try:
            lock = read_lock(path)
            with st.spinner("Computing every number again …"):
                found = check_lock(lock)
        except WorkbenchError as error:
            st.error(plain(str(error).replace(str(path), given.name)))
            return
    _show_differences(found, len(lock["numbers"]))


def _show_differences(found: list[Difference], n_numbers: int) -> None:
    serious = [one for one in found if one.serious]
    if not serious:
        st.success(f"All {n_numbers:,} numbers are as they were reported.", icon=":material/verified:")
    else:
        many = counted(len(serious), "thing is not as it was", "things are not as they were")
        st.error(f"{many}.", icon=":material/difference:")
    if found:
        table = pd.DataFrame({"Kind": [one.kind for one in found], "Difference": [one.sentence for one in found]})
        show_table(table.head(50), "differences", whole=table, key="differences")
        if len(table) > 50:
            st.caption(f"The first 50 of {len(table):,}; the download holds all.")
