"""Corpus tables as the player's data: whose words, on which frames, and why there is nothing to play."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.filmed import filmed_corpus, with_text
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.corpus.media import frame_times, write_frame_times
from workbench.corpus.store import replace_media
from workbench.figures.player_of import engine_of, video_player


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "films"


@pytest.fixture
def corpus(home: Path, folder: Path):
    return filmed_corpus(folder)


def address(rendition: str) -> str:
    return f"/v/{rendition}"


def test_data_of_a_video(corpus):
    corpus = with_text(corpus, "a.mp4", "rapidocr", ["ONE", "TWO"], frames=(2, 6), last=9)
    corpus = with_text(corpus, "a.mp4", "kwai", ["other"])
    corpus = with_text(corpus, "c.mkv", "rapidocr", ["elsewhere"], frames=(1,))
    data = video_player(corpus, "a.mp4", address, matched=["a.mp4#rapidocr#1"], ticks=[3], title="t", start=0.5)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert [(s["src"], s["rendition"]) for s in data["sources"]] == [
        ("/v/original", "original"), ("/v/proxy", "proxy"),
    ]  # fmt: skip
    times = [round(time, 6) for time in frame_times(corpus, "a.mp4").tolist()]
    assert data["frame_times"] == times == data["sources"][0]["times"] and times[0] > 0.5
    assert (data["width"], data["height"], data["title"], data["start"]) == (160, 96, "t", 0.5)
    assert [(t["text"], t["matched"], t["until"]) for t in data["tracks"]] == [("ONE", False, 9), ("TWO", True, 9)]
    assert [box[0] for box in data["tracks"][0]["boxes"]] == [2, 6]
    assert data["ticks"] == [{"frame": 3, "label": "frame the model saw"}]


def test_a_text_stands_to_its_last_frame_but_not_beyond_the_video(corpus):
    corpus = with_text(corpus, "c.mkv", "rapidocr", ["held"], frames=(1, 3), last=99)
    assert video_player(corpus, "c.mkv", address)["tracks"][0]["until"] == 5
    corpus = with_text(corpus, "c.mkv", "rapidocr", ["not held"], frames=(1, 3))
    assert video_player(corpus, "c.mkv", address)["tracks"][0]["until"] is None


def test_which_engine(corpus):
    assert engine_of(corpus, "a.mp4") is None
    assert video_player(corpus, "a.mp4", address)["tracks"] == []
    for engine, shown in (("truth", None), ("zz", "zz"), ("aa", "aa"), ("kwai", "kwai"), ("rapidocr", "rapidocr")):
        corpus = with_text(corpus, "a.mp4", engine, [engine])
        assert engine_of(corpus, "a.mp4") == shown
    assert engine_of(corpus, "a.mp4", "truth") == "truth"
    assert [t["text"] for t in video_player(corpus, "a.mp4", address, engine="truth")["tracks"]] == ["truth"]
    assert video_player(corpus, "c.mkv", address, engine="kwai")["tracks"] == []
    corpus = with_text(corpus, "a.mp4", "rapidocr", [])
    assert engine_of(corpus, "a.mp4") == "rapidocr"  # it looked and found nothing: that is what it saw
    with pytest.raises(UnknownNameError, match="Did you mean kwai"):
        video_player(corpus, "a.mp4", address, engine="kwaii")


def test_boxes_on_frames_of_a_small_file_are_put_on_those_of_the_original(corpus):
    original = frame_times(corpus, "a.mp4")
    write_frame_times(corpus, "a.mp4", "small", original[::4], original[::4] >= 0)
    corpus = with_text(corpus, "a.mp4", "kwai", ["sign"], frames=(0, 2), last=3, rendition="small")
    path = next((corpus.path / "boxes").glob("*.parquet"))
    boxes = pd.read_parquet(path)
    boxes.assign(time_s=original[[0, 8]]).to_parquet(path)
    corpus.texts["start_s"], corpus.texts["end_s"] = original[0], original[12]
    (track,) = video_player(corpus, "a.mp4", address)["tracks"]
    assert ([box[0] for box in track["boxes"]], track["until"]) == ([0, 8], 12)


def test_why_there_is_nothing_to_play(corpus, folder):
    with pytest.raises(UnknownNameError, match="no video 'nope'"):
        video_player(corpus, "nope", address)
    with pytest.raises(DataError, match="bad.mp4 cannot be played: bad.mp4 cannot be read"):
        video_player(corpus, "bad.mp4", address)
    for status, said in (("missing", "is not on this machine: lost"), ("not_kept", "is not kept: lost")):
        videos = corpus.videos.copy()
        videos.loc[videos["video_id"] == "c.mkv", ["status", "reason"]] = [status, "lost"]
        with pytest.raises(StateError, match=said):
            video_player(replace_media(corpus, videos, corpus.renditions), "c.mkv", address)
    for path in (corpus.path / "frames" / "original").glob("*.parquet"):
        path.unlink()
    with pytest.raises(StateError, match="workbench video probe mine"):
        video_player(corpus, "a.mp4", address)
    (folder / "a.mp4").write_bytes(b"x")
    with pytest.raises(DataError, match="has changed"):
        video_player(corpus, "a.mp4", address)
