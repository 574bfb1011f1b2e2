"""Cooking: a pan, a pot, a cake or a bowl on a worktop, with the recipe on paper above it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from workbench.pipelines.demo.clip import Clip
from workbench.pipelines.demo.scenes.canvas import DARK, WHITE, Canvas, Ink, Pen, Shades, ease, mix, wave
from workbench.pipelines.demo.scenes.lettering import Look, Paint, Quad, pile, pile_height, rows

TABLE = 182.0
BASE = 214.0
CARDS = (
    Look(ink=(58, 40, 36), paper=(255, 250, 236), edge=(236, 224, 198), face="DejaVuSerif-Bold", rounded=2),
    Look(ink=(40, 44, 60), paper=(252, 252, 252), edge=(222, 226, 230), rounded=2),
    Look(ink=(250, 246, 232), paper=(52, 58, 60), edge=(176, 142, 106), face="DejaVuSans-Bold", rounded=4),
)


def cooking(clip: Clip, rng: np.random.Generator) -> Paint:
    """Prepare a clip of the domain Cooking."""
    back, shade = SURFACES[clip.setting](rng), Shades.of(clip.colour)
    tilts = rng.uniform(-1.6, 1.6, max(1, len(clip.signs)))
    card = CARDS[int(rng.integers(len(CARDS)))]
    boards = pile(clip.signs, card, 292, 76, angle=lambda n: float(tilts[n]), gap=4)
    heights = rows(boards, 10 + max(0.0, (40 - pile_height(boards)) / 2), 4)
    phase = float(rng.random())
    middle = 160 + float(rng.uniform(-16, 16))

    def paint(t: float, share: float) -> tuple[Canvas, list[Quad]]:
        canvas = Canvas(back.image.copy())
        pen = canvas.pen
        sway = 2 * wave(t, 4.6, phase)
        quads = [b.put(canvas, 160 + sway, y) for b, y in zip(boards, heights, strict=True)]
        for b, y in zip(boards, heights, strict=True):
            pen.at(160 + sway, y - b.height / 2, angle=-4).box(-11, -3.5, 22, 7, (214, 206, 178, 190))
        ACTORS[clip.actor](pen.at(middle, BASE), shade, t + phase)
        return canvas, quads

    return paint


def _steam(pen: Pen, x: float, y: float, t: float, count: int = 4) -> None:
    for n in range(count):
        rise = (t * 0.5 + n / count) % 1
        size = 4 + 9 * rise
        alpha = round(120 * math.sin(math.pi * rise))
        pen.dot(
            x + (n - count / 2 + 0.5) * 12 + 6 * math.sin(rise * 6 + n), y - 40 * rise, size, (255, 255, 255, alpha)
        )


def _top(canvas: Canvas, ink: Ink) -> None:
    canvas.pen.box(-5, TABLE, 340, 70, ink)
    canvas.pen.box(-5, TABLE, 340, 4, mix(ink, WHITE, 0.4))
    canvas.pen.box(-5, TABLE - 5, 340, 5, (30, 24, 30, 36))


def _wood(rng: np.random.Generator) -> Canvas:
    canvas = Canvas.gradient([(0, (134, 98, 76)), (1, (160, 120, 92))])
    for n in range(6):
        tone = mix((146, 108, 82), (118, 84, 66), float(rng.uniform(0, 1)))
        canvas.pen.box(n * 54, -2, 52.5, 190, tone)
        for _ in range(5):
            x, y = n * 54 + float(rng.uniform(6, 46)), float(rng.uniform(0, 140))
            canvas.pen.line([(x, y), (x + 1.5, y + 20), (x, y + 44)], mix(tone, DARK, 0.14), 1)
    _top(canvas, (196, 156, 120))
    for _ in range(22):
        x, y = float(rng.uniform(-20, 300)), float(rng.uniform(190, 238))
        canvas.pen.line([(x, y), (x + 40, y + 0.8)], (178, 138, 104), 1)
    return canvas


def _marble(rng: np.random.Generator) -> Canvas:
    canvas = Canvas.gradient([(0, (220, 222, 228)), (1, (246, 246, 248))])
    for _ in range(9):
        x, y = float(rng.uniform(-20, 300)), float(rng.uniform(0, 170))
        vein = [(x + n * 26, y + float(rng.uniform(-14, 14)) + n * 9) for n in range(5)]
        canvas.pen.line(vein, (186, 190, 200), float(rng.uniform(0.8, 2.2)))
    _top(canvas, (198, 202, 210))
    for _ in range(8):
        x, y = float(rng.uniform(-20, 300)), float(rng.uniform(190, 236))
        canvas.pen.line([(x, y), (x + 34, y + 5), (x + 60, y + 2)], (220, 224, 230), 1.4)
    return canvas


def _tiles(rng: np.random.Generator) -> Canvas:
    canvas = Canvas.gradient([(0, (222, 232, 228)), (1, (222, 232, 228))])
    tones: tuple[Ink, ...] = ((112, 164, 164), (134, 182, 178), (94, 146, 150))
    for row in range(7):
        for column in range(11):
            tone = tones[int(rng.integers(len(tones)))]
            x, y = column * 32 - (row % 2) * 16 - 8, row * 28 - 10
            canvas.pen.box(x, y, 30, 26, tone, 2)
            canvas.pen.box(x + 2, y + 2, 26, 3, mix(tone, WHITE, 0.25), 1)
    _top(canvas, (90, 84, 92))
    return canvas


SURFACES: dict[str, Callable[[np.random.Generator], Canvas]] = {"wood": _wood, "marble": _marble, "tiles": _tiles}


def _pan(pen: Pen, ink: Shades, t: float) -> None:
    toss = t / 1.5 % 1
    air = math.sin(math.pi * min(1, toss * 1.5)) if toss < 0.667 else 0.0
    pen.shadow(-16, 10, 88, 9, 1.5)
    body = pen.at(-22, -6, angle=-4 * math.sin(2 * math.pi * toss))
    body.line([(70, -28), (150, -44)], DARK, 13)
    body.line([(92, -33), (148, -45)], (84, 88, 104), 4)
    half = [(0, 14), (30, 13), (50, 10), (68, 1), (78, -13), (84, -30)]
    body.solid(half + [(-x, y) for x, y in reversed(half[1:])], ink)
    body.oval(0, -31, 84, 22, ink.dark)
    body.oval(0, -31, 79, 18.5, (66, 66, 78))
    body.oval(-4, -33, 66, 13, (88, 88, 102))
    for n in range(5):
        x = -48 + n * 24
        lift = 46 * air * (0.6 + 0.4 * math.sin(n * 2.2 + 1))
        bit = body.at(x, -36 - lift, angle=360 * air * (n % 2 - 0.5) + n * 40)
        bit.blob([(-11, 0), (-5, -7), (8, -6), (11, 2), (2, 7), (-8, 6)], (246, 226, 180))
        bit.oval(-1, -1, 4, 3, (222, 186, 130))
    _steam(pen, -22, -52, t)


def _pot(pen: Pen, ink: Shades, t: float) -> None:
    pen.shadow(0, 8, 82, 9, 1.5)
    for side in (-1, 1):
        pen.line([(side * 62, -54), (side * 84, -56), (side * 84, -40), (side * 62, -38)], ink.deep, 8)
    pen.tube(66, -76, -4, 12, ink)
    pen.hoop(66, -16, 12, 4, ink.pale)
    pen.oval(0, -76, 66, 12, ink.deep)
    pen.oval(0, -77, 60, 9, (236, 214, 180))
    for n in range(4):
        pop = (t * 1.4 + n / 4) % 1
        pen.dot(-36 + 24 * n, -77 - 3 * pop, 5 * math.sin(math.pi * pop) + 0.5, (250, 236, 212))
    lift = 5 + 4 * abs(wave(t, 0.8))
    lid = pen.at(0, -76 - lift, angle=3 * wave(t, 0.8))
    _steam(pen, 0, -92, t, 5)
    dome = [(68 * math.cos(a / 12 * math.pi), -24 * math.sin(a / 12 * math.pi)) for a in range(13)]
    lid.poly([*dome, (-50, 6), (0, 9), (50, 6)], ink.base)
    lid.poly([(x * 0.8 - 6, y * 0.9 - 2) for x, y in dome], ink.light)
    lid.box(-10, -33, 20, 13, DARK, 5)


def _cake(pen: Pen, ink: Shades, t: float) -> None:
    pen.shadow(0, 10, 92, 9, 1.5)
    pen.oval(0, 2, 92, 13, (236, 238, 242))
    pen.oval(0, 0, 86, 10, (214, 218, 226))
    for y, w, h in ((0, 72, 46), (-46, 48, 38)):
        pen.tube(w, y - h, y, 9, ink)
        cream = mix(WHITE, ink.pale, 0.25)
        pen.oval(0, y - h, w, 10, cream)
        drops = int(w // 9)
        for n in range(drops):
            x = -w + (n + 0.5) * 2 * w / drops
            pen.box(x - w / drops, y - h - 1, 2 * w / drops, 10 + 5 * math.sin(n * 2.4) + 4, cream, 8)
    for n in range(5):
        pen.dot(-58 + n * 29, -44, 5.5, ink.dark)
    for x in (-24, 0, 24):
        flick = wave(t, 0.35, x / 60)
        pen.box(x - 3, -106, 6, 20, ink.pale if x else WHITE, 2)
        pen.glow(x, -112, 15, (255, 226, 150), 0.9)
        pen.blob([(x - 4, -109), (x + flick * 1.5, -121 - flick), (x + 4, -109), (x, -105)], (255, 196, 96))
        pen.dot(x, -109, 2, (255, 248, 220))


def _bowl(pen: Pen, ink: Shades, t: float) -> None:
    turn = t * 4.2
    pen.shadow(0, 8, 70, 8, 1.5)
    pen.box(-30, -6, 60, 14, ink.deep, 4)
    pen.oval(0, -66, 84, 17, ink.dark)
    pen.oval(0, -65, 77, 13, (252, 238, 208))
    spoon = (30 * math.cos(turn), -66 + 6 * math.sin(turn))
    for n in range(3):
        pen.oval(
            0, -65, 60 - 18 * n + 4 * wave(t, 0.75, n / 3), 9.5 - 2.8 * n, (238, 216, 176) if n % 2 else (246, 228, 192)
        )
    top = (spoon[0] + 34 + 8 * math.cos(turn), -124.0)
    pen.line([spoon, top], (150, 108, 78), 7)
    pen.line([(spoon[0] + 2, spoon[1] - 8), top], (184, 140, 104), 2.5)
    pen.oval(spoon[0], spoon[1] + 1, 11, 5, (252, 238, 208))
    for rx, x, tone in ((84, 0, ink.dark), (76, -8, ink.base)):
        around = [(math.cos(a / 20 * math.pi), math.sin(a / 20 * math.pi)) for a in range(21)]
        outer = [(x + rx * cos, -66 + 68 * sin) for cos, sin in around]
        pen.poly(outer + [(x + rx * cos, -66 + 16 * sin) for cos, sin in reversed(around)], tone)
    pen.hoop(76, -46, 17, 5, ink.pale)
    for n in range(5):
        drop = (t * 0.9 + n / 5) % 1
        pen.dot(-50 + 24 * n, -104 + 36 * ease(drop), 1.8, (255, 255, 255, round(200 * (1 - drop))))


ACTORS: dict[str, Callable[[Pen, Shades, float], None]] = {"pan": _pan, "pot": _pot, "cake": _cake, "bowl": _bowl}
