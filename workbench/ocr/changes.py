"""What changed since a picture was read: only that is read again, the lines elsewhere still stand."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.core.optional import need
from workbench.ocr.engine import Engine, Line
from workbench.ocr.recall import SAME

CELL = 8
"""Pixels: side of the squares whose mean greys are compared; a letter fills one."""
AROUND = 2
"""Cells around a changed one that are read with it."""
BLOCK = 4
"""Cells: regions begin and end at multiples, as the engine's detector wants sides of 32 pixels."""
MOST = 0.85
"""Share of a picture from which on all of it is read: a region costs as much as its share."""
KEPT = 2
"""Pictures that are remembered: both ends of a stretch, while frames between them are read."""

Box = tuple[int, int, int, int]
"""left, top, right, bottom in pixels; right and bottom excluded."""


@dataclass(frozen=True)
class _Read:
    """A picture as it was read, each part when it was last read, and the lines in it."""

    pixels: np.ndarray
    lines: list[Line]


class ChangeReader:
    """Reads the pictures of one video after the other with an engine, of each only what looks different.

    Args:
        engine: Reads a picture, or a part of one.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._known: deque[_Read] = deque(maxlen=KEPT)

    def forget(self) -> None:
        """Begin another video: what is read in it depends on no other."""
        self._known.clear()
        self.engine.forget()

    def read(self, frame: np.ndarray) -> list[Line]:
        """The lines of a frame, uint8 RGB [height, width, 3]; see ``Engine.read``."""
        found = [
            (known, changed_boxes(known.pixels, frame, known.lines))
            for known in self._known
            if known.pixels.shape == frame.shape
        ]
        known, boxes = min(found, key=lambda one: area(one[1]), default=(None, []))
        if known is None or area(boxes) > MOST * frame.shape[0] * frame.shape[1]:
            lines = self.engine.read(frame)
            self._known.append(_Read(frame, lines))
            return lines
        pixels = known.pixels.copy()
        lines = [line for line in known.lines if not any(inside(line, box, frame.shape) for box in boxes)]
        for box in boxes:
            left, top, right, bottom = box
            pixels[top:bottom, left:right] = frame[top:bottom, left:right]
            lines += self.engine.read_part(frame, box)
        lines.sort(key=lambda line: (line.quad[:, 1].min(), line.quad[:, 0].min()))
        self._known.append(_Read(pixels, lines))
        return lines


def changed_boxes(before: np.ndarray, after: np.ndarray, lines: Sequence[Line]) -> list[Box]:
    """Disjoint boxes that hold every changed cell with what is around it, and every line that these touch.

    Args:
        before: uint8 [height, width, 3], as it was read.
        after: Same shape.
        lines: Those of ``before``.
    """
    cv2 = need("cv2", "Reading text in frames")
    cells = np.abs(_means(before) - _means(after)) >= SAME
    cells = cv2.dilate(cells.astype(np.uint8), np.ones((2 * AROUND + 1, 2 * AROUND + 1), np.uint8))
    rows, columns = (-(-side // BLOCK) for side in cells.shape)
    cells = np.pad(cells, ((0, rows * BLOCK - cells.shape[0]), (0, columns * BLOCK - cells.shape[1])))
    blocks = cells.reshape(rows, BLOCK, columns, BLOCK).max(axis=(1, 3))
    step, (height, width) = CELL * BLOCK, after.shape[:2]
    spans = [_span(line, step, width, height) for line in lines]
    while True:
        _, _, stats, _ = cv2.connectedComponentsWithStats(blocks, connectivity=8)
        grown = blocks.copy()
        for x, y, wide, tall, _ in stats[1:]:
            grown[y : y + tall, x : x + wide] = 1
        for rows_of, columns_of in spans:
            if grown[rows_of, columns_of].any():
                grown[rows_of, columns_of] = 1
        if (grown == blocks).all():
            break
        blocks = grown
    return [(x * step, y * step, min((x + wide) * step, width), min((y + tall) * step, height))
            for x, y, wide, tall, _ in stats[1:].tolist()]  # fmt: skip


def area(boxes: Sequence[Box]) -> int:
    """Pixels in disjoint boxes."""
    return sum((right - left) * (bottom - top) for left, top, right, bottom in boxes)


def inside(line: Line, box: Box, shape: tuple[int, ...]) -> bool:
    """Whether the middle of a line lies in a box of a picture of this shape."""
    x, y = line.quad.mean(axis=0) * (shape[1], shape[0])
    return bool(box[0] <= x < box[2] and box[1] <= y < box[3])


def _means(frame: np.ndarray) -> np.ndarray:
    """Mean grey of each cell, float32; the edges are repeated to whole cells."""
    cv2 = need("cv2", "Reading text in frames")
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    down, right = (-side % CELL for side in grey.shape)
    grey = cv2.copyMakeBorder(grey, 0, down, 0, right, cv2.BORDER_REPLICATE)
    size = (grey.shape[1] // CELL, grey.shape[0] // CELL)
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def _span(line: Line, step: int, width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns of the blocks that a line stands in."""
    low, high = line.quad.min(axis=0) * (width, height), line.quad.max(axis=0) * (width, height)
    (left, top), (right, bottom) = (low // step).astype(int), (high // step).astype(int)
    return slice(max(top, 0), bottom + 1), slice(max(left, 0), right + 1)
