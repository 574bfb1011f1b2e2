"""Failures: what each cause costs, then the failed queries to filter, sort, tag and bookmark, one of them open."""

import streamlit as st

from workbench.analysis import coverage
from workbench.app.failing import warn_damaged
from workbench.app.headings import page_heading
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.failed import show_failed
from workbench.app.parts.failure import (
    OF_LIST,
    Shown,
    choose_others,
    choose_parts,
    show_gains,
    show_meaning,
)
from workbench.app.parts.funnel import show_funnel
from workbench.app.parts.tag import Desk, annotator
from workbench.app.parts.widgets import DIRECTIONS, choose, choose_run, choose_switch, corpus_row
from workbench.core.words import counted
from workbench.evaluation.runs.notes import damaged_notes

page_heading("Failures")
place, runs, pick = corpus_row(5)
warn_damaged(damaged_notes(place.partition("/")[0]))
with pick[0]:
    run = choose_run(runs)
with pick[1]:
    direction = choose_switch("Direction", DIRECTIONS, "direction")
with pick[2]:
    k = int(choose("Fails when rank >", ["1", "5", "10", "50"], "k"))
with pick[3]:
    who = annotator()
second = st.columns([5, 3, 2, 2], vertical_alignment="bottom")
with second[0]:
    others = choose_others(run, runs)
shown = Shown(place, run, direction, k, Desk.of(run, direction, who), others)
failed = shown.failed()
total = len(run.per(direction))
if failed.empty:
    st.success(f"None of {counted(total, 'query')} fails at rank {k}.")
    st.stop()
here = parameters(corpus=place, run=run.name, direction=direction, k=k)
second[2].page_link(page("thresholds"), label="Thresholds", icon=":material/tune:", query_params=here)
second[3].page_link(page("tags"), label="Human tags", icon=":material/label:", query_params=here)
with second[1]:
    triage = choose_switch("View", {"list": "List", "triage": "By keyboard"}, "view") == "triage"
st.markdown(
    f"**{len(failed):,} of {counted(total, 'query')} {'fails' if len(failed) == 1 else 'fail'}** "
    f"({100 * len(failed) / total:.1f} %). "
    f"The causes of {100 * coverage(failed):.0f} % of them say why."
)
above = st.container()  # filled last: a browser draws its chart longer than all the rest
show_failed(shown, runs, failed, triage)
if not triage:
    with above:
        with st.container(horizontal=True):
            views = {"gains": "What fixing each cause would give", "funnel": "Where readable words are lost"}
            chart = choose_switch("Chart", views, "above")
            by = choose_parts(run)
        if chart == "gains":
            show_gains(shown, by)
        else:
            show_funnel(run, place, by, OF_LIST)
        show_meaning(shown, failed)
