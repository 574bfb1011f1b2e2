"""The command audit: sentences, JSON and exit code 3 when something is wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest

import workbench as wb
from tests.made import made_corpus, made_similarity
from workbench.corpus import save_corpus


@pytest.fixture
def runs(home):
    corpus = made_corpus(80)
    wb.save_run(made_similarity(corpus), corpus=corpus, name="good")
    wb.save_run(-made_similarity(corpus), corpus=corpus, name="turned")
    return corpus


@pytest.mark.usefixtures("runs")
def test_what_is_wrong_decides_the_exit_code(workbench):
    code, out, error = workbench("audit", "good")
    assert code == 0 and error == "" and "ok" in out.splitlines()[-1] and "0 wrong" in out.splitlines()[-1]
    code, out, _ = workbench("audit", "turned")
    assert code == 3 and "wrong: run turned: higher is better: Right videos have the lowest scores" in out
    assert "→ These are distances: import the negative of the matrix." in out and "1 wrong" in out
    assert "ok: run good: ties" in workbench("audit", "good", "--all")[1]


@pytest.mark.usefixtures("runs")
def test_json_and_corpora(workbench):
    code, out, _ = workbench("audit", "turned", "--corpus", "made", "--split", "test", "--json")
    rows = json.loads(out)
    assert code == 3 and {"run turned", "corpus made", "corpus made/test"} == {row["about"] for row in rows}
    assert set(rows[0]) == {"about", "severity", "check", "sentence", "n_rows", "rows", "fix", "numbers"}
    assert rows[0]["severity"] == "wrong"
    code, _, error = workbench("audit", "good", "--split", "test")
    assert code == 2 and "'test' is a split of no corpus. Add --corpus NAME." in error


def test_text_from_data_is_shown_as_text(workbench, runs):
    videos = runs.videos.assign(video_id="<b>[red]x[/red] " + runs.videos["video_id"], source_id="s")
    captions = runs.captions.assign(video_id="<b>[red]x[/red] " + runs.captions["video_id"])
    save_corpus("odd", {"videos": videos, "captions": captions})
    assert "[red]x[/red]" in workbench("audit", "--corpus", "odd")[1]


def test_constant_similarity(workbench, runs):
    wb.save_run(np.zeros((80, 80)), corpus=runs, name="flat")
    code, out, _ = workbench("audit", "flat")
    assert code == 0 and "80 captions have the same score for all videos" in out and "ties" in out
