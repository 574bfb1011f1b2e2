"""The page of an empty workspace: four ways to begin."""

import streamlit as st

st.title("Nothing here yet. What do you have?")
top, bottom = st.columns(2), st.columns(2)

with top[0].container(border=True, height="stretch"):
    st.subheader(":material/grid_on: A similarity matrix")
    st.write("From any model, for any data set whose captions you have. No video is needed.")
    st.code(
        "workbench data prepare msrvtt-1ka --annotations MSRVTT_JSFUSION_test.csv\n"
        "workbench import sim.npy --corpus msrvtt-1ka --name theirs",
        language="bash",
    )
    st.write("Rows are captions, columns videos. Their order is checked against the captions before anything is shown.")

with top[1].container(border=True, height="stretch"):
    st.subheader(":material/scatter_plot: Embeddings")
    st.write("Two files, one vector per caption and one per video, from the same joint space.")
    st.code(
        "workbench data prepare my-data --format table --annotations captions.csv\n"
        "workbench import text.npy video.npy --corpus my-data --name ours \\\n"
        "    --row-ids captions.txt --col-ids videos.txt",
        language="bash",
    )
    st.write("Their cosine similarity becomes the run.")

with bottom[0].container(border=True, height="stretch"):
    st.subheader(":material/play_circle: Nothing (demo)")
    st.write(
        "A small corpus with eight domains, videos, scene text and trained models is made on your machine by "
        "the command `workbench demo`. It is not part of this version yet; it comes with the next one."
    )

with bottom[1].container(border=True, height="stretch"):
    st.subheader(":material/movie: Videos")
    st.write(
        "A folder of clips, with or without captions, searched by what stands in their frames. It is not part of this "
        "version yet; it comes with the next one. Captions of your videos can be prepared today: "
        "`workbench data prepare my-data --format table --annotations captions.csv --root ./clips`"
    )
