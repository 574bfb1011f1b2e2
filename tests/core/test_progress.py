"""How work tells how far it is: lines in a log, a job's file, a bar on a terminal, a line in a notebook's cell."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest

from workbench.core import progress
from workbench.core.progress import (
    FileSink,
    LineSink,
    NotebookSink,
    RichSink,
    Work,
    fitting_sink,
    meter,
    shown,
    spoken,
    track,
    use_sink,
)


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    """The time, which stands still until a test moves it."""
    found = SimpleNamespace(now=100.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: found.now))
    return found


def test_time_left_is_at_the_pace_here_and_not_at_that_of_what_was_done_before(clock):
    made = Work("Training", 1000, "steps", 900)
    assert made.seconds_left is None and made.sentence == "Training: 900 of 1,000 steps"
    clock.now += 20
    made.advance(10, "loss 0.5")
    assert made.seconds_left == pytest.approx(180)
    assert made.sentence == "Training: 910 of 1,000 steps, loss 0.5, 3 min 0 s left"
    made.advance(90)
    assert made.sentence == "Training: 1,000 of 1,000 steps, loss 0.5"
    assert [spoken(one) for one in (59.6, 61, 7500)] == ["1 min 0 s", "1 min 1 s", "2 h 5 min"]


def test_a_log_gets_a_line_now_and_then_and_the_last_state(clock, capsys):
    with use_sink(LineSink(30)), meter("Training", 100, "steps") as bar:
        for step in range(100):
            clock.now += 1
            bar.advance(note=f"loss {step}")
    assert capsys.readouterr().err.splitlines() == [
        "Training: 30 of 100 steps, loss 29, 1 min 10 s left",
        "Training: 60 of 100 steps, loss 59, 40 s left",
        "Training: 90 of 100 steps, loss 89, 10 s left",
        "Training: 100 of 100 steps, loss 99",
    ]
    with use_sink(LineSink(30)):
        assert list(track(range(20), "Short")) == list(range(20))
    assert capsys.readouterr().err == ""


def test_a_job_keeps_its_state_in_a_file(tmp_path):
    path = tmp_path / "progress.json"
    with use_sink(FileSink(path)), meter("Training", 10, "steps", done=4) as bar:
        assert json.loads(path.read_text())["done"] == 4
        bar.advance(2, "loss 0.5")
    expected = {"label": "Training", "done": 6.0, "total": 10, "unit": "steps", "note": "loss 0.5"}
    assert json.loads(path.read_text()) == expected


@pytest.mark.parametrize(("columns", "whole"), [("120", True), ("60", False)])
def test_a_terminal_shows_counts_and_note_and_cuts_only_the_note(columns, whole, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    note = "loss 0.1234, 350.0 samples/s, data wait 2.0%, [GPU] 3.1 GiB"
    with use_sink(RichSink()), meter("Training ocr", 300, "steps", done=7) as bar:
        bar.advance(5, note)
    said = capsys.readouterr().err
    assert "of 300" in said and (note in said) is whole and "loss" in said


def test_a_cell_shows_a_line_that_is_written_anew(monkeypatch):
    told = []
    handle = SimpleNamespace(update=lambda data, raw: told.append(data["text/plain"]))
    shell = SimpleNamespace(kernel=object())
    display = SimpleNamespace(display=lambda data, raw, display_id: told.append(data["text/plain"]) or handle)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    assert isinstance(fitting_sink(), NotebookSink)
    with shown(), meter("Training", 2, "steps") as bar:
        bar.advance(2, "loss 0.5")
    assert told == ["Training: 0 of 2 steps", "Training: 2 of 2 steps, loss 0.5"]


def test_a_place_is_chosen_where_nobody_listens(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: False))
    assert isinstance(fitting_sink(), LineSink)
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: True))
    assert isinstance(fitting_sink(), RichSink)
    with use_sink(listener := LineSink()), shown():
        assert progress._sink.get() is listener
