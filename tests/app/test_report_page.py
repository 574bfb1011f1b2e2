"""The page Report without a browser: what it says first, the files it makes, a check of an old lock."""

from __future__ import annotations

import json

import pytest

import workbench as wb
from tests.app.test_pages import opened, words
from tests.made import made_corpus, made_runs, made_similarity
from workbench.figures.report.writing import make_report

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


@pytest.fixture
def runs(home):
    return made_runs(made_corpus(24), ("good", "fair"))


def said(app) -> str:
    return words(app).replace("\\", "")


def test_it_says_the_verdict_and_makes_the_files_on_demand(runs):
    query = runs[1].queries["caption_id"][2]
    app = opened("report", run="fair", against="good", cases=query)
    assert not app.exception and not app.error, words(app)
    assert "good - fair = " in said(app) and "Every difference in the report is good minus fair." in said(app)
    assert len(app.get("download_button")) == 0 and app.text_area[0].value == query
    app.button[0].click().run()
    assert not app.exception and [one.proto.label for one in app.get("download_button")] == [
        "Report (HTML)",
        "Lock file",
    ]
    assert "1 cases" in said(app) and "workbench report --check report-fair-good.lock.json" in app.code[0].value
    app.selectbox(key="choose against").select("(alone)").run()
    assert len(app.get("download_button")) == 0  # another report
    assert "fair finds the right video first for " in said(app) and "Reported alone" in said(app)
    assert "only run that can be compared" not in said(app)


def test_an_unknown_case_is_a_sentence(runs):
    app = opened("report", run="fair", cases="nope")
    app.button[0].click().run()
    assert not app.exception and "No query is called 'nope'" in said(app)


def test_an_old_lock_is_checked(runs):
    lock = make_report(runs[1], runs[0], cases=[]).lock
    content = json.dumps(lock).encode()
    app = opened("report", run="fair")
    app.file_uploader[0].set_value(("x.lock.json", content, "application/json")).run()
    assert f"All {len(lock['numbers'])} numbers are as they were reported." in said(app)
    corpus = wb.open_corpus("made", "test")
    wb.save_run(made_similarity(corpus, noise=4.0), corpus=corpus, name="good", overwrite=True)
    app.run()
    assert "things are not as they were." in said(app)
    assert "similarity.npy of run good has changed." in app.dataframe[0].value["Difference"].to_list()
    app.file_uploader[0].set_value(("evil.json", b"{not json", "application/json")).run()
    assert "evil.json is not valid JSON" in said(app) and not app.exception
