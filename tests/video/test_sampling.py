"""Index rules: the values of the specs, and properties that hold for any video."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import DataError, UnknownNameError
from workbench.core.seeds import generator
from workbench.video.sampling import RULES, SAMPLERS, Sampler, sample_frames, stretched, thinned


@pytest.mark.parametrize(
    ("n_frames", "n", "expected"),
    [
        (4, 4, [0, 1, 2, 3]),
        (1, 3, [0, 0, 0]),
        (2, 4, [0, 0, 1, 1]),
        (3, 4, [0, 1, 1, 2]),
        (5, 12, None),
        (31, 48, None),
    ],
)
def test_few_frames_fill_many_places_evenly(n_frames, n, expected):
    found = stretched(n_frames, n)
    times = np.bincount(found, minlength=n_frames)
    assert np.array_equal(found, np.sort(found)) and times.max() - times.min() <= 1 and len(times) == n_frames
    assert expected is None or found.tolist() == expected


@pytest.mark.parametrize(
    ("n_frames", "expected"),
    [(30, [3, 10, 18, 25]), (250, [30, 93, 155, 218]), (450, [55, 168, 280, 393]), (7, [0, 1, 3, 5])],
)
def test_textvr_test_values(n_frames, expected):  # spec/textvr.md section 2
    assert sample_frames(SAMPLERS["textvr-test"], np.arange(n_frames) / 25).tolist() == expected


def test_clip4clip_thins_to_one_per_second_and_takes_whole_numbers():
    times = np.arange(300) / 30  # 10 s: frames 0, 30, ..., 270
    assert sample_frames(SAMPLERS["clip4clip"], times).tolist() == list(range(0, 300, 30))
    long = np.arange(30 * 60) / 30
    expected = (np.linspace(0, 59, 12).astype(int) * 30).tolist()
    assert sample_frames(SAMPLERS["clip4clip"], long).tolist() == expected
    assert sample_frames(SAMPLERS["clip4clip-head"], long).tolist() == list(range(0, 360, 30))
    assert sample_frames(SAMPLERS["clip4clip-tail"], long).tolist() == list(range(48 * 30, 1800, 30))


def test_time_not_index_decides_what_a_rate_takes():
    times = np.array([0.5, 0.6, 0.7, 2.4, 2.6, 2.61])
    assert thinned(times, 1.0).tolist() == [0, 2, 3]  # what is on screen at 0.5, 1.5 and 2.5 s
    assert thinned(np.array([3.0]), 2.0).tolist() == [0]


@given(n_frames=st.integers(1, 100), n=st.integers(1, 30), rule=st.sampled_from(sorted(RULES)), seed=st.integers(0, 9))
def test_any_video_any_rule(n_frames, n, rule, seed):
    times = np.cumsum(generator(seed, "times").uniform(0.01, 0.4, n_frames))
    sampler = Sampler(rule, n, fps=2.0 if rule == "fps" else None)
    found = sample_frames(sampler, times, generator(seed, "frames"))
    assert (np.diff(found) > 0).all() and found[0] >= 0 and found[-1] < n_frames
    if rule not in ("fps", "all"):
        assert len(found) == min(n, n_frames)


def test_random_reaches_every_frame_of_a_segment():  # the released code never drew the last one, and failed on V < 2 n
    seen = {int(i) for s in range(300) for i in sample_frames(Sampler("random", 2), np.arange(8.0), generator(s))}
    assert seen == set(range(8))


def test_wrong_rules():
    with pytest.raises(UnknownNameError, match="No sampling rule is called 'middle'"):
        sample_frames(Sampler("middle"), np.arange(3.0))
    wrong = {
        Sampler("random"): "needs a generator",
        Sampler("fps"): "states no rate",
        Sampler("uniform", 0): "0 frames cannot",
        Sampler("fps", fps=0.0): "not positive",
    }
    for sampler, message in wrong.items():
        with pytest.raises(DataError, match=message):
            sample_frames(sampler, np.arange(3.0))
    with pytest.raises(DataError, match="no frame to sample"):
        sample_frames(Sampler("all"), np.zeros(0))
