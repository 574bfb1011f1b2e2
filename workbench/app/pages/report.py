"""Report: one HTML file that can be mailed, and a lock file by which it can be checked months later."""

import streamlit as st

from workbench.analysis.reports.data import stated_alone
from workbench.app import loading
from workbench.app.parts.report import asked_cases, show_check, show_report
from workbench.app.parts.widgets import choose, choose_run, corpus_row
from workbench.app.text import plain

ALONE = "(alone)"

st.title("Report")
place, runs, pick = corpus_row(4)
with pick[0]:
    run = choose_run(runs)
with pick[1]:
    compared = choose("Compared with", [ALONE, *(name for name in runs["name"] if name != run.name)], "against")
with pick[2]:
    k = int(choose("Fails when rank >", ["1", "5", "10", "50"], "k"))
other = None if compared == ALONE else loading.run_named(compared)
with st.container(border=True):
    if other is None:
        st.markdown(f"**{plain(stated_alone(run))}**")
        st.caption("Reported alone, compared with no other run.")
    else:
        st.markdown(f"**{plain(loading.comparison(loading.key_of(run), loading.key_of(other), 'r1', 't2v').verdict)}**")
        st.caption(plain(f"Every difference in the report is {other.name} minus {run.name}."))
show_report(run, other, k, asked_cases(run))
st.header("Check a report")
show_check()
