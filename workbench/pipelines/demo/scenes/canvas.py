"""The drawing board of the scenes: a picture at twice the size, pens on it that can be moved, and colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from workbench.pipelines.demo.clip import HEIGHT, WIDTH

ZOOM = 2  # everything is drawn at twice the size and reduced, which smooths its edges
Ink = tuple[int, ...]  # red, green, blue and, where it lets something through, alpha
Point = tuple[float, float]
Points = Sequence[Point]
Draws = tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw]  # one that covers (and is faster), one that blends

WHITE: Ink = (255, 255, 255)
DARK: Ink = (38, 40, 52)
STEEL: Ink = (176, 186, 198)
TYRE: Ink = (44, 46, 56)
GLASS: Ink = (206, 228, 238)

PAINT: dict[str, Ink] = {
    "red": (224, 46, 48),
    "blue": (38, 98, 224),
    "green": (40, 168, 72),
    "yellow": (250, 208, 36),
    "purple": (146, 62, 196),
    "orange": (248, 132, 24),
}


def mix(one: Ink, other: Ink, share: float) -> Ink:
    """A colour between two: ``one`` at 0, ``other`` at 1."""
    return tuple(round(a + (b - a) * share) for a, b in zip(one[:3], other[:3], strict=True))


@dataclass(frozen=True)
class Shades:
    """One colour in the tones that a body in light needs."""

    base: Ink
    dark: Ink
    deep: Ink
    light: Ink
    pale: Ink

    @classmethod
    def of(cls, name: str) -> Shades:
        """The tones of one of the named colours."""
        base = PAINT[name]
        shadow = (40, 16, 40)
        return cls(base, mix(base, shadow, 0.22), mix(base, shadow, 0.45), mix(base, WHITE, 0.3), mix(base, WHITE, 0.7))


def wave(t: float, period: float, phase: float = 0.0) -> float:
    """A swing between -1 and 1; the phase is in periods."""
    return math.sin(2 * math.pi * (t / period + phase))


def ease(share: float) -> float:
    """0..1 with a soft start and a soft end; values outside are held at the ends."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _ring(count: int) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


_SMALL_RING, _RING, _CORNER = _ring(16), _ring(40), 5


