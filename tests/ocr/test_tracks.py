"""Lines of several frames become texts over time: what is one text, what are two, what a track says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.corpus.tables import validate
from workbench.ocr import Line
from workbench.ocr.tracks import link, same_lines, same_text, tables


def line(text: str = "OPEN", x: float = 0.1, y: float = 0.1, score: float = 0.9, wide: float = 0.1) -> Line:
    return Line(text, score, np.array([[x, y], [x + wide, y], [x + wide, y + 0.05], [x, y + 0.05]]))


def said(read: dict[int, list[Line]]) -> list[tuple[str, list[int]]]:
    return [(track.best.text, sorted(track.lines)) for track in link(read)]


def test_a_text_that_moves_is_one_track():
    read = {frame: [line("SALE", x=0.02 * frame)] for frame in range(0, 40, 4)}
    assert said(read) == [("SALE", list(range(0, 40, 4)))]
    assert said({0: [line(x=0.0)], 5: [line(x=0.6)]}) == [("OPEN", [0]), ("OPEN", [5])]  # too far in one step


def test_two_equal_words_side_by_side_stay_two():
    read = {frame: [line("TAXI", x=0.2), line("TAXI", x=0.32)] for frame in (0, 3, 6)}
    found = link(read)
    assert [sorted(track.lines) for track in found] == [[0, 3, 6]] * 2
    for track, x in zip(found, (0.2, 0.32), strict=True):
        assert {float(one.quad[0, 0]) for one in track.lines.values()} == {x}
    swapped = {0: read[0], 3: read[3][::-1]}
    assert [[float(one.quad[0, 0]) for one in track.lines.values()] for track in link(swapped)] == [
        [0.2, 0.2],
        [0.32, 0.32],
    ]


def test_a_text_that_was_away_comes_back_as_another():
    assert said({0: [line()], 3: [], 6: [line()]}) == [("OPEN", [0]), ("OPEN", [6])]


def test_misread_letters_do_not_break_a_track_and_the_agreed_reading_is_said():
    (track,) = link({0: [line("0PEN", score=0.95)], 3: [line("OPEN", score=0.6)], 6: [line("OPEN", score=0.7)]})
    assert (track.best.text, track.best.score) == ("OPEN", 0.7)
    assert said({0: [line("OPEN")], 3: [line("EXIT")]}) == [("OPEN", [0]), ("EXIT", [3])]


def test_what_is_the_same():
    assert same_text(line("Open"), line("OPEN"))
    assert not same_text(line("OPEN"), line("SHUT"))
    assert same_text(line("OPEN DAILY"), line("0PEN DALY"))
    assert same_text(line("CRUMB"), line("CRU M8")) and not same_text(line("CRUMB"), line("CRU M8", x=0.25))
    two = [line(), line("EXIT", y=0.5)]
    assert same_lines(two, two[::-1]) and not same_lines(two, two[:1]) and same_lines([], [])


def test_tables_keep_the_rules_of_the_corpus():
    times = np.arange(20) / 10 + 0.5
    texts, boxes = tables(link({0: [line()], 4: [line(), line("EXIT", y=0.6)], 9: []}), "a.mp4", "e", times, {4: 7})
    texts, boxes = validate("texts", texts), validate("boxes", boxes)
    assert texts[["text_id", "text", "first_frame", "last_frame", "n_boxes"]].to_numpy().tolist() == [
        ["a.mp4#e#0", "OPEN", 0, 7, 2],
        ["a.mp4#e#1", "EXIT", 4, 7, 1],
    ]
    assert texts[["start_s", "end_s"]].to_numpy().tolist() == pytest.approx(np.array([[0.5, 1.2], [0.9, 1.2]]))
    assert boxes["frame"].tolist() == [0, 4, 4] and boxes["time_s"].tolist() == [0.5, 0.9, 0.9]
    none, no_boxes = tables([], "a.mp4", "e", times)
    assert none.empty and validate("boxes", no_boxes).empty


WORDS = st.sampled_from(["OPEN", "0PEN", "EXIT", "TAXI", "a", "面包"])
LINES = st.lists(st.builds(line, WORDS, st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0, 1)), max_size=5)


@given(read=st.dictionaries(st.integers(0, 60), LINES, max_size=8))
def test_every_line_is_in_exactly_one_track(read):
    found = [(frame, id(one)) for track in link(read) for frame, one in track.lines.items()]
    assert sorted(found) == sorted((frame, id(one)) for frame, lines in read.items() for one in lines)
    assert [min(track.lines) for track in link(read)] == sorted(min(track.lines) for track in link(read))
    texts, boxes = tables(link(read), "v", "e", np.arange(61.0))
    assert len(boxes) == sum(map(len, read.values()))
    if len(texts):
        assert (validate("texts", texts)["n_boxes"] > 0).all()
