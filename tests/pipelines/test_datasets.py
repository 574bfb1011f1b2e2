"""Prepare, check level by level, split by source, relocate, remove."""

from __future__ import annotations

import json

import av
import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.made import made_corpus
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.corpus.store import replace_media, replace_texts
from workbench.pipelines import datasets


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
    return {(row.level, row.id): row.problem for row in datasets.check(corpus, level).problems.itertuples()}


def test_check_goes_deeper_level_by_level(clips):
    corpus, root = clips
    assert set(problems(corpus, "index")) == {("index", "source_id")}
    assert problems(corpus, "existence")["existence", "d.mp4"] == "it has no file"
    found = problems(corpus, "decodability")
    assert "cannot be decoded" in found["decodability", "c.mp4"]
    assert not {("decodability", "a.mp4"), ("decodability", "b.mp4")} & set(found)
    (root / "a.mp4").unlink()
    (root / "b.mp4").write_bytes(b"12345")
    found = problems(corpus, "existence")
    assert (
        found["existence", "a.mp4"] == "a.mp4 is gone" and found["existence", "b.mp4"] == "b.mp4 has changed its size"
    )
    with pytest.raises(DataError, match="no check level 'decode'"):
        datasets.check(corpus, "decode")


def test_a_resumed_check_decodes_only_what_is_new(clips, home, monkeypatch):
    corpus, root = clips
    datasets.check(corpus, "decodability")
    asked = []
    monkeypatch.setattr(datasets, "why_undecodable", lambda path: asked.append(path.name) or "")
    clip(root / "b.mp4", 20)
    datasets.check(corpus, "decodability")
    assert asked == ["b.mp4"]
    datasets.check(corpus, "decodability", resume=False)
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
    assert datasets.check(after, "index").ok
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
    table = datasets.holdings(made_corpus(16)).set_index("Part")
    assert "--root FOLDER" in table.loc["videos on disk", "To add it"]
    assert table.loc["domains", "To add it"] == ""


def test_videos_with_a_problem_are_named_once_with_the_reason():
    corpus = made_corpus(16)
    assert datasets.oddities(corpus).empty
    videos = corpus.with_split(None).videos.copy()
    videos.loc[3, ["status", "reason"]] = ["broken", "no picture"]
    videos.loc[5, "reason"] = "ends early"
    corpus = replace_media(corpus, videos, corpus.renditions)
    states = {videos["video_id"][i]: "failed" for i in (3, 7)}
    coverage = pd.DataFrame({"video_id": list(states), "engine": "mine", "state": "failed", "reason": "crashed"})
    corpus = replace_texts(corpus, "mine", corpus.texts, coverage, {})
    table = datasets.oddities(corpus)
    assert table["Problem"].to_list() == ["broken", "damaged", "not read by mine"]
    assert table["Reason"].to_list() == ["no picture", "ends early", "crashed"]
