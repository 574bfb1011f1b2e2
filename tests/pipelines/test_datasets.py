"""Prepare, check level by level, split by source, relocate, remove."""

from __future__ import annotations

import json

import av
import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.clips import CLIPS, write_clip
from tests.made import made_corpus
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.corpus.store import replace_media, replace_texts
from workbench.pipelines import checks, datasets


def clip(path, n_frames: int = 12) -> None:
    """A small real video."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=6)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in range(n_frames):
            picture = np.full((48, 64, 3), 20 * (level % 12), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def clips(tmp_path):
    root = tmp_path / "clips"
    for name in ("a", "b"):
        clip(root / f"{name}.mp4")
    (root / "c.mp4").write_bytes(b"no video at all")
    (tmp_path / "captions.csv").write_text("caption,video\none,a.mp4\ntwo,b.mp4\nthree,c.mp4\nfour,d.mp4\n")
    corpus = datasets.prepare("mine", annotations=[tmp_path / "captions.csv"], roots={"original": root}, format="table")
    return corpus, root


def problems(corpus, level):
    return {(row.level, row.id): row.problem for row in checks.check(corpus, level).problems.itertuples()}


def test_check_goes_deeper_level_by_level(clips):
    corpus, root = clips
    assert set(problems(corpus, "index")) == {("index", "source_id")}
    assert problems(corpus, "existence")["existence", "d.mp4"] == "it has no file"
    found = problems(corpus, "decodability")
    assert found["decodability", "c.mp4"].startswith("c.mp4: cannot be read: ")
    assert not {("decodability", "a.mp4"), ("decodability", "b.mp4")} & set(found)
    (root / "a.mp4").unlink()
    (root / "b.mp4").write_bytes(b"12345")
    found = problems(corpus, "existence")
    assert (
        found["existence", "a.mp4"] == "a.mp4 is gone" and found["existence", "b.mp4"] == "b.mp4 has changed its size"
    )
    with pytest.raises(DataError, match="no check level 'decode'"):
        checks.check(corpus, "decode")


def test_a_resumed_check_decodes_only_what_is_new(clips, home, monkeypatch):
    corpus, root = clips
    checks.check(corpus, "decodability")
    asked = []
    monkeypatch.setattr(checks, "why_undecodable", lambda path: asked.append(path.name) or "")
    clip(root / "b.mp4", 20)
    checks.check(corpus, "decodability")
    assert asked == ["b.mp4"]
    checks.check(corpus, "decodability", resume=False)
    assert asked == ["b.mp4", "a.mp4", "b.mp4", "c.mp4"]


def test_edited_tables_are_seen(clips):
    corpus, _ = clips
    table = pd.read_parquet(corpus.path / "captions.parquet")
    table.assign(text="other").to_parquet(corpus.path / "captions.parquet")
    assert "edited" in problems(wb.open_corpus("mine"), "index")["index", "test"]


def test_relocate(clips, tmp_path):
    corpus, root = clips
    with pytest.raises(DataError, match="None of the 3 files lies in"):
        datasets.relocate(corpus, "original", tmp_path)
    moved = root.rename(tmp_path / "moved")
    assert "is gone" in problems(corpus, "existence")["existence", "original"]
    assert datasets.relocate(corpus, "original", moved) == (3, 3)
    assert ("existence", "original") not in problems(wb.open_corpus("mine"), "existence")
    with pytest.raises(StateError, match="has no small videos"):
        datasets.relocate(corpus, "small", moved)


def textvr_train(tmp_path):
    rows = [
        {"path": f"Sports/s{i // 5}_{i:05d}_{i + 1:05d}.mp4",
         "videos_info": {"split": "test" if i >= 90 else "train", "source": "x"},
         "captions_info": [{"caption": f"caption {i}", "caption_info": {"duration": 1.0}}]}
        for i in range(100)
    ]  # fmt: skip
    (tmp_path / "t.json").write_text(json.dumps(rows))
    return datasets.prepare("textvr", annotations=[tmp_path / "t.json"])


def test_split_keeps_sources_together_and_test_untouched(tmp_path):
    corpus = textvr_train(tmp_path)
    before = corpus.with_split("test").fingerprint
    after = datasets.split(corpus, share=0.2, seed=1)
    assert after.meta["counts"]["val"]["videos"] in range(10, 21)
    assert after.with_split("test").fingerprint == before
    sources = {name: set(after.with_split(name).videos["source_id"]) for name in ("train", "val")}
    assert not sources["train"] & sources["val"]
    assert after.meta["counts"]["train"]["captions"] + after.meta["counts"]["val"]["captions"] == 90
    assert checks.check(after, "index").ok
    with pytest.raises(StateError, match="has a val split already"):
        datasets.split(after)
    with pytest.raises(DataError, match="A share of 2 is not between 0 and 1"):
        datasets.split(corpus, share=2)


def test_split_needs_train_and_prepare_needs_a_known_name(tmp_path):
    with pytest.raises(StateError, match="has no train split"):
        datasets.split(made_corpus(16))
    with pytest.raises(UnknownNameError, match="makes no corpus called 'mine'"):
        datasets.prepare("mine", annotations=[tmp_path / "x.csv"])
    with pytest.raises(DataError, match="No annotation file was given"):
        datasets.prepare("textvr", annotations=[])


def test_remove_goes_to_the_trash(home):
    path = datasets.remove(made_corpus(16))
    assert path.is_relative_to(home / "corpora" / ".trash") and wb.list_corpora().empty


def test_holdings_say_what_adds_a_part():
    table = checks.holdings(made_corpus(16)).set_index("Part")
    assert "--root FOLDER" in table.loc["videos on disk", "To add it"]
    assert table.loc["domains", "To add it"] == ""


def test_videos_with_a_problem_are_named_once_with_the_reason():
    corpus = made_corpus(16)
    assert checks.oddities(corpus).empty
    videos = corpus.with_split(None).videos.copy()
    videos.loc[3, ["status", "reason"]] = ["broken", "no picture"]
    videos.loc[5, "reason"] = "ends early"
    corpus = replace_media(corpus, videos, corpus.renditions)
    states = {videos["video_id"][i]: "failed" for i in (3, 7)}
    coverage = pd.DataFrame({"video_id": list(states), "engine": "mine", "state": "failed", "reason": "crashed"})
    corpus = replace_texts(corpus, "mine", corpus.texts, coverage, {})
    table = checks.oddities(corpus)
    assert table["Problem"].to_list() == ["broken", "damaged", "not read by mine"]
    assert table["Reason"].to_list() == ["no picture", "ends early", "crashed"]


def test_files_that_cannot_be_decoded_say_why(tmp_path):
    clip(tmp_path / "fine.mp4")
    write_clip(tmp_path / "fine.mpg", codec="mpeg2video")
    (tmp_path / "none.mp4").write_bytes(b"no video at all")
    write_clip(tmp_path / "torn.mp4", options=CLIPS["constant.mp4"]["options"])
    data = bytearray((tmp_path / "torn.mp4").read_bytes())
    with av.open(str(tmp_path / "torn.mp4")) as container:
        last = [packet for packet in container.demux(video=0) if packet.size][-1]
    data[last.pos : last.pos + last.size] = bytes(last.size)
    (tmp_path / "torn.mp4").write_bytes(data)
    why = {name: checks.why_undecodable(tmp_path / name) for name in ("fine.mp4", "fine.mpg", "none.mp4", "torn.mp4")}
    assert why["fine.mp4"] == why["fine.mpg"] == ""
    assert why["none.mp4"].startswith("cannot be read: ") and why["torn.mp4"] == "1 of its packets cannot be decoded"


def test_damage_that_shows_when_text_is_read_is_named():
    corpus = made_corpus(16)
    video = corpus.videos["video_id"][0]
    coverage = pd.DataFrame([{"video_id": video, "engine": "mine", "state": "empty", "reason": "1 packet is torn"}])
    table = checks.oddities(replace_texts(corpus, "mine", corpus.texts, coverage, {}))
    assert table.to_dict("records") == [{"Video": video, "Problem": "damaged", "Reason": "1 packet is torn"}]
