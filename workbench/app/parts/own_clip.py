"""A clip of one's own on the page Search: it is uploaded, looked at by a job, and its answers stay under its key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from workbench.app import loading
from workbench.app.components.work import job_named, show_job
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.text import marked, plain, short
from workbench.core.errors import WorkbenchError
from workbench.core.jobs import start
from workbench.corpus import Corpus
from workbench.corpus.formats.parsed import VIDEO_SUFFIXES
from workbench.evaluation.runs.run import Run
from workbench.pipelines.own_clip import KEPT, MOST_MIB, MOST_S, OwnClip, keep_clip, open_clip, sees

BM25 = "bm25"
OWN = "own"
"""In the address: the key of the clip."""
REFUSED = "clip refused"
"""In the session: why the file that was chosen is not taken."""


def upload() -> OwnClip | None:
    """The widget that takes a file, and the clip of the address; None = there is none yet."""

    def taken() -> None:
        file = st.session_state["upload clip"]
        st.session_state[REFUSED] = ""
        if file is None:
            return
        try:
            st.query_params[OWN] = keep_clip(file, file.name).key
        except WorkbenchError as error:
            st.session_state[REFUSED] = str(error)
        for name in {"video"} & {*st.query_params}:
            del st.query_params[name]

    st.file_uploader(
        f"Your clip, up to {MOST_MIB} MB and {MOST_S // 60} minutes", [one.lstrip(".") for one in VIDEO_SUFFIXES],
        key="upload clip", on_change=taken, max_upload_size=MOST_MIB,
    )  # fmt: skip
    if refused := st.session_state.get(REFUSED):
        st.error(plain(refused), icon=":material/error:")
        return None
    if not (key := st.query_params.get(OWN, "")):
        return None
    try:
        return open_clip(key)
    except WorkbenchError as error:
        st.info(plain(error), icon=":material/info:")
        return None


def seeing_runs(corpus: Corpus) -> list[str]:
    """Runs over a corpus whose models look at frames and can look at a new clip, best first."""
    runs = loading.all_runs()
    able = runs[(runs["corpus"] == corpus.name) & (runs["state"] == "finished")]
    if corpus.split:
        able = able[able["split"] == corpus.split]
    able = able.sort_values("t2v_r1", ascending=False)
    return [name for name in able["name"] if sees(loading.run_named(name))]


def looked_at(clip: OwnClip, corpus: Corpus, runs: Sequence[Run], *, read: bool) -> bool:
    """Whether every run has looked at the clip, and its words were read; else a job is started and shown.

    Args:
        clip: The clip.
        corpus: Where it is looked for.
        runs: That shall look at it.
        read: Whether its words are asked for too.
    """
    lacking = [*([BM25] if read and clip.words is None else []), *clip.lacks(runs)]
    if not lacking:
        return True
    name = f"clip-{re.sub('[^a-z0-9]+', '-', Path(clip.facts['name']).stem.lower())[:30]}-{clip.key[:6]}"
    job = job_named(name)
    if job is not None and job.state == "running":
        st.info("The clip is read and encoded; the bar on top says how far it is.", icon=":material/hourglass_top:")
        return False
    asked = ",".join(lacking)
    if job is not None and job.state in ("failed", "stopped") and st.session_state.get(name) == asked:
        show_job(job)
        if not st.button("Try again", icon=":material/refresh:"):
            return False
    st.session_state[name] = asked
    start(["index", "search", corpus.name, "--clip", str(clip.file), "--by", asked], name=name)
    st.rerun()


def own_hint(corpus: Corpus) -> None:
    """What happens with a clip, and what to do where no run can look at one."""
    st.caption(
        "Your clip is read and encoded on this machine by the model of each run that you choose, and compared with all "
        f"captions of that run. It does not become part of {plain(corpus.name)}; the newest {KEPT} clips stay in the "
        "cache."
    )
    if not seeing_runs(corpus):
        st.info(
            "No run here has a model that looks at frames and can take a new clip, so only its words can be looked "
            "for. Train one: workbench train RECIPE",
            icon=":material/info:",
        )


def show_clip(clip: OwnClip) -> None:
    """The clip's picture, its facts and the words that were read in it."""
    facts = clip.facts
    picture, told = st.columns([1, 3], gap="small")
    picture.image(clip.picture.read_bytes(), alt=f"Middle frame of {facts['name']}", width="stretch")
    with told:
        st.markdown(f"**{plain(facts['name'])}**")
        st.caption(plain(f"{facts['duration_s']:.1f} s  ·  {facts['width']} x {facts['height']}"))
        if "ocr" in clip.refused:
            st.caption(plain(f"No words were read: {clip.refused['ocr']}"))
        elif clip.words is not None:
            st.caption(plain(f"Words read in it: {clip.words}" if clip.words else "No word was read in it."))


def show_fitting(corpus: Corpus, run: Run, captions: pd.DataFrame) -> None:
    """The captions that fit a clip best, each with the way to its query."""
    st.caption("Captions that fit it best, with their scores")
    place = f"{corpus.name}/{run.split}"
    for row in captions.itertuples():
        line = st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="xsmall")
        label = f"**{row.score:.3g}**"
        values = parameters(corpus=place, run=run.name, direction="t2v", q=row.caption_id)
        line.page_link(
            page("query"), label=label, icon=":material/arrow_outward:", query_params=values, width="content"
        )
        line.html(marked(short(row.text), []))
