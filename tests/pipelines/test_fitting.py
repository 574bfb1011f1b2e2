"""Frames of any shape to one size: their own shape kept where that is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.errors import UnknownNameError
from workbench.pipelines.fitting import FITS, GREY, fitted


@pytest.mark.parametrize("height, width", [(40, 80), (80, 40), (24, 24), (7, 200), (9, 13)])
@pytest.mark.parametrize("fit", FITS)
def test_every_fit_gives_the_size_asked_for(fit, height, width):
    picture = np.full((height, width, 3), 250, np.uint8)
    found = fitted(picture, 24, 32, fit)
    assert found.shape == (24, 32, 3) and found.dtype == np.uint8
    if fit != "letterbox":
        assert found.min() > 240, "all of it is the picture"


@pytest.mark.parametrize("height, width", [(40, 80), (80, 40), (24, 24), (7, 200), (9, 13)])
def test_a_letterbox_keeps_the_shape(height, width):
    found = fitted(np.full((height, width, 3), 250, np.uint8), 24, 24, "letterbox")
    filled = found[..., 0] > (GREY + 250) // 2
    down, across = filled.any(1).sum(), filled.any(0).sum()
    scale = 24 / max(height, width)
    assert abs(down - height * scale) <= 1 and abs(across - width * scale) <= 1 and max(down, across) == 24
    assert (found[~filled] == GREY).all()
    top, bottom = np.flatnonzero(filled.any(1))[[0, -1]]
    assert abs(top - (23 - bottom)) <= 1, "in the middle"


@pytest.mark.parametrize("height, width", [(40, 80), (80, 40), (24, 24)])
def test_a_crop_keeps_the_middle(height, width):
    picture = np.zeros((height, width, 3), np.uint8)
    picture[height // 2 - 6 : height // 2 + 6, width // 2 - 6 : width // 2 + 6] = 250
    found = fitted(picture, 24, 24, "crop")
    bright = found[..., 0] > 125
    assert found[12, 12, 0] > 240 and found[0, 0, 0] < 10
    assert abs(int(bright.any(0).sum()) - int(bright.any(1).sum())) <= 1, "a square stays one"


def test_an_unknown_fit_is_named():
    with pytest.raises(UnknownNameError, match="No fit is called 'stretch'"):
        fitted(np.zeros((4, 4, 3), np.uint8), 4, 4, "stretch")
