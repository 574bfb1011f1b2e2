"""Failures, Leaderboard and the command: causes in scene text, what was not looked for, parts by type of query."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.app.test_pages import opened, unfolded, words
from tests.made import made_corpus, made_similarity
from tests.texts import read_corpus, run_on
from workbench import analysis
from workbench.app import loading
from workbench.cli import look
from workbench.corpus.store import replace_texts
from workbench.evaluation import open_run

HOSTILE = "<script>alert(1)</script>"
pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


def shown(page: str, **parameters: str) -> str:
    app = opened(page, **parameters)
    assert not app.exception and not app.error, words(app)
    return words(app).replace("\\", "")


def test_causes_in_scene_text_are_shown_with_their_words(home):
    run_on(read_corpus(f'It reads "{HOSTILE} Sloane".', rapidocr={"a": ["SL0ANE", HOSTILE]}), given={})
    app = opened("failures")
    table = app.dataframe[-1].value
    assert table["Cause"].to_list() == ["Text misread"]
    assert '"SL0ANE" for "Sloane"' in table["Evidence"][0]
    assert "Not looked for: Coin flip" not in words(app)
    assert "Not looked for: Coin flip" in words(unfolded(app, "causes")) and "<script>" not in words(app)


def test_what_could_not_be_looked_for_is_said(home, capsys):
    run_on(read_corpus())
    text = shown("failures")
    assert "Not looked for: **Suspect label, Text missed by the OCR, Text misread, Text filtered out" in text
    assert "No text was read in the videos. Run: workbench ocr run c" in text
    look.failures("r", k=1, direction="t2v", domain=None, cause=None, limit=20, as_json=False)
    out = capsys.readouterr().out
    assert "Other script. No text was read in the videos" in out and "Not looked for: Truncated. Run r does not" in out


def test_texts_read_later_are_noticed(home):
    corpus = read_corpus(rapidocr={})
    run = run_on(corpus)
    first = loading.key_with_texts(run)
    assert first == loading.key_with_texts(open_run("r"))
    texts, coverage = corpus.texts, corpus.text_coverage
    row = {"video_id": "a", "kind": "ocr", "engine": "rapidocr", "text": "SL0ANE SQUARE", "text_id": "a#rapidocr#0"}
    replace_texts(corpus, "rapidocr", texts.reindex([0]).assign(**row), coverage.assign(state="read"), {})
    assert loading.key_with_texts(run) != first
    assert "Text misread" in opened("failures").dataframe[-1].value["Cause"].to_list()


def test_the_leaderboard_shows_parts_by_type_of_query(home):
    corpus = read_corpus(kinds=["text", "visual", "visual", "both"])
    run_on(corpus)
    assert "By query type" in shown("")
    table = loading.by_slice(loading.key_with_texts(open_run("r")), "query_type", "r1")
    assert dict(zip(table["label"], table["value"], strict=True)) == {"visual": 100.0, "text": 0.0, "both": 100.0}


def test_without_types_there_is_no_such_part(home):
    run_on(read_corpus())
    assert "By query type" not in shown("")


def test_other_models_stand_in_the_link(home):
    """What another model answers tells more; the run itself cannot be chosen, and an unknown name is let go."""
    corpus = made_corpus(24)
    for at, name in enumerate(("r", "model")):
        wb.save_run(made_similarity(corpus, 4.0, seed=at), corpus=corpus, name=name)
    app = opened("failures", run="r", others="model,nobody,r")
    assert not app.exception and app.multiselect[0].value == ["model"]
    assert app.query_params["others"] in ("model", ["model"]) and app.multiselect[0].options == ["model"]
    alone = opened("failures", run="r")
    assert alone.multiselect[0].value == [] and "others" not in alone.query_params
    chosen = alone.multiselect[0].select("model").run()
    assert chosen.query_params["others"] in ("model", ["model"]) and not chosen.exception
    run = open_run("r")
    assert loading.failures(run, 1, "t2v", [open_run("model")]).equals(analysis.failures("r", others=["model"]))
