"""Frames of reference: turned, scaled and shifted boxes come back, and what is measured tells them apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.ocr.jsonlines import CORNERS
from workbench.ocr.kwai import read_kwai
from workbench.ocr.reference import ROTATIONS, Fit, Reference, overlaps, references

SIZE = (200, 100, 10)  # upright
TIMES = np.arange(10) / 10
WORD = np.array([[0.1, 0.2], [0.3, 0.2], [0.3, 0.4], [0.1, 0.4]])  # of the upright picture


def stored(reference: Reference, frame: int) -> dict:
    """A file as an engine writes it that has read pictures of this frame of reference."""
    back = Reference("x", rotation=ROTATIONS[-(reference.rotation // 90) % 4])  # the turn the other way round
    pixels = back.upright(WORD) * reference.picture(*SIZE[:2])
    return {"0": {"text": "OPEN", "score": 1, "tracks": {str(frame + reference.first): pixels.ravel().tolist()}}}


@pytest.mark.parametrize("reference", references(["original"], ROTATIONS), ids=lambda one: one.label)
def test_boxes_come_back_to_their_words(reference):
    file = read_kwai(
        stored(reference, 9), video_id="v", frame_times=TIMES, sizes={"original": SIZE}, reference=reference
    )
    (box,) = file.boxes.to_dict("records")
    assert box["frame"] == 9 and box["time_s"] == 0.9
    assert [box[name] for name in CORNERS] == pytest.approx(WORD.ravel().tolist())
    assert (file.fit, file.texts["first_frame"].tolist()) == (Fit(1, 1), [9])


def test_what_does_not_exist_is_not_placed():
    shifted = stored(Reference("original", first=1), 9)  # frame 10 of 0 to 9
    file = read_kwai(
        shifted, video_id="v", frame_times=TIMES, sizes={"original": SIZE}, reference=Reference("original")
    )
    assert file.boxes.empty and file.fit == Fit(1, 0) and file.fit.placed == 0
    early = stored(Reference("original"), 0)  # no frame before the first
    file = read_kwai(
        early, video_id="v", frame_times=TIMES, sizes={"original": SIZE}, reference=Reference("original", first=1)
    )
    assert file.boxes.empty and file.fit.n_placed == 0
    large = stored(Reference("original", scale=2.0), 3)
    corners = large["0"]["tracks"]["3"]
    large["0"]["tracks"]["3"] = [1.5 * value for value in corners]
    half = Reference("original", scale=0.5)
    file = read_kwai(large, video_id="v", frame_times=TIMES, sizes={"original": SIZE}, reference=half)
    assert file.fit == Fit(1, 0) and file.census["boxes that leave the frame"] == 1


def test_labels_say_what_differs():
    assert Reference("original").label == "original, frames from 0"
    assert Reference("small", 0.5, 90, 1).label == "small, half size, turned by 90°, frames from 1"
    assert len(references(["original", "small"])) == 12


def boxes(*rows: tuple[str, float, float]) -> pd.DataFrame:
    """Boxes of 0.2 x 0.2 by text_id, seconds and left edge."""
    made = [(name, time, left, 0.4, left + 0.2, 0.4, left + 0.2, 0.6, left, 0.6) for name, time, left in rows]
    return pd.DataFrame(made, columns=["text_id", "time_s", *CORNERS])


def test_overlap_with_the_same_text_at_the_same_time():
    mine = pd.DataFrame({"text_id": ["a", "b", "c"], "text": ["Open!", "late", "x"]})
    theirs = pd.DataFrame({"text_id": ["1", "2"], "text": ["OPEN", "other"]})
    found = overlaps(
        mine, boxes(("a", 1.0, 0.0), ("a", 2.0, 0.5), ("a", 1.5, 0.2), ("a", 4.0, 0.0), ("b", 1.0, 0.0),
                    ("c", 1.0, 0.0)),
        theirs, boxes(("1", 1.0, 0.1), ("1", 2.0, 0.3), ("1", 7.0, 0.0), ("2", 1.0, 0.0)),
    )  # fmt: skip
    # Half of each is shared at 1 s; at 2 s none; between the two it has moved on; too far apart around 4 s.
    assert found.tolist() == pytest.approx([1 / 3, 0.0, 1.0])
    total = Fit(3, 3) + Fit(n_compared=len(found), overlap=float(found.sum()))
    assert total.placed == 1 and total.agreement == pytest.approx(4 / 9) and Fit().agreement is None
    assert overlaps(mine[:0], boxes(), theirs, boxes(("1", 1.0, 0.1))).size == 0
