"""Calibrations: an import is remembered, the right frame of reference is measured best, and the next import uses it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tests.pipelines.test_ocr_import import TIMES, VIDEOS, box, corpus, track, write_kwai  # noqa: F401
from workbench.corpus.store import replace_texts
from workbench.corpus.tables import CORNERS
from workbench.ocr.reference import Reference, references
from workbench.pipelines.calibration import (
    calibration_of,
    calibrations,
    choose_reference,
    damaged_calibrations,
    in_words,
    ranked,
)
from workbench.pipelines.ocr_import import import_ocr, sources_of

RIGHT = Reference("original", 0.5, 0, 1)
VIDEO = VIDEOS[0]


@pytest.fixture
def source(corpus, tmp_path):  # noqa: F811
    """A word that moves to the right, read in halved pictures whose frames are counted from 1; by rapidocr as well."""
    frames = np.arange(0, 50, 7)
    shares = [0.1 + frame / 100 for frame in frames]
    quads = [[left, 0.2, left + 0.2, 0.2, left + 0.2, 0.3, left, 0.3] for left in shares]
    texts = pd.DataFrame([{"text_id": "r", "video_id": VIDEO, "kind": "ocr", "engine": "rapidocr", "text": "OPEN",
                           "n_boxes": len(frames)}])  # fmt: skip
    boxes = pd.DataFrame(quads, columns=CORNERS).assign(text_id="r", frame=frames, time_s=TIMES["original"][frames])
    coverage = pd.DataFrame([{"video_id": VIDEO, "engine": "rapidocr", "state": "read", "rendition": "original"}])
    replace_texts(corpus, "rapidocr", texts, coverage, {VIDEO: boxes})
    scale = np.tile([320, 180], 4)
    tracks = {str(frame + 1): (np.array(quad) * scale).tolist() for frame, quad in zip(frames, quads, strict=True)}
    return write_kwai(tmp_path / "k", A__tv_1={"1": {"text": "OPEN", "score": 0.9, "tracks": tracks}})


def imported(report) -> pd.DataFrame:
    boxes = report.corpus.boxes(VIDEO)
    return boxes[boxes["text_id"].str.contains("kwai")]


def test_the_right_frame_of_reference_is_first_and_the_next_import_uses_it(corpus, source):  # noqa: F811
    first = import_ocr(corpus, source, format="kwai")
    assert imported(first).empty  # frames 1 to 50 of 0 to 49: no file fits
    (known,) = calibrations()
    assert (known.corpus, known.engine, known.source, known.reference) == ("x", "kwai", source, None)
    sources = sources_of(first.corpus, "kwai", known.source)
    assert sources.videos == [VIDEO] and sources.renditions == ["original", "small"] and sources.other == "rapidocr"
    table = ranked(sources, VIDEO, references(sources.renditions))
    best = table.iloc[0]
    assert best["reference"] == RIGHT and best["placed"] == 1 and best["agreement"] == pytest.approx(1, abs=1e-4)
    shifted = table.set_index("reference").loc[[Reference("original", 0.5)]].iloc[0]
    assert shifted["agreement"] < 0.95
    chosen = choose_reference(known, best["reference"], VIDEO, in_words(best["fit"], sources.other))
    assert not chosen.used and "overlap with rapidocr 1.00 on 8 boxes" in chosen.evidence
    again = import_ocr(first.corpus, source, format="kwai")
    said = f"Frame of reference chosen by eye on {VIDEO}: original, half size, frames from 1. 100 % of 8 boxes"
    assert again.notes[0].startswith(said)
    boxes = imported(again)
    assert boxes["frame"].tolist() == list(range(0, 50, 7)) and boxes["x1"].iloc[0] == pytest.approx(0.1)
    kept = calibration_of("x", "kwai")
    assert kept.used and kept.reference == RIGHT and kept.imported > known.imported
    choose_reference(kept, None)
    assert "chosen by eye" not in import_ocr(corpus, source, format="kwai").notes[0]


def test_a_video_without_the_file_or_its_frames_counts_for_nothing(corpus, source):  # noqa: F811
    sources = sources_of(corpus, "kwai", source)
    assert sources.read(VIDEO, Reference("proxy")) is None
    assert ranked(sources, VIDEO, [Reference("proxy")]).empty
    assert sources.fits(VIDEO, [Reference("proxy")])[0].placed == 0
    for path in (corpus.path / "frames" / "small").glob("*.parquet"):
        path.unlink()
    assert sources.read(VIDEO, Reference("small")) is None


def test_any_engine_name_is_kept_and_a_broken_note_is_said(corpus, tmp_path):  # noqa: F811
    folder = write_kwai(tmp_path / "k", A__tv_1={"1": track(f0=box())})
    import_ocr(corpus, folder, format="kwai", engine="My OCR/2")
    known = calibration_of("x", "My OCR/2")
    assert known.command[-1] == "My OCR/2" and calibration_of("x", "nobody") is None and calibrations() == [known]
    alone = sources_of(corpus, "My OCR/2", folder).fits(VIDEO, [Reference("original")])
    assert in_words(alone[0]).endswith("no other engine has read the same.")
    (note,) = folder.parent.glob("workspace/notes/calibrations/*.json")
    note.write_text(json.dumps({"format_version": 1, "reference": {"rendition": "original", "tilt": 3}}))
    (damaged,) = damaged_calibrations()
    assert "is no calibration" in damaged.message and calibrations() == []
