"""The page Report without a browser: what it says first, the files it makes, a check of an old lock."""

from __future__ import annotations

import json

import pytest

import workbench as wb
from tests.app.test_pages import opened, words
from tests.made import made_corpus, made_runs, made_similarity
from workbench.evaluation.runs.notes import BOOKMARK, TAG, add_notes
from workbench.figures.report.writing import make_report

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


@pytest.fixture
def runs(home):
    return made_runs(made_corpus(24), ("good", "fair"))


def said(app) -> str:
    return words(app).replace("\\", "")


def make(app) -> None:
    """Click the button that makes the report."""
    (button,) = [one for one in app.button if one.label == "Make the report"]
    button.click().run()


def test_it_says_the_verdict_and_makes_the_files_on_demand(runs):
    query = runs[1].queries["caption_id"][2]
    app = opened("report", run="fair", against="good", cases=query)
    assert not app.exception and not app.error, words(app)
    assert "good - fair = " in said(app) and "Every difference in the report is good minus fair." in said(app)
    assert len(app.get("download_button")) == 0 and app.text_area[0].value == query
    make(app)
    assert not app.exception and [one.proto.label for one in app.get("download_button")] == [
        "Report (HTML)",
        "Lock file",
    ]
    assert ", 1 case " in said(app) and "workbench report --check report-fair-good.lock.json" in app.code[0].value
    app.selectbox(key="choose against").select("(alone)").run()
    assert len(app.get("download_button")) == 0  # another report
    assert "fair finds the right video first for " in said(app) and "Reported alone" in said(app)
    assert "only run that can be compared" not in said(app)


def test_a_link_to_the_other_direction_makes_its_report(runs):
    app = opened("report", run="fair", against="good", direction="v2t", cases=runs[1].gallery["video_id"][2])
    assert "Video to text: good - fair = " in said(app) and "video ids, one a line" in app.text_area[0].label
    make(app)
    assert not app.exception and not app.error, words(app)
    assert ", 1 case " in said(app) and "workbench report --check report-fair-good-v2t.lock.json" in app.code[0].value


def test_an_unknown_case_is_a_sentence(runs):
    app = opened("report", run="fair", cases="nope")
    make(app)
    assert not app.exception and "No query is called 'nope'" in said(app)


def test_my_bookmarks_are_the_cases_and_tags_stand_in_the_report(runs):
    ids = runs[1].queries["caption_id"].to_list()
    head = {"annotator": "Ana", "direction": "t2v", "run": "fair", "split": "test"}
    add_notes(
        "made", [{"kind": BOOKMARK, **head, "query_id": one, "on": True} for one in (ids[5], ids[3], "of another")]
    )
    about = {"query_id": ids[3], "caption_id": ids[3], "video_id": "v", "cause": "hub", "evidence": "", "sample": ""}
    add_notes("made", [{"kind": TAG, **head, **about, "label": "ambiguous", "named_cause": ""}])
    app = opened("report", run="fair")
    assert app.button[0].disabled
    app.text_input(key="write annotator").set_value("Ana").run()
    assert "2 captions of this run bookmarked by you." in said(app)
    app.button[0].click().run()
    assert app.query_params["cases"] == f"{ids[3]}\n{ids[5]}" == app.text_area[0].value
    videos = runs[1].relevance.set_index("caption_id")["video_id"]
    add_notes("made", [{"kind": BOOKMARK, **head, "direction": "v2t", "query_id": videos[ids[7]], "on": True}])
    assert "2 captions of this run bookmarked by you." in said(app.run())
    app.get("button_group")[0].set_value("v2t").run()
    assert "1 video of this run bookmarked by you." in said(app) and app.query_params["direction"] == "v2t"
    assert app.text_area[0].value == f"{videos[ids[3]]}\n{videos[ids[5]]}"  # the videos of the captions
    app.button[0].click().run()
    assert app.text_area[0].value == videos[ids[7]] and not app.exception
    before = make_report(runs[1], cases=[ids[3]])
    assert "Tagged: Ambiguous (Ana)" in before.html and "<h2>Human tags</h2>" in before.html
    add_notes("made", [{"kind": TAG, **head, **about, "annotator": "<b>", "label": "other", "named_cause": ""}])
    after = make_report(runs[1], cases=[ids[3]])
    assert "Other cause (&lt;b&gt;)" in after.html and after.lock["numbers"] == before.lock["numbers"]


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
