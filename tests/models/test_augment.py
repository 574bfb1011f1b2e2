"""Frames varied in training: against slow versions, alike for all frames of a video, and never mirrored."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

from workbench.core.errors import UnknownNameError
from workbench.core.lookup import pick
from workbench.core.seeds import generator
from workbench.models.augment import AUGMENTS, LUMA, MOVE, SCALE, SHIFT

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
FRAMES = generator(0, "frames").integers(0, 256, (5, 2, 24, 32, 3), np.uint8)


def numbers(name: str, videos: int = 5) -> np.ndarray:
    return np.stack([AUGMENTS[name].draw(generator(0, name, video)) for video in range(videos)])


def varied(name: str, frames: np.ndarray = FRAMES, drawn: np.ndarray | None = None) -> np.ndarray:
    drawn = numbers(name, len(frames)) if drawn is None else drawn
    return AUGMENTS[name].apply(torch.from_numpy(frames), drawn).numpy()


@pytest.mark.parametrize("name", AUGMENTS)
def test_a_video_is_varied_by_its_own_numbers_alone(name):
    whole, drawn = varied(name), numbers(name)
    assert whole.shape == FRAMES.shape and whole.min() >= 0 and whole.max() <= 255
    alone = np.concatenate([varied(name, FRAMES[at : at + 1], drawn[at : at + 1]) for at in range(5)])
    assert np.array_equal(whole, alone)
    same = np.repeat(FRAMES[:, :1], 2, axis=1)
    both = varied(name, same, drawn)
    assert np.array_equal(both[:, 0], both[:, 1])
    assert np.array_equal(whole, FRAMES) == (name == "none")


def test_a_shift_is_a_cut_of_the_padded_frame():
    drawn, found = numbers("shift"), varied("shift")
    padded = np.pad(FRAMES, ((0, 0), (0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="edge")
    for video, (down, right) in enumerate(drawn.astype(int)):
        assert np.array_equal(found[video], padded[video, :, down : down + 24, right : right + 32])
    assert found.dtype == np.uint8 and len(np.unique(drawn)) > 3


def slowly_coloured(picture: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """One frame [H, W, 3] of 0..1, pixel by pixel."""

    def blend(one, other, factor):
        return np.clip(factor * one + (1 - factor) * other, 0, 1)

    factor = 0.5 + drawn[3:6]
    for turn in np.argsort(drawn[7:11]) if drawn[2] < 0.8 else ():
        grey = (picture @ np.asarray(LUMA))[..., None]
        if turn < 3:
            picture = blend(picture, (0.0, grey.mean(), grey)[turn], factor[turn])
            continue
        for pixel in picture.reshape(-1, 3):
            hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
            pixel[:] = colorsys.hsv_to_rgb((hue + 0.2 * drawn[6] - 0.1) % 1, saturation, value)
    return np.repeat((picture @ np.asarray(LUMA))[..., None], 3, -1) if drawn[11] < 0.3 else picture


def test_colours_are_those_of_the_release():
    drawn = generator(1, "colours").random((8, 12))
    drawn[:, 2] = [0.9, *[0.1] * 7]
    drawn[:, 11] = [0.9, 0.1, *[0.9] * 6]
    frames = generator(2, "pictures").integers(0, 256, (8, 2, 5, 6, 3), np.uint8)
    frames[3] = 77  # grey has no hue
    found = varied("parity", frames, drawn)
    assert np.allclose(found[0], frames[0], atol=1e-3)
    for video in range(8):
        for picture, got in zip(frames[video], found[video], strict=True):
            assert np.allclose(got, 255 * slowly_coloured(picture / 255.0, drawn[video]), atol=0.02)


def test_text_is_moved_and_scaled_as_said():
    height, width = 100, 150
    down, across = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    ramp = np.stack([down, across, np.full_like(down, 90)], -1).astype(np.uint8)[None, None]
    assert np.allclose(varied("text", ramp, np.full((1, 3), 0.5)), ramp, atol=1e-3)
    lower = varied("text", ramp, np.asarray([[1.0, 0.5, 0.5]]))[0, 0]
    assert lower[50, 75, 0] == pytest.approx(50 - MOVE * height, abs=0.01)
    assert lower[50, 75, 1] == pytest.approx(75, abs=0.01)
    assert lower[0, 75, 2] == pytest.approx(127), "what comes in is grey"
    larger = varied("text", ramp, np.asarray([[0.5, 0.5, 1.0]]))[0, 0]
    assert larger[80, 75, 0] == pytest.approx(49.5 + 30.5 / (1 + SCALE), abs=0.01)
    some = varied("text", np.repeat(ramp, 20, 0), generator(3, "some").random((20, 3)))[:, 0, 30:70, 40:110]
    assert (np.diff(some[..., 1], axis=2) > 0).all() and (np.diff(some[..., 0], axis=1) > 0).all(), "never mirrored"


def test_sizes_fits_and_names():
    assert AUGMENTS["parity"].size(224, 224) == (242, 242) and AUGMENTS["text"].size(224, 224) == (224, 224)
    assert (AUGMENTS["parity"].fit, AUGMENTS["text"].fit, AUGMENTS["shift"].fit) == ("squash", "letterbox", None)
    with pytest.raises(UnknownNameError, match="shift"):
        pick(AUGMENTS, "shfit", "way to vary frames")
