"""Frames of any shape to one size, on the CPU, so that frames of many videos can be stacked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workbench.core.lookup import pick
from workbench.core.optional import need

Scale = Callable[[float, float], float]

FITS: dict[str, tuple[str, Scale | None]] = {
    "squash": ("scaled to the size, whatever its shape", None),
    "crop": ("scaled until it fills the size, the middle kept", max),
    "letterbox": ("scaled until it fits in whole, the rest grey", min),
}
"""How a frame comes to another shape: a sentence, and which of the ratios of heights and widths it is scaled by."""

GREY = 127


def fitted(picture: np.ndarray, height: int, width: int, fit: str = "squash") -> np.ndarray:
    """A frame of another size.

    Args:
        picture: uint8 [rows, columns, 3].
        height: Pixels.
        width: Pixels.
        fit: A name of ``FITS``.

    Returns:
        uint8 [height, width, 3].

    Raises:
        UnknownNameError: No such fit.
    """
    scale = pick(FITS, fit, "fit")[1]
    if scale is None:
        return _scaled(picture, height, width)
    ratio = scale(height / picture.shape[0], width / picture.shape[1])
    scaled = _scaled(picture, max(1, round(picture.shape[0] * ratio)), max(1, round(picture.shape[1] * ratio)))
    canvas = np.full((height, width, 3), GREY, np.uint8)
    (to_y, from_y), (to_x, from_x) = (_middle(*sides) for sides in zip((height, width), scaled.shape, strict=False))
    canvas[to_y, to_x] = scaled[from_y, from_x]
    return canvas


def _middle(side: int, own: int) -> tuple[slice, slice]:
    """Of lines of ``side`` and ``own`` pixels with one middle: what they share, in the first and in the second."""
    shared = min(side, own)
    to, start = (side - shared) // 2, (own - shared) // 2
    return slice(to, to + shared), slice(start, start + shared)


def _scaled(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    frame = need("av", "Scaling pictures").VideoFrame.from_ndarray(picture, format="rgb24")
    return frame.reformat(width=width, height=height).to_ndarray(format="rgb24")
