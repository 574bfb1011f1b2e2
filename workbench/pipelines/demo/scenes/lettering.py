"""Texts on boards: fonts, boards that fit their text, and where the text lies once a board is put into the picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from workbench.core.optional import need
from workbench.pipelines.demo.clip import HEIGHT, WIDTH, Sign
from workbench.pipelines.demo.scenes.canvas import DARK, WHITE, ZOOM, Canvas, Ink

Quad = np.ndarray | None
Paint = Callable[[float, float], tuple[Canvas, list[Quad]]]  # of the seconds and the share of the clip that passed
CAPITAL = 0.729  # height of a capital in ems, in all faces of DejaVu
MARGIN = 6  # room around a board for its shadow, in frame pixels


@dataclass(frozen=True)
class Look:
    """How a board looks; without ``edge`` it has no border."""

    ink: Ink = DARK
    paper: Ink = WHITE
    edge: Ink | None = None
    face: str = "DejaVuSans-Bold"
    rounded: float = 4
    shadow: bool = True


@lru_cache(maxsize=256)
def font(face: str, size: int) -> ImageFont.FreeTypeFont:
    """A face of DejaVu, from the data of matplotlib."""
    matplotlib = need("matplotlib", "Drawing the demo corpus")
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{face}.ttf"), size)


def ink_box(text: str, face: str, size: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the drawn text around the start of its base line."""
    left, top, right, bottom = font(face, size).getbbox(text or " ", anchor="ls")
    return math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)


def size_for(sign: Sign, face: str, width: float, height: float) -> int:
    """The font size for a sign: its own, or the largest at which it fits ``width`` x ``height`` frame pixels."""
    size = max(6, round(sign.height * ZOOM / CAPITAL))
    while size > 6:
        left, top, right, bottom = ink_box(sign.text, face, size)
        if right - left <= width * ZOOM and bottom - top <= height * ZOOM:
            break
        size -= 1
    return size


@dataclass(frozen=True)
class Board:
    """A drawn board: its picture at ``ZOOM``, its size without margin, and the text's corners around its centre."""

    image: Image.Image
    width: float
    height: float
    corners: np.ndarray

    def put(self, canvas: Canvas, x: float, y: float, scale: float = 1.0) -> Quad:
        """Put the board's centre at (x, y) and say where the text is now, or None if part of it is outside."""
        image = self.image
        if scale != 1:
            size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
            image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2)
        left, top = round(x * ZOOM - image.width / 2), round(y * ZOOM - image.height / 2)
        canvas.image.paste(image, (left, top), image)
        centre = np.array([left + image.width / 2, top + image.height / 2]) / ZOOM
        return inside(self.corners * scale + centre)


def inside(quad: np.ndarray) -> Quad:
    """The quad, or None if part of it lies outside the frame."""
    fits = quad.min() >= 0 and quad[:, 0].max() <= WIDTH and quad[:, 1].max() <= HEIGHT
    return quad.astype(np.float64) if fits else None


@dataclass(frozen=True)
class Plan:
    """The measures of a board in the enlarged picture: font size, text box, width, height, and its base line."""

    size: int
    box: tuple[int, int, int, int]
    wide: int
    high: int
    base: int

    @classmethod
    def of(cls, sign: Sign, look: Look, width: float, height: float, least: float = 0) -> Plan:
        """Plan a board; the arguments are those of ``board``."""
        pad = max(2.5, min(7.0, sign.height * 0.36, height * 0.18))
        size = size_for(sign, look.face, width - 2.6 * pad, height - 2 * pad)
        left, top, right, bottom = ink_box(sign.text, look.face, size)
        above, below = max(round(size * CAPITAL), -top), max(round(size * 0.1), bottom)
        wide = max(right - left + round(2.6 * pad * ZOOM), round(least * ZOOM))
        high = above + below + round(2 * pad * ZOOM)
        return cls(size, (left, top, right, bottom), wide, high, above + round(pad * ZOOM))


