"""The OCR funnel on Failures and Query: stages, the list that a stage narrows, words with their sign, commands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.analysis.failing import failing
from tests.app.test_pages import opened, words
from workbench import analysis, figures
from workbench.app.parts.funnel import LOSSES, LOST, SIGNS, _chip, _clicked, queries_losing
from workbench.core.workspace import elsewhere

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals
SIGN = 'A sign says "Sloane Square".'


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A run whose first query fails and loses a word that was misread; another word was kept."""
    home = tmp_path_factory.mktemp("home")
    with elsewhere(home):
        return home, failing(SIGN, read={"a": ["SL0ANE Square"]}, given={"a": ["SL0ANE", "Square"]})


@pytest.fixture
def run(place, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(place[0]))
    return place[1]


def test_bars_tell_counts_shares_and_words(run):
    found = analysis.ocr_funnel(run)
    figure = figures.funnel_bars(found.table(), found.words)
    reach, lost = figure.data
    assert list(reach.y)[3] == "Recognised<br>1 (50 %)" and list(reach.y)[1] == "Sampled<br>not told"
    assert list(lost.x) == [0, 0, 0, 1, 0, 0] and lost.hovertext[3] == "Misread 1 (Sloane)"
    strange = found.words.assign(word="<b>x</b>")
    assert "&lt;b&gt;x&lt;/b&gt;" in figures.funnel_bars(found.table(), strange).data[1].hovertext[3]
    assert set(LOSSES) == set(SIGNS)


def test_failures_shows_the_funnel_and_a_stage_narrows_the_list(run):
    app = opened("failures", above="funnel", **{LOST: "recognised"})
    assert not app.exception and "1 of 1 failed query." in words(app)
    assert "Misread" in words(app) and any("ocr run c --preset small-text" in one.value for one in app.code)
    assert "Sampled is not told" in words(app).replace("\\", "")
    app = opened("failures", above="funnel", **{LOST: "kept"})
    assert "No failed query is like this" in words(app)
    assert queries_losing(run, "recognised", "v2t") == {"a"} and queries_losing(run, "kept", "t2v") == set()


def test_domains_stand_beside_each_other_and_a_click_narrows_both_lists(run):
    found = analysis.ocr_funnel(run)
    table = found.table("domain")
    figure = figures.funnel_domain_bars(table)
    lost, left = figure.data
    (domain,) = table["domain"].unique()
    assert lost.name == "lost before recognised" and list(lost.x) == [50] and list(left.x) == [50]
    assert _clicked(list(lost.customdata[0])) == {"domain": domain, LOST: "recognised"}
    assert _clicked("kept") == {LOST: "kept"} and _clicked(None) == _clicked("in_frame") == _clicked(["x", "y"]) == {}
    shown = found.words.assign(domain=["Sports", "Games"])
    both = figures.funnel_domain_bars(replace(found, words=shown).table("domain"))
    assert list(both.data[-1].y) == ["Game (1 word)", "Sports (1 word)"] and list(both.data[-1].x) == [100, 0]


def test_a_lost_word_opens_its_query(run):
    app = opened("failures", above="funnel", **{LOST: "recognised"})
    table = next(one for one in app.dataframe if "Word" in one.value)
    assert table.value["Word"].to_list() == ["Sloane"] and table.value["Caption"].to_list() == [SIGN]
    assert "Select a row to open its query" in words(app) and "Read at, s" not in table.value  # nowhere told


def test_query_shows_each_word_with_its_end(run):
    app = opened("query", q="q0")
    assert not app.exception
    (html,) = [str(one.value) for one in app.get("html") if "border:2px" in str(one.value)]
    assert "≠ <strong>Sloane</strong> Misread" in html and "○ <strong>Square</strong> Kept, use not told" in html
    assert "<script" not in _chip("<script>", "used")


def test_where_nothing_was_read_the_command_stands(home):
    failing(SIGN)
    for page in ({"above": "funnel"}, {LOST: "kept"}):
        assert "ocr run c" in words(opened("failures", **page)).replace("\\", "")
    assert "Where words are lost is not known" in words(opened("query"))
