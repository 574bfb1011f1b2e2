"""Calibration: the boxes of an imported OCR in every frame of reference that fits; the right one is chosen by eye."""

import streamlit as st

from workbench.app.failing import warn_damaged
from workbench.app.headings import page_heading
from workbench.app.parts.calibration import (
    NONE,
    cards,
    choose_import,
    choose_video,
    first_frame,
    measured,
    next_step,
    rotations_of,
)
from workbench.pipelines.calibration import damaged_calibrations

page_heading("Calibration")
warn_damaged(damaged_calibrations())
found = choose_import()
if found is None:
    st.info(NONE, icon=":material/info:")
    st.code("workbench ocr import NAME Kwai_VideoOCR --format kwai", None)
    st.stop()
sources, calibration = found
st.caption(
    "Foreign OCR does not say which pictures its pixels and frames refer to. Play, or step with the arrow keys, to "
    "where text moves; then choose the one whose boxes stand on their words."
)
next_step(calibration)
row = st.columns([4, 3, 3], vertical_alignment="bottom")
with row[0]:
    video = choose_video(sources)
with row[2]:
    rotations = rotations_of(sources)
table = measured(calibration, video, rotations)
if table.empty:
    st.warning("In no frame of reference does a box lie in the picture.", icon=":material/help:")
    st.stop()
with row[1]:
    first = first_frame(table)
cards(sources, calibration, video, table, first)
