"""Proxies and small renditions: every presentation time kept, portrait right, whole or absent."""

from __future__ import annotations

import numpy as np
import pytest

from tests.clips import CLIPS, read_barcode, write_clip
from workbench.video import probe, read_frames
from workbench.video.probe import UnreadableVideo
from workbench.video.transcode import Encoding, thumbnail, transcode


@pytest.mark.parametrize("name", ["variable.mp4", "offset.mp4", "vp9_variable_odd.webm", "hevc.mp4", "one_frame.mp4"])
def test_a_proxy_keeps_every_time_and_frame(tmp_path, name):
    write_clip(tmp_path / name, **CLIPS[name])
    source, proxy = probe(tmp_path / name), transcode(tmp_path / name, tmp_path / "proxy.mp4")
    np.testing.assert_allclose(proxy.times, source.times, atol=1e-4)
    assert proxy.codec == "h264" and proxy.width % 2 == proxy.height % 2 == 0 and proxy.decord_unsafe == ""
    found = read_frames(proxy, list(range(proxy.n_frames)))
    assert [read_barcode(pixels) for pixels in found.pixels] == list(range(source.n_frames))
    assert np.diff(np.flatnonzero(proxy.keys)).max(initial=1) <= 12


def test_the_small_one_has_few_frames_that_are_all_keys(tmp_path):
    write_clip(tmp_path / "long.mp4", 120, options={"preset": "fast"})  # 5 s
    small = transcode(tmp_path / "long.mp4", tmp_path / "small.mp4", "small")
    assert small.n_frames == 15 and small.keys.all()
    assert [read_barcode(p) for p in read_frames(small, "uniform-12").pixels][:3] == [0, 8, 16]
    tiny = transcode(tmp_path / "long.mp4", tmp_path / "tiny.mp4", Encoding(short_side=48, gop=1, crf=30, fps=1.0))
    assert (tiny.width, tiny.height, tiny.n_frames) == (80, 48, 5)


def test_a_broken_video_leaves_nothing(tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"nothing" * 50)
    with pytest.raises(UnreadableVideo, match=r"bad\.mp4 cannot be read"):
        transcode(tmp_path / "bad.mp4", tmp_path / "out.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.mp4", "workspace"]


def test_thumbnail(tmp_path):
    write_clip(tmp_path / "a.mp4", options={"preset": "fast"})
    picture = thumbnail(tmp_path / "a.mp4", time_s=0.5, height=90)
    assert picture[:2] == b"\xff\xd8" and 500 < len(picture) < 20_000
