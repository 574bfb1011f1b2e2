"""A video with fewer frames than a model reads shows each of them as often as the others, in time's order."""

from __future__ import annotations

import numpy as np

from workbench.pipelines.clips import drawn_frames
from workbench.pipelines.frames import FrameFile
from workbench.pipelines.rules import InputRules
from workbench.video.sampling import Sampler


def test_kept_frames_are_spread(tmp_path):
    cache = tmp_path / "one.npz"
    pixels = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    for stored in (
        pixels,
        np.concatenate([pixels, pixels[-1:], pixels[-1:]]),
    ):  # as now, and as they once were filled up
        np.savez(cache, pixels=stored, indices=np.arange(3), times=np.arange(3) / 25)
        rules = InputRules(sampler=Sampler("uniform", 5), height=2, width=2, reader="pyav")
        file = FrameFile("a", tmp_path / "a.mp4", "0", rules, cache, (0, 0))
        assert file.pixels()[:, 0, 0, 0].tolist() == [0, 0, 1, 2, 2] and len(file.seen()[0]) == 3


def test_drawn_frames_of_a_short_video_reach_from_its_first_to_its_last():
    times, pick = np.arange(31) / 3, np.zeros(12, int)
    low, high = drawn_frames(times, pick, 4), drawn_frames(times, pick + 3, 4)
    assert low[0] == 0 and high[-1] == 30 and np.all(low <= high)
    assert len(set(low)) == len(set(high)) == 12, "no frame stands for several of the twelve"
