"""Files of a corpus: only those that a row names, below the recorded folder, unchanged; and frame times."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from workbench.core.errors import DataError, StateError
from workbench.corpus import save_corpus, video_key
from workbench.corpus.media import file_of, frame_times, rendition_row, video_of_key, write_frame_times


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "clips"
    (root / "Cooking").mkdir(parents=True)
    (root / "Cooking" / "a.mp4").write_bytes(b"12345")
    (tmp_path / "secret.mp4").write_bytes(b"12345")
    return root


def corpus_of(root, path: str, video: str = "Cooking/a.mp4", **facts):
    row = {"video_id": video, "rendition": "original", "path": path, "n_bytes": 5, **facts}
    videos = pd.DataFrame({"video_id": [video, "b"], "split": "test", "status": ["ok", "missing"]})
    tables = {"videos": videos, "renditions": pd.DataFrame([row])}
    return save_corpus("x", tables, {"roots": {"original": str(root)}}, overwrite=True)


def test_the_file_of_a_row(folder):
    mtime = (folder / "Cooking" / "a.mp4").stat().st_mtime
    corpus = corpus_of(folder, "Cooking/a.mp4", mtime=mtime)
    assert file_of(corpus, "Cooking/a.mp4") == (folder / "Cooking" / "a.mp4").resolve()
    assert rendition_row(corpus, "Cooking/a.mp4")["n_bytes"] == 5
    for video, rendition in (("b", "original"), ("Cooking/a.mp4", "proxy"), ("../secret.mp4", "original")):
        with pytest.raises(StateError, match=f"x has no {rendition} file of"):
            file_of(corpus, video, rendition)


@pytest.mark.parametrize(
    "path", ["../secret.mp4", "Cooking/../../secret.mp4", "{outside}/secret.mp4", "Cooking/link.mp4"]
)
def test_nothing_outside_the_folder_is_handed_out(folder, tmp_path, path):
    (folder / "Cooking" / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    with pytest.raises(DataError, match="leads out of the folder of x"):
        file_of(corpus_of(folder, path.format(outside=tmp_path)), "Cooking/a.mp4")


def test_a_sibling_with_the_same_beginning_is_outside(folder, tmp_path):
    (tmp_path / "clips2").mkdir()
    (tmp_path / "clips2" / "a.mp4").write_bytes(b"12345")
    with pytest.raises(DataError, match="leads out of the folder"):
        file_of(corpus_of(folder, "../clips2/a.mp4"), "Cooking/a.mp4")


def test_links_inside_and_to_the_folder_are_followed(folder, tmp_path):
    (folder / "alias.mp4").symlink_to(folder / "Cooking" / "a.mp4")
    (tmp_path / "by_link").symlink_to(folder)
    assert file_of(corpus_of(tmp_path / "by_link", "alias.mp4"), "Cooking/a.mp4").read_bytes() == b"12345"


def test_what_has_changed_or_gone_is_not_handed_out(folder):
    path = folder / "Cooking" / "a.mp4"
    corpus = corpus_of(folder, "Cooking/a.mp4", mtime=path.stat().st_mtime)
    os.utime(path, (0, 0))
    with pytest.raises(DataError, match="has changed since the corpus was prepared"):
        file_of(corpus, "Cooking/a.mp4")
    path.write_bytes(b"123456")
    with pytest.raises(DataError, match="has changed since"):
        file_of(corpus_of(folder, "Cooking/a.mp4"), "Cooking/a.mp4")
    path.unlink()
    with pytest.raises(StateError, match="Cooking/a.mp4 is gone"):
        file_of(corpus, "Cooking/a.mp4")
    path.mkdir()
    with pytest.raises(StateError, match="Cooking/a.mp4 is gone"):
        file_of(corpus, "Cooking/a.mp4")
    folder.rename(folder.parent / "moved")
    with pytest.raises(StateError, match="workbench data relocate x original FOLDER"):
        file_of(corpus, "Cooking/a.mp4")


def test_frame_times(folder):
    corpus = corpus_of(folder, "Cooking/a.mp4")
    with pytest.raises(StateError, match="are not known yet. .*Run: workbench video probe x"):
        frame_times(corpus, "Cooking/a.mp4")
    times = np.array([0.5, 0.541666, 1.75])
    write_frame_times(corpus, "Cooking/a.mp4", "original", times, np.array([True, False, True]))
    np.testing.assert_array_equal(frame_times(corpus, "Cooking/a.mp4"), times)
    with pytest.raises(StateError, match=r"\(origin\) are not known yet. Did you mean original"):
        frame_times(corpus, "Cooking/a.mp4", "origin")
    with pytest.raises(StateError):
        frame_times(corpus, "b")


def test_video_of_key(folder):
    corpus = corpus_of(folder, "Cooking/a.mp4", video="ünï/a b.mp4")
    assert video_of_key(corpus, video_key("ünï/a b.mp4")) == "ünï/a b.mp4"
    for wrong in ("", "ünï/a b.mp4", "../../etc/passwd", video_key("c"), "f" * 4000):
        with pytest.raises(DataError, match="no video with the key") as error:
            video_of_key(corpus, wrong)
        assert len(str(error.value)) < 200
