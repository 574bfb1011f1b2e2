"""Training: what is being trained and how far it is, curves, what was learned when, and why a training ended."""

import streamlit as st

from workbench.analysis.trajectories import KINDS
from workbench.app.headings import heading, page_heading
from workbench.app.parts.training import (
    OFTEN_S,
    SELDOM_S,
    has_ranks,
    refreshed,
    show_curves,
    show_end,
    show_excluded,
    show_overview,
    show_test,
    states_of,
    trainings_here,
)
from workbench.app.parts.training_ranks import say_without_ranks, show_ranks, sieve_of
from workbench.app.parts.widgets import DIRECTIONS, choose, choose_several, choose_switch, widget_row
from workbench.app.text import plain

SMOOTHING = {"10": "10 steps", "50": "50 steps", "1": "none"}
FOLLOW = {"yes": "follow", "no": "hold still"}  # a chart is drawn anew when its data change, which undoes a zoom
MOST = 3

page_heading("Training")
runs = trainings_here()
running = [run.name for run in runs if run.state == "running"]
refreshed(show_overview, states_of(runs), every=OFTEN_S if running else SELDOM_S)
if not runs:
    st.info("Nothing was trained here yet. A training stands here as soon as it begins.", icon=":material/info:")
    st.code("workbench train textvr_fusion_demo modality=ocr --name my-first", language=None)
    st.stop()

names = {run.name: f"{run.name} ({run.state})" if run.state != "finished" else run.name for run in runs}
for asked in [one for one in st.query_params.get("run", "").split(",") if one and one not in names]:
    st.warning(plain(f"There is no training called {asked} here."))
chosen = choose_several("Trainings", names, "run", running or list(names)[:MOST])
pick = widget_row(3, 220)
with pick[0]:
    direction = choose_switch("Direction", DIRECTIONS, "direction")
with pick[1]:
    span = int(choose_switch("Smoothing", SMOOTHING, "smooth"))
growing = {*chosen} & {*running}
if growing:
    with pick[2]:
        growing = growing if choose_switch("While it trains", FOLLOW, "follow") == "yes" else set()
shown = [run for name in chosen for run in runs if run.name == name]
for run in shown:
    show_end(run)
    show_excluded(run)
heading("Curves")
refreshed(show_curves, chosen, span, direction, every=OFTEN_S if growing else None)

heading("Ranks per checkpoint, on the validation split")
able = [run for run in shown if has_ranks(run)]
if able:
    row = widget_row(3)
    with row[0]:
        name = choose("Training", [run.name for run in able], "ranks")
    with row[1]:
        k = int(choose("Right when rank ≤", ["1", "5", "10"], "k"))
    with row[2]:
        kind = choose("Queries", ["all", *KINDS], "kind", show=lambda one: KINDS.get(one, "all queries"))
    sieve = sieve_of(next(run for run in able if run.name == name))
    refreshed(show_ranks, name, direction, k, kind, sieve, every=SELDOM_S if name in growing else None)
say_without_ranks([run for run in shown if run not in able])
heading("Test numbers of the chosen checkpoint")
show_test(shown, direction)
