"""Saving, opening, splits, fingerprints, relevance, orders; what is refused leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
import shutil

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.made import made_corpus
from workbench.core.errors import DataError, ExistsError, FormatVersionError, UnknownNameError
from workbench.corpus import save_corpus, video_key
from workbench.corpus.fingerprint import split_fingerprint


def tables(**changes) -> dict[str, pd.DataFrame]:
    videos = pd.DataFrame({"video_id": ["b", "a", "t"], "split": ["test", "test", "train"], "status": "not_kept"})
    captions = pd.DataFrame({
        "caption_id": ["q1", "q2", "q3"], "video_id": ["b", "a", "t"], "text": [" Ünï", "two", "three"],
        "role": "original", "split": ["test", "test", "train"],
    })  # fmt: skip
    return {"videos": videos, "captions": captions, **changes}


def spelled_out(lines: list[str], gallery: list[str]) -> str:
    ordered = sorted(line.encode() for line in lines) + sorted(video.encode() for video in gallery)
    return hashlib.sha256(b"".join(line + b"\n" for line in ordered)).hexdigest()


def test_fingerprint_is_the_one_of_the_design():
    corpus = save_corpus("x", tables())
    test = spelled_out(["q1\x1fb\x1f1\x1f\x1f\x1f Ünï", "q2\x1fa\x1f1\x1f\x1f\x1ftwo"], ["a", "b"])
    train = spelled_out(["q3\x1ft\x1f1\x1f\x1f\x1fthree"], ["t"])
    assert corpus.with_split("test").fingerprint == test
    assert corpus.fingerprint == hashlib.sha256((test + train).encode()).hexdigest()


def test_fingerprint_knows_questions_and_answers_only():
    found = save_corpus("x", tables()).with_split("test")
    changed = {name: frame.iloc[::-1] for name, frame in tables().items()}
    changed["videos"] = changed["videos"].assign(domain="d", status="ok")
    assert save_corpus("y", changed).with_split("test").fingerprint == found.fingerprint
    relevance = found.relevance
    for column, value in (("grade", 2), ("start_s", 1.5), ("end_s", 3.0)):
        other = relevance.assign(**{column: value})
        assert split_fingerprint(found.captions, other, found.videos["video_id"]) != found.fingerprint
    assert split_fingerprint(found.captions, relevance, pd.Series(["a", "b", "c"])) != found.fingerprint


def test_rows_of_one_video_are_those_of_a_scan():
    several = tables()
    several["captions"] = pd.concat([several["captions"], several["captions"].assign(caption_id=["q4", "q5", "q6"])])
    corpus = save_corpus("x", several)
    for name in ("videos", "captions", "texts"):
        for video in ("a", "b", "t", "nobody's"):
            whole = getattr(corpus, name)
            pd.testing.assert_frame_equal(corpus.of_video(name, video), whole[whole["video_id"] == video])
    assert corpus.of_video("videos", "a") is corpus.of_video("videos", "a")  # kept
    with pytest.raises(UnknownNameError, match="No table is called"):
        corpus.of_video("frames", "a")


def test_rows_of_several_videos_stand_video_by_video():
    several = tables()
    several["captions"] = pd.concat([several["captions"], several["captions"].assign(caption_id=["q4", "q5", "q6"])])
    corpus = save_corpus("x", several)
    asked = ["b", "nobody's", "a"]
    for name in ("videos", "captions", "texts", "boxes"):
        apart = pd.concat([corpus.of_video(name, video) for video in asked])
        pd.testing.assert_frame_equal(corpus.of_videos(name, asked), apart)
        assert corpus.of_videos(name, []).empty and list(corpus.of_videos(name, [])) == list(apart)
    with pytest.raises(UnknownNameError, match="No table is called"):
        corpus.of_videos("frames", asked)


def test_round_trip_keeps_the_order_of_the_file():
    corpus = wb.open_corpus(save_corpus("x", tables(), {"title": "X"}).name, split="test")
    assert corpus.videos["video_id"].to_list() == ["b", "a"]
    assert corpus.captions["text"].to_list() == [" Ünï", "two"]
    assert corpus.relevance_matrix().toarray().tolist() == [[1, 0], [0, 1]]
    assert corpus.splits == ["test", "train"] and corpus.meta["default_split"] == "test"
    assert corpus.orders("videos")["by path"] == ["a", "b"] and corpus.orders("captions")["by name"] == ["q2", "q1"]
    assert not corpus.has("texts") and corpus.texts.empty and corpus.boxes("a").empty
    listed = wb.list_corpora()
    assert listed[["name", "title", "n_captions", "n_videos", "place"]].to_numpy().tolist() == [["x", "X", 3, 3, "own"]]


def test_several_right_videos_and_grades():
    relevance = pd.DataFrame(
        {"caption_id": ["q1", "q1", "q2", "q3"], "video_id": ["b", "a", "a", "t"], "grade": [2, 1, 1, 0]}
    )
    corpus = save_corpus("x", tables(relevance=relevance)).with_split("test")
    assert corpus.relevance_matrix().toarray().tolist() == [[2, 1], [0, 1]]


def test_several_spans_of_a_pair_are_one_right_pair():
    spans = {"start_s": [0.0, 5.0, None], "end_s": [2.0, 9.0, None], "grade": [100, 100, 2]}
    relevance = pd.DataFrame({"caption_id": ["q1", "q1", "q2"], "video_id": ["b", "b", "a"], **spans})
    corpus = save_corpus("x", tables(relevance=relevance)).with_split("test")
    assert corpus.relevance_matrix().toarray().tolist() == [[100, 0], [0, 2]]


def test_texts_and_boxes_are_read_per_video():
    texts = pd.DataFrame({"text_id": ["a#e#1"], "video_id": ["a"], "kind": ["ocr"], "engine": ["e"], "text": ["<b>"]})
    corners = {f"{axis}{i}": [0.5] for i in range(1, 5) for axis in "xy"}
    boxes = pd.DataFrame({"text_id": ["a#e#1"], "frame": [0], "time_s": [0.0], **corners})
    corpus = save_corpus("x", tables(texts=texts, boxes=boxes))
    assert corpus.boxes("a")["text_id"].to_list() == ["a#e#1"] and corpus.boxes("b").empty
    assert corpus.has("boxes") and (corpus.path / "boxes" / f"{video_key('a')}.parquet").exists()


def test_captions_may_be_absent():
    corpus = save_corpus("x", {"videos": tables()["videos"]}).with_split("test")
    assert corpus.captions.empty and corpus.relevance.empty and corpus.relevance_matrix().shape == (0, 2)
    assert corpus.meta["counts"]["test"] == {"captions": 0, "videos": 2}
    assert wb.list_corpora()[["n_captions", "n_videos"]].to_numpy().tolist() == [[0, 3]]


def test_refusals_leave_nothing(home):
    with pytest.raises(DataError, match="There are no videos. A corpus needs at least one; captions may be absent"):
        save_corpus("x", {"captions": tables()["captions"]})
    with pytest.raises(DataError, match="There are no videos"):
        save_corpus("x", tables(videos=tables()["videos"].iloc[:0]))
    with pytest.raises(DataError, match="'caption' is no table of a corpus. Did you mean captions"):
        save_corpus("x", {**tables(), "caption": tables()["captions"]})
    wrong = tables()["captions"].assign(split="test")
    with pytest.raises(DataError, match="Table captions, row 2, column split: 'test', but its video t is in 'train'"):
        save_corpus("x", tables(captions=wrong))
    with pytest.raises(DataError, match="'X Y' cannot name a corpus.*Try 'x-y'"):
        save_corpus("X Y", tables())
    assert not (home / "corpora").exists() or not [p for p in (home / "corpora").iterdir() if p.is_dir()]
    save_corpus("x", tables())
    with pytest.raises(ExistsError, match="--overwrite"):
        save_corpus("x", tables())
    save_corpus("x", tables(), {"title": "new"}, overwrite=True)
    assert wb.open_corpus("x").title == "new" and len(list((home / "corpora" / ".trash").iterdir())) == 1


def test_opening_what_is_not_there_or_newer(home):
    made_corpus(16)
    with pytest.raises(UnknownNameError, match="No corpus is called 'mde'. Did you mean made"):
        wb.open_corpus("mde")
    with pytest.raises(DataError, match="has no split 'tset'. Did you mean test"):
        wb.open_corpus("made", split="tset")
    with pytest.raises(DataError, match="is not a corpus: it has no corpus.json"):
        wb.open_corpus(str(home))
    path = home / "corpora" / "made" / "corpus.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 2}))
    with pytest.raises(FormatVersionError, match="Corpus made has format version 2; this workbench knows up to 1"):
        wb.open_corpus("made")
    assert "format version 2" in wb.list_corpora()["note"][0]


def test_shared_corpora_lie_below_own_ones(home, tmp_path, monkeypatch):
    made_corpus(16)
    shutil.move(home / "corpora", tmp_path / "shared" / "corpora")
    monkeypatch.setenv("WORKBENCH_SHARED", str(tmp_path / "shared"))
    assert wb.open_corpus("made").path.is_relative_to(tmp_path / "shared")
    assert wb.list_corpora()["place"].to_list() == ["shared"]


def test_made_corpus_has_what_tests_rely_on():
    corpus = made_corpus(80, per_video=3)
    assert corpus.has_domains and corpus.has_sources
    assert np.diff(corpus.relevance_matrix().tocsc().indptr).tolist() == [3] * 80
