"""Query: one query in every run: its videos playing, words that were read, ranks, margin, cause, the first ten."""

from functools import partial
from pathlib import PurePosixPath

import streamlit as st

from workbench.analysis.case import query_near
from workbench.app import loading
from workbench.app.headings import heading, page_heading
from workbench.app.links import parameters, write_address
from workbench.app.looks import carried
from workbench.app.navigation import page
from workbench.app.parts.ablation import ablation_row
from workbench.app.parts.funnel import words_of_captions
from workbench.app.parts.judged import judge
from workbench.app.parts.panels import has_pictures, reading
from workbench.app.parts.query import (
    Asked,
    as_table,
    caption_beside_videos,
    cause_of,
    first_ten,
    numbers_of,
    qualitative_files,
    video_beside_captions,
)
from workbench.app.parts.token import words_on_frames
from workbench.app.parts.widgets import DIRECTIONS, choose_engine, choose_run, choose_switch, corpus_row, folded
from workbench.app.text import marked, plain, short

page_heading("Query")
place, runs, pick = corpus_row(5)
with pick[0]:
    run = choose_run(runs)
with pick[1]:
    beside = 0 if run.name != runs["name"][0] else 1
    other = choose_run(runs, "Beside", "other", first=beside) if len(runs) > 1 else run
with pick[2]:
    direction = choose_switch("Direction", DIRECTIONS, "direction")
corpus = loading.corpus_of(run)
playable = corpus if corpus is not None and has_pictures(corpus) else None
with pick[3]:
    engine = choose_engine(corpus) if corpus else None
ids = run.per(direction)["id"].to_list()
wanted = st.query_params.get("q", "")
near = query_near(run, wanted, direction) if wanted else ids[0]
if near is None:
    st.warning(plain(f"This run has no query {short(wanted)}; the first one is shown."))
query = near or ids[0]
write_address("q", query)
at = ids.index(query)
asked = Asked(query, direction, [run] if other.name == run.name else [run, other], engine)
case = asked.cases[0]
here = {"corpus": place, "run": run.name, "other": other.name, "direction": direction, "engine": engine}

with st.container(border=True):
    read = reading(corpus, case.right_ids[0], case.title, engine).words if corpus and direction == "t2v" else []
    if direction == "t2v":
        st.html(marked(case.title, read, "1.2rem"))
    else:
        st.markdown(f"## {plain(PurePosixPath(case.title).name)}")
    facts = [f"Query {at + 1:,} of {len(ids):,}"]
    facts += [] if playable and direction == "v2t" else [f"right: {short(case.right)}"]
    facts += [case.place] if case.place else []
    facts += ["underlined: words that were read in the right video"] if read else []
    st.caption(plain("  ·  ".join(facts)))
steps = st.columns([1, 1, 5])
for column, label, icon, step in (
    (steps[0], "Previous", ":material/arrow_back:", -1),
    (steps[1], "Next", ":material/arrow_forward:", 1),
):
    values = parameters(**here, **carried(), q=ids[(at + step) % len(ids)])
    column.page_link(page("query"), label=label, icon=icon, query_params=values)

for column, one in zip(st.columns(len(asked.runs)), asked.runs, strict=True):
    with column:
        if len(asked.runs) > 1:
            st.markdown(f"**{plain(one.name)}**")
        cause_of(asked, one, playable)
if playable is None:
    st.caption("No video of this corpus is on this machine, so none plays here.")
elif direction == "t2v":
    caption_beside_videos(asked, playable)
else:
    video_beside_captions(asked, playable)
judge(asked)
words_on_frames(asked, playable)
if playable and direction == "t2v":
    qualitative_files(asked, playable)
if playable and direction == "t2v":
    for one, own in zip(asked.runs, asked.cases, strict=True):
        with st.container(border=True):
            heading(plain(one.name))
            numbers_of(own)
            first_ten(asked, one, own, playable)
            folded("As a table", partial(as_table, one, own), key=f"table {one.name}")
    st.caption("✔ marks the right video. Click a picture to play it above.")
else:
    for column, one, own in zip(st.columns(len(asked.runs)), asked.runs, asked.cases, strict=True):
        with column:
            heading(plain(one.name))
            numbers_of(own)
            as_table(one, own)
    st.caption("✔ marks a right item.")
words_of_captions(asked.runs, [query] if direction == "t2v" else case.right_ids)
ablation_row(run, query, direction, here)
