"""Report: one HTML file that can be mailed, and a lock file by which it can be checked months later."""

import streamlit as st

from workbench.analysis.reports.data import stated
from workbench.app import loading
from workbench.app.headings import heading, page_heading
from workbench.app.parts.report import Wanted, asked_cases, show_check, show_report
from workbench.app.parts.widgets import DIRECTIONS, choose, choose_run, choose_switch, corpus_row
from workbench.app.text import plain

ALONE = "(alone)"

page_heading("Report")
place, runs, pick = corpus_row(5)
with pick[0]:
    run = choose_run(runs)
with pick[1]:
    compared = choose("Compared with", [ALONE, *(name for name in runs["name"] if name != run.name)], "against")
with pick[2]:
    direction = choose_switch("Direction", DIRECTIONS, "direction")
with pick[3]:
    k = int(choose("Fails when rank >", ["1", "5", "10", "50"], "k"))
other = None if compared == ALONE else loading.run_named(compared)
with st.container(border=True):
    pair = loading.comparison(loading.key_of(run), loading.key_of(other), "r1", direction) if other else None
    st.markdown(f"**{plain(stated(run, pair, direction))}**")
    said = f"Every difference in the report is {other.name} minus {run.name}." if other else (
        "Reported alone, compared with no other run."
    )  # fmt: skip
    st.caption(plain(said))
show_report(Wanted(run, other, direction, k, asked_cases(run, direction)))
heading("Check a report")
show_check()
