"""A damaged file of a folder that is listed is left out and named; the pages go on. So do they after an error."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import workbench.app.entry.main as installed
from tests.app.test_pages import opened, words
from tests.made import made_corpus, made_runs
from workbench.app import failing
from workbench.core import jobs
from workbench.evaluation.runs import notes

pytestmark = pytest.mark.filterwarnings("default")
DAMAGED = {
    "notes/calibrations/made.kwai.json": "{}", "notes/calibrations/made.other.json": "[",
    "notes/made.jsonl": '{"kind": "tag"\n{"format_version": 1, "kind": "bookmark"}\n[]\n',
    "jobs/torn/job.json": "{", "jobs/empty/job.json": "{}", "cache/indexes/torn/index.json": "[]",
    "runs/torn/run.json": "{", "runs/empty/run.json": "{}", "corpora/torn/corpus.json": "{",
    "corpora/empty/corpus.json": "{}",
}  # fmt: skip


@pytest.fixture
def damaged(home):
    runs = made_runs(made_corpus(24), ("good", "fair"))
    tag = {"kind": "tag", "annotator": "Ana", "query_id": "x", "label": "other", "split": "test", "direction": "t2v"}
    notes.add_notes("made", [tag])
    for name, text in DAMAGED.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        with (home / name).open("a") as file:
            file.write(text)
    return runs


def test_pages_open_beside_damaged_files(damaged):
    for page in ("leaderboard", "failures", "search", "training", "data", "tags", "calibration"):  # those that list
        app = opened(page)
        assert not app.exception and not app.error, (page, words(app))


def test_data_names_them_with_what_to_do(damaged):
    said = " ".join(one.value for one in opened("data").warning).replace("\\", "")
    assert "made.kwai.json states no valid format_version" in said and "made.other.json is not valid JSON" in said
    assert "index.json describes no index" in said and "more that cannot be read" in words(opened("data"))
    said = words(opened("tags")).replace("\\", "")
    assert all(f"Line {number} of" in said for number in (2, 3, 4)) and "mend or delete that line" in said
    assert len(notes.read_tags("made")) == 1 and [str(one) for one in jobs.damaged_jobs()] != []
    assert jobs.list_jobs() == []


def test_commands_name_them(damaged, workbench):
    code, out, error = workbench("tags", "made")
    assert code == 0 and "Line 2 of" in out + error
    code, out, _ = workbench("runs", "watch")
    assert code == 0 and "unreadable" in out


def shown() -> None:
    from workbench.app.failing import ended
    from workbench.core.errors import StateError

    try:
        None.replace("a", "b")
    except AttributeError as error:
        ended(error)
    ended(StateError("No *run* is here.", "Make one."))


def test_an_unforeseen_error_is_a_sentence_and_a_log(home, monkeypatch):
    monkeypatch.setattr(failing, "LARGEST", 10)
    for _ in range(2):
        app = AppTest.from_function(shown, default_timeout=60).run()
        first, second = (one.value.replace("\\", "") for one in app.error)
        assert not app.exception and "has no attribute 'replace'. All other pages work" in first
        assert f"stands at the end of {home / 'app.log'}" in first and "No *run* is here." in second
    assert "AttributeError" in (home / "app.log").read_text() and (home / "app.old.log").exists()


def test_both_entries_say_it():
    script = Path(installed.__file__).parents[3] / "app.py"
    for app in (installed.app, runpy.run_path(str(script))["app"]):
        assert app._on_script_error is failing.ended
