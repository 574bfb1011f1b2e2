"""Failures: what each cause costs, then the failed queries to filter, sort, tag and bookmark, one of them open."""

import streamlit as st

from workbench.analysis import coverage
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.failed_case import show_case
from workbench.app.parts.failure import (
    OF_LIST,
    Shown,
    choose_others,
    filtered,
    opened,
    show_gains,
    show_list,
    show_meaning,
)
from workbench.app.parts.funnel import show_funnel
from workbench.app.parts.tag import Desk, annotator
from workbench.app.parts.triage import show_triage
from workbench.app.parts.widgets import DIRECTIONS, choose, choose_run, choose_switch, corpus_row

st.title("Failures")
place, runs, pick = corpus_row(3, 3, 3, 2, 2)
with pick[0]:
    run = choose_run(runs)
with pick[1]:
    direction = choose_switch("Direction", DIRECTIONS, "direction")
with pick[2]:
    k = int(choose("Fails when rank >", ["1", "5", "10", "50"], "k"))
with pick[3]:
    who = annotator()
others = choose_others(run, runs)
shown = Shown(place, run, direction, k, Desk.of(run, direction, who), others)
failed = shown.failed()
total = len(run.per(direction))
if failed.empty:
    st.success(f"No query of {total} fails at rank {k}.")
    st.stop()
head = st.columns([4, 3, 1, 1], vertical_alignment="bottom")
head[0].markdown(
    f"**{len(failed):,} of {total:,} queries fail** ({100 * len(failed) / total:.1f} %). "
    f"The causes of {100 * coverage(failed):.0f} % of them say why."
)
here = parameters(corpus=place, run=run.name, direction=direction, k=k)
head[2].page_link(page("thresholds"), label="Thresholds", icon=":material/tune:", query_params=here)
head[3].page_link(page("tags"), label="Human tags", icon=":material/label:", query_params=here)
with head[1]:
    triage = choose_switch("View", {"list": "List", "triage": "By keyboard"}, "view") == "triage"
views = {"gains": "What fixing each cause would give", "funnel": "Where readable words are lost"}
above = choose_switch("Shown", views, "above")
with st.expander(views[above], expanded=not triage):
    if above == "gains":
        show_gains(shown)
    else:
        show_funnel(run, OF_LIST)
show_meaning(shown, failed)
st.header("Failed queries")
rows = filtered(shown, runs, failed)
st.caption(
    f"{len(rows):,} of {len(failed):,} failed queries{'.' if triage else '. Select one to see it beside the list.'}"
)
if rows.empty:
    st.info("No failed query is like this. Take a filter away.")
    st.stop()
if triage:
    show_triage(shown, rows)
    st.stop()
left, right = st.columns([5, 4], gap="medium")
with left:
    show_list(shown, rows)
row = opened(rows)
if row is not None:
    with right:
        show_case(shown, row)
