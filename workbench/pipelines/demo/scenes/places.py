"""Backgrounds of Activity and Sports: each gives a still picture and what moves in front of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from workbench.pipelines.demo.clip import WIDTH
from workbench.pipelines.demo.scenes.canvas import WHITE, Canvas, Ink, Pen, mix, wave

Drift = Callable[[Canvas, float], None]
Place = tuple[Image.Image, Drift]


def cloud(pen: Pen, x: float, y: float, size: float, ink: Ink = (255, 255, 255, 235)) -> None:
    """A cloud with a flat belly."""
    pen.box(x - size, y - size * 0.22, size * 2, size * 0.44, ink, size * 0.22)
    pen.dot(x - size * 0.35, y - size * 0.25, size * 0.4, ink)
    pen.dot(x + size * 0.25, y - size * 0.36, size * 0.52, ink)


def clouds(rng: np.random.Generator, top: float, bottom: float, ink: Ink = (255, 255, 255)) -> Drift:
    """Three clouds that drift slowly to the right."""
    spots = [(float(rng.uniform(0, 400)), float(rng.uniform(top, bottom)), float(rng.uniform(18, 30))) for _ in "123"]

    def drift(canvas: Canvas, t: float) -> None:
        for x, y, size in spots:
            cloud(canvas.pen, (x + t * size * 0.4) % 420 - 50, y, size, ink)

    return drift


def tree(pen: Pen, x: float, y: float, size: float, ink: Ink) -> None:
    """A round tree that stands at (x, y)."""
    pen.box(x - size * 0.07, y - size * 0.5, size * 0.14, size * 0.5, (120, 92, 78))
    for dx, dy, r in ((-0.2, 0.6, 0.26), (0.22, 0.64, 0.25), (0, 0.86, 0.3)):
        pen.dot(x + dx * size, y - dy * size, r * size, ink)
    pen.dot(x - 0.06 * size, y - 0.92 * size, 0.17 * size, mix(ink, WHITE, 0.2))


def park(rng: np.random.Generator) -> Place:
    """Pale sky, trees, meadow and a path."""
    canvas = Canvas.gradient([(0, (184, 220, 238)), (0.6, (234, 244, 236)), (1, (240, 246, 230))])
    pen = canvas.pen
    pen.blob([(-60, 170), (20, 118), (110, 140), (200, 112), (300, 138), (400, 130), (400, 300), (-60, 300)],
             (174, 206, 172))  # fmt: skip
    for x in range(-10, 340, 44):
        tree(pen, x + float(rng.uniform(-10, 10)), 178, float(rng.uniform(60, 82)), mix((116, 164, 120), WHITE, 0.1))
    pen.box(-5, 172, 340, 80, (158, 196, 134))
    pen.blob([(-40, 210), (80, 198), (240, 202), (360, 196), (360, 232), (200, 240), (-40, 238)], (232, 220, 194))
    for _ in range(26):
        pen.oval(float(rng.uniform(0, WIDTH)), float(rng.uniform(176, 194)), 2.4, 1.2, (134, 176, 116))
    return canvas.image, clouds(rng, 20, 90)


def beach(rng: np.random.Generator) -> Place:
    """Sand, a band of sea with waves, and a pale sky."""
    canvas = Canvas.gradient([(0, (150, 208, 226)), (0.55, (226, 242, 240)), (1, (226, 242, 240))])
    pen = canvas.pen
    pen.glow(56, 60, 46, (255, 250, 226), 2.2)
    pen.box(-5, 118, 340, 60, (98, 176, 190))
    pen.box(-5, 118, 340, 16, (84, 158, 178))
    pen.box(-5, 168, 340, 90, (238, 218, 176))
    for _ in range(40):
        pen.oval(float(rng.uniform(0, WIDTH)), float(rng.uniform(186, 240)), 2.6, 1, (222, 198, 152))
    x = 268 if rng.random() < 0.5 else 40
    pen.poly([(x - 44, 136), (x, 104), (x + 44, 136)], (244, 236, 226))
    pen.poly([(x - 15, 136), (x, 104), (x + 15, 136)], (206, 150, 146))
    pen.box(x - 1.5, 134, 3, 52, (150, 130, 120))
    drift_clouds = clouds(rng, 14, 90)

    def drift(canvas: Canvas, t: float) -> None:
        drift_clouds(canvas, t)
        for row, y in enumerate((130, 146, 160)):
            shift = 16 * wave(t, 3.4, row * 0.3) - 20
            for n in range(6):
                canvas.pen.line(
                    [(n * 70 + shift + row * 24, y), (n * 70 + 26 + shift + row * 24, y)], (170, 216, 220), 2
                )
        edge = 168 + 3 * wave(t, 2.8)
        foam = [(-30, 160), (80, edge - 4), (170, edge + 3), (260, edge - 3), (350, 160)]
        foam += [(350, edge + 4), (260, edge + 3), (170, edge + 9), (80, edge + 2), (-30, edge + 6)]
        canvas.pen.blob(foam, (246, 252, 250))

    return canvas.image, drift


def gym(rng: np.random.Generator) -> Place:
    """A hall with windows, wall bars and a shining floor."""
    canvas = Canvas.gradient([(0, (120, 116, 128)), (0.7, (152, 146, 156)), (1, (152, 146, 156))])
    pen = canvas.pen
    pen.box(-5, 128, 340, 48, (104, 100, 116))
    for x in range(14, 320, 76):
        pen.box(x, 86, 60, 90, (130, 112, 104), 2)
        for y in range(92, 174, 12):
            pen.line([(x + 3, y), (x + 57, y)], (196, 172, 150), 4)
    pen.box(-5, 174, 340, 80, (178, 138, 108))
    for x in range(-160, 500, 32):
        pen.line([(160 + (x - 160) * 0.7, 174), (160 + (x - 160) * 1.5, 244)], (160, 120, 94), 1.5)
    pen.line([(0, 204), (320, 204)], (236, 226, 214), 3)
    spots = [float(rng.uniform(20, 300)) for _ in "123"]

    def drift(canvas: Canvas, t: float) -> None:
        for n, x in enumerate(spots):
            x += 14 * wave(t, 5, n / 3)
            canvas.pen.poly([(x, 176), (x + 34, 176), (x + 70, 242), (x + 16, 242)], (255, 236, 214, 40))
            canvas.pen.poly([(x - 20, 0), (x + 8, 0), (x + 34, 176), (x, 176)], (255, 250, 230, 26))

    return canvas.image, drift


PLACES: dict[str, Callable[[np.random.Generator], Place]] = {"park": park, "beach": beach, "gym": gym}