def board(sign: Sign, look: Look, width: float, height: float, angle: float = 0, least: float = 0) -> Board:
    """A board for a sign that needs no more than ``width`` x ``height``, its margin apart.

    Args:
        sign: The text.
        look: Colours and face.
        width: Largest width, in frame pixels.
        height: Largest height.
        angle: Turned clockwise by so many degrees.
        least: The board is at least so wide.
    """
    plan = Plan.of(sign, look, width, height, least)
    wide, high, size = plan.wide, plan.high, plan.size
    left, top, right, bottom = plan.box
    margin = MARGIN * ZOOM
    full = (wide + 2 * margin, high + 2 * margin)
    start = ((full[0] - (right - left)) // 2 - left, margin + plan.base)
    mask = Image.new("L", full, 0)
    ImageDraw.Draw(mask).text(start, sign.text, fill=255, font=font(look.face, size), anchor="ls")
    if sign.blur > 0:
        mask = mask.filter(ImageFilter.GaussianBlur(sign.blur * ZOOM))
    image = _plate(full, margin, look)
    image.paste(Image.new("RGBA", full, (*look.ink[:3], 255)), (0, 0), mask)
    x0, y0, x1, y1 = (start[0] + left, start[1] + top, start[0] + right, start[1] + bottom)
    corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=float) - np.array(full) / 2
    if angle:
        image = image.rotate(-angle, Image.Resampling.BICUBIC, expand=True)
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        corners = corners @ np.array([[cos, sin], [-sin, cos]])
    return Board(image, wide / ZOOM, high / ZOOM, corners / ZOOM)


def _plate(full: tuple[int, int], margin: int, look: Look) -> Image.Image:
    """The board without its text: a soft shadow and the paper."""
    plate = (margin, margin, full[0] - margin - 1, full[1] - margin - 1)
    radius = look.rounded * ZOOM
    soft = Image.new("L", full, 0)
    if look.shadow:
        below = (plate[0], plate[1] + 4, plate[2], plate[3] + 4)
        ImageDraw.Draw(soft).rounded_rectangle(below, radius, fill=110)
        soft = soft.filter(ImageFilter.GaussianBlur(5))
    image = Image.new("RGBA", full, (16, 14, 34, 0))
    image.putalpha(soft)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle(plate, radius, fill=(*(look.edge or look.paper)[:3], 255))
    inner = (plate[0] + 3, plate[1] + 3, plate[2] - 3, plate[3] - 3)
    draw.rounded_rectangle(inner, max(0, radius - 3), fill=(*look.paper[:3], 255))
    return image


def pile(
    signs: Sequence[Sign],
    look: Look | Sequence[Look],
    width: float,
    height: float,
    angle: float | Callable[[int], float] = 0,
    least: float = 0,
    gap: float = 3,
) -> list[Board]:
    """Boards for signs that stand one below the other, shrunk until they fit ``height`` together."""
    looks = [look] * len(signs) if isinstance(look, Look) else [look[min(i, len(look) - 1)] for i in range(len(signs))]
    tilt = angle if callable(angle) else (lambda _: angle)
    limit = max((s.height for s in signs), default=0)
    while True:  # the largest letters give way first
        small = [replace(s, height=min(s.height, limit)) for s in signs]
        high = sum(Plan.of(s, own, width, height).high / ZOOM for s, own in zip(small, looks, strict=True))
        if high + gap * (len(signs) - 1) <= height or limit <= 6:
            break
        limit -= 1
    return [board(s, own, width, height, tilt(i), least) for i, (s, own) in enumerate(zip(small, looks, strict=True))]


def rows(boards: Sequence[Board], top: float, gap: float = 3) -> list[float]:
    """The heights at which the centres of a pile of boards lie that starts at ``top``."""
    centres, y = [], top
    for each in boards:
        centres.append(y + each.height / 2)
        y += each.height + gap
    return centres


def pile_height(boards: Sequence[Board], gap: float = 3) -> float:
    """The height of a pile of boards."""
    return sum(b.height for b in boards) + gap * max(0, len(boards) - 1)
