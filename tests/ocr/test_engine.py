"""The real engine on rendered words: what is read and where, and frames that hold nothing."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

from tests.lettered import HEIGHT, WIDTH, lettered
from workbench.core.errors import DataError, UnknownNameError
from workbench.core.optional import has
from workbench.ocr import PRESETS, Engine, Settings, engine

real = pytest.mark.skipif(
    not (has("rapidocr") and has("onnxruntime")), reason="needs RapidOCR, which make setup installs"
)
PLACES = {"BAKERY": (20, 30), "EXIT 24": (170, 150)}


@real
@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_words_are_read_where_they_stand(preset):
    lines = {line.text: line for line in Engine(preset).read(lettered(PLACES))}
    assert set(lines) == set(PLACES)
    for word, (x, y) in PLACES.items():
        quad, ink = lines[word].quad, np.argwhere(lettered({word: (x, y)}).min(axis=2) < 128)
        assert quad.shape == (4, 2) and (quad >= 0).all() and (quad <= 1).all() and lines[word].score > 0.8
        assert (quad[0] < quad[2]).all() and quad[1, 0] > quad[0, 0]  # clockwise from the top left
        low, high = ink.min(axis=0)[::-1] / (WIDTH, HEIGHT), ink.max(axis=0)[::-1] / (WIDTH, HEIGHT)
        np.testing.assert_allclose(quad.min(0), low, atol=0.04)
        np.testing.assert_allclose(quad.max(0), high, atol=0.04)


@real
@pytest.mark.slow
def test_frames_without_text_and_odd_frames():
    reader = Engine("fast")
    for shape in ((HEIGHT, WIDTH), (1, 1), (7, 400), (8, 8), (400, 9)):
        assert reader.read(np.full((*shape, 3), 128, np.uint8)) == []
    (line,) = reader.read(lettered({"CUT OFF": (10, -8)})[:40])  # its top is outside the frame
    assert line.quad.min() >= 0
    flipped = np.asfortranarray(lettered({"BAKERY": (20, 30)}))[:, ::1]
    assert [line.text for line in reader.read(flipped)] == ["BAKERY"]
    for wrong in (np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3), np.float32)):
        with pytest.raises(DataError, match=r"A frame is uint8 \[height, width, 3\], found"):
            reader.read(wrong)


@real
@pytest.mark.slow
def test_the_same_frame_gives_the_same_lines():
    frame = lettered(PLACES, size=22)
    first, second = Engine("small-text"), Engine("small-text")
    told = [[(line.text, line.score, line.quad.tolist()) for line in one.read(frame)] for one in (first, first, second)]
    assert told[0] == told[1] == told[2] and told[0]


def test_wrong_settings():
    with pytest.raises(UnknownNameError, match="No OCR preset is called 'fats'. Did you mean fast"):
        Engine("fats")
    with pytest.raises(DataError, match="0 threads cannot read"):
        Engine("fast", threads=0)


def test_settings_have_a_key_that_says_all(monkeypatch):
    changes = ({"preset": "fast"}, {"fps": 2.0}, {"n_frames": 3}, {"stride": 1}, {"threads": 2}, {"reader": "decord"})
    monkeypatch.setattr(engine, "version", {"rapidocr": "3", "onnxruntime": "1"}.get)
    keys = {Settings().key(), *(Settings(**change).key() for change in changes)}
    assert len(keys) == 1 + len(changes) and Settings().key() == Settings().key()
    monkeypatch.setattr(engine, "version", {"rapidocr": "4", "onnxruntime": "1"}.get)
    assert Settings().key() not in keys


def test_a_package_that_is_not_there_is_a_version_too(monkeypatch):
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(engine, "version", absent)
    assert set(Settings().versions().values()) == {"none"}
