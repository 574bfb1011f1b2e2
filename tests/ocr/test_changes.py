"""Only what looks different is read again; what is known elsewhere stays, and nothing of another video is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lettered import lettered
from workbench.core.seeds import generator
from workbench.ocr import ChangeReader, Engine, Line
from workbench.ocr.changes import BLOCK, CELL, area, changed_boxes

pytest.importorskip("rapidocr", reason="needs the OCR engine, which make setup installs")

STEP = CELL * BLOCK
SHAPE = (240, 320, 3)


class Reader:
    """Stands for the engine: a line in the middle of each part it is asked for, named by the number of the call."""

    def __init__(self) -> None:
        self.parts: list[tuple[int, int, int, int]] = []

    def forget(self) -> None:
        self.parts.clear()

    def read(self, frame):
        return self.read_part(frame, (0, 0, frame.shape[1], frame.shape[0]))

    def read_part(self, frame, box):
        self.parts.append(box)
        x, y = (box[0] + box[2]) / 2 / frame.shape[1], (box[1] + box[3]) / 2 / frame.shape[0]
        quad = np.array([(x - 0.01, y - 0.01), (x + 0.01, y - 0.01), (x + 0.01, y + 0.01), (x - 0.01, y + 0.01)])
        return [Line(str(len(self.parts)), 0.9, quad)]


def grey(shape=SHAPE, value: int = 100) -> np.ndarray:
    return np.full(shape, value, np.uint8)


def line(left: int, top: int, right: int, bottom: int) -> Line:
    quad = np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) / (SHAPE[1], SHAPE[0])
    return Line("WORD", 0.9, quad)


def test_the_changed_part_with_what_is_around_it():
    after = grey()
    after[100:108, 150:158] = 200
    assert changed_boxes(grey(), grey(), []) == []
    ((left, top, right, bottom),) = changed_boxes(grey(), after, [])
    assert left <= 150 - CELL and top <= 100 - CELL and right >= 158 + CELL and bottom >= 108 + CELL
    assert all(side % STEP == 0 for side in (left, top, right)) and (right - left) * (bottom - top) <= 16 * STEP**2
    assert changed_boxes(grey(), grey(value=103), []) == []  # a little brighter is no change
    assert area(changed_boxes(grey(), grey(value=120), [])) == 240 * 320


def test_lines_that_the_change_touches_are_read_with_it_in_a_chain():
    after = grey()
    after[100:108, 150:158] = 200
    long, far, next_ = line(160, 100, 310, 120), line(10, 10, 60, 30), line(290, 122, 310, 170)
    (box,) = changed_boxes(grey(), after, [long, far, next_])
    assert box[2] == 320 and box[3] >= 170 and box[1] <= 100 and box[0] > 60


@pytest.mark.parametrize("seed", range(8))
def test_boxes_are_disjoint_and_hold_every_changed_pixel(seed):
    draw = generator(seed, "changes")
    shape = (int(draw.integers(9, 300)), int(draw.integers(9, 300)), 3)
    before, after = grey(shape), grey(shape)
    for _ in range(4):
        y, x = draw.integers(0, shape[0]), draw.integers(0, shape[1])
        after[y : y + 16, x : x + 16] = 255
    covered = np.zeros(shape[:2], int)
    for left, top, right, bottom in changed_boxes(before, after, []):
        covered[top:bottom, left:right] += 1
    assert covered.max() == 1
    differs = np.zeros(tuple(-(-side // CELL) * CELL for side in shape[:2]), bool)
    differs[: shape[0], : shape[1]] = (before != after).any(axis=2)
    full = differs.reshape(differs.shape[0] // CELL, CELL, -1, CELL).sum(axis=(1, 3)) >= CELL * CELL / 4
    assert (covered > 0)[::CELL, ::CELL][full].all()


def test_known_lines_stay_and_what_was_read_is_what_is_compared():
    engine = Reader()
    reader = ChangeReader(engine)
    first = grey()
    reader.read(first)
    changed = first.copy()
    changed[0:16, 0:16] = 200
    lines = reader.read(changed)
    assert len(engine.parts) == 2 and [one.text for one in lines] == ["2", "1"]  # from top to bottom
    for value in range(102, 140, 4):  # fades too slowly for neighbours, but not for what was read
        faded = changed.copy()
        faded[200:, 200:] = value
        reader.read(faded)
    assert 4 <= len(engine.parts) <= 7
    reader.forget()
    reader.read(changed)
    assert engine.parts == [(0, 0, 320, 240)]


def test_another_size_and_too_much_change_are_read_whole():
    engine = Reader()
    reader = ChangeReader(engine)
    for frame in (grey(), grey(value=180), grey((120, 160, 3), 180), grey(value=180)):
        reader.read(frame)
    assert [part[2:] for part in engine.parts] == [(320, 240), (320, 240), (160, 120)]


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["fast", "small-text"])
def test_the_real_engine_reads_parts_as_it_reads_whole_frames(preset):
    shown = [{"TAXI 27": (20, 20), "OPEN": (30, 160)}, {"TAXI 27": (20, 20), "CLOSED": (30, 160)},
             {"TAXI 27": (20, 20)}, {"TAXI 27": (20, 20), "BAKERY": (120, 90)}]  # fmt: skip
    frames = [lettered(words) for words in shown]
    reader, whole = ChangeReader(Engine(preset)), Engine(preset)
    for words, frame in zip(shown, frames, strict=True):
        whole.forget()
        ours, theirs = reader.read(frame), whole.read(frame)
        assert {one.text for one in ours} == {one.text for one in theirs} == set(words)
        places = {one.text: one.quad for one in theirs}
        for one in ours:
            np.testing.assert_allclose(one.quad, places[one.text], atol=0.03)
