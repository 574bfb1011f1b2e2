"""Driving: a vehicle ahead on a road that comes towards us, and road signs that come nearer and pass."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from workbench.pipelines.demo.clip import WIDTH, Clip
from workbench.pipelines.demo.scenes.canvas import DARK, GLASS, TYRE, WHITE, Canvas, Ink, Pen, Shades, ease, mix, wave
from workbench.pipelines.demo.scenes.lettering import Look, Paint, Quad, pile, pile_height, rows
from workbench.pipelines.demo.scenes.places import cloud

HORIZON = 108.0
BOARDS = (
    Look(ink=WHITE, paper=(24, 66, 132), edge=(244, 246, 250), rounded=5, shadow=False),
    Look(ink=WHITE, paper=(18, 92, 66), edge=(244, 246, 250), rounded=5, shadow=False),
)
ROADS: dict[str, tuple[Ink, Ink, Ink]] = {  # asphalt, stripes, verge
    "desert": ((128, 122, 122), (248, 244, 232), (206, 178, 138)),
    "snow": ((132, 142, 156), (250, 252, 255), (222, 230, 240)),
    "dusk": ((52, 48, 70), (214, 206, 216), (78, 66, 84)),
}


def driving(clip: Clip, rng: np.random.Generator) -> Paint:
    """Prepare a clip of the domain Driving."""
    back, shade = _landscape(clip.setting, rng).image, Shades.of(clip.colour)
    boards = pile(clip.signs, BOARDS[int(rng.integers(len(BOARDS)))], 284, 82, gap=2)
    wide, high = max((b.width for b in boards), default=0.0), pile_height(boards, 2)
    beside = wide <= 120
    phase, dark = float(rng.random()), clip.setting == "dusk"
    flakes = rng.uniform(0, 1, (46, 3))

    def paint(t: float, share: float) -> tuple[Canvas, list[Quad]]:
        canvas = Canvas(back.copy())
        pen = canvas.pen
        _road(pen, t, *ROADS[clip.setting])
        for n in range(6):
            near = ((t * 0.55 + n / 6 + phase) % 1) ** 2.6
            side = -1 if n % 2 else 1
            GROWTH[clip.setting](pen.at(160 + side * (36 + 330 * near), HORIZON + 120 * near, 0.12 + 1.3 * near))
        if clip.setting == "snow":
            _snowfall(pen, flakes, t)
        size = 0.66 + 0.34 * ease(share / 0.72)
        away = max(0.0, share - 0.8) / 0.2
        x = 160.0 + (82 * size + 150 * away**2 if beside else 0)
        top = 92.0 - (high / 2 + 8) * size - high * size / 2 - 130 * away**2 * (not beside)
        _posts(pen, x, top + 4, wide * size, size, beside)
        quads = [b.put(canvas, x, top + y * size, size) for b, y in zip(boards, rows(boards, 0, 2), strict=True)]
        sway, bump = 7 * wave(t, 3.7, phase), 0.9 * wave(t, 0.31)
        car_x = (112 if beside else 160) + sway
        pen.shadow(car_x, 224, 64 if clip.actor != "motorbike" else 30, 8, 2)
        VEHICLES[clip.actor](pen.at(car_x, 224 + bump, angle=0.6 * wave(t, 3.7, phase + 0.25)), shade, t, dark)
        return canvas, quads

    return paint


def _landscape(setting: str, rng: np.random.Generator) -> Canvas:
    skies: dict[str, list[tuple[float, Ink]]] = {
        "desert": [(0, (170, 208, 216)), (0.3, (226, 228, 208)), (0.46, (246, 226, 188)), (1, (246, 226, 188))],
        "snow": [(0, (186, 204, 222)), (0.46, (236, 242, 248)), (1, (236, 242, 248))],
        "dusk": [(0, (44, 38, 82)), (0.25, (112, 74, 120)), (0.46, (230, 158, 134)), (1, (120, 90, 100))],
    }
    canvas = Canvas.gradient(skies[setting])
    pen = canvas.pen
    base = HORIZON + 3
    if setting == "desert":
        pen.glow(70, 40, 40, (255, 252, 230), 2.5)
        for middle, w, h in ((20, 60, 34), (118, 42, 22), (250, 80, 42)):
            x = middle + float(rng.uniform(-14, 14))
            pen.poly([(x - w, base), (x - w * 0.62, base - h), (x + w * 0.5, base - h), (x + w, base)], (202, 158, 128))
            pen.poly([(x + w * 0.2, base), (x + w * 0.3, base - h), (x + w * 0.5, base - h), (x + w, base)],
                     (184, 138, 114))  # fmt: skip
    elif setting == "snow":
        for middle, w, h in ((40, 110, 66), (180, 120, 48), (290, 110, 78)):
            x = middle + float(rng.uniform(-16, 16))
            pen.poly([(x - w, base), (x, base - h), (x + w, base)], (166, 184, 206))
            pen.poly([(x - w * 0.34, base - h * 0.66), (x, base - h), (x + w * 0.3, base - h * 0.7),
                      (x + 6, base - h * 0.6), (x - 8, base - h * 0.7)], (250, 252, 255))  # fmt: skip
    else:
        pen.glow(160, HORIZON - 6, 62, (255, 222, 176), 2)
        pen.dot(160, HORIZON - 4, 20, (255, 226, 184))
        for _ in range(24):
            pen.dot(float(rng.uniform(0, WIDTH)), float(rng.uniform(0, 50)), 0.8, (255, 246, 230, 190))
        pen.blob([(-40, base), (30, 88), (110, 98), (200, 84), (300, 92), (370, base), (370, 130), (-40, 130)],
                 (74, 54, 88))  # fmt: skip
    if setting != "dusk":
        cloud(pen, float(rng.uniform(190, 300)), 26, 22, (255, 255, 255, 200))
    pen.box(-5, HORIZON, 340, 140, ROADS[setting][2])
    return canvas


def _road(pen: Pen, t: float, asphalt: Ink, stripes: Ink, verge: Ink) -> None:
    for n in range(6):  # bands on the verge that come nearer
        y0, y1 = (HORIZON + 134 * ((n / 6 + t * 0.55) % 1 + d / 12) ** 2.6 for d in (0, 1))
        pen.box(-5, y0, 340, min(y1, 240) - y0, mix(verge, DARK, 0.06))
    pen.poly([(153, HORIZON), (167, HORIZON), (356, 244), (-36, 244)], asphalt)
    for side in (-1, 1):
        pen.poly([(160 + side * x, y) for x, y in ((6.2, HORIZON), (6.6, HORIZON), (178, 244), (168, 244))],
                 stripes)  # fmt: skip
    for n in range(6):
        near, far = (((n / 6 + t * 0.9) % 1 + d / 13) ** 2.6 for d in (1, 0))
        y1, y0 = HORIZON + 130 * near, HORIZON + 130 * far
        for lane in (-0.36, 0.36):
            pen.poly([(160 + lane * (7 + 186 * far) - 4 * far, y0), (160 + lane * (7 + 186 * far) + 4 * far, y0),
                      (160 + lane * (7 + 186 * near) + 4 * near, y1), (160 + lane * (7 + 186 * near) - 4 * near, y1)],
                     stripes)  # fmt: skip


def _posts(pen: Pen, x: float, top: float, wide: float, size: float, beside: bool) -> None:
    if not wide:
        return
    reach = wide / 2 * 0.7 if beside else max(wide / 2 + 4, 118 * size)
    foot = HORIZON + 52 * size
    for side in (-1, 1):
        pen.box(x + side * reach - 2 * size, top, 4 * size, max(1, foot - top), (146, 152, 164))
        pen.box(x + side * reach - 2 * size, top, 1.4 * size, max(1, foot - top), (196, 202, 212))
    if not beside:
        pen.box(x - reach, top + 4, reach * 2, 5 * size, (146, 152, 164))


def _cactus(pen: Pen) -> None:
    pen.shadow(0, 0, 24, 4)
    green = (110, 142, 106)
    pen.line([(0, 0), (0, -64)], green, 14)
    pen.line([(0, -22), (-20, -26), (-20, -44)], green, 9)
    pen.line([(0, -30), (19, -34), (19, -54)], green, 9)
    pen.line([(-3, -4), (-3, -62)], mix(green, WHITE, 0.25), 2)


def _fir(pen: Pen) -> None:
    pen.box(-4, -12, 8, 12, (104, 88, 84))
    for y, w in ((-8, 30), (-30, 24), (-50, 17)):
        pen.poly([(-w, y), (0, y - 42), (w, y)], (82, 116, 116))
        pen.poly([(-w * 0.5, y - 21), (0, y - 42), (w * 0.5, y - 21), (w * 0.2, y - 17), (-w * 0.2, y - 22)], WHITE)


def _lamp(pen: Pen) -> None:
    pen.line([(0, 0), (0, -96), (-18, -102)], (38, 34, 52), 4)
    pen.glow(-20, -98, 30, (255, 226, 170), 1.6)
    pen.oval(-20, -100, 9, 4, (255, 240, 206))


GROWTH: dict[str, Callable[[Pen], None]] = {"desert": _cactus, "snow": _fir, "dusk": _lamp}


def _snowfall(pen: Pen, flakes: np.ndarray, t: float) -> None:
    for x, y, size in flakes.tolist():
        pen.dot((x * 360 + 14 * math.sin(t * 2 + x * 40)) % 340 - 10, (y + t * (0.16 + 0.2 * size)) % 1 * 250 - 5,
                0.8 + 1.5 * size, (255, 255, 255, 215))  # fmt: skip


def _lights(pen: Pen, spots: list[tuple[float, float]], t: float, dark: bool) -> None:
    for x, y in spots:
        if dark:
            pen.glow(x, y, 16, (255, 150, 130), 1.4)
        pen.box(x - 5, y - 3.5, 10, 7, (250, 226, 222) if dark else (206, 118, 112), 2.5)


def _wheels(pen: Pen, reach: float, width: float) -> None:
    for side in (-1, 1):
        pen.box(side * reach - width / 2, -22, width, 22, TYRE, 4)


def _truck(pen: Pen, ink: Shades, t: float, dark: bool) -> None:
    _wheels(pen, 38, 20)
    pen.box(-46, -22, 92, 9, (74, 76, 88), 2)
    pen.box(-52, -124, 104, 104, ink.base, 4)
    pen.box(-52, -124, 104, 7, ink.light, 3)
    pen.box(42, -118, 10, 96, ink.dark)
    pen.line([(-4, -114), (-4, -26)], ink.deep, 2)
    for x in (-12, 4):
        pen.line([(x, -108), (x, -34)], ink.pale, 1.6)
        pen.box(x - 3, -62, 6, 10, (232, 234, 238), 2)
    _lights(pen, [(-40, -17), (40, -17)], t, dark)


def _car(pen: Pen, ink: Shades, t: float, dark: bool) -> None:
    _wheels(pen, 48, 19)
    pen.blob([(-44, -46), (-32, -82), (0, -87), (32, -82), (44, -46)], ink.dark)
    pen.blob([(-36, -50), (-27, -77), (0, -81), (27, -77), (36, -50)], GLASS)
    pen.poly([(-14, -50), (2, -79), (14, -79), (0, -50)], (255, 255, 255, 110))
    pen.blob([(-64, -42), (-52, -54), (0, -57), (52, -54), (64, -42), (63, -16), (40, -11), (-40, -11), (-63, -16)],
             ink.base)  # fmt: skip
    pen.line([(-50, -50), (0, -53), (50, -50)], ink.light, 3)
    pen.box(-60, -21, 120, 9, (72, 74, 88), 4)
    pen.box(-15, -34, 30, 11, (244, 244, 246), 2)
    _lights(pen, [(-50, -38), (50, -38)], t, dark)


def _van(pen: Pen, ink: Shades, t: float, dark: bool) -> None:
    _wheels(pen, 34, 18)
    pen.blob([(-44, -84), (-34, -108), (0, -112), (34, -108), (44, -84), (47, -24), (38, -14), (-38, -14), (-47, -24)],
             ink.base)  # fmt: skip
    for side in (-1, 1):
        pen.box(-33 if side < 0 else 3, -98, 30, 34, GLASS, 7)
        pen.line([(side * 56, -74), (side * 46, -70)], DARK, 3)
        pen.box(side * 57 - 4, -84, 8, 14, DARK, 3)
    pen.poly([(-24, -64), (-12, -98), (-4, -98), (-16, -64)], (255, 255, 255, 110))
    pen.line([(0, -108), (0, -22)], ink.deep, 2)
    pen.line([(-42, -56), (42, -56)], ink.pale, 4)
    pen.box(-44, -24, 88, 9, (72, 74, 88), 4)
    pen.box(-14, -46, 28, 10, (244, 244, 246), 2)
    _lights(pen, [(-37, -40), (37, -40)], t, dark)


def _motorbike(pen: Pen, ink: Shades, t: float, dark: bool) -> None:
    bike = pen.at(0, 0, 1.05, angle=5 * wave(t, 3.7))
    bike.box(-9, -42, 18, 42, TYRE, 8)
    bike.box(-4, -38, 8, 34, (84, 88, 100), 4)
    for side in (-1, 1):
        bike.line([(side * 9, -58), (side * 23, -44), (side * 18, -26)], (58, 62, 82), 13)
        bike.line([(side * 20, -24), (side * 26, -22)], (40, 42, 52), 7)
        bike.line([(side * 12, -70), (side * 34, -70)], (92, 96, 108), 4)
    bike.blob([(-17, -52), (-14, -62), (14, -62), (17, -52), (12, -40), (-12, -40)], ink.dark)
    bike.blob([(-21, -92), (-10, -99), (10, -99), (21, -92), (17, -58), (0, -54), (-17, -58)], ink.base)
    for side in (-1, 1):
        bike.line([(side * 20, -90), (side * 33, -80), (side * 32, -70)], ink.base, 11)
        bike.dot(side * 32, -69, 5, DARK)
    bike.line([(0, -94), (0, -60)], ink.pale, 4)
    bike.dot(0, -109, 14, ink.base)
    bike.blob([(-13, -112), (-6, -122), (6, -122), (13, -112), (0, -116)], ink.light)
    bike.line([(-11, -104), (11, -104)], ink.deep, 4)
    _lights(bike, [(0, -48)], t, dark)


VEHICLES: dict[str, Callable[[Pen, Shades, float, bool], None]] = {
    "truck": _truck,
    "car": _car,
    "van": _van,
    "motorbike": _motorbike,
}
