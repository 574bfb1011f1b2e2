"""The text of a corpus with the real engine: tables, coverage, cache, one process or many, and what cannot be read."""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd
import pytest

from tests.lettered import write_lettered
from workbench.core.errors import MissingExtraError, StateError
from workbench.core.optional import has
from workbench.corpus import Corpus, save_corpus
from workbench.corpus.tables import validate
from workbench.ocr import Settings
from workbench.pipelines import ocr
from workbench.pipelines.datasets import prepare
from workbench.pipelines.ocr import run_ocr
from workbench.pipelines.videos import probe_corpus

real = pytest.mark.skipif(
    not (has("rapidocr") and has("onnxruntime")), reason="needs RapidOCR, which make setup installs"
)
FAST = Settings(preset="fast", fps=4.0)
BAKERY, EXIT = {"BAKERY": (20, 30)}, {"EXIT 24": (170, 150)}


@pytest.fixture
def corpus(tmp_path) -> Corpus:
    """Three clips (two texts one after the other, one text, none) and a broken file."""
    root = tmp_path / "clips"
    write_lettered(root / "a.mp4", [BAKERY, BAKERY | EXIT])
    write_lettered(root / "b/sign.mp4", [EXIT])
    write_lettered(root / "empty.mp4", [{}])
    (root / "bad.mp4").write_bytes(b"no video at all")
    return prepare("folder", annotations=[], roots={"original": root}, rename="mine", workers=1)


def everything(corpus: Corpus) -> list[pd.DataFrame]:
    boxes = [corpus.boxes(video) for video in corpus.videos["video_id"]]
    return [corpus.texts, corpus.text_coverage, *boxes]


def same(first: list[pd.DataFrame], second: list[pd.DataFrame]) -> None:
    for a, b in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(a, b, check_exact=True)


@real
@pytest.mark.slow
def test_what_reading_a_corpus_gives(corpus):
    report = run_ocr(corpus, FAST, workers=1)
    rows = report.videos.set_index("video_id")
    assert rows["state"].to_dict() == {"a.mp4": "read", "b/sign.mp4": "read", "bad.mp4": "failed", "empty.mp4": "empty"}
    assert "bad.mp4 cannot be read" in rows.loc["bad.mp4", "reason"] and not rows["cached"].any()
    assert rows["n_texts"].tolist() == [2, 1, 0, 0] and rows.loc["a.mp4", "n_sampled"] == 4
    found = report.corpus
    tables = {"videos": found.videos}
    texts = validate("texts", found.texts, tables).set_index("text")
    assert sorted(texts.index) == ["BAKERY", "EXIT 24", "EXIT 24"] and set(texts["engine"]) == {"rapidocr"}
    late = texts[texts["video_id"] == "a.mp4"].loc["EXIT 24"]
    assert late["first_frame"] == 6 and late["start_s"] == pytest.approx(0.5)
    assert texts.loc["BAKERY", ["first_frame", "last_frame"]].tolist() == [0, 9]
    coverage = validate("text_coverage", found.text_coverage, tables).set_index("video_id")
    assert coverage.loc["a.mp4", ["rendition", "width", "height", "n_frames"]].tolist() == ["original", 320, 240, 12]
    assert coverage.loc["a.mp4", "frames_read"].tolist() == [0, 6] and coverage.loc["bad.mp4", "frames_read"].size == 0
    assert set(coverage["settings_hash"]) == {FAST.key()}
    assert json.loads(coverage["engine_version"].iloc[0]).keys() == FAST.versions().keys()
    boxes = validate("boxes", found.boxes("a.mp4"))
    assert boxes["frame"].tolist() == [0, 6, 6] and boxes.iloc[0]["x1"] == pytest.approx(20 / 320, abs=0.03)
    assert found.boxes("empty.mp4").empty and found.fingerprint == corpus.fingerprint


