"""Which frames the engine reads: the engine here is a fake that is told by the frame itself what stands in it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.seeds import generator
from workbench.ocr import Line, read_sampled
from workbench.ocr.reading import GRID, SAME_LOOK, signature

HEIGHT, WIDTH = 54, 96
QUAD = np.array([[0.0, 0.0], [0.2, 0.0], [0.2, 0.1], [0.0, 0.1]])
SCENES = [generator(0, "scene", i).integers(60, 200, GRID).repeat(2, 0).repeat(2, 1) for i in range(4)]


class Fake:
    """Reads the texts that ``film`` has hidden in the top left pixel, and remembers how often it was asked."""

    def __init__(self, texts: list[frozenset[str]]) -> None:
        self.texts = list(dict.fromkeys(texts))
        self.calls = 0

    def read(self, frame: np.ndarray) -> list[Line]:
        self.calls += 1
        places = {"A": 0.0, "B": 0.3, "C": 0.6}
        words = {"A": "BAKERY", "B": "EXIT", "C": "30 MPH"}
        return [Line(words[one], 0.9, QUAD + places[one]) for one in sorted(self.texts[int(frame[0, 0, 0])])]


def film(shown: list[str], *, scenes: list[int] | None = None, still: bool = False):
    """Frames 0, 2, 4, ... that show these texts ("", "A", "AB"); each looks different unless the film is still."""
    texts = [frozenset(one) for one in shown]
    fake = Fake(texts)
    frames = []
    for i, one in enumerate(texts):
        pixels = np.repeat(SCENES[scenes[i] if scenes else 0][:, :, None], 3, 2).astype(np.uint8)
        if not still:
            pixels[-4:, : 2 * (i % 48), 1] = 250  # a bar that grows
        for text in one:
            row = 10 + 8 * "ABC".index(text)
            pixels[row : row + 4, 40:60] = 255 - pixels[row : row + 4, 40:60]
        pixels[0, 0, 0] = fake.texts.index(one)
        frames.append((2 * i, pixels))
    return frames, fake


def words(reading) -> dict[int, int]:
    return {frame: len(lines) for frame, lines in reading.lines.items()}


def test_frames_that_look_alike_are_read_once_and_held():
    frames, fake = film(["A"] * 20, still=True)
    reading = read_sampled(frames, fake.read)
    assert fake.calls == 1 and words(reading) == {0: 1}
    assert reading.held == {0: 38} and reading.n_sampled == 20


def test_a_still_that_changes_is_held_to_its_last_frame():
    frames, fake = film(["A"] * 5 + ["AB"] * 5, still=True)
    reading = read_sampled(frames, fake.read, stride=1)
    assert words(reading) == {0: 1, 10: 2} and reading.held == {0: 8, 10: 18}


def test_between_two_frames_that_say_the_same_nothing_is_read():
    frames, fake = film(["A"] * 17)
    reading = read_sampled(frames, fake.read, stride=8)
    assert words(reading) == {0: 1, 16: 1, 32: 1} and fake.calls == 3 and reading.held == {}


def test_a_change_is_found_by_bisecting():
    frames, fake = film(["A"] * 11 + ["AB"] * 6)
    reading = read_sampled(frames, fake.read, stride=16)
    assert reading.lines.keys() >= {20, 22} and words(reading)[20] == 1 and words(reading)[22] == 2
    assert fake.calls == len(reading.lines) < 8
    frames, fake = film(["A"] * 8 + [""] + ["B"] * 8)  # one frame between two texts
    assert words(read_sampled(frames, fake.read, stride=16))[16] == 0


def test_a_text_between_two_equal_ends_is_missed_only_inside_a_window():
    shown = ["A"] * 3 + ["AB"] * 3 + ["A"] * 3
    frames, fake = film(shown)
    assert set(words(read_sampled(frames, fake.read, stride=8)).values()) == {1}  # what a stride costs
    frames, fake = film(shown)
    assert 2 in words(read_sampled(frames, fake.read, stride=4)).values()


def test_a_cut_closes_the_window():
    shown, scenes = ["A"] * 4 + ["B"] * 3 + ["A"] * 4, [0] * 4 + [1] * 3 + [0] * 4
    frames, fake = film(shown, scenes=scenes)
    reading = read_sampled(frames, fake.read, stride=16)
    assert sorted(reading.lines) == [0, 6, 8, 12, 14, 20]
    frames, fake = film(shown)
    assert sorted(read_sampled(frames, fake.read, stride=16).lines) == [0, 20]


def test_stride_one_reads_all_that_differ():
    frames, fake = film(["A", "", "B", "B", "C", "AB"])
    assert words(read_sampled(frames, fake.read, stride=1)) == {0: 1, 2: 0, 4: 1, 6: 1, 8: 1, 10: 2}


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (27, 48), (1080, 1920)])
def test_frames_of_any_size(size):
    frame = np.full((*size, 3), 77, np.uint8)
    look = signature(frame)
    assert look.shape == (min(size[0], GRID[0]), min(size[1], GRID[1])) and (look == 77).all()
    assert read_sampled([(0, frame), (1, frame)], lambda pixels: []).lines == {0: []}


def test_no_frame_one_frame_and_a_change_of_size():
    assert read_sampled([], lambda pixels: []).n_sampled == 0
    small, large = np.zeros((10, 10, 3), np.uint8), np.zeros((40, 60, 3), np.uint8)
    reading = read_sampled([(5, small), (6, large), (7, small)], lambda pixels: [], stride=1)
    assert sorted(reading.lines) == [5, 6, 7] and reading.held == {}


def test_slow_change_is_seen_in_the_end():
    """A fade: no two neighbours differ, yet the last is not the first."""
    frames = [(i, np.full((HEIGHT, WIDTH, 3), 100 + i, np.uint8)) for i in range(60)]
    reading = read_sampled(frames, lambda pixels: [], stride=1)
    assert len(reading.lines) == 60 // int(SAME_LOOK)


SHOWN = st.lists(st.sampled_from(["", "A", "B", "AB", "ABC"]), min_size=1, max_size=40)


@given(shown=SHOWN, stride=st.integers(1, 12), scenes=st.lists(st.integers(0, 3), min_size=40, max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_film_any_stride(shown, stride, scenes):
    """No frame is read twice; what is read is right; what stands for ``stride`` sampled frames is found."""
    frames, fake = film(shown, scenes=scenes)
    reading = read_sampled(iter(frames), fake.read, stride)
    assert fake.calls == len(reading.lines) <= reading.n_sampled == len(shown)
    assert all(len(lines) == len(shown[frame // 2]) for frame, lines in reading.lines.items())
    for text, word in (("A", "BAKERY"), ("B", "EXIT"), ("C", "30 MPH")):
        visible = [text in one for one in shown]
        for start in range(len(shown) - stride + 1):
            if all(visible[start : start + stride]):
                read = [frame for frame in reading.lines if start <= frame // 2 < start + stride]
                assert any(word in [one.text for one in reading.lines[frame]] for frame in read)


@given(shown=SHOWN)
@settings(max_examples=100, deadline=None)
def test_a_still_film_reads_every_change_with_stride_one(shown):
    frames, fake = film(shown, still=True)
    reading = read_sampled(frames, fake.read, 1)
    changes = [i for i, one in enumerate(shown) if i == 0 or set(one) != set(shown[i - 1])]
    assert sorted(reading.lines) == [2 * i for i in changes]
