"""Games: a knight, a robot, a spaceship or a dragon in a side-scrolling level, below the lines of the game."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image

from workbench.pipelines.demo.clip import Clip
from workbench.pipelines.demo.scenes.canvas import DARK, STEEL, WHITE, Canvas, Ink, Pen, Shades, mix, wave
from workbench.pipelines.demo.scenes.lettering import Look, Paint, Quad, pile, rows
from workbench.pipelines.demo.scenes.people import sparkle

GROUND = 216.0
LEVEL = 640.0  # width of a level before it repeats
HUDS = (
    Look(ink=(246, 250, 255), paper=(24, 26, 46), edge=(124, 136, 176), face="DejaVuSansMono-Bold", rounded=2),
    Look(ink=(252, 246, 226), paper=(46, 34, 44), edge=(206, 184, 146), rounded=6),
)
SPEED = {"knight": 70.0, "robot": 60.0, "spaceship": 150.0, "dragon": 100.0}


def games(clip: Clip, rng: np.random.Generator) -> Paint:
    """Prepare a clip of the domain Games."""
    back, far, near = LEVELS[clip.setting](rng)
    boards = pile(clip.signs, HUDS[int(rng.integers(len(HUDS)))], 300, 74, least=80)
    heights = rows(boards, 6)
    shade, phase = Shades.of(clip.colour), float(rng.random())
    start, speed = float(rng.uniform(0, LEVEL)), SPEED[clip.actor]

    def paint(t: float, share: float) -> tuple[Canvas, list[Quad]]:
        canvas = Canvas(back.copy())
        canvas.scroll(far, start + t * speed * 0.35, 84)
        canvas.scroll(near, start + t * speed, GROUND - 26)
        for n in range(4):  # stars to collect
            x = 360 - (t * speed + n * 110 + phase * 90) % 440
            if x > 190:
                pen = canvas.pen.at(x, 150 + 8 * wave(t, 1.4, n / 4), abs(wave(t, 1.6, n / 4)) * 0.5 + 0.6)
                sparkle(pen, 0, 0, 12)
        quads = [
            b.put(canvas, 160, y + 1.5 * wave(t, 2.4, n * 0.2))
            for n, (b, y) in enumerate(zip(boards, heights, strict=True))
        ]
        ACTORS[clip.actor](canvas.pen.at(140 + 10 * wave(t, 3, phase), GROUND), shade, t + phase)
        return canvas, quads

    return paint


Level = tuple[Image.Image, Image.Image, Image.Image]


def _castle(rng: np.random.Generator) -> Level:
    sky = Canvas.gradient([(0, (142, 136, 152)), (1, (222, 204, 194))])
    far = Canvas.clear(LEVEL, 140)
    far.pen.box(0, 74, LEVEL, 70, (126, 114, 126))
    for n in range(32):
        far.pen.box(4 + n * 20, 65, 11, 12, (126, 114, 126))
    for n in range(4):
        x, tall = n * 160 + float(rng.uniform(0, 24)), float(rng.uniform(40, 60))
        tone: Ink = (112, 102, 116)
        far.pen.box(x, 70 - tall, 54, 90 + tall, tone)
        for k in range(3):
            far.pen.box(x - 4 + k * 23, 60 - tall, 15, 14, tone)
        far.pen.box(x + 20, 94 - tall, 14, 24, (72, 64, 80), 7)
    near = Canvas.clear(LEVEL, 60)
    _bricks(near.pen, (134, 124, 122), (104, 96, 100))
    return sky.image, far.image, near.image


def _bricks(pen: Pen, stone: Ink, joint: Ink) -> None:
    pen.box(0, 22, LEVEL, 40, joint)
    for row in range(2):
        for n in range(16):
            pen.box(n * 40 + row * 20 + 1, 24 + row * 15, 38, 13, mix(stone, WHITE, 0.08 * ((n * 7 + row) % 3)), 3)
        pen.box(0, 24 + row * 15, 19 * row, 13, stone, 3)
    pen.box(0, 20, LEVEL, 4, mix(stone, WHITE, 0.4))


def _space(rng: np.random.Generator) -> Level:
    sky = Canvas.gradient([(0, (12, 12, 34)), (1, (36, 30, 70))])
    for _ in range(90):
        sky.pen.dot(float(rng.uniform(0, 320)), float(rng.uniform(0, 240)), float(rng.uniform(0.5, 1.3)),
                    (230, 234, 255, 210))  # fmt: skip
    far = Canvas.clear(LEVEL, 140)
    for n, size in enumerate((30, 20, 38, 16)):
        x, y = n * 160 + 60 + float(rng.uniform(-20, 20)), 52 + float(rng.uniform(-14, 24))
        tone = ((130, 124, 160), (104, 128, 146), (150, 132, 148), (120, 120, 140))[n]
        far.pen.dot(x, y, size, tone)
        far.pen.oval(x - size * 0.3, y - size * 0.3, size * 0.22, size * 0.16, mix(tone, DARK, 0.3))
        far.pen.oval(x + size * 0.3, y + size * 0.2, size * 0.28, size * 0.2, mix(tone, DARK, 0.3))
        if n % 2 == 0:
            far.pen.line([(x - size * 1.6, y + size * 0.4), (x, y + size * 0.14), (x + size * 1.6, y - size * 0.4)],
                         (196, 190, 214), 3)  # fmt: skip
    near = Canvas.clear(LEVEL, 60)
    near.pen.box(0, 26, LEVEL, 40, (84, 80, 112))
    for n in range(20):
        x = n * 32 + float(rng.uniform(0, 12))
        near.pen.oval(x, 30 + float(rng.uniform(0, 16)), float(rng.uniform(5, 12)), 3.4, (64, 60, 92))
    near.pen.box(0, 24, LEVEL, 4, (122, 118, 152))
    return sky.image, far.image, near.image


def _forest(rng: np.random.Generator) -> Level:
    sky = Canvas.gradient([(0, (196, 222, 214)), (1, (232, 240, 220))])
    for n in range(9):
        sky.pen.box(n * 40 + float(rng.uniform(0, 16)), 0, 12, 240, (176, 204, 194))
    sky.pen.box(-5, 120, 340, 140, (164, 196, 178))
    far = Canvas.clear(LEVEL, 140)
    for n in range(11):
        x, size = n * 58 + 26 + float(rng.uniform(-8, 8)), float(rng.uniform(0.8, 1.05))
        far.pen.box(x - 5, 60, 10, 80, (112, 100, 92))
        for dx, dy, r in ((-14, 58, 22), (14, 56, 22), (0, 34, 24)):
            far.pen.dot(x + dx * size, dy, r * size, (106, 146, 122) if n % 2 else (92, 132, 112))
    near = Canvas.clear(LEVEL, 60)
    near.pen.box(0, 28, LEVEL, 40, (120, 98, 84))
    near.pen.box(0, 22, LEVEL, 12, (130, 162, 110))
    for n in range(80):
        x = n * 8 + float(rng.uniform(0, 5))
        near.pen.poly([(x - 3, 24), (x + float(rng.uniform(-2, 2)), 13), (x + 3, 24)], (116, 150, 100))
        near.pen.dot(x, 33, 4, (130, 162, 110))
    return sky.image, far.image, near.image


LEVELS: dict[str, Callable[[np.random.Generator], Level]] = {"castle": _castle, "space": _space, "forest": _forest}


def _knight(pen: Pen, ink: Shades, t: float) -> None:
    stride = wave(t, 0.7)
    pen.shadow(0, 2, 46, 5, 1.4)
    body = pen.at(0, -2 * abs(stride))
    cape = 9 * wave(t, 0.9)
    body.blob([(-12, -82), (-40 - cape, -40), (-50 - cape, -12), (-24, -16), (2, -24), (4, -76)], ink.dark)
    for side in (1, -1):
        pen.line([(side * 6, -36), (side * 6 + 15 * stride * side, -6)], mix(STEEL, DARK, 0.15 + 0.1 * side), 14)
        pen.line(
            [(side * 6 + 15 * stride * side, -4), (side * 6 + 9 + 15 * stride * side, -3)], mix(STEEL, DARK, 0.4), 8
        )
    sword = body.at(34, -58, angle=36 + 26 * wave(t, 1.1))
    sword.poly([(-4, -8), (-3, -62), (0, -70), (3, -62), (4, -8)], (238, 242, 248))
    sword.box(-13, -9, 26, 5, (148, 120, 84), 2)
    sword.box(-3, -4, 6, 14, (108, 84, 66), 2)
    body.line([(10, -72), (34, -56)], STEEL, 11)
    body.blob([(-21, -76), (0, -84), (21, -76), (22, -46), (18, -28), (-18, -28), (-22, -46)], ink.base)
    body.box(-20, -40, 40, 6, (108, 84, 66), 2)
    shield = body.at(-18, -54, angle=-4 + 4 * stride)
    shield.blob([(-19, -24), (0, -28), (19, -24), (18, 4), (0, 28), (-18, 4)], ink.deep)
    shield.blob([(-15, -20), (0, -23), (15, -20), (14, 3), (0, 22), (-14, 3)], ink.base)
    shield.line([(0, -18), (0, 14)], WHITE, 5)
    shield.line([(-10, -6), (10, -6)], WHITE, 5)
    plume = 5 * wave(t, 0.8)
    body.blob([(0, -114), (-10, -130), (-32 - plume, -124), (-38 - plume, -104), (-22, -110)], ink.base)
    body.blob([(-18, -96), (-14, -114), (2, -120), (17, -113), (20, -94), (12, -82), (-12, -82)], STEEL)
    body.blob([(-14, -98), (-11, -110), (0, -116), (-2, -98)], (216, 222, 232))
    body.box(0, -104, 20, 6, DARK, 2)
    for n in range(3):
        body.line([(8 + n * 4, -94), (8 + n * 4, -89)], DARK, 1.4)


def _robot(pen: Pen, ink: Shades, t: float) -> None:
    pen = pen.at(0, 0, 0.93)
    bob = 2.5 * wave(t, 0.6)
    pen.shadow(0, 2, 52, 5, 1.4)
    for side in (-1, 1):
        pen.box(side * 22 - 16, -20, 32, 20, (64, 66, 80), 10)
        for n in range(3):
            x = (n * 10 + t * 40) % 28 - 14
            pen.dot(side * 22 + x * 0.8, -10, 3.4, STEEL)
    body = pen.at(0, bob)
    for side in (-1, 1):
        elbow = (side * 54, -44 + 8 * wave(t, 1.1, side / 4))
        hand = (side * (52 + 8 * wave(t, 1.1)), elbow[1] + 22 * (1 if side < 0 else -1))
        body.line([(side * 36, -62), elbow, hand], STEEL, 8)
        body.dot(*hand, 8, ink.dark)
    body.box(-38, -74, 76, 56, ink.base, 9)
    body.box(20, -74, 18, 56, ink.dark, 9)
    body.box(-24, -62, 40, 28, (38, 44, 58), 4)
    pulse = [(-22 + n * 4, -48 + 9 * math.sin(n * 1.3 + t * 7) * (n % 3 == 0)) for n in range(10)]
    body.line(pulse, (196, 250, 226), 1.8)
    body.box(-9, -82, 18, 10, STEEL, 2)
    head = body.at(0, -82, angle=4 * wave(t, 1.7))
    head.box(-30, -40, 60, 40, ink.base, 10)
    head.box(-30, -40, 60, 9, ink.light, 5)
    head.box(-24, -30, 48, 22, (38, 44, 58), 8)
    shut = t % 1.9 > 1.78
    for side in (-1, 1):
        head.oval(side * 11 + 2, -19, 6, 1 if shut else 6, (214, 250, 255))
        head.box(side * 33 - 4, -28, 8, 16, STEEL, 3)
    head.line([(0, -40), (0, -50)], STEEL, 3)
    head.glow(0, -53, 11, WHITE, max(0.2, wave(t, 0.7)))
    head.dot(0, -53, 5, ink.light)


def _spaceship(pen: Pen, ink: Shades, t: float) -> None:
    pen.shadow(0, 4, 60, 5)
    body = pen.at(0, -66 + 7 * wave(t, 1.5), 1.08, angle=3 * wave(t, 1.5, 0.25))
    flame = 12 * abs(wave(t, 0.22)) + 26
    for size, tone in ((1.0, (255, 214, 150)), (0.6, (255, 248, 226))):
        body.blob([(-66, -13 * size), (-66 - flame * size, 0), (-66, 13 * size), (-60, 0)], tone)
    body.poly([(-62, -12), (-78, -44), (-46, -40), (-12, -18)], ink.dark)
    body.poly([(-62, 12), (-78, 44), (-46, 40), (-12, 18)], ink.deep)
    body.box(-72, -14, 14, 28, (108, 112, 128), 4)
    body.blob([(-64, -18), (-20, -28), (34, -24), (84, 0), (34, 24), (-20, 28), (-64, 18)], ink.base)
    body.blob([(-64, 6), (0, 12), (82, 2), (34, 24), (-20, 28), (-64, 18)], ink.dark)
    body.line([(-46, -18), (-14, -22), (30, -18)], ink.light, 4)
    body.blob([(2, -20), (18, -34), (40, -26), (46, -12), (22, -9)], (206, 236, 246))
    body.blob([(10, -22), (20, -30), (28, -27), (16, -18)], WHITE)
    for n in range(3):
        body.dot(-42 + n * 18, 2, 6, ink.deep)
        body.dot(-42 + n * 18, 2, 4, (250, 246, 214) if (t * 3 + n) % 3 < 1.5 else (150, 160, 176))
    body.poly([(-50, -2), (-86, 12), (-40, 10)], ink.pale)
    for n in range(4):
        back = -90 - (t * 160 + n * 40) % 90
        body.line([(back, -34 + n * 22), (back - 18, -34 + n * 22)], (236, 240, 250), 1.6)


def _dragon(pen: Pen, ink: Shades, t: float) -> None:
    flap = wave(t, 0.9)
    pen.shadow(0, 3, 58, 5)
    body = pen.at(0, -31 + 5 * wave(t, 0.9, 0.3), 0.92)
    tail = 8 * wave(t, 1.2)
    wing = [
        (4.0, -40.0),
        (-16, -72 - 26 * flap),
        (-62, -66 - 34 * flap),
        (-46, -46 - 12 * flap),
        (-36, -34),
        (-22, -30),
    ]
    body.poly([(x + 18, y - 2) for x, y in wing], ink.deep)
    body.line([(-34, -14), (-58, -4), (-78, -14 + tail), (-90, -30 + tail)], ink.base, 13)
    body.poly([(-84, -26 + tail), (-104, -40 + tail), (-90, -52 + tail), (-82, -36 + tail)], ink.dark)
    for x, side in ((-22, 1), (18, -1)):
        body.line([(x, 8), (x + 4 * flap * side, 24), (x + 10 + 4 * flap * side, 27)], ink.dark, 11)
    body.blob([(-44, -16), (-24, -40), (14, -42), (40, -28), (40, -2), (18, 14), (-20, 14), (-40, 2)], ink.base)
    body.blob([(36, -22), (40, -4), (18, 13), (-18, 13), (-28, 4), (8, 2)], ink.pale)
    body.line([(30, -26), (44, -52), (50, -66)], ink.base, 20)
    for n, (x, y) in enumerate(((-30, -36), (-14, -43), (2, -45), (18, -46), (26, -60))):
        body.poly([(x - 7, y + 4), (x - 2, y - 11 - n % 2), (x + 7, y + 3)], ink.deep)
    body.poly(wing, ink.dark)
    for tip in wing[2:5]:
        body.line([(-16, -72 - 26 * flap), tip], ink.deep, 2)
    head = body.at(52, -72, angle=5 * wave(t, 1.6))
    head.poly([(-14, -8), (-26, -28), (-4, -16)], ink.pale)
    head.blob([(-18, 0), (-12, -18), (10, -20), (34, -8), (42, 2), (36, 11), (6, 13), (-12, 12)], ink.base)
    head.line([(12, 6), (38, 6)], ink.deep, 1.8)
    head.dot(5, -9, 6, WHITE)
    head.dot(7, -9, 3, DARK)
    head.dot(36, -2, 1.6, ink.deep)
    for n in range(4):
        puff = (t * 1.1 + n / 4) % 1
        tone: Ink = (255, 244, 214, round(220 * (1 - puff)))
        head.dot(46 + 46 * puff, 7 + 4 * math.sin(puff * 7 + n), 3 + 8 * puff, tone)


ACTORS: dict[str, Callable[[Pen, Shades, float], None]] = {
    "knight": _knight,
    "robot": _robot,
    "spaceship": _spaceship,
    "dragon": _dragon,
}
