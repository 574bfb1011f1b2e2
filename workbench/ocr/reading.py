"""Which of the sampled frames the engine really reads: not those that look like the last one read, nor those between
two frames of one shot, unless the picture stands nearly still while its texts change."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from rapidfuzz import fuzz

from workbench.ocr.engine import Line
from workbench.ocr.tracks import SAME_WORDS

GRID = (27, 48)
"""Rows and columns of the signature: means of grey over blocks, small enough that a word fills several."""
SAME_LOOK = 6.0
"""Grey levels: frames whose signatures differ by less in every block look the same."""
CUT = 45.0
"""Grey levels: mean difference of two sampled frames from which they belong to different shots."""
STILL = 0.1
"""Share of the blocks that may differ between two frames of a picture that stands nearly still."""
SURE, LONG = 0.9, 4
"""Confidence and letters or digits from which a line tells whether texts have changed; noise comes and goes."""
CHANGED = 0.2
"""Share of such lines without a counterpart above which the texts of two frames differ."""

Picture = tuple[int, np.ndarray]


@dataclass
class Reading:
    """What was read.

    Attributes:
        lines: Lines by index of the frames that the engine read.
        held: Last sampled frame that looks like a read frame, by that frame.
        n_sampled: Frames that were looked at.
    """

    lines: dict[int, list[Line]] = field(default_factory=dict)
    held: dict[int, int] = field(default_factory=dict)
    n_sampled: int = 0


def signature(frame: np.ndarray) -> np.ndarray:
    """Mean grey of each block, float32 ``GRID``; smaller frames have a block per pixel.

    Args:
        frame: uint8 [height, width, 3].
    """
    height, width = frame.shape[:2]
    rows, columns = min(GRID[0], height), min(GRID[1], width)
    tall, wide = height // rows, width // columns
    grey = frame[: rows * tall, : columns * wide, 1].astype(np.float32)  # green is most of the brightness
    return grey.reshape(rows, tall, columns, wide).mean(axis=(1, 3))


def read_sampled(frames: Iterable[Picture], read: Callable[[np.ndarray], list[Line]], stride: int = 5) -> Reading:
    """Read the sampled frames of one video, skipping what can be skipped.

    Args:
        frames: (index, pixels) in presentation order; never more than ``stride + 1`` of them are held.
        read: The engine.
        stride: Sampled frames per window; 1 = read every frame that does not look like the last one.
    """
    result = Reading()
    window: list[Picture] = []
    looks: list[np.ndarray] = []
    for index, pixels in frames:
        result.n_sampled += 1
        look = signature(pixels)
        if window and look.shape == looks[-1].shape:
            if np.abs(look - looks[-1]).max() < SAME_LOOK:
                result.held[window[-1][0]] = index
                continue
            if np.abs(look - looks[-1]).mean() > CUT:
                _read_window(window, looks, read, result)
                window, looks = [], []
        window.append((index, pixels))
        looks.append(look)
        if len(window) == stride + 1:
            _read_window(window, looks, read, result)
            window, looks = window[-1:], looks[-1:]
    if window:
        _read_window(window, looks, read, result)
    return result


Engine = Callable[[np.ndarray], list[Line]]


def _read_window(window: list[Picture], looks: list[np.ndarray], read: Engine, result: Reading) -> None:
    """Read both ends of a stretch of one shot, and its middle for as long as only the texts of the ends differ."""
    for index, pixels in (window[0], window[-1]):
        if index not in result.lines:
            result.lines[index] = read(pixels)
    if len(window) <= 2 or (np.abs(looks[0] - looks[-1]) >= SAME_LOOK).mean() > STILL:
        return
    if texts_changed(result.lines[window[0][0]], result.lines[window[-1][0]]):
        middle = len(window) // 2
        _read_window(window[: middle + 1], looks[: middle + 1], read, result)
        _read_window(window[middle:], looks[middle:], read, result)


def texts_changed(before: list[Line], after: list[Line]) -> bool:
    """Whether many of the sure lines of either frame are not in the other; digits that count on are no change."""
    found = [
        any(fuzz.ratio(_folded(line), _folded(other)) >= SAME_WORDS for other in others)
        for lines, others in ((before, after), (after, before))
        for line in lines
        if line.score >= SURE and sum(map(str.isalnum, line.text)) >= LONG
    ]
    return found.count(False) > CHANGED * len(found)


def _folded(line: Line) -> str:
    return re.sub(r"\d", "0", line.text.casefold())
