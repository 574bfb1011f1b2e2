"""News_Movie: a presenter, a reporter, a singer or a scientist above a lower third."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from workbench.pipelines.demo.clip import WIDTH, Clip
from workbench.pipelines.demo.scenes.canvas import DARK, WHITE, Canvas, Ink, Pen, Shades, ease, mix, wave
from workbench.pipelines.demo.scenes.lettering import Look, Paint, Quad, pile, pile_height, rows
from workbench.pipelines.demo.scenes.people import TRUNK, Person, Pose, draw_arm, draw_head, draw_trunk

FLOOR = 236.0  # the lower edge of the lowest bar
MAIN = (
    Look(ink=WHITE, paper=(20, 34, 72), rounded=2),
    Look(ink=(22, 26, 40), paper=(250, 250, 252), rounded=2),
    Look(ink=WHITE, paper=(92, 22, 40), rounded=2),
)
SECOND = Look(ink=(28, 32, 46), paper=(232, 234, 240), face="DejaVuSans", rounded=2)
DRESS: dict[str, dict[str, object]] = {
    "presenter": {},
    "reporter": {"hat": (66, 70, 88)},
    "singer": {"long_hair": True, "hair": (40, 32, 48)},
    "scientist": {"hair": (206, 206, 212)},
}


def news(clip: Clip, rng: np.random.Generator) -> Paint:
    """Prepare a clip of the domain News_Movie."""
    back, lively = SETTINGS[clip.setting](rng)
    who = Person.of(clip.colour, rng, **DRESS[clip.actor])
    style, ticker = MAIN[int(rng.integers(len(MAIN)))], bool(rng.integers(2))
    boards = pile(clip.signs, (style, SECOND), 306, 62, least=150, gap=2)
    top = FLOOR - pile_height(boards, 2)
    heights = rows(boards, top, 2)
    phase = float(rng.random())

    def paint(t: float, share: float) -> tuple[Canvas, list[Quad]]:
        canvas = Canvas(back.image.copy())
        lively(canvas.pen, t + phase)
        pen = canvas.pen.at(160, 180 + 1.2 * wave(t, 2.2), 1.62)
        ACTORS[clip.actor](pen, who, t + phase)
        canvas.pen.box(-5, top - 5, 340, 250 - top, (16, 18, 34, 150))
        quads = []
        x = 0.0
        for n, (each, y) in enumerate(zip(boards, heights, strict=True)):
            slide = ease((share - 0.06 * n) / 0.22)
            x = 8 + each.width / 2
            if ticker:
                x += (WIDTH - 16 - each.width) * (1 - share) * 0.8 + (1 - slide) * 60
            else:
                x -= (1 - slide) * (each.width + 16)
            quads.append(each.put(canvas, x, y))
        canvas.pen.box(0, top - 7, WIDTH * ease(share / 0.2), 2.5, (244, 246, 250))
        return canvas, quads

    return paint


Lively = Callable[[Pen, float], None]


def _studio(rng: np.random.Generator) -> tuple[Canvas, Lively]:
    canvas = Canvas.gradient([(0, (62, 82, 104)), (0.75, (128, 150, 166)), (1, (96, 116, 134))])
    pen = canvas.pen
    for left in (-30, 104, 238):
        pen.box(left, 18, 112, 108, (40, 56, 76), 6)
        pen.box(left + 4, 22, 104, 100, (84, 116, 136), 4)
    for middle, y, rx, ry in ((24, 58, 20, 13), (40, 90, 9, 17), (150, 48, 15, 9), (160, 84, 15, 20), (262, 56, 26, 15),
                         (296, 98, 13, 8), (196, 52, 12, 8)):  # fmt: skip
        x = middle + float(rng.uniform(-4, 4))
        pen.blob([(x - rx, y), (x - rx * 0.4, y - ry), (x + rx, y - ry * 0.6), (x + rx * 0.6, y + ry * 0.5),
                  (x, y + ry), (x - rx * 0.5, y + ry * 0.3)], (134, 166, 178))  # fmt: skip

    def lively(pen: Pen, t: float) -> None:
        x = t * 70 % 420 - 50
        pen.poly([(x, 22), (x + 26, 22), (x + 6, 122), (x - 20, 122)], (255, 255, 255, 34))
        for n in range(5):
            pen.box(
                14 + n * 9, 116 - 14 - 10 * wave(t, 1.6, n / 5), 6, 14 + 10 * wave(t, 1.6, n / 5), (206, 222, 228), 1
            )
        pen.dot(296, 36, 5 + 1.5 * wave(t, 1), (236, 244, 246))

    return canvas, lively


def _city(rng: np.random.Generator) -> tuple[Canvas, Lively]:
    canvas = Canvas.gradient([(0, (170, 200, 222)), (0.6, (250, 232, 214)), (1, (250, 232, 214))])
    pen = canvas.pen
    for layer, (base, tone) in enumerate(((60, (192, 200, 212)), (92, (158, 166, 184)))):
        x = -10.0
        while x < WIDTH:
            width, top = float(rng.uniform(26, 46)), base + float(rng.uniform(-36, 36))
            pen.box(x, top, width, 250 - top, tone)
            pen.box(x + width * 0.62, top, width * 0.38, 250 - top, mix(tone, DARK, 0.1))
            for wy in range(int((200 - top) // 13)):
                for wx in range(int(width // 10)):
                    pane = (252, 240, 206) if rng.random() < 0.3 else mix(tone, WHITE, 0.35)
                    pen.box(x + 4 + wx * 10, top + 7 + wy * 13, 5, 7, pane)
            x += width + 3 + 6 * layer

    def lively(pen: Pen, t: float) -> None:
        for n in range(3):
            x = (n * 150 + t * 16) % 440 - 60
            pen.box(x, 20 + 14 * n, 54, 9, (255, 255, 255, 190), 5)
            pen.dot(x + 26, 19 + 14 * n, 9, (255, 255, 255, 190))
        x = t * 46 % 380 - 30
        pen.line([(x, 30 - x * 0.04), (x + 16, 29 - x * 0.04)], (96, 104, 124), 3)
        pen.line([(x + 6, 25 - x * 0.04), (x + 9, 34 - x * 0.04)], (96, 104, 124), 2)

    return canvas, lively


def _stage(rng: np.random.Generator) -> tuple[Canvas, Lively]:
    canvas = Canvas.gradient([(0, (42, 24, 44)), (0.8, (88, 48, 70)), (1, (58, 38, 52))])
    pen = canvas.pen
    for n in range(17):
        x = n * 20
        pen.box(x, 0, 10, 196, (104, 52, 74, 120))
        pen.box(x + 6, 0, 5, 196, (34, 16, 36, 90))
    for n in range(9):
        pen.oval(n * 40, 2, 24, 17, (120, 60, 82))
        pen.arc(n * 40, 2, 18, 20, 160, (206, 172, 150), 2)
    pen.box(-5, 196, 340, 60, (112, 88, 82))

    def lively(pen: Pen, t: float) -> None:
        for n, x in enumerate((50, 160, 270)):
            aim = 160 + 70 * wave(t, 3.6, n / 3)
            pen.poly([(x - 6, 0), (x + 6, 0), (aim + 44, 240), (aim - 44, 240)], (255, 246, 220, 44))
            pen.dot(x, 0, 9, (255, 250, 232))

    return canvas, lively


SETTINGS: dict[str, Callable[[np.random.Generator], tuple[Canvas, Lively]]] = {
    "studio": _studio,
    "city": _city,
    "stage": _stage,
}


def _bust(pen: Pen, who: Person, pose: Pose, talk: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """A person from the hip up; gives back the hands."""
    left = draw_arm(pen, who, pose, -1)
    body = pen.at(0, 0, angle=pose.lean)
    pen.box(-13, -4, 26, 40, who.legs)
    draw_trunk(body, who, pose)
    draw_head(body.at(0, -TRUNK, angle=-pose.lean * 0.5), who, pose.turn, talk)
    return left, draw_arm(pen, who, pose, 1)


def _talk(t: float) -> float:
    return max(0.0, wave(t, 0.36)) * (0.6 + 0.4 * wave(t, 1.7))


def _presenter(pen: Pen, who: Person, t: float) -> None:
    wag = wave(t, 1.5)
    pose = Pose((-24, 46 + 6 * wag), (26 + 5 * wag, 84 + 22 * wag), turn=0.35 * wave(t, 2.9), spread=15)
    _bust(pen, who, pose, _talk(t))
    pen.poly([(-7, -38), (7, -38), (0, -20)], WHITE)
    pen.poly([(-2.4, -36), (2.4, -36), (3.4, -22), (0, -18), (-3.4, -22)], DARK)
    pen.blob([(-92, 0), (-60, -6), (60, -6), (92, 0), (84, 44), (-84, 44)], who.shirt.deep)
    pen.box(-86, -7, 172, 8, who.shirt.pale, 3)
    pen.poly([(30, -6), (38, -26), (66, -26), (60, -6)], (206, 212, 220))
    pen.dot(50, -16, 3, WHITE)


def _reporter(pen: Pen, who: Person, t: float) -> None:
    sway = wave(t, 2.4)
    pose = Pose((-58 + 20 * wave(t, 1.3), -112 + 26 * wave(t, 1.3)), (34, 158), lean=2 * sway, turn=-0.3, spread=15)
    _, hand = _bust(pen.at(-6, 0, 1.02), who, pose, _talk(t))
    for side in (-1, 1):
        pen.poly([(-6, -38), (-6 + side * 15, -38), (-6 + side * 6, -16)], who.shirt.dark)
    pen.line([(-24, -8), (12, -8)], who.shirt.deep, 5)
    mic = pen.at(hand[0] - 6, hand[1], angle=-22)
    mic.line([(0, 8), (0, -10)], (52, 54, 66), 5)
    mic.dot(0, -17, 7, (84, 88, 100))
    mic.box(-7, -11, 14, 12, who.shirt.light, 2)


def _singer(pen: Pen, who: Person, t: float) -> None:
    sway = wave(t, 1.6)
    pose = Pose((-30, 100 + 10 * sway), (118 + 22 * sway, 152 + 26 * sway), lean=7 * sway, turn=-0.2, spread=12)
    hair = mix(who.hair, WHITE, 0.08)
    pen.at(0, 0, angle=7 * sway).blob(
        [(-22, -48), (-16, -72), (16, -72), (22, -48), (24, -12), (0, -26), (-24, -12)], hair
    )
    _bust(pen, who, pose, 0.4 + 0.6 * max(0.0, wave(t, 0.8)))
    for n in range(7):
        twinkle = max(0.0, wave(t, 0.9, n / 7))
        pen.dot(-10 + (n * 7) % 21, -28 + n * 4, 1 + 1.3 * twinkle, who.shirt.pale)
    pen.line([(-17, 40), (-17, -42), (-8, -48)], (30, 30, 40), 3)
    pen.dot(-6, -50, 6, (70, 72, 86))
    pen.dot(-7.6, -51.6, 2, (140, 144, 156))
    for n in range(3):
        rise = (t * 0.5 + n / 3) % 1
        x, y = 52 + 12 * math.sin(rise * 5 + n), -30 - 62 * rise
        pen.oval(x, y, 4, 3, who.shirt.light)
        pen.line([(x + 3.4, y), (x + 3.4, y - 13), (x + 9, y - 10)], who.shirt.light, 1.6)


def _scientist(pen: Pen, who: Person, t: float) -> None:
    tip = wave(t, 1.8)
    pose = Pose((-34, 60 + 8 * tip), (62 + 6 * tip, 124 + 10 * tip), lean=-2 * tip, turn=0.5, spread=15)
    for x, y in ((-14, -64), (14, -64), (-18, -54), (18, -54), (0, -70)):
        pen.dot(x, y, 8, who.hair)
    coat = Person(who.shirt, WHITE, who.skin, who.hair, sleeves=(238, 240, 244))
    _, hand = _bust(pen, coat, pose, 0.5 * _talk(t))
    for side in (-1, 1):
        pen.blob(
            [(side * 17, -34), (side * 10, -39), (side * 10, -20), (side * 11, 4), (side * 17, 4)], (240, 242, 246)
        )
        pen.dot(side * 5.4 + 2, -TRUNK - 16, 5, (70, 76, 92))
        pen.dot(side * 5.4 + 2, -TRUNK - 16, 3.6, (214, 234, 240))
        pen.dot(side * 5.4 + 3, -TRUNK - 16, 1.5, DARK)
    _flask(pen.at(hand[0] + 3, hand[1] - 6, 1.15, angle=8 * tip), who.shirt, t)
    _flask(pen.at(-58, -12, 1.5), who.shirt, t + 0.5)
    pen.box(-110, 2, 220, 48, (120, 132, 146))
    pen.box(-110, 1, 220, 4, (206, 214, 222))


def _flask(pen: Pen, ink: Shades, t: float) -> None:
    pen.blob([(-5, -30), (5, -30), (6, -16), (20, 4), (14, 10), (-14, 10), (-20, 4), (-6, -16)], (226, 238, 242))
    level = 1.6 * wave(t, 1.1)
    pen.blob([(-8, -13 + level), (8, -13 - level), (18, 4), (13, 8), (-13, 8), (-18, 4)], ink.base)
    pen.line([(-7, -31), (7, -31)], WHITE, 3)
    for n in range(4):
        rise = (t * 0.7 + n / 4) % 1
        tone: Ink = (*ink.light, round(230 * (1 - rise)))
        pen.dot(5 * math.sin(n * 2 + rise * 4), -36 * rise - 6, 2 + 3.5 * rise, tone)


ACTORS: dict[str, Callable[[Pen, Person, float], None]] = {
    "presenter": _presenter,
    "reporter": _reporter,
    "singer": _singer,
    "scientist": _scientist,
}
