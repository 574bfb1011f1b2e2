"""Data: the corpora of the workspace, what each has and lacks, and all runs."""

from pathlib import Path

import pandas as pd
import streamlit as st

from workbench.app import loading
from workbench.app.navigation import page
from workbench.app.parts.downloads import show_table
from workbench.app.parts.widgets import choose
from workbench.app.text import plain
from workbench.pipelines.calibration import calibrations
from workbench.pipelines.checks import holdings, oddities

st.title("Data")
corpora = loading.all_corpora()
if corpora.empty:
    st.info("No corpus yet. Prepare one from its annotation files; videos are optional.", icon=":material/info:")
    st.code(
        "workbench data list --known\nworkbench data prepare msrvtt-1ka --annotations MSRVTT_JSFUSION_test.csv", None
    )
    st.stop()
show_table(
    corpora.assign(splits=corpora["splits"].map(", ".join))[
        ["title", "name", "splits", "n_captions", "n_videos", "place", "note"]
    ].rename(columns={"title": "Corpus", "name": "Name", "splits": "Splits", "n_captions": "Captions",
                      "n_videos": "Videos", "place": "Where", "note": "Note"}),
    "corpora",
)  # fmt: skip
corpus = loading.corpus_at(choose("Corpus", corpora["name"].to_list(), "data_corpus"))
st.header(plain(corpus.title))
if corpus.meta["protocol"]:
    st.text(corpus.meta["protocol"])
left, right = st.columns(2)
with left:
    st.markdown("**What it holds**")
    show_table(holdings(corpus), f"holdings {corpus.name}", height="content")
with right:
    st.markdown("**Splits**")
    rows = [
        {"Split": name, "Captions": counts["captions"], "Videos": counts["videos"],
         "Fingerprint": corpus.meta["fingerprint"][name][:12]}
        for name, counts in corpus.meta["counts"].items()
    ]  # fmt: skip
    show_table(pd.DataFrame(rows), f"splits {corpus.name}", height="content")
    st.caption("Runs are compared only where the fingerprint of their split is the same.")
    for note in corpus.meta["notes"]:
        st.text(f"Note: {note}")
    for rendition, root in corpus.roots.items():
        found = (
            "there"
            if Path(root).is_dir()
            else f"gone; say where: workbench data relocate {corpus.name} {rendition} FOLDER"
        )
        st.text(f"{rendition} videos: {root} ({found})")
if any(one.corpus == corpus.name for one in calibrations()):
    st.page_link(page("calibration"), label="Calibrate its imported OCR", icon=":material/center_focus_strong:")
odd = oddities(corpus)
if not odd.empty:
    st.header("Videos with a problem")
    st.caption(f"{len(odd):,} of {len(corpus.videos):,}; they stay in the gallery and are never replaced.")
    show_table(odd, f"problems {corpus.name}")
st.header("Runs")
runs = loading.all_runs()
shown = runs[["name", "state", "corpus", "split", "t2v_r1", "v2t_r1", "scoring", "order", "created", "note"]]
show_table(
    shown.rename(columns={
        "name": "Run", "state": "State", "corpus": "Corpus", "split": "Split", "t2v_r1": "t2v R@1", "v2t_r1": "v2t R@1",
        "scoring": "Scoring", "order": "Order", "created": "Created", "note": "Note",
    }),
    "runs",
    column_config={name: st.column_config.NumberColumn(format="%.2f") for name in ("t2v R@1", "v2t R@1")},
)  # fmt: skip
st.caption("A deeper look at the files, level by level: workbench data check NAME --level decodability")
