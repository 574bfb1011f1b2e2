"""Street_View_Indoor: a bottle, a box, a can or a teapot on a shelf, a counter or in a fridge, with labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workbench.pipelines.demo.clip import WIDTH, Clip, Sign
from workbench.pipelines.demo.scenes.canvas import DARK, WHITE, Canvas, Ink, Pen, Shades, mix, wave
from workbench.pipelines.demo.scenes.lettering import (
    CAPITAL,
    Board,
    Look,
    Paint,
    Quad,
    board,
    ink_box,
    pile,
    pile_height,
    rows,
)
from workbench.pipelines.demo.scenes.people import sparkle

FLOOR = 172.0  # where the product stands
WIDE = 400.0
LABEL = Look(ink=(40, 36, 52), paper=(255, 253, 246), edge=(228, 222, 210), rounded=3, shadow=False)
STRIPS: dict[str, Look] = {
    "shelf": Look(ink=(46, 38, 36), paper=(255, 250, 238), edge=(206, 186, 160), rounded=3),
    "counter": Look(ink=(248, 244, 232), paper=(46, 52, 56), edge=(160, 130, 100), rounded=4),
    "fridge": Look(ink=(26, 48, 84), paper=(252, 254, 255), edge=(172, 194, 214), rounded=5),
}
LABEL_WIDTH = {"bottle": 84.0, "box": 112.0, "can": 94.0, "teapot": 92.0}
LABEL_PLACE = {"bottle": -50.0, "box": -64.0, "can": -56.0, "teapot": -50.0}  # above the floor


def indoor(clip: Clip, rng: np.random.Generator) -> Paint:
    """Prepare a clip of the domain Street_View_Indoor."""
    back, shade = ROOMS[clip.setting](rng), Shades.of(clip.colour)
    label = _label(clip.signs, LABEL_WIDTH[clip.actor])
    strips = pile(clip.signs[1:] if label else clip.signs, STRIPS[clip.setting], 296, 58, least=90)
    heights = rows(strips, FLOOR + 8 + (58 - pile_height(strips)) / 2)
    phase = float(rng.random())

    def paint(t: float, share: float) -> tuple[Canvas, list[Quad]]:
        pan = round(2 * (40 + 12 * wave(t, 6.5, phase)))
        canvas = Canvas(back.image.crop((pan, 0, pan + 640, 480)))
        pen = canvas.pen
        x = WIDTH / 2 + 7 * wave(t, 6.5, phase + 0.5)
        rock = 1.6 * wave(t, 2.1, phase)
        pen.shadow(x, FLOOR + 1, 72, 6, 1.6)
        PRODUCTS[clip.actor](pen.at(x, FLOOR, angle=0 if label else rock), shade, t + phase)
        quads = [label.put(canvas, x, FLOOR + LABEL_PLACE[clip.actor])] if label else []
        glint = (t / 1.8 + phase) % 1
        sparkle(pen, x - 30 + 50 * glint, FLOOR - 128 + 20 * glint, 9 * max(0, wave(glint, 1)) + 0.5)
        quads += [b.put(canvas, 160 + 2 * wave(t, 5, phase), y) for b, y in zip(strips, heights, strict=True)]
        if clip.setting == "fridge":
            _mist(pen, t + phase)
        return canvas, quads

    return paint


def _label(signs: tuple[Sign, ...], width: float) -> Board | None:
    """The first sign as a label on the product, if it is short enough for that."""
    if not signs:
        return None
    left, _, right, _ = ink_box(signs[0].text, LABEL.face, round(signs[0].height * 2 / CAPITAL))
    return board(signs[0], LABEL, width, 44, least=width * 0.9) if (right - left) / 2 <= width * 0.9 else None


def _goods(pen: Pen, rng: np.random.Generator, y: float, tones: tuple[Ink, ...], tall: float) -> None:
    """Other goods in dull colours, standing at ``y``."""
    x = -6.0
    while x < WIDE:
        tone, width = tones[int(rng.integers(len(tones)))], float(rng.uniform(20, 34))
        height = tall * float(rng.uniform(0.6, 1))
        if rng.random() < 0.4:
            pen.box(x + width * 0.3, y - height - 10, width * 0.4, 14, mix(tone, DARK, 0.15), 2)
        pen.box(x, y - height, width, height, tone, 4)
        pen.box(x + 2, y - height * 0.68, width - 4, height * 0.34, mix(tone, WHITE, 0.45))
        pen.box(x + 2.5, y - height + 3, 3, height - 6, (255, 255, 255, 60), 1)
        x += width + float(rng.uniform(3, 9))


def _plank(pen: Pen, y: float, ink: Ink, height: float = 8) -> None:
    pen.box(-5, y, WIDE + 10, height, ink)
    pen.box(-5, y, WIDE + 10, 2, mix(ink, WHITE, 0.35))
    pen.box(-5, y + height, WIDE + 10, 5, (30, 20, 20, 50))


def _shelf(rng: np.random.Generator) -> Canvas:
    canvas = Canvas.gradient([(0, (122, 92, 74)), (1, (96, 72, 60))], WIDE)
    tones: tuple[Ink, ...] = ((178, 152, 128), (150, 128, 116), (194, 174, 146), (138, 124, 124))
    _goods(canvas.pen, rng, 62, tones, 52)
    _plank(canvas.pen, 62, (176, 136, 104))
    _goods(canvas.pen, rng, FLOOR - 2, tones, 76)
    canvas.pen.box(-5, 76, WIDE + 10, 96, (70, 48, 44, 70))
    _plank(canvas.pen, FLOOR - 4, (194, 152, 116), 74)
    canvas.pen.box(-5, FLOOR + 4, WIDE + 10, 2, (160, 122, 92))
    return canvas


def _counter(rng: np.random.Generator) -> Canvas:
    canvas = Canvas.gradient([(0, (226, 220, 206)), (1, (240, 234, 222))], WIDE)
    pen = canvas.pen
    left = float(rng.uniform(40, 80))
    for x in (left, left + 130, left + 260):
        pen.box(x - 4, 14, 104, 106, (250, 248, 244), 3)
        pen.box(x, 18, 96, 98, (188, 216, 222))
        pen.blob([(x, 117), (x, 84), (x + 30, 74), (x + 60, 88), (x + 96, 76), (x + 96, 117)], (166, 196, 178))
        pen.box(x + 46, 18, 4, 98, (250, 248, 244))
        pen.poly([(x + 8, 116), (x + 40, 18), (x + 52, 18), (x + 20, 116)], (255, 255, 255, 70))
    for n in range(5):
        x = 24 + n * 92
        pen.line([(x, 0), (x, 22)], (96, 92, 96), 2)
        pen.blob([(x - 17, 36), (x - 8, 22), (x + 8, 22), (x + 17, 36)], (104, 106, 114))
        pen.glow(x, 40, 22, (255, 248, 214), 1.2)
    pen.box(-5, 150, WIDE + 10, 24, (214, 206, 194))
    _plank(pen, FLOOR - 8, (232, 232, 232), 16)
    pen.box(-5, FLOOR + 13, WIDE + 10, 80, (128, 140, 138))
    for x in range(0, 420, 60):
        pen.box(x + 4, FLOOR + 18, 52, 60, (140, 152, 150), 3)
    return canvas


def _fridge(rng: np.random.Generator) -> Canvas:
    canvas = Canvas.gradient([(0, (238, 248, 252)), (0.6, (202, 222, 236)), (1, (172, 196, 216))], WIDE)
    pen = canvas.pen
    for x in (0, WIDE):
        pen.box(x - 16, 0, 32, 240, (182, 204, 220))
    pen.glow(200, 0, 110, WHITE, 1.6)
    tones: tuple[Ink, ...] = ((214, 226, 232), (190, 206, 218), (226, 232, 228), (204, 214, 230))
    for y, tall in ((58, 46), (FLOOR - 2, 68)):
        _goods(pen, rng, y, tones, tall)
        pen.box(-5, y, WIDE + 10, 6, (244, 252, 255))
        pen.box(-5, y + 6, WIDE + 10, 3, (134, 164, 188))
    pen.box(-5, FLOOR + 7, WIDE + 10, 70, (188, 208, 224))
    for x in range(0, 420, 100):
        pen.box(x + 4, FLOOR + 12, 92, 60, (212, 228, 238), 6)
    return canvas


ROOMS: dict[str, Callable[[np.random.Generator], Canvas]] = {"shelf": _shelf, "counter": _counter, "fridge": _fridge}


def _mist(pen: Pen, t: float) -> None:
    for n in range(6):
        x = (n * 70 + t * 22) % 400 - 40
        pen.oval(x, 166 + 5 * wave(t, 3, n / 6), 44, 7, (255, 255, 255, 50))


def _bottle(pen: Pen, ink: Shades, t: float) -> None:
    pen.box(-13, -152, 26, 14, (90, 84, 92), 3)
    half = [
        (0, -141),
        (11, -140),
        (13, -122),
        (26, -106),
        (42, -92),
        (48, -74),
        (48, -50),
        (48, -14),
        (45, -3),
        (36, 0),
    ]
    pen.solid(half + [(-x, y) for x, y in reversed(half[1:])], ink)
    level = 2.5 * wave(t, 1.7)
    pen.poly([(-44, -84 + level), (33, -84 - level), (33, -80 - level), (-44, -80 + level)], ink.light)
    pen.box(-38, -74, 7, 62, (255, 255, 255, 120), 3)
    pen.box(-7, -134, 4, 16, (255, 255, 255, 120), 2)
    for n in range(4):
        rise = (t * 0.6 + n / 4) % 1
        pen.dot(-20 + n * 13, -6 - 66 * rise, 2.4, ink.light)


def _box(pen: Pen, ink: Shades, t: float) -> None:
    pen.poly([(58, -134), (78, -142), (78, -8), (58, 0)], ink.deep)
    pen.poly([(-58, -134), (-38, -144), (78, -142), (58, -134)], ink.light)
    pen.box(-58, -134, 116, 134, ink.base)
    pen.poly([(-58, -134), (58, -134), (58, -112), (-58, -122)], ink.pale)
    pen.dot(26, -100, 15 + wave(t, 1.4), WHITE)
    sparkle(pen, 26, -100, 12)
    edge = [(x, -22 + 7 * wave(x, 64, t * 0.15)) for x in range(-58, 59, 4)]
    pen.poly([*edge, (58, 0), (-58, 0)], ink.dark)


def _can(pen: Pen, ink: Shades, t: float) -> None:
    pen.hoop(52, -14, 10, 8, (150, 156, 168))
    pen.tube(54, -114, -12, 10, ink)
    for y in (-98, -24):
        pen.hoop(54, y, 10, 5, ink.pale)
    pen.oval(0, -114, 54, 11, (206, 212, 220))
    pen.oval(0, -114, 46, 8, (164, 172, 184))
    ring = 2 * wave(t, 1.6)
    pen.oval(8, -117 + ring * 0.4, 15, 4.6, (228, 232, 238))
    pen.oval(11, -117 + ring * 0.4, 7, 2, (150, 158, 170))


def _teapot(pen: Pen, ink: Shades, t: float) -> None:
    pen.line([(56, -86), (90, -84), (88, -44), (56, -34)], ink.dark, 11)
    pen.poly([(-50, -36), (-98, -88), (-88, -96), (-46, -74)], ink.dark)
    pen.oval(-94, -92, 9, 4, ink.deep)
    pen.box(-36, -8, 72, 8, ink.deep, 3)
    pen.oval(0, -53, 68, 50, ink.dark)
    pen.oval(-6, -54, 61, 48, ink.base)
    pen.at(-44, -70, angle=32).oval(0, 0, 6, 16, (255, 255, 255, 120))
    lid = pen.at(0, -98 - 1.6 * abs(wave(t, 0.9)))
    lid.blob([(-36, 2), (-24, -10), (0, -14), (24, -10), (36, 2), (0, 7)], ink.light)
    lid.dot(0, -19, 8, ink.dark)
    for n in range(4):
        rise = (t * 0.6 + n / 4) % 1
        pen.dot(-98 - 7 * wave(rise, 1), -96 - 44 * rise, 4 + 7 * rise, (255, 255, 255, round(130 * (1 - rise))))


PRODUCTS: dict[str, Callable[[Pen, Shades, float], None]] = {
    "bottle": _bottle,
    "box": _box,
    "can": _can,
    "teapot": _teapot,
}
