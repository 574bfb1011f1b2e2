"""The command that writes and checks reports."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path

import pytest

import workbench as wb
from tests.made import made_corpus, made_runs, made_similarity
from workbench.analysis.reports.data import report_data
from workbench.analysis.reports.lock import lock_of
from workbench.core.files import write_json


@pytest.fixture
def lock(home, tmp_path, monkeypatch):
    """The lock of a report on two runs."""
    monkeypatch.chdir(tmp_path)
    good, fair = made_runs(made_corpus(24), ("good", "fair"))
    path = Path("old.lock.json")
    write_json(path, lock_of(report_data(fair, good, cases=[])))
    return path


def test_a_report_is_written_and_checked(workbench, lock):
    code, out, error = workbench("report", "fair", "good")
    assert code == 0 and "good - fair = " in out and "report.lock.json" in out, error
    page, lock = Path("report.html"), Path("report.lock.json")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    code, out, _ = workbench("report", "--check", str(lock))
    assert code == 0 and "Every number is as it was reported." in out
    page.write_text(page.read_text(encoding="utf-8").replace("fair", "fine", 1), encoding="utf-8")
    code, out, _ = workbench("report", "--check", str(lock))
    assert code == 3 and "report.html is not the file that was written with this lock." in out
    code, _, error = workbench("report", "fair")
    assert code == 2 and "report.html exists already" in error
    code, out, _ = workbench("report", "fair", "--out", "alone.html", "--threshold", "near_duplicate=0.9", "--json")
    assert code == 0 and json.loads(out)["lock"] == "alone.lock.json"
    assert json.loads(Path("alone.lock.json").read_text())["options"]["thresholds"] == {"near_duplicate": 0.9}


def test_a_report_of_videos_that_look_for_captions(workbench, lock):
    video = wb.open_run("fair").gallery["video_id"][2]
    code, out, error = workbench("report", "fair", "--direction", "v2t", "--case", video)
    assert code == 0 and "fair finds a right caption first for " in out, error
    page, made = Path("report.html").read_text(encoding="utf-8"), json.loads(Path("report.lock.json").read_text())
    assert "Video to text: a query is a video, what is right for it a caption." in page
    assert "Video to text: captions in the lists of videos." in page and "A video fails when" in page
    assert made["options"]["direction"] == "v2t" and made["options"]["cases"] == [video]
    (text,) = wb.open_run("fair").queries.set_index("caption_id").loc[[f"{video}#0"], "text"]
    assert f'<li class="right">✔ {escape(text)}</li>' in page
    code, out, _ = workbench("report", "--check", "report.lock.json")
    assert code == 0 and "Every number is as it was reported." in out
    code, _, error = workbench("report", "fair", "--direction", "v2t", "--figures", "--overwrite")
    assert code == 2 and "v2t has none" in error and "Leave out --figures." in error


def test_a_check_that_fails_ends_with_3(workbench, lock):
    corpus = wb.open_corpus("made", "test")
    wb.save_run(made_similarity(corpus, seed=9), corpus=corpus, name="good", overwrite=True)
    code, out, _ = workbench("report", "--check", str(lock))
    assert code == 3 and "similarity.npy of run good has changed." in out and "things are not as they were" in out
    code, out, _ = workbench("report", "--check", str(lock), "--json")
    assert code == 3 and not json.loads(out)["holds"]


def test_other_software_alone_is_no_failure(workbench, lock):
    stated = json.loads(lock.read_text())
    stated["versions"]["numpy"] = "0.1"
    lock.write_text(json.dumps(stated))
    code, out, _ = workbench("report", "--check", str(lock))
    assert code == 0 and "numpy of software was 0.1" in out and "though the software is not the same" in out


@pytest.mark.slow
@pytest.mark.usefixtures("demo")
def test_the_document_is_true(workbench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    exec(compile(code, "report.md", "exec"), {})
    assert Path("differences.pdf").read_bytes()[:4] == Path("query.pdf").read_bytes()[:4] == b"%PDF"
    (commands,) = re.findall(r"^```bash\n(.*?)^```", text, re.M | re.S)
    for line in commands.splitlines():
        assert workbench(*line.split()[1:])[0] == 0, line