@real
@pytest.mark.slow
def test_cache_processes_and_engines(corpus, monkeypatch):
    first = run_ocr(corpus, FAST, workers=2)
    told = everything(first.corpus)
    again = run_ocr(corpus, FAST, workers=1, again=True)
    same(told, everything(again.corpus))  # one process and two agree bit by bit
    assert not again.videos["cached"].any()
    monkeypatch.setattr(ocr, "Engine", None)  # nobody may read any more
    cached = run_ocr(corpus, FAST, workers=1)
    same(told, everything(cached.corpus))
    assert cached.videos["cached"].tolist() == [True, True, False, True]
    both = run_ocr(corpus, FAST, engine="other", workers=1).corpus
    assert both.texts["engine"].value_counts().to_dict() == {"rapidocr": 3, "other": 3}
    assert len(both.text_coverage) == 8 and len(both.boxes("a.mp4")) == 6
    assert both.texts["text_id"].is_unique and set(both.texts["engine"]) == {"rapidocr", "other"}
    kept = both.texts[both.texts["engine"] == "rapidocr"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, told[0], check_exact=True)


@real
@pytest.mark.slow
def test_other_settings_are_read_anew_and_replace(corpus):
    run_ocr(corpus, FAST, workers=1)
    report = run_ocr(corpus.with_split("test"), Settings(preset="fast", n_frames=1), workers=1)
    assert not report.videos["cached"].any() and report.corpus.split == "test"
    rows = report.videos.set_index("video_id")
    assert rows.loc["a.mp4", ["n_sampled", "n_read"]].tolist() == [1, 1]
    assert report.corpus.text_coverage.set_index("video_id").loc["a.mp4", "frames_read"].tolist() == [5]
    assert len(report.corpus.texts) == len(report.corpus.text_coverage[report.corpus.text_coverage["state"] == "read"])


@real
def test_a_corpus_that_cannot_be_read(tmp_path, monkeypatch):
    videos = pd.DataFrame({"video_id": ["a"], "split": "test", "status": "missing"})
    with pytest.raises(StateError, match="bare has no video that can be read"):
        run_ocr(save_corpus("bare", {"videos": videos}), FAST)
    write_lettered(tmp_path / "clips/a.mp4", [BAKERY])
    monkeypatch.setattr("workbench.pipelines.datasets.probe_corpus", lambda corpus, **_: corpus)
    corpus = prepare("folder", annotations=[], roots={"original": tmp_path / "clips"}, rename="mine")
    with pytest.raises(StateError, match="mine was not probed. Run: workbench video probe mine"):
        run_ocr(corpus, FAST)


@real
def test_one_file_that_was_not_probed_does_not_stop_the_others(tmp_path, monkeypatch):
    """The original is broken, its small file is not: the video is ok, and has no text."""
    root = tmp_path / "clips"
    for name in ("a.mp4", "b.mp4", "small/b.mp4"):
        write_lettered(root / name, [BAKERY], hold=1)
    (root / "b.mp4").write_bytes(b"broken")
    roots = {"original": root, "small": root / "small"}
    rows = [("a.mp4", "original", "a.mp4"), ("b.mp4", "original", "b.mp4"), ("b.mp4", "small", "b.mp4")]
    renditions = pd.DataFrame(rows, columns=["video_id", "rendition", "path"])
    videos = pd.DataFrame({"video_id": ["a.mp4", "b.mp4"], "split": "test", "status": "ok"})
    meta = {"roots": {key: str(value) for key, value in roots.items()}}
    corpus = save_corpus("mine", {"videos": videos, "renditions": renditions}, meta)
    corpus = probe_corpus(corpus, workers=1)
    monkeypatch.setattr(ocr, "_the_reader", Nothing)
    report = run_ocr(corpus, FAST, workers=1)
    assert report.videos["state"].tolist() == ["empty", "failed"]
    assert "could not read its file" in report.videos["reason"][1]


class Nothing:
    """An engine that finds nothing."""

    def forget(self) -> None:
        """There is nothing to forget."""

    def read(self, frame: np.ndarray) -> list:
        return []


def test_without_the_engine_it_says_what_to_install(corpus, monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(MissingExtraError, match=r"needs the package 'rapidocr', .*textvr-workbench\[ocr\]"):
        run_ocr(corpus, FAST, workers=1)
