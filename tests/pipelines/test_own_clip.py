"""A clip that belongs to no corpus: what is refused, that it is scored as the corpus' own videos, what is kept."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from tests.clips import write_clip
from tests.filmed import FAST, with_text
from workbench.analysis.structure.like_video import fitting_captions, like_video
from workbench.core.errors import DataError, UnknownNameError
from workbench.core.workspace import elsewhere, workspace
from workbench.evaluation import open_run, save_run
from workbench.models import build_model
from workbench.pipelines import own_clip
from workbench.pipelines.datasets import prepare
from workbench.pipelines.ocr import OcrReport
from workbench.pipelines.own_clip import keep_clip, look_at, open_clip, sees
from workbench.pipelines.scoring import score


def seeing_run(corpus, name="seen", modality="vision"):
    """A run whose untrained model sees; it keeps its checkpoint."""
    model = build_model("textvr_fusion", modality=modality)
    run = score(model, corpus, name=name, model="textvr_fusion", workers=1)
    model.save(run.path / "checkpoints" / "1")
    (run.path / "checkpoints" / "best").write_text("1")
    return open_run(name)


def no_ocr(monkeypatch, words=("MIRA 42",)):
    """The OCR engine takes seconds to begin; these words stand for what it reads."""
    read = []

    def run_ocr(corpus, settings, workers):
        read.append(corpus.name)
        return OcrReport(with_text(corpus, corpus.videos["video_id"][0], "rapidocr", list(words)), corpus.videos)

    monkeypatch.setattr(own_clip, "run_ocr", run_ocr)
    return read


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Three clips of different pictures and words, a file that is none, two runs that see and one that does not."""
    folder = tmp_path_factory.mktemp("own")
    films = folder / "films"
    for at, name in enumerate(("one", "two", "three"), 1):
        films.mkdir(exist_ok=True)
        write_clip(films / f"{name}.mp4", 12 * at * at, options=FAST)
    (films / "broken.mp4").write_bytes(b"no video at all " * 50)
    captions = [{"video": f"{name}.mp4", "caption": f"A film called {name}."} for name in ("one", "two", "three")]
    pd.DataFrame(captions).to_json(folder / "captions.jsonl", orient="records", lines=True)
    (folder / "home").mkdir()
    with elsewhere(folder / "home"):
        corpus = prepare(
            "folder", annotations=[folder / "captions.jsonl"], roots={"original": films}, rename="shown", workers=1
        )
        for name, word in (("one", "MIRA 42"), ("two", "BANK")):
            corpus = with_text(corpus, f"{name}.mp4", "rapidocr", [word])
        corpus = corpus.with_split("test")
        save_run(np.eye(3, 4, dtype=np.float32), corpus=corpus, name="right")
        seeing_run(corpus)
        seeing_run(corpus, "both", "fusion")
    return folder


@pytest.fixture
def films(place, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(place / "home"))
    return place / "films"


def kept(path):
    with open(path, "rb") as source:
        return keep_clip(source, path.name)


def test_what_is_no_clip_is_refused_with_a_sentence(films, monkeypatch):
    with pytest.raises(DataError, match="notes.txt is no video file"):
        keep_clip(io.BytesIO(b"words"), "../notes.txt")
    with pytest.raises(DataError, match="broken.mp4 cannot be read"):
        kept(films / "broken.mp4")
    monkeypatch.setattr(own_clip, "MOST_S", 0.1)
    with pytest.raises(DataError, match="lasts"):
        kept(films / "one.mp4")
    monkeypatch.setattr(own_clip, "MOST_MIB", 0)
    with pytest.raises(DataError, match="larger than"):
        kept(films / "one.mp4")
    assert not [one for one in (workspace().cache / "clips").iterdir() if one.name.startswith(".")]
    for key in ("../corpora", "0" * 16, ""):
        with pytest.raises(UnknownNameError, match="not kept here"):
            open_clip(key)


def test_a_clip_is_scored_as_a_video_of_the_corpus(films, monkeypatch):
    read = no_ocr(monkeypatch)
    names = [name for name in ("right", "seen", "both") if sees(open_run(name))]
    assert names == ["seen", "both"]
    clip = kept(films / "one.mp4")
    assert clip.words is None and clip.lacks([open_run("seen")]) == ["seen"]
    clip = look_at(clip, ["seen"], read=False)
    run = open_run("seen")
    column = list(run.gallery["video_id"]).index("one.mp4")
    assert np.allclose(clip.scores(run), run.similarity[:, column], atol=1e-5) and clip.words is None and not read
    others = [at for at in range(4) if at != column and run.gallery["state"][at] == "scored"]
    assert not np.isclose(run.similarity[:, others], run.similarity[:, [column]]).all(axis=0).any()
    found = like_video(run, clip.scores(run), 2)
    assert found["video_id"][0] == "one.mp4" and found["correlation"][0] == pytest.approx(1, abs=1e-4)
    assert fitting_captions(run, clip.scores(run), 2)["score"].is_monotonic_decreasing
    clip = look_at(clip, ["seen", "both"])
    both = open_run("both")
    assert clip.words == "mira 42" and read == ["clip"] and not clip.refused
    assert np.isfinite(clip.scores(both)).all()
    assert workspace().names("corpora").keys() == {"shown"}  # nothing of it is a corpus here


def test_a_run_that_was_made_again_looks_again(films, monkeypatch):
    no_ocr(monkeypatch)
    run = open_run("seen")
    clip = look_at(kept(films / "two.mp4"), [run], read=False)
    assert clip.lacks([run]) == []
    run.info["created"] = "later"
    assert clip.lacks([run]) == ["seen"] and clip.scores(run) is None


def test_only_the_newest_clips_stay(films, monkeypatch):
    monkeypatch.setattr(own_clip, "KEPT", 1)
    first, second = kept(films / "one.mp4"), kept(films / "two.mp4")
    assert second.file.is_file() and second.picture.read_bytes()[:2] == b"\xff\xd8"
    with pytest.raises(UnknownNameError):
        open_clip(first.key)
    second.picture.unlink()  # the cache was pruned
    with pytest.raises(UnknownNameError):
        open_clip(second.key)
    assert kept(films / "two.mp4").picture.is_file()


def test_the_command_finds_by_a_clip(films, monkeypatch, workbench):
    no_ocr(monkeypatch)
    code, out, error = workbench(
        "index", "search", "shown", "--clip", str(films / "one.mp4"), "--by", "seen,bm25", "--json"
    )
    assert code == 0, error
    assert "one.mp4" in out and "videos with words read in it" in out and '"caption": "A film' in out
    code, _, error = workbench("index", "search", "shown", "--clip", str(films / "none.mp4"))
    assert code == 2 and "cannot be read" in error
