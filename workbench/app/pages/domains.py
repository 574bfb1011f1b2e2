"""Domains: a card for each with what fails in it, and its videos to browse, playing."""

import streamlit as st

from workbench.analysis.domains import ALL
from workbench.app import loading
from workbench.app.headings import page_heading
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.domain import Shown, show_cards, show_confusion, show_domain
from workbench.app.parts.panels import has_pictures
from workbench.app.parts.widgets import DIRECTIONS, choose_place, choose_run, choose_switch, widget_row
from workbench.app.readable import beside_videos, finished_at, say_unreadable
from workbench.app.text import plain, short
from workbench.evaluation.runs.run import Run

page_heading("Domains")
pick = widget_row(3)
with pick[0]:
    place = choose_place()
finished = finished_at(place)
runs = beside_videos(finished)
say_unreadable(finished)
run: Run | None = None
direction = "t2v"
if len(runs):
    with pick[1]:
        run = choose_run(runs)
    with pick[2]:
        direction = choose_switch("Direction", DIRECTIONS, "direction")
else:
    st.caption("No run has answered queries here, so there are no scores; its videos can be browsed.")
shown = Shown(place, loading.corpus_at(place), runs, run, direction)
asked = st.query_params.get("domain", "")
if not shown.divided:
    show_domain(shown, ALL)
    st.stop()
if asked in shown.rows:
    st.page_link(
        page("domains"), label="All domains", icon=":material/arrow_back:", query_params=parameters(**shown.here)
    )
    show_domain(shown, asked)
    st.stop()
if asked:
    st.warning(plain(f"There is no domain called {short(asked, 60)} here; all of them are shown."))
if not has_pictures(shown.corpus):
    st.caption("None of the videos is on this machine, so there are no pictures.")
show_cards(shown)
if run:
    show_confusion(shown, run)
