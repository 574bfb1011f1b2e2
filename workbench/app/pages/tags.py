"""Human tags: blind samples of failures, agreement of the raters, and numbers with corrected relevance."""

import streamlit as st

from workbench.app.failing import warn_damaged
from workbench.app.headings import heading, page_heading
from workbench.app.parts.sample import label_blind, offer_drawing, show_samples
from workbench.app.parts.tag import annotator
from workbench.app.parts.tagged import say_standing, show_corrected, show_named, show_tags, tags_of
from workbench.app.parts.widgets import DIRECTIONS, choose, choose_run, choose_switch, corpus_row
from workbench.evaluation.runs.notes import damaged_notes

page_heading("Human tags")
sample = st.query_params.get("sample", "")
if sample:
    who = st.columns([1, 3])[0]
    with who:
        name = annotator()
    label_blind(st.query_params.get("corpus", ""), sample, name)
    st.stop()
place, runs, pick = corpus_row(5)
warn_damaged(damaged_notes(place.partition("/")[0]))
with pick[0]:
    run = choose_run(runs)
with pick[1]:
    direction = choose_switch("Direction", DIRECTIONS, "direction")
with pick[2]:
    k = int(choose("Fails when rank >", ["1", "5", "10", "50"], "k"))
with pick[3]:
    annotator()
heading("Blind samples")
st.markdown(
    "Failed queries drawn at random, each domain with its share. Whoever labels sees neither the model nor the "
    "computed cause; send the link to a second person."
)
offer_drawing(run, k, direction)
corpus, _, split = place.partition("/")
show_samples(corpus, split)
tags = tags_of(run)
say_standing(tags)
heading("Agreement with the computed causes")
show_named(tags, corpus)
heading("Corrected relevance")
show_corrected(run, tags)
heading("All tags")
show_tags(tags, corpus)
