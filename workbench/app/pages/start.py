"""The page of an empty workspace: four ways to begin."""

import streamlit as st

from workbench.app.components.work import job_named, show_job
from workbench.app.headings import heading, page_heading
from workbench.app.navigation import page
from workbench.core.jobs import start
from workbench.core.workspace import workspace

if workspace().names("runs"):
    st.switch_page(page("leaderboard"), query_params=st.query_params.to_dict())

page_heading("Nothing here yet. What do you have?")
top, bottom = st.columns(2), st.columns(2)

with top[0].container(border=True, height="stretch"):
    heading(":material/grid_on: A similarity matrix")
    st.write("From any model, for any data set whose captions you have. No video is needed.")
    st.code(
        "workbench data prepare msrvtt-1ka --annotations MSRVTT_JSFUSION_test.csv\n"
        "workbench import sim.npy --corpus msrvtt-1ka --name theirs",
        language=None,
    )
    st.write("Rows are captions, columns videos. Their order is checked against the captions before anything is shown.")

with top[1].container(border=True, height="stretch"):
    heading(":material/scatter_plot: Embeddings")
    st.write("Two files, one vector per caption and one per video, from the same joint space.")
    st.code(
        "workbench data prepare my-data --format table --annotations captions.csv\n"
        "workbench import text.npy video.npy --corpus my-data --name ours \\\n"
        "    --row-ids captions.txt --col-ids videos.txt",
        language=None,
    )
    st.write("Their cosine similarity becomes the run.")

with bottom[0].container(border=True, height="stretch"):
    heading(":material/play_circle: Nothing (demo)")
    st.write(
        "192 drawn videos in eight domains with text in them, read by a real OCR, and four models, three of them "
        "trained here: about three minutes of this machine."
    )
    demo = job_named("demo")
    if demo is not None and demo.state == "running":
        st.info(
            "It is being made: the bar on top shows how far. This page fills by itself.",
            icon=":material/hourglass_top:",
        )
    else:
        if demo is not None:
            show_job(demo)
        if st.button("Make the demo", type="primary", icon=":material/movie_creation:"):
            start(["demo"], name="demo")
            st.rerun()
    st.code("workbench demo", language=None)

with bottom[1].container(border=True, height="stretch"):
    heading(":material/movie: Videos")
    st.write("A folder of clips, with or without captions, searched by what stands in their frames.")
    st.code(
        "workbench data prepare folder --root ./clips --name mine --captions captions.csv\n"
        "workbench ocr run mine\n"
        'workbench index search mine "taxi"',
        language=None,
    )
    st.write(
        "Files that cannot be read are named with the reason. Captions, domains and text by another OCR are optional."
    )
