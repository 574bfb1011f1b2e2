"""Parts of the page Calibration: which import, which video, and the frames of reference that fit, each on a player."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from workbench.app import loading
from workbench.app.components.player import mount, video_address
from workbench.app.parts.downloads import show_table
from workbench.app.parts.widgets import choose, choose_switch
from workbench.app.text import plain
from workbench.core.errors import WorkbenchError
from workbench.core.jobs import start
from workbench.core.words import counted
from workbench.corpus.media import frame_times
from workbench.figures.player_of import on_frames, video_player
from workbench.ocr.reference import FIRSTS, ROTATIONS, Reference, Rotation, references
from workbench.pipelines.calibration import (
    Calibration,
    Sources,
    calibration_of,
    calibrations,
    choose_reference,
    in_words,
    ranked,
)
from workbench.pipelines.ocr_import import sources_of

NONE = (
    "No imported OCR states its boxes in pixels of unknown pictures. Files of the open format (jsonl) say to which "
    "size, frames and seconds their boxes refer, and are taken at their word; only the format kwai is calibrated. "
    "Import one first:"
)
SHOWN = 6
"""Frames of reference that are drawn at once; the table lists all."""
LISTED = 300
"""Videos that are offered."""


@st.cache_resource(show_spinner="Looking for its files ...", max_entries=4)
def _sources(corpus: str, engine: str, source: str, stamp: int) -> Sources:
    return sources_of(loading.corpus_named(corpus), engine, Path(source))


def _open(one: Calibration) -> Sources:
    stamp = loading.key_of_corpus(loading.corpus_named(one.corpus))[1]
    return _sources(one.corpus, one.engine, str(one.source), stamp)


@st.cache_data(show_spinner="Measuring ...", max_entries=64)
def _ranked(corpus: str, engine: str, stamp: str, video: str, tried: Sequence[Reference]) -> pd.DataFrame:
    one = calibration_of(corpus, engine)
    return pd.DataFrame() if one is None else ranked(_open(one), video, tried)


def choose_import() -> tuple[Sources, Calibration] | None:
    """The files of the import that is looked at, and what is known of it; None where there is no import."""
    known = {f"{one.corpus} / {one.engine}": one for one in calibrations()}
    if not known:
        return None
    one = known[choose("Imported OCR", list(known), "import", closes=("video", "first", "turned"))]
    return _open(one), one


def choose_video(sources: Sources) -> str:
    """A video with many boxes: those of the corpus' table of texts first."""
    counts = sources.corpus.texts.query("engine == @sources.engine").groupby("video_id")["text_id"].count()
    order = sorted(sources.videos, key=lambda one: (-int(counts.get(one, 0)), one))[:LISTED]
    if not order:
        st.warning("No video of this import is on this machine: nothing can be drawn.", icon=":material/videocam_off:")
        st.stop()
    return choose("Video", order, "video", closes=())


def first_frame(table: pd.DataFrame) -> int:
    """From which number the frames are counted; the measured one where nobody has chosen."""
    if "first" not in st.query_params:
        st.query_params["first"] = str(table["reference"].iloc[0].first)
    return int(choose_switch("Frames are counted from", {str(one): str(one) for one in FIRSTS}, "first"))


def rotations_of(sources: Sources) -> tuple[Rotation, ...]:
    """Turned pictures are tried where a video is stored turned, or where the user wants it."""
    if "turned" not in st.query_params:
        st.query_params["turned"] = str(int(sources.turned))
    turned = choose_switch("Pictures", {"0": "as they are", "1": "also turned"}, "turned")
    return ROTATIONS if turned == "1" else (0,)


def measured(one: Calibration, video: str, rotations: Sequence[Rotation]) -> pd.DataFrame:
    """Frames of reference that hold any box, best first (``pipelines.calibration.ranked``)."""
    tried = references(_open(one).renditions, rotations)
    return _ranked(one.corpus, one.engine, one.imported, video, tried)


def next_step(one: Calibration) -> None:
    """What was chosen so far, and the command that uses it."""
    if one.reference is None:
        return
    said = f"**{plain(one.reference.label)}** was chosen on {plain(one.video_id)}: {plain(one.evidence)}"
    if one.used:
        st.success(f"{said} The import has used it.", icon=":material/check_circle:")
    else:
        st.success(f"{said} Import again, so that the boxes are placed by it:", icon=":material/check_circle:")
        st.code(f"workbench {shlex.join(one.command)}", None)
    with st.container(horizontal=True):
        if not one.used and st.button("Import again", icon=":material/refresh:"):
            start(one.command, name=f"ocr-import-{one.corpus}"[:64])
            st.rerun()
        if st.button("Take the choice back", icon=":material/undo:"):
            choose_reference(one, None)
            st.rerun()


def cards(sources: Sources, one: Calibration, video: str, table: pd.DataFrame, first: int) -> None:
    """The best frames of reference drawn on one video each, all moving together, and the numbers of all as a table."""
    columns = st.columns(3, gap="medium")
    shown = table[table["reference"].map(lambda reference: reference.first == first)]
    for number, row in enumerate(shown.head(SHOWN).to_dict("records")):
        with columns[number % 3]:
            chosen = row["reference"] == one.reference
            st.markdown(f"**{plain(row['label'])}**{' ✔' if chosen else ''}")
            _drawn(sources, video, row["reference"], f"card {number}")
            st.caption(plain(in_words(row["fit"], sources.other)))
            if st.button("This one is right", key=f"right {number}", disabled=chosen):
                choose_reference(one, row["reference"], video, in_words(row["fit"], sources.other))
                st.rerun()
    with st.expander(f"Numbers of all {len(table)}, measured over {counted(len(sources.sample(video)), 'video')}"):
        titles = {
            "label": "Frame of reference", "placed": "Boxes in the picture, %", "n_boxes": "Boxes",
            "agreement": f"Overlap with {sources.other or 'another engine'}", "n_compared": "Compared",
        }  # fmt: skip
        numbers = table[list(titles)].assign(placed=100 * table["placed"]).round({"placed": 1, "agreement": 3})
        show_table(numbers.rename(columns=titles), f"calibration {one.corpus}")


def _drawn(sources: Sources, video: str, reference: Reference, key: str) -> None:
    """A small player with the boxes in one frame of reference."""
    corpus = sources.corpus
    try:
        file = sources.read(video, reference)
        if file is None:
            st.caption(f"This video has no {plain(reference.rendition)} file.")
            return
        read = file.texts, file.boxes
        if reference.rendition != "original":
            read = on_frames(*read, frame_times(corpus, video))
        begin = float(file.boxes["time_s"].min()) if len(file.boxes) else 0.0
        data = video_player(
            corpus, video, lambda rendition: video_address(corpus, video, rendition), read=read, compact=True,
            start=begin, group="calibration", together="share", key=f"{corpus.name}/{video}/{reference.label}",
        )  # fmt: skip
    except WorkbenchError as error:
        st.warning(plain(f"{error.message} {error.remedy}".strip()), icon=":material/videocam_off:")
        return
    mount(data, key)
