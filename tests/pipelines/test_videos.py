"""Probing a corpus, proxies, thumbnails, compressing a folder: resumable; what is broken is named, never replaced."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from tests.clips import read_barcode, write_clip
from workbench.core.errors import DataError, StateError
from workbench.core.files import read_table
from workbench.corpus import open_corpus, save_corpus
from workbench.corpus.media import frame_times
from workbench.pipelines import videos as made
from workbench.pipelines.datasets import prepare
from workbench.video import probe, read_frames

FAST = {"preset": "ultrafast"}


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "clips"
    for name, n in (("A/one.mp4", 24), ("B/two.mkv", 6)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_clip(folder / name, n, options=FAST, variable=n == 24)
    (folder / "A" / "bad.mp4").write_bytes(b"no video at all")
    return folder


@pytest.fixture
def corpus(root):
    return prepare("folder", annotations=[], roots={"original": root}, rename="mine", workers=1)


@pytest.fixture
def probed(monkeypatch):
    """The files that were really probed."""
    seen = []
    monkeypatch.setattr(made, "probe", lambda path: seen.append(path.name) or probe(path))
    return seen


def test_a_probe_fills_the_tables(corpus, root):
    rows = corpus.renditions.set_index("video_id")
    info = probe(root / "A/one.mp4")
    assert rows.loc["A/one.mp4", ["width", "height", "n_frames", "codec", "rotation"]].tolist() == [
        160,
        96,
        24,
        "h264",
        0,
    ]
    assert len(rows.loc["A/one.mp4", "sha256"]) == 64
    videos = corpus.videos.set_index("video_id")
    assert videos.loc["A/one.mp4", "duration_s"] == pytest.approx(info.duration_s)
    np.testing.assert_array_equal(frame_times(corpus, "A/one.mp4"), info.times)
    assert videos["status"].to_dict() == {"A/bad.mp4": "broken", "A/one.mp4": "ok", "B/two.mkv": "ok"}
    assert "bad.mp4 cannot be read" in videos.loc["A/bad.mp4", "reason"]
    with pytest.raises(StateError):
        frame_times(corpus, "A/bad.mp4")


def test_a_second_probe_looks_at_what_is_new_only(corpus, root, probed):
    before = corpus.fingerprint
    assert made.probe_corpus(corpus, workers=1).fingerprint == before
    assert probed == ["bad.mp4"]
    del probed[:]
    write_clip(root / "B/two.mkv", 9, options=FAST)
    again = made.probe_corpus(corpus, workers=1)
    assert sorted(probed) == ["bad.mp4", "two.mkv"] and len(frame_times(again, "B/two.mkv")) == 9
    del probed[:]
    made.probe_corpus(again, again=True, workers=1)
    assert len(probed) == 3


def test_an_interrupted_probe_goes_on(root, probed, monkeypatch):
    monkeypatch.setattr("workbench.pipelines.datasets.probe_corpus", lambda corpus, **_: corpus)
    corpus = prepare("folder", annotations=[], roots={"original": root}, rename="mine")

    def interrupted(items, function, **_):
        yield (first := next(iter(items))), function(root / "A/one.mp4")
        raise KeyboardInterrupt(first)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(made, "over", interrupted)
        made.probe_corpus(corpus)
    assert probed == ["one.mp4"]
    assert made.probe_corpus(open_corpus("mine"), workers=1).renditions["sha256"].notna().sum() == 3
    assert sorted(probed) == ["one.mp4", "one.mp4", "two.mkv"]  # the first stood for bad.mp4, which is not asked again


def test_one_process_and_two_probe_alike(corpus, root):
    other = prepare("folder", annotations=[], roots={"original": root}, rename="other", workers=2)
    pd.testing.assert_frame_equal(corpus.renditions, other.renditions)
    pd.testing.assert_frame_equal(corpus.videos, other.videos)


def test_a_file_that_broke_is_broken_and_one_that_was_repaired_is_not(corpus, root):
    (root / "A/one.mp4").write_bytes(b"cut off")
    write_clip(root / "A/bad.mp4", 3, options=FAST)
    again = made.probe_corpus(corpus, workers=1)
    videos, rows = (table.set_index("video_id") for table in (again.videos, again.renditions))
    assert videos["status"].to_dict() == {"A/bad.mp4": "ok", "A/one.mp4": "broken", "B/two.mkv": "ok"}
    assert pd.isna(videos.loc["A/bad.mp4", "reason"]) and "one.mp4 cannot be read" in videos.loc["A/one.mp4", "reason"]
    assert rows.loc["A/one.mp4", ["n_frames", "sha256"]].isna().all() and rows.loc["A/bad.mp4", "n_frames"] == 3
    with pytest.raises(StateError, match="are not known yet"):
        frame_times(again, "A/one.mp4")


def test_two_videos_may_share_a_file_and_one_may_have_a_second_file(root):
    (root / "small").mkdir()
    write_clip(root / "small/bad.mp4", 3, options=FAST)
    rows = [("x", "original", "A/one.mp4"), ("y", "original", "A/one.mp4"), ("z", "original", "A/bad.mp4")]
    renditions = pd.DataFrame([*rows, ("z", "small", "bad.mp4")], columns=["video_id", "rendition", "path"])
    videos = pd.DataFrame({"video_id": ["x", "y", "z"], "split": "test", "status": "ok"})
    roots = {"original": str(root), "small": str(root / "small")}
    corpus = save_corpus("shared", {"videos": videos, "renditions": renditions}, {"roots": roots})
    found = made.probe_corpus(corpus, workers=1)
    assert found.renditions["n_frames"].fillna(0).tolist() == [24, 24, 0, 3]
    assert len(frame_times(found, "x")) == len(frame_times(found, "y")) == 24
    assert found.videos["status"].tolist() == ["ok"] * 3  # its small file can be read


def test_a_shared_corpus_is_only_read(corpus, home, tmp_path, monkeypatch):
    (tmp_path / "shared").mkdir()
    (home / "corpora").rename(tmp_path / "shared" / "corpora")
    monkeypatch.setenv("WORKBENCH_SHARED", str(tmp_path / "shared"))
    with pytest.raises(StateError, match="which is only read"):
        made.probe_corpus(open_corpus("mine"), again=True, workers=1)


def test_a_proxy_is_made_once_and_keeps_the_times(corpus, monkeypatch):
    first = made.proxy(corpus, "A/one.mp4")
    np.testing.assert_allclose(first.times, frame_times(corpus, "A/one.mp4"), atol=1e-4)
    found = read_frames(first.path, [0, 23])
    assert [read_barcode(pixels) for pixels in found.pixels] == [0, 23]
    monkeypatch.setattr(made, "transcode", None)
    second = made.proxy(corpus, "A/one.mp4")
    assert second.path == first.path and (second.times == first.times).all()
    with pytest.raises(StateError, match="has no original file"):
        made.proxy(corpus, "A/none.mp4")


def test_a_broken_video_has_no_proxy_and_leaves_nothing(corpus, home):
    for function in (made.proxy, made.thumbnail_of):
        with pytest.raises(DataError, match="bad.mp4 cannot be read"):
            function(corpus, "A/bad.mp4")
    left = [path.name for path in (home / "cache").rglob("*") if path.is_file()]
    assert not [name for name in left if not name.endswith(".lock")]


def test_a_thumbnail_is_made_once(corpus, monkeypatch):
    pytest.importorskip("PIL", reason="needs Pillow, which make setup installs")
    path = made.thumbnail_of(corpus, "A/one.mp4", height=48)
    assert path.read_bytes()[:2] == b"\xff\xd8"
    monkeypatch.setattr(made, "thumbnail", None)
    assert made.thumbnail_of(corpus, "A/one.mp4", height=48) == path


def test_compress_keeps_the_tree_and_names_what_failed(root, tmp_path):
    report = made.compress(root, tmp_path / "small", short_side=48, fps=0, workers=2)
    assert report[["source", "state"]].to_numpy().tolist() == [
        ["A/bad.mp4", "failed"], ["A/one.mp4", "made"], ["B/two.mkv", "made"]
    ]  # fmt: skip
    assert "bad.mp4 cannot be read" in report["reason"][0] and report["n_frames"].tolist()[1:] == [24, 6]
    files = sorted(path.relative_to(tmp_path / "small").as_posix() for path in (tmp_path / "small").rglob("*.*"))
    assert files == ["A/one.mp4", "B/two.mp4", "report.parquet"]
    small = probe(tmp_path / "small/A/one.mp4")
    assert (small.width, small.height) == (80, 48) and small.keys.all()
    np.testing.assert_allclose(small.times, probe(root / "A/one.mp4").times, atol=1e-4)
    pd.testing.assert_frame_equal(read_table(tmp_path / "small/report.parquet"), report, check_dtype=False)


def test_compress_goes_on_where_it_was_interrupted(root, tmp_path, monkeypatch):
    target = tmp_path / "small"
    made.compress(root, target, short_side=48, workers=1)
    stamp = (target / "B/two.mp4").stat().st_mtime_ns
    (target / "A/one.mp4").unlink()
    report = made.compress(root, target, short_side=48, workers=1)
    assert report.set_index("source")["state"].to_dict() == {
        "A/bad.mp4": "failed", "A/one.mp4": "made", "B/two.mkv": "kept"
    }  # fmt: skip
    kept = report.set_index("source").loc["B/two.mkv"]
    assert (kept["width"], kept["height"]) == (80, 48) and kept["target_bytes"] > 0
    assert (target / "B/two.mp4").stat().st_mtime_ns == stamp
    later = stamp / 1e9 + 100
    os.utime(root / "B/two.mkv", (later, later))
    again = made.compress(root, target, short_side=48, workers=1).set_index("source")
    assert again["state"].to_dict() == {"A/bad.mp4": "failed", "A/one.mp4": "kept", "B/two.mkv": "made"}


def test_compress_into_the_folder_itself_is_refused(root):
    before = (root / "A/one.mp4").read_bytes()
    for target in (root, root / "A", root / "small"):
        with pytest.raises(DataError, match="lies in the folder of the originals"):
            made.compress(root, target, workers=1)
    assert (root / "A/one.mp4").read_bytes() == before


def test_compress_refuses_collisions_and_empty_folders(root, tmp_path):
    write_clip(root / "A/one.mkv", 3, options=FAST)
    with pytest.raises(DataError, match=r"A/one\.mp4 and A/one\.mkv would become one file\. Rename one of them"):
        made.compress(root, tmp_path / "small", workers=1)
    assert not (tmp_path / "small").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty holds no video file"):
        made.compress(tmp_path / "empty", tmp_path / "small", workers=1)
