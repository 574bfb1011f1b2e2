"""The page Hubs & duplicates without a browser: its numbers, its lists in pages, its links, its files."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.app.test_pages import opened, words
from tests.captioned import captioned_corpus, captioned_runs
from tests.made import made_corpus, made_similarity
from workbench import analysis
from workbench.app.parts import hub as hub_parts
from workbench.app.parts import twin as twin_parts
from workbench.app.parts.listing import PER_PAGE
from workbench.pipelines.rescoring import rescore

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


@pytest.fixture
def run(home):
    """A run with a strong hub, and two corrections of it."""
    corpus = made_corpus(120)
    similarity = made_similarity(corpus, noise=0.9)
    similarity[:, 7] += 1.0
    run = wb.save_run(similarity, corpus=corpus, name="raw")
    rescore(run, "csls", name="raw-csls")
    wb.save_run(similarity, corpus=corpus, name="other", ablation="without ocr", parent="raw")
    return run


def said(app) -> str:
    return words(app).replace("\\", "")


def test_hubs_and_the_queries_that_they_take(run):
    app = opened("hubs", run="raw", k="10")
    assert not app.exception and not app.error, words(app)
    found = analysis.hubness(run, 10)
    spread = app.dataframe[0].value.set_index("Measure")["raw"]
    assert spread["Skewness of N_k"] == f"{found.skewness:.2f}"
    hub = found.top["video_id"][0]
    assert "clip_0007" in hub and f"The {found.top['n_wrong'][0]} queries in whose list it stands wrongly" in said(app)
    taken = app.dataframe[-1].value
    assert len(taken) == PER_PAGE and "Rows 1 to 50 of 119" in said(app)
    app.query_params["taken"] = "3"  # as links of earlier versions say it
    app.run()
    assert "Rows 101 to 119 of 119" in said(app)
    app.query_params["page_taken"] = "2"
    app.run()
    assert "Rows 51 to 100 of 119" in said(app)
    app.query_params["page_taken"] = "3"
    app.run()
    expected = analysis.taken_queries(run, hub).iloc[100:]
    assert app.dataframe[-1].value["Query"].to_list() == expected["text"].to_list()


def test_another_hub_is_a_link(run):
    other = run.gallery["video_id"][9]
    app = opened("hubs", run="raw", video=other)
    n = len(analysis.taken_queries(run, other))
    assert not app.exception and f"The {n} queries" in said(app) and other in said(app)
    assert not opened("hubs", run="raw", video="../../etc/passwd", taken="nonsense").exception


def test_a_correction_says_what_it_returns_costs_and_has_seen(run):
    app = opened("hubs", run="raw", part="corrections")
    assert not app.exception and not app.error, words(app)
    found = analysis.hub_correction(run)
    assert f"CSLS returns {found.count('returned')} queries to rank 1" in said(app)
    assert "It has seen test queries: its numbers do not stand beside those of runs that saw nothing." in said(app)
    choice = app.selectbox(key="choose by")
    assert choice.options == [hub_parts.MADE_HERE, "raw-csls"]  # an ablation is no correction
    choice.select("raw-csls").run()
    assert app.query_params["by"] == "raw-csls" and f"costs {found.count('lost')}" in said(app)


def test_a_large_matrix_is_looked_through_only_when_asked_for(run, monkeypatch):
    for module in (hub_parts, twin_parts):
        monkeypatch.setattr(module, "LARGE", 100)
    app = opened("hubs", run="raw", part="corrections")
    assert app.toggle[0].label == "Correct the whole matrix now" and "returns" not in said(app)
    app.toggle[0].set_value(True).run()
    assert "CSLS returns" in said(app)
    assert opened("hubs", run="raw", part="videos").toggle[0].label == "Compare all pairs now"


def test_duplicates(run):
    app = opened("hubs", run="raw", part="captions")
    assert "Equal captions of other videos (3)" in said(app) and not app.exception
    assert app.dataframe[0].value["Caption"].to_list() == ["We see it again."] * 3
    app = opened("hubs", run="raw", part="videos", least="0.9")
    assert not app.exception and f"{len(analysis.same_source(run))} sources have several videos" in said(app)
    assert "This corpus has one split" in said(opened("hubs", run="raw", part="splits"))


def test_exclude_lists_state_their_reason_and_leave_nothing_out(run):
    before = run.metrics["t2v"]["r1"]
    found = twin_parts.excluding(["a", "a", None], ["v", "v", "w"], "why")
    assert found.fillna("").to_numpy().tolist() == [["a", "v", "why"], ["", "w", "why"]]
    opened("hubs", run="raw", part="captions")
    assert wb.open_run("raw").metrics["t2v"]["r1"] == before


def test_hostile_text_and_pictures(home, tmp_path):
    captioned_runs(captioned_corpus(tmp_path / "videos"))
    for part in ("hubs", "captions", "splits"):
        app = opened("hubs", run="wrong", part=part)
        assert not app.exception and not app.error, (part, words(app))
        assert "<script" not in words(app).replace("\\<", "")


def test_runs_without_matrix_or_sources_say_so(home):
    corpus = made_corpus(40)
    wb.save_run(made_similarity(corpus), corpus=corpus, name="totals", totals_only=True)
    assert "No run here can be looked at query by query" in said(opened("hubs"))


def test_captions_that_are_hubs_for_videos_and_their_correction(run):
    app = opened("hubs", run="raw", k="10", direction="v2t")
    assert not app.exception and not app.error, words(app)
    found = analysis.hubness(run, 10, n_top=hub_parts.HUBS, direction="v2t")
    assert app.query_params["direction"] in ("v2t", ["v2t"]) and "The 24 captions in most lists" in said(app)
    top, taken = (one.value for one in app.dataframe[-2:])
    assert top["Lists"].to_list() == found.top["count"].to_list() and "Right caption at" in taken
    assert f"The {found.top['n_wrong'][0]} videos in whose list it stands wrongly" in said(app)
    other = run.queries["caption_id"][9]
    n = len(analysis.taken_queries(run, other, direction="v2t"))
    assert f"The {n:,} videos in whose list" in said(opened("hubs", run="raw", direction="v2t", caption=other))
    app = opened("hubs", run="raw", part="corrections", direction="v2t")
    lost = analysis.hub_correction(run, direction="v2t").count("lost")
    assert "video → text R@1" in said(app) and f"costs {lost}" in said(app)


@pytest.mark.parametrize("part", ["captions", "videos", "splits"])
def test_duplicates_in_the_other_direction(run, part):
    app = opened("hubs", run="raw", part=part, direction="v2t", least="0.9")
    assert not app.exception and not app.error, words(app)
    if part == "videos":
        assert "Captions that get the same scores" in said(app) and "put a caption of a sibling at rank 1" in said(app)
        assert app.dataframe[0].value["Correlation"].iloc[0] == pytest.approx(1)  # equal captions


def test_captions_of_a_video_are_one_hub(home):
    corpus = made_corpus(40, per_video=2)
    wb.save_run(made_similarity(corpus), corpus=corpus, name="several")
    app = opened("hubs", run="several", direction="v2t")
    assert not app.exception and "24 videos' captions in most lists" in said(app)
    assert "The captions of a video are one item" in said(app) and "Caption there" in app.dataframe[-1].value
