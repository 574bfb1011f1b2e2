"""Data: the corpora of the workspace, what each has and lacks, and all runs."""

from pathlib import Path

import pandas as pd
import streamlit as st

from workbench.app import loading
from workbench.app.failing import warn_damaged
from workbench.app.headings import heading, page_heading
from workbench.app.navigation import page
from workbench.app.parts.downloads import show_table
from workbench.app.parts.widgets import choose, halves
from workbench.app.text import plain
from workbench.pipelines.calibration import calibrations
from workbench.pipelines.checks import holdings, oddities
from workbench.pipelines.damaged import damaged

page_heading("Data")
warn_damaged(damaged())
corpora = loading.all_corpora()
if corpora.empty:
    st.info("No corpus yet. Prepare one from its annotation files; videos are optional.", icon=":material/info:")
    st.code(
        "workbench data list --known\nworkbench data prepare msrvtt-1ka --annotations MSRVTT_JSFUSION_test.csv", None
    )
    st.stop()
names = {"title": "Corpus", "name": "Name", "splits": "Splits", "n_captions": "Captions", "n_videos": "Videos",
         "place": "Where", "note": "Note"}  # fmt: skip
if not corpora["note"].any():
    del names["note"]
shown = corpora.assign(
    splits=corpora["splits"].map(", ".join), place=corpora["place"].replace({"own": "this workspace"})
)
show_table(shown[list(names)].rename(columns=names), "corpora")
whole = corpora.loc[corpora["note"] == "", "name"].to_list()
if not whole:
    st.stop()
with st.columns(3)[0]:
    name = choose("Corpus", whole, "data_corpus")
corpus = loading.corpus_at(name)
heading(plain(corpus.title))
if corpus.meta["protocol"]:
    st.text(corpus.meta["protocol"])
left, right = halves()
with left:
    st.markdown("**What it holds**")
    held = holdings(corpus)
    held = held if held["To add it"].any() else held.drop(columns="To add it")
    show_table(held, f"holdings {corpus.name}", height="content")
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
        st.caption(plain(f"Note: {note}"))
    for rendition, root in corpus.roots.items():
        found = (
            "there"
            if Path(root).is_dir()
            else f"gone; say where: workbench data relocate {corpus.name} {rendition} FOLDER"
        )
        st.caption(plain(f"{rendition} videos: {root} ({found})"))
if any(one.corpus == corpus.name for one in calibrations()):
    st.page_link(page("calibration"), label="Calibrate its imported OCR", icon=":material/center_focus_strong:")
odd = oddities(corpus)
if not odd.empty:
    heading("Videos with a problem")
    st.caption(f"{len(odd):,} of {len(corpus.videos):,}; they stay in the gallery and are never replaced.")
    show_table(odd, f"problems {corpus.name}")
heading("Runs")
runs = loading.all_runs()
names = {
    "name": "Run", "state": "State", "corpus": "Corpus", "split": "Split", "t2v_r1": "t2v R@1 ↑", "v2t_r1": "v2t R@1 ↑",
    "scoring": "Scoring", "order": "Order", "created": "Created (UTC)", "note": "Note",
}  # fmt: skip
times = pd.to_datetime(runs["created"], utc=True, errors="coerce").dt.strftime("%Y-%m-%d %H:%M")
show_table(
    runs.assign(created=times)[list(names)].rename(columns=names), "runs", whole=runs,
    height="content" if len(runs) <= 12 else 460,
    column_config={name: st.column_config.NumberColumn(format="%.2f") for name in ("t2v R@1 ↑", "v2t R@1 ↑")},
)  # fmt: skip
st.caption("A deeper look at the files, level by level: workbench data check NAME --level decodability")
