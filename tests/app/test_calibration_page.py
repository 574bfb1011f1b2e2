"""Calibration: frames of reference are drawn with their numbers, one is chosen, and the page says what follows."""

from __future__ import annotations

import json

import pytest

from tests.app.test_pages import opened, words
from tests.app.test_video_pages import mounted, said
from tests.filmed import HOSTILE, filmed_corpus, quad, with_text
from tests.made import made_corpus, made_runs
from workbench.app.parts import calibration as calibration_parts
from workbench.corpus.tables import CORNERS
from workbench.ocr.reference import Reference
from workbench.pipelines.calibration import calibration_of
from workbench.pipelines.ocr_import import import_ocr

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def imported(home, tmp_path):
    """Foreign OCR of two clips, in pictures of half the size, 80 x 48; rapidocr has read the same word there."""
    corpus = with_text(filmed_corpus(tmp_path / "films"), "c.mkv", "rapidocr", ["MIRA"], frames=(0, 3))
    made_runs(made_corpus(40))
    pixels = [quad()[name] * (80 if name[0] == "x" else 48) for name in CORNERS]
    folder = tmp_path / "Kwai_VideoOCR"
    folder.mkdir()
    for name in ("a", "c"):
        tracks = {"0": {"text": "MIRA", "score": 0.9, "tracks": {"0": pixels, "3": pixels}},
                  "1": {"text": HOSTILE, "score": 0.5, "tracks": {"2": pixels}}}  # fmt: skip
        (folder / f"{name}.json").write_text(json.dumps(tracks))
    return import_ocr(corpus, folder, format="kwai", engine="<b>kwai</b>")


@pytest.mark.usefixtures("imported")
def test_a_frame_of_reference_is_chosen_by_eye(monkeypatch):
    app = opened("calibration", video="c.mkv")
    text = said(app)
    assert "original, half size, frames from 0" in text and "overlap with rapidocr 1.00 on 2 boxes" in text
    cards = mounted(app)
    assert list(cards) == ["card 0", "card 1", "card 2"] and len({card["key"] for card in cards.values()}) == 3
    best = cards["card 0"]
    assert (best["compact"], best["group"], best["together"]) == (True, "calibration", "share")
    assert best["tracks"][0]["boxes"][0] == pytest.approx([0, *(quad()[name] for name in CORNERS)])
    assert cards["card 1"]["tracks"][0]["boxes"][0][1] == pytest.approx(quad()["x1"] / 2)
    assert app.query_params["first"] == "0"
    app.button(key="right 0").click().run()
    assert calibration_of("mine", "<b>kwai</b>").reference == Reference("original", 0.5)
    assert "was chosen on c.mkv" in said(app) and "workbench ocr import mine" in app.code[0].value
    started = []
    monkeypatch.setattr(calibration_parts, "start", lambda argv, name: started.append((argv[:3], name)))
    next(button for button in app.button if button.label == "Import again").click().run()
    assert started == [(["ocr", "import", "mine"], "ocr-import-mine")]
    next(button for button in app.button if button.label == "Take the choice back").click().run()
    assert calibration_of("mine", "<b>kwai</b>").reference is None and not app.exception


@pytest.mark.usefixtures("imported")
def test_other_frames_and_turned_pictures_stand_in_the_link():
    app = opened("calibration", video="c.mkv", first="1", turned="1")
    assert "frames from 1" in said(app) and len(mounted(app)) == calibration_parts.SHOWN
    assert any(card["key"].count("turned by") for card in mounted(app).values())
    table = app.dataframe[0].value
    assert len(table) == 24 and table["Boxes in the picture, %"].iloc[0] == 100


def test_without_an_import_the_page_says_how(home):
    made_runs(made_corpus(40))
    app = opened("calibration")
    assert "Import one first" in words(app) and app.code[0].value.startswith("workbench ocr import")


def test_the_data_page_leads_to_it(imported):
    links = [link.proto.label for link in opened("data", data_corpus=imported.corpus.name).get("page_link")]
    assert "Calibrate its imported OCR" in links
