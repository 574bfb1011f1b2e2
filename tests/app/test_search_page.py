"""Search: several models beside each other, a clip as the query, and why a video is there."""

from __future__ import annotations

import numpy as np
import pytest

from tests.app.test_pages import opened, unfolded
from tests.app.test_video_pages import mounted, said
from tests.captioned import captioned_corpus, captioned_runs
from workbench.app.parts import own_clip as own_part
from workbench.core.errors import UnknownNameError
from workbench.core.files import write_json
from workbench.core.workspace import elsewhere
from workbench.evaluation import open_run
from workbench.pipelines.indexes import build_index
from workbench.pipelines.own_clip import _keep, keep_clip
from workbench.pipelines.search import Searcher, words_read

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Five clips with read words, two runs and an index over captions."""
    folder = tmp_path_factory.mktemp("search")
    (folder / "home").mkdir()
    with elsewhere(folder / "home"):
        corpus = captioned_corpus(folder / "films")
        captioned_runs(corpus)
        build_index(corpus, of="captions")
        return folder / "home", corpus


@pytest.fixture
def shown(place, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(place[0]))
    return place[1]


def videos(app, by: str) -> list[str]:
    return [tile["video_id"] for tile in mounted(app)[f"found {by}"]["tiles"]]


def test_models_stand_side_by_side_and_say_what_each_word_adds(shown):
    app = opened("search", q="runner mira", by="bm25,shown-captions")
    text = said(app)
    assert "BM25 over the words read: **rank 1**" in text and "shown-captions: **rank 1**" in text
    assert videos(app, "bm25")[0] in ("one.mp4", "three.mp4") and videos(app, "shown-captions")[0] == "one.mp4"
    unfolded(app, "found")
    words, listed = app.dataframe[-1].value, app.dataframe[0].value
    assert list(words["Word"]) == ["runner", "mira"] and words["BM25 over the words read"][0] == 0
    assert (words["shown-captions"] > 0).all() and set(listed["Searched by"]) == {*words.columns[1:]}
    assert "Nothing called nope can search here." in said(opened("search", q="mira", by="nope,bm25"))


def test_a_clip_finds_what_reads_alike_and_what_scores_alike(shown):
    for name in ("/data/films/three.mp4", "THREE"):
        app = opened("search", ask="clip", clip=name, by="bm25,right", corpus="shown/test")
        assert videos(app, "bm25") == ["one.mp4"], name
    text = said(app)
    assert "three.mp4" not in videos(app, "right") and "Captions that fit both best" in text
    assert [tile["video_id"] for tile in mounted(app)["the clip"]["tiles"]] == ["three.mp4"]


def test_a_clip_that_is_none_is_said(shown):
    assert "No video of shown is called ../../etc/passwd" in said(opened("search", ask="clip", clip="../../etc/passwd"))
    assert "5 videos are called so" in said(opened("search", ask="clip", clip=".mp4"))
    assert "No word was read in this clip" in said(opened("search", ask="clip", clip="broken.mp4"))


def test_words_add_up_to_the_score(shown):
    searcher = Searcher(shown)
    found = searcher.search("mira 42").videos.iloc[0]
    why = searcher.why("mira 42", found["video_id"])
    assert sum(adds for _, adds in why.words) == pytest.approx(found["score"], rel=1e-5) and why.parts == {}
    assert searcher.why("mira", found["video_id"]).words[0][1] > 0
    with pytest.raises(UnknownNameError):
        searcher.why("mira", "nope")
    assert words_read(shown, "one.mp4") == "mira 42" and words_read(shown, "broken.mp4") == ""


def test_a_clip_of_ones_own_is_looked_at_by_a_job_and_answers(shown, place, monkeypatch):
    """The page starts the job, shows why it ended, and shows what it left behind."""
    with open(place[0].parent / "films" / "one.mp4", "rb") as source:
        clip = keep_clip(source, "<b>mine.mp4")
    started = []
    monkeypatch.setattr(own_part, "sees", lambda run: run.name == "right")
    monkeypatch.setattr(own_part, "start", lambda argv, name: started.append((argv, name)))
    asked = {"ask": "own", "own": clip.key, "by": "right,bm25", "corpus": "shown/test"}
    monkeypatch.setattr(own_part.st, "rerun", own_part.st.stop)
    app = opened("search", **asked)
    argv = ["index", "search", "shown", "--clip", str(clip.file), "--by", "bm25,right"]
    assert started == [(argv, f"clip--b-mine-{clip.key[:6]}")] and not app.exception
    run = open_run("right")
    scores = np.linspace(0, 1, len(run.queries)).astype(np.float32)
    _keep(clip, run, scores)
    write_json(clip.folder / "clip.json", {**clip.facts, "words": "mira 42"})
    app = opened("search", **asked)
    text = said(app)
    assert len(started) == 1 and "Words read in it: mira 42" in text and "<b>mine.mp4" in text
    assert videos(app, "bm25")[0] == "one.mp4" and videos(app, "right") and "Captions that fit it best" in text
    assert "Captions that fit both best" in text and any("**1**" in one.proto.label for one in app.get("page_link"))


def test_a_clip_that_is_gone_or_refused_is_said(shown):
    assert "This clip is not kept here any more" in said(opened("search", ask="own", own="../../etc"))
    app = opened("search", ask="own")
    assert not app.exception and "Your clip, up to 200 MB" in app.get("file_uploader")[0].proto.label