class Pen:
    """Draws shapes in frame pixels, moved, turned and scaled as a whole."""

    def __init__(self, draws: Draws, turn: np.ndarray, shift: np.ndarray) -> None:
        """Draw with ``draws``; a point p is drawn at ``turn @ p + shift``."""
        self._draws, self._turn, self._shift = draws, turn, shift
        self._scale = float(np.sqrt(abs(np.linalg.det(turn))))

    def at(self, x: float = 0, y: float = 0, scale: float = 1, angle: float = 0, flip: bool = False) -> Pen:
        """A pen whose origin is (x, y) of this one, turned clockwise by ``angle`` degrees and maybe mirrored."""
        cos, sin = math.cos(math.radians(angle)) * scale, math.sin(math.radians(angle)) * scale
        side = -1 if flip else 1
        turn = np.array([[cos * side, -sin], [sin * side, cos]])
        return Pen(self._draws, self._turn @ turn, self._turn @ np.array([x, y], dtype=float) + self._shift)

    def place(self, points: np.ndarray | Points) -> np.ndarray:
        """Where points of this pen lie in the enlarged picture."""
        return np.asarray(points, dtype=float) @ self._turn.T + self._shift

    def _fill(self, points: np.ndarray | Points, fill: Ink) -> None:
        self._draws[len(fill) > 3].polygon(self.place(points).ravel().tolist(), fill=fill)

    def poly(self, points: Points, fill: Ink) -> None:
        """A polygon."""
        self._fill(points, fill)

    def blob(self, points: Points, fill: Ink) -> None:
        """A closed smooth shape through the points."""
        p1 = np.asarray(points, dtype=float)
        p0, p2, p3 = np.roll(p1, 1, 0), np.roll(p1, -1, 0), np.roll(p1, -2, 0)
        s = np.linspace(0, 1, 7)[:-1, None, None]
        curve = p1 + 0.5 * s * (p2 - p0 + s * (2 * p0 - 5 * p1 + 4 * p2 - p3 + s * (3 * (p1 - p2) + p3 - p0)))
        self._fill(curve.transpose(1, 0, 2).reshape(-1, 2), fill)

    def solid(self, points: Points, ink: Shades) -> None:
        """A smooth body in light from the left: dark at its right side."""
        self.blob(points, ink.dark)
        side = 0.07 * max(x for x, _ in points)
        self.blob([(x * 0.86 - side, y) for x, y in points], ink.base)

    def tube(self, half: float, top: float, bottom: float, bow: float, ink: Shades) -> None:
        """A standing cylinder around x = 0 without its lid; ``bow`` is how far its lower edge hangs."""
        share = np.linspace(-1, 1, 25)
        edge = np.stack([share * half, bottom + bow * np.sqrt(1 - share**2)], axis=1)
        self._fill(np.concatenate([edge, [(half, top), (-half, top)]]), ink.base)
        for first, fill in ((15, ink.deep), (18, ink.deep), (21, ink.deep)):
            self._fill(np.concatenate([edge[first:], [(half, top), (edge[first, 0], top)]]), (*fill[:3], 60))
        shine = np.concatenate([edge[3:6], [(edge[5, 0], top), (edge[3, 0], top)]])
        self._fill(shine, (255, 255, 255, 90))

    def hoop(self, half: float, y: float, bow: float, height: float, fill: Ink) -> None:
        """A band around a standing cylinder."""
        share = np.linspace(-1, 1, 25)
        edge = np.stack([share * half, y + bow * np.sqrt(1 - share**2)], axis=1)
        self._fill(np.concatenate([edge, edge[::-1] + (0, height)]), fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Ink) -> None:
        """An ellipse around (x, y)."""
        ring = _SMALL_RING if max(rx, ry) * self._scale < 14 else _RING
        self._fill(ring * (rx, ry) + (x, y), fill)

    def dot(self, x: float, y: float, radius: float, fill: Ink) -> None:
        """A disc."""
        self.oval(x, y, radius, radius, fill)

    def box(self, x: float, y: float, width: float, height: float, fill: Ink, round_by: float = 0) -> None:
        """A rectangle with its top left at (x, y), its corners rounded by a radius."""
        r = min(round_by, width / 2, height / 2)
        if r <= 0:
            self._fill([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], fill)
            return
        points = []
        corners = ((x + width - r, y + height - r), (x + r, y + height - r), (x + r, y + r), (x + width - r, y + r))
        for quarter, (cx, cy) in enumerate(corners):
            for step in range(_CORNER + 1):
                angle = math.pi / 2 * (quarter + step / _CORNER)
                points.append((cx + r * math.cos(angle), cy + r * math.sin(angle)))
        self._fill(points, fill)

    def line(self, points: Points, fill: Ink, width: float = 2) -> None:
        """A thick line with round joints and ends; opaque colours only."""
        placed = self.place(points)
        thick = max(1.0, width * self._scale)
        self._draws[0].line(placed.ravel().tolist(), fill=fill, width=round(thick), joint="curve")
        if thick > 3:
            r = thick / 2 - 0.25
            for x, y in (placed[0].tolist(), placed[-1].tolist()):
                self._draws[0].ellipse((x - r, y - r, x + r, y + r), fill=fill)

    def arc(self, x: float, y: float, radius: float, start: float, end: float, fill: Ink, width: float = 2) -> None:
        """A part of a circle, from ``start`` to ``end`` degrees clockwise from the right."""
        angle = np.radians(np.linspace(start, end, 14))
        self.line([(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angle], fill, width)

    def shadow(self, x: float, y: float, rx: float, ry: float, strength: float = 1.0) -> None:
        """A soft shadow on the ground."""
        for share in (1.0, 0.85, 0.68, 0.5):
            self.oval(x, y, rx * share, ry * share, (20, 18, 40, round(26 * strength)))

    def glow(self, x: float, y: float, radius: float, fill: Ink, strength: float = 1.0) -> None:
        """A soft light."""
        for ring in range(10):
            self.dot(x, y, radius * (1 - ring * 0.085), (*fill[:3], max(1, round(14 * strength))))


class Canvas:
    """One picture while it is drawn; as wide and as high as asked, in frame pixels."""

    def __init__(self, image: Image.Image) -> None:
        """Draw on ``image``, which is ``ZOOM`` times as large as the frame."""
        self.image = image
        draws = (ImageDraw.Draw(image), ImageDraw.Draw(image, "RGBA"))
        self.pen = Pen(draws, np.eye(2) * ZOOM, np.zeros(2))

    @classmethod
    def gradient(cls, stops: Sequence[tuple[float, Ink]], width: float = WIDTH, height: float = HEIGHT) -> Canvas:
        """A canvas with colours that run from top to bottom: pairs of (share of the height, colour)."""
        rows = np.linspace(0, 1, round(height * ZOOM))
        places = [place for place, _ in stops]
        bands = [np.interp(rows, places, [ink[band] for _, ink in stops]) for band in range(3)]
        column = np.stack(bands, axis=1).round().astype(np.uint8)[:, None]
        return cls(Image.fromarray(np.repeat(column, round(width * ZOOM), axis=1)))

    @classmethod
    def clear(cls, width: float = WIDTH, height: float = HEIGHT) -> Canvas:
        """A canvas that is transparent where nothing is drawn; opaque colours only."""
        return cls(Image.new("RGBA", (round(width * ZOOM), round(height * ZOOM)), (0, 0, 0, 0)))

    def stamp(self, image: Image.Image, x: float, y: float) -> None:
        """Put an image, transparent or not, with its top left at (x, y)."""
        place = (round(x * ZOOM), round(y * ZOOM))
        self.image.paste(image, place, image if image.mode == "RGBA" else None)

    def scroll(self, image: Image.Image, x: float, y: float) -> None:
        """Put an image that goes on for ever to both sides, moved left by ``x``."""
        width = image.width / ZOOM
        start = -(x % width)
        while start < self.image.width / ZOOM:
            self.stamp(image, start, y)
            start += width

    def frame(self) -> np.ndarray:
        """The picture at the size of the frame."""
        return np.asarray(self.image.reduce(ZOOM))
