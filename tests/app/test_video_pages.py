"""The pages with videos, without a browser: what they show of a small filmed corpus whose text is hostile."""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.test_pages import opened, words
from tests.captioned import EVIL, STRANGE, captioned_corpus, captioned_runs
from tests.filmed import HOSTILE, filmed_corpus, with_text
from tests.made import made_corpus, made_runs
from workbench import analysis, figures
from workbench.analysis.case import query_near
from workbench.analysis.domains import ALL, domain_overview
from workbench.analysis.reading.frequent import frequent_words
from workbench.app.components.keeper import KEY as KEEPER
from workbench.app.components.thumbnails import CHOSEN
from workbench.app.text import marked, short
from workbench.core.errors import UnknownNameError
from workbench.corpus import save_corpus
from workbench.pipelines.search import Searcher, matched, searchers_of

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def corpus(home, tmp_path):
    return captioned_corpus(tmp_path / "films")


@pytest.fixture
def runs(corpus):
    return captioned_runs(corpus)


def mounted(app: AppTest) -> dict[str, dict[str, Any]]:
    """Data of the players and grids of a page by their keys; AppTest does not know components."""
    found = [element for element in app.main if element.type == "bidi_component"]
    return {element.key: json.loads(element.proto.json) for element in found if element.key != KEEPER}


def said(app: AppTest) -> str:
    """All text of a page; fails where something of the data could act as Markdown or HTML."""
    assert not app.exception and not app.error, words(app)
    markdown, html = words(app), " ".join(str(element.value) for element in app.get("html"))
    assert not re.search(r"(?<!\\)(<script|<img|<b>|\[a|\]\(|:red|\$x)", markdown), markdown
    assert not re.search(r"<script|<img|<b>", html), html
    return markdown.replace("\\", "") + html


# Domains ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("runs")
def test_domains_has_a_card_for_each():
    app = opened("domains", run="wrong")
    text = said(app)
    assert "R@1 **0.0 %**" in text and "right 100.0" in text and "**3 of 3** queries fail" in text
    assert text.index("## Sports") < text.index("## <script>")  # five failures before three
    cards = mounted(app)
    assert [tile["video_id"] for tile in cards["card Sports"]["tiles"]] == ["one.mp4", "two.mp4"]  # no broken one
    assert "Which domain comes first" in text


@pytest.mark.usefixtures("runs")
def test_a_domain_opens_its_videos():
    app = opened("domains", domain=EVIL, video=STRANGE, run="wrong")
    assert "A scoreboard that reads GOAL." in said(app)
    grid, player = mounted(app)["grid"], mounted(app)["open video"]
    assert [tile["video_id"] for tile in grid["tiles"] if tile["chosen"]] == [STRANGE]
    assert player["key"] == f"shown/{STRANGE}" and player["tracks"][0]["text"] == "GOAL"
    assert any("Rank" in link.proto.label for link in app.get("page_link"))


@pytest.mark.usefixtures("runs")
def test_a_wrong_domain_is_said_and_a_broken_video_has_no_picture():
    assert "There is no domain called <b>" in said(opened("domains", domain="<b>"))
    app = opened("domains", domain="Sports", video="broken.mp4", direction="v2t")
    assert "cannot be played" in said(app)
    assert {tile["missing"] for tile in mounted(app)["grid"]["tiles"]} == {"broken file", ""}


def test_a_corpus_without_runs_captions_or_domains_can_be_browsed(home, tmp_path):
    filmed_corpus(tmp_path / "films")
    app = opened()
    assert "What do you have?" in words(app)
    app = opened("domains")
    text = said(app)
    assert "## All videos" in text and "there are no scores" in text and "no captions" in text
    assert len(mounted(app)["grid"]["tiles"]) == 5 and mounted(app)["open video"]["sources"]


def test_pages_of_many_videos_are_turned(home):
    made_corpus(160)
    app = opened("domains", domain="Cooking", page="2")
    text = said(app)
    assert "Videos 13 to 24 of 40" in text and "on this machine" in text
    assert not any(name == "open video" for name in mounted(app))
    for page, first in (("99", 37), ("x", 1), ("0", 1)):
        assert f"Videos {first} to" in said(opened("domains", domain="Cooking", page=page))
    assert "Videos 37 to" in said(opened("domains", domain="Cooking", video="Cooking/clip_0038.mp4"))


def test_no_corpus_is_said(home):
    made_runs(made_corpus(40), ("alone",))
    shutil.rmtree(home / "corpora" / "made")
    for page in ("domains", "search"):
        assert "There is no corpus yet" in words(opened(page))


def test_the_overview_of_domains(runs, corpus):
    table = domain_overview(corpus, analysis.failures(runs[1])).set_index("domain")
    assert table["n_failed"].to_dict() == {"Sports": 5, EVIL: 3}
    assert table["scene_text"].to_dict() == {"Sports": 0.6, EVIL: 2 / 3}
    assert list(table["n_videos"]) == [3, 2] and table.loc["Sports", "cause"] in analysis.CAUSES
    assert list(domain_overview(corpus)["n_failed"]) == [0, 0]
    confusion = figures.confusion_heatmap(analysis.domain_confusion(runs[0]))
    assert confusion.data[0].z.trace() == 200 and "<script" not in confusion.to_json()


def test_scene_text_is_a_share_of_captions(home):
    corpus = made_corpus(40)
    tables = {
        "videos": corpus.videos,
        "captions": corpus.captions.assign(query_type=["text", "visual"] * 20),
    }
    typed = domain_overview(save_corpus("typed", tables))
    assert list(typed["scene_text"]) == [0.5] * 4
    alone = domain_overview(save_corpus("alone", tables | {"videos": corpus.videos.assign(domain="Cooking")}))
    assert list(alone["domain"]) == [ALL] and list(alone["label"]) == ["All videos"]


# Query ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("runs")
def test_a_failed_query_plays_the_right_video_beside_the_wrong_one():
    app = opened("query", run="wrong", q="one.mp4#0")
    text = said(app)
    assert ">MIRA</mark>" in text and "underlined: words" in text
    shown = mounted(app)
    assert (shown["right"]["title"], shown["right"]["key"]) == ("Right video", "shown/one.mp4")
    assert shown["beside"]["title"] == "Top-1 of wrong, wrong"
    assert [tick["frame"] for tick in shown["right"]["ticks"]] == [1, 5]
    assert [track["matched"] for track in shown["right"]["tracks"]] == [True]
    assert {"first ten wrong", "first ten right"} <= set(shown)
    (hit,) = [tile for tile in shown["first ten right"]["tiles"] if tile["right"]]
    assert (hit["video_id"], hit["label"]) == ("one.mp4", "1")


@pytest.mark.usefixtures("runs")
def test_a_right_query_has_a_runner_up_and_a_picture_chooses_another():
    shown = mounted(opened("query", run="right", q="one.mp4#0"))
    assert shown["beside"]["title"] == "Runner-up of right, rank 2" and shown["right"]["start"] == 2 / 24
    app = opened("query", run="right", q="one.mp4#0", t="0.25", **{CHOSEN: "one.mp4"})
    assert mounted(app)["beside"]["title"] == "Rank 1 of right, right" and mounted(app)["right"]["start"] == 0.25
    for second in ("-1", "nan", "x", "inf"):
        assert mounted(opened("query", q="one.mp4#0", t=second))["right"]["start"] == 2 / 24


@pytest.mark.usefixtures("runs")
def test_a_video_as_query_has_captions_beside_it():
    app = opened("query", run="wrong", q="three.mp4", direction="v2t")
    text = said(app)
    assert set(mounted(app)) == {"right"} and "Best wrong caption" in text and "مرحبا" in text
    assert opened("query", q="two.mp4#1", direction="v2t").query_params["q"] == "two.mp4"
    assert "two.mp4" in said(opened("query", q="two.mp4#1", direction="v2t"))


@pytest.mark.usefixtures("runs")
def test_a_query_whose_video_is_broken_says_so():
    assert "broken.mp4 cannot be played" in said(opened("query", q="broken.mp4#0"))


def test_words_of_another_engine_are_shown_by_choice(corpus):
    with_text(corpus, "one.mp4", "truth", ["RUNNER"])
    captioned_runs(corpus)
    app = opened("query", q="one.mp4#0")
    assert app.query_params["engine"] == "rapidocr" and "RUNNER</mark>" not in said(app)
    app = opened("query", q="one.mp4#0", engine="truth")
    assert ">runner</mark>" in said(app) and ">MIRA</mark>" not in said(app)


def test_a_corpus_without_videos_keeps_its_tables(home):
    made_runs(made_corpus(40))
    app = opened("query")
    assert "none plays here" in said(app) and len(app.dataframe) == 2 and mounted(app) == {}


def test_the_query_that_an_id_names(runs):
    assert query_near(runs[0], "one.mp4", "t2v") == "one.mp4#0" and query_near(runs[0], "one.mp4#1", "v2t") == "one.mp4"
    assert query_near(runs[0], "one.mp4#1", "t2v") == "one.mp4#1" and query_near(runs[0], "nope", "t2v") is None


# Search -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("corpus")
def test_a_word_finds_its_videos():
    app = opened("search", q="mira")
    assert "2 videos, best first" in said(app)
    shown = mounted(app)
    tiles = shown["found bm25"]["tiles"]
    assert {tile["video_id"] for tile in tiles} == {"one.mp4", "three.mp4"}
    assert all(tile["words"] == ["mira"] and tile["note"].startswith("score") for tile in tiles)
    player = shown["open video"]
    assert player["key"] == f"shown/{tiles[0]['video_id']}" and player["start"] == 2 / 24
    assert any(track["matched"] for track in player["tracks"])
    chosen = mounted(opened("search", q="mira", **{CHOSEN: tiles[1]["video_id"]}))
    assert chosen["open video"]["key"] == f"shown/{tiles[1]['video_id']}"


@pytest.mark.usefixtures("corpus")
def test_an_empty_search_has_examples_and_no_hit_is_said():
    app = opened("search")
    assert "goal" in [button.label for button in app.button]
    app.button(key="example 0").click().run()
    assert app.query_params["q"] and mounted(app)["found bm25"]["tiles"]
    assert "No video has a word like these: <b>zzz</b>" in said(opened("search", q="<b>zzz</b>"))


def test_a_search_before_reading_says_the_command(home, tmp_path):
    filmed_corpus(tmp_path / "films")
    app = opened("search", q="mira")
    assert "No words were read" in said(app) and app.code[0].value == "workbench ocr run mine"


def test_words_of_a_corpus(corpus, home):
    assert frequent_words(corpus, "rapidocr")[0] == "mira" and frequent_words(corpus, "kwai") == []
    assert searchers_of(corpus.name, []) == ["bm25"]
    found = Searcher(corpus).search("the mira", 5).videos
    assert all(words == ["mira"] for words in found["matched"])
    with pytest.raises(UnknownNameError, match="nope"):
        Searcher(corpus, "nope")


def test_matched_words_are_of_one_engine_and_no_function_words(corpus):
    read = with_text(corpus, "one.mp4", "truth", ["THE RUNNER"])
    assert matched(read, "one.mp4", "the runner of mira")["words"] == ["mira"]
    truth = matched(read, "one.mp4", "the runner of mira", "truth")
    assert truth == {"matched": ["runner"], "text_ids": ["one.mp4#truth#0"], "words": ["runner"]}
    assert matched(read, "one.mp4", "the", "truth")["words"] == ["the"]


# Text -------------------------------------------------------------------------------------------------------------


def test_marked_words_are_escaped():
    html = marked('A "sign": <b>MIRA</b>, MIRA!\n(mira)', ["mira"])
    assert "<b>" not in html and html.count("<mark") == 3 and ">MIRA</mark>!" in html and "(<mark" in html
    assert "<mark" not in marked(HOSTILE, ["mira"]) and "<img" not in marked(HOSTILE, ["img"])
    assert short("a  b\nc") == "a b c" and short("x" * 500, 10) == "x" * 9 + "…"
