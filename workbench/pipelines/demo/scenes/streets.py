"""Street_View_Outdoor: a row of houses with shop signs, and a bus, a bicycle, a balloon or a cat in front of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from workbench.pipelines.demo.clip import WIDTH, Clip
from workbench.pipelines.demo.scenes.canvas import DARK, GLASS, STEEL, TYRE, WHITE, Canvas, Ink, Pen, Shades, mix, wave
from workbench.pipelines.demo.scenes.lettering import Look, Paint, Quad, pile, pile_height, rows
from workbench.pipelines.demo.scenes.places import cloud

WIDE = 400.0
PAVEMENT = 200.0
ROAD = 230.0
SIGN_BAND = 104.0  # the lowest line of the signs
MOODS: dict[str, dict[str, tuple[Ink, ...]]] = {
    "day": {
        "sky": ((158, 208, 236), (238, 244, 240)),
        "wall": ((240, 224, 204), (226, 208, 196), (214, 220, 222), (238, 230, 216)),
        "pane": ((176, 206, 216), (196, 220, 226)),
        "ground": ((206, 202, 198), (150, 150, 158)),
    },
    "night": {
        "sky": ((18, 20, 52), (44, 42, 84)),
        "wall": ((52, 48, 82), (44, 46, 76), (58, 50, 80), (46, 42, 70)),
        "pane": ((246, 226, 164), (72, 70, 106)),
        "ground": ((58, 56, 82), (34, 34, 56)),
    },
    "rain": {
        "sky": ((116, 130, 144), (164, 176, 184)),
        "wall": ((138, 144, 150), (126, 134, 142), (150, 150, 152), (132, 140, 142)),
        "pane": ((178, 192, 198), (104, 116, 128)),
        "ground": ((120, 128, 136), (84, 94, 106)),
    },
}
BOARDS: dict[str, Look] = {
    "day": Look(ink=(250, 246, 234), paper=(44, 58, 74), edge=(226, 214, 190), rounded=3),
    "night": Look(ink=(255, 250, 224), paper=(24, 22, 40), edge=(236, 206, 232), rounded=5),
    "rain": Look(ink=(32, 40, 52), paper=(244, 244, 238), edge=(92, 104, 118), rounded=2),
}


def outdoor(clip: Clip, rng: np.random.Generator) -> Paint:
    """Prepare a clip of the domain Street_View_Outdoor."""
    boards = pile(clip.signs, BOARDS[clip.setting], 286, 84, least=110)
    street = _street(clip.setting, rng, max((b.width for b in boards), default=0), pile_height(boards))
    heights = rows(boards, SIGN_BAND - pile_height(boards))
    shade, phase, flip = Shades.of(clip.colour), float(rng.random()), bool(rng.integers(2))
    drops = rng.uniform(0, 1, (70, 2))
    glow = clip.setting == "night"

    def paint(t: float, share: float) -> tuple[Canvas, list[Quad]]:
        pan = 40 + 5 * wave(t, 6, phase)
        canvas = Canvas(street.image.crop((round(pan * 2), 0, round(pan * 2) + 640, 480)))
        middle = WIDE / 2 - round(pan * 2) / 2
        if clip.setting == "day":
            cloud(canvas.pen, (phase * 300 + t * 9) % 400 - 40, 16, 20, (255, 255, 255, 220))
        for b, y in zip(boards, heights, strict=True) if glow else ():
            for side in (-1, 0, 1):
                canvas.pen.glow(middle + side * b.width * 0.36, y, b.height + 14, (236, 190, 255), 0.4)
        quads = [b.put(canvas, middle, y) for b, y in zip(boards, heights, strict=True)]
        reach = 56 - 112 * share
        x = 160 + (reach if flip else -reach)
        ACTORS[clip.actor](canvas.pen.at(x, ROAD, flip=flip), shade, t + phase, glow)
        if clip.setting == "rain":
            _rain(canvas.pen, drops, t)
        return canvas, quads

    return paint


def _street(setting: str, rng: np.random.Generator, wide: float, high: float) -> Canvas:
    """The houses; the one in the middle is wide enough for the signs."""
    mood = MOODS[setting]
    canvas = Canvas.gradient([(0, mood["sky"][0]), (0.55, mood["sky"][1]), (1, mood["sky"][1])], WIDE)
    pen = canvas.pen
    if setting == "night":
        for _ in range(40):
            pen.dot(float(rng.uniform(0, WIDE)), float(rng.uniform(0, 60)), 0.9, (255, 252, 230, 200))
        pen.glow(330, 14, 26, (255, 248, 214), 1.4)
        pen.dot(330, 14, 9, (252, 246, 220))
    elif setting == "day":
        pen.glow(70, 10, 44, (255, 252, 224), 2.4)
        pen.dot(70, 10, 13, (255, 250, 216))
    walls = mood["wall"]
    for x in range(-20, 420, 74):
        _house(pen, x, 74, float(rng.uniform(28, 66)), walls[int(rng.integers(len(walls)))], mood["pane"], rng)
    _shop(
        pen, (WIDE / 2, max(170, wide + 16), max(10, min(56, SIGN_BAND - high - 14))), walls[0], mood["pane"], setting
    )
    pavement, road = mood["ground"]
    pen.box(-5, PAVEMENT - 4, WIDE + 10, 16, pavement)
    pen.box(-5, PAVEMENT + 10, WIDE + 10, 3, mix(pavement, DARK, 0.25))
    pen.box(-5, PAVEMENT + 13, WIDE + 10, 40, road)
    for x in range(0, 420, 56):
        pen.box(x, 234, 30, 3, mix(road, WHITE, 0.5))
    if setting == "rain":
        for x, w in ((60, 50), (190, 66), (320, 44)):
            pen.oval(x, 226, w, 5, (168, 182, 192, 130))
    return canvas


def _house(
    pen: Pen, x: float, width: float, top: float, wall: Ink, panes: tuple[Ink, ...], rng: np.random.Generator
) -> None:
    pen.box(x, top, width, PAVEMENT - top, wall)
    pen.box(x - 2, top - 4, width + 4, 6, mix(wall, DARK, 0.2))
    for wx in range(2):
        for wy in range(5):
            pane = panes[int(rng.integers(len(panes)))]
            left, high = x + 11 + wx * 32, top + 14 + wy * 34
            if high > PAVEMENT - 30:
                continue
            pen.box(left, high, 20, 22, mix(wall, WHITE, 0.3), 2)
            pen.box(left + 2, high + 2, 16, 18, pane)
            pen.box(left + 9, high + 2, 2, 18, mix(wall, WHITE, 0.3))


def _shop(pen: Pen, place: tuple[float, float, float], wall: Ink, panes: tuple[Ink, ...], setting: str) -> None:
    middle, width, top = place
    left = middle - width / 2
    wall = mix(wall, WHITE, 0.12)
    pen.box(left, top, width, PAVEMENT - top, wall)
    pen.box(left - 3, top - 4, width + 6, 6, mix(wall, DARK, 0.25))
    dark = mix(wall, DARK, 0.45)
    pen.box(left, SIGN_BAND + 4, width, 4, dark)
    count = max(2, int(width // 60))
    for n in range(count):
        x = left + 8 + n * (width - 16) / count
        w = (width - 16) / count - 8
        pen.box(x, 124, w, 64, dark, 3)
        pen.box(x + 3, 127, w - 6, 58, panes[0])
        pen.poly([(x + 6, 185), (x + w * 0.5, 127), (x + w * 0.7, 127), (x + w * 0.26, 185)], (255, 255, 255, 60))
    stripes = int(width // 12)
    for n in range(stripes):  # an awning
        x, w = left + n * width / stripes, width / stripes
        tone = mix(wall, DARK, 0.35) if n % 2 else mix(wall, WHITE, 0.5)
        pen.poly([(x, 112), (x + w, 112), (x + w, 126), (x, 126)], tone)
        pen.oval(x + w / 2, 126, w / 2, 4, tone)


def _rain(pen: Pen, drops: np.ndarray, t: float) -> None:
    for x, y in drops.tolist():
        fall = (y + t * 1.5) % 1
        px, py = x * 360 - 10 - fall * 18, fall * 260 - 14
        pen.poly([(px, py), (px + 1.1, py), (px - 0.4, py + 12), (px - 1.3, py + 12)], (226, 236, 244, 130))
    for n in range(6):
        ring = (t * 1.4 + n / 6) % 1
        x = drops[n, 0] * WIDTH
        pen.oval(x, 222 + 12 * drops[n, 1], 2 + 8 * ring, 0.6 + 1.6 * ring, (226, 236, 244, round(110 * (1 - ring))))


def _wheel(pen: Pen, x: float, y: float, radius: float, turn: float, spokes: bool = False) -> None:
    if spokes:
        pen.dot(x, y, radius, TYRE)
        pen.dot(x, y, radius - 3.4, (222, 226, 230))
        for n in range(6):
            angle = turn + n * math.pi / 3
            pen.line(
                [(x, y), (x + (radius - 4) * math.cos(angle), y + (radius - 4) * math.sin(angle))], (130, 136, 146), 1
            )
        return
    pen.dot(x, y, radius, TYRE)
    pen.dot(x, y, radius * 0.55, STEEL)
    for n in range(5):
        angle = turn + n * 2 * math.pi / 5
        pen.dot(x + radius * 0.36 * math.cos(angle), y + radius * 0.36 * math.sin(angle), radius * 0.1, TYRE)


def _bus(pen: Pen, ink: Shades, t: float, glow: bool) -> None:
    pen.shadow(0, 0, 92, 6, 1.6)
    body = pen.at(0, 0.8 * wave(t, 0.4))
    body.box(-88, -100, 176, 92, ink.base, 12)
    body.box(-88, -30, 176, 22, ink.dark, 8)
    body.box(-84, -99, 168, 6, ink.light, 3)
    pane = (255, 240, 190) if glow else GLASS
    for n in range(4):
        body.box(-80 + n * 33, -84, 28, 30, pane, 4)
        body.poly(
            [(-76 + n * 33, -54), (-64 + n * 33, -84), (-58 + n * 33, -84), (-70 + n * 33, -54)], (255, 255, 255, 110)
        )
        if n != 1:
            body.dot(-66 + n * 33, -64, 6, (150, 116, 100))
            body.box(-74 + n * 33, -60, 16, 6, (110, 110, 130), 3)
    body.box(53, -86, 33, 54, pane, 6)
    body.line([(-84, -44), (48, -44)], ink.pale, 4)
    body.dot(82, -24, 5, (255, 250, 220))
    if glow:
        body.poly([(86, -28), (170, -40), (170, 4), (86, -20)], (255, 248, 200, 60))
    for x in (-52, 52):
        pen.dot(x, -16, 19, ink.deep)
        _wheel(pen, x, -14, 14, t * 6)


def _bicycle(pen: Pen, ink: Shades, t: float, glow: bool) -> None:
    pen = pen.at(0, 0, 0.95)
    pen.shadow(0, 0, 66, 5, 1.4)
    turn = t * 5
    for x in (-38, 38):
        _wheel(pen, x, -27, 26, turn, True)
        pen.arc(x, -27, 29, 190, 330, ink.dark, 4)
    crank, seat, head = (-4.0, -28.0), (-16.0, -64.0), (26.0, -66.0)
    pedals = [(crank[0] + 12 * math.cos(turn + a), crank[1] + 12 * math.sin(turn + a)) for a in (0, math.pi)]
    hip, hand = (-16.0, -76.0), (28.0, -78.0)
    for side, pedal in zip((1, 0), pedals, strict=True):
        if side == 0:
            for line in (
                [(-38, -27), crank, seat, (-38, -27)],
                [seat, head, crank],
                [(38, -27), head, (24, -78), (32, -80)],
            ):
                pen.line(line, ink.base, 6.5)
            pen.line([(-25, -70), (-8, -70)], DARK, 6)
        knee = ((hip[0] + pedal[0]) / 2 + 15, (hip[1] + pedal[1]) / 2 - 5)
        pen.line([hip, knee, pedal], (72, 78, 104) if side == 0 else (52, 56, 80), 9)
        pen.line([(pedal[0] - 2, pedal[1] + 2), (pedal[0] + 8, pedal[1] + 2)], (240, 240, 244), 5)
    pen.line([hip, (4, -106)], ink.base, 21)
    pen.line([(4, -106), (14, -86), hand], ink.dark, 8)
    pen.dot(hand[0], hand[1], 4.4, (236, 190, 156))
    pen.dot(12, -114, 11, (236, 190, 156))
    pen.blob([(0, -114), (2, -124), (13, -128), (23, -120), (24, -115)], ink.base)
    pen.dot(19, -113, 1.5, DARK)
    if glow:
        pen.poly([(42, -66), (120, -78), (120, -34)], (255, 248, 200, 60))


def _balloon(pen: Pen, ink: Shades, t: float, glow: bool) -> None:
    pen.shadow(0, 0, 34, 4)
    body = pen.at(0, -9 + 4 * wave(t, 2.4), 0.9, angle=4 * wave(t, 3.1))
    if glow:
        body.glow(0, -40, 60, (255, 220, 150), 0.9)
    for x in (-9, 9):
        body.line([(x * 2.2, -32), (x, -8)], (120, 104, 92), 1.5)
    body.blob([(-44, -74), (-30, -106), (0, -116), (30, -106), (44, -74), (27, -42), (9, -28), (-9, -28), (-27, -42)],
              ink.base)  # fmt: skip
    body.blob([(-15, -74), (-10, -108), (0, -115), (10, -108), (15, -74), (8, -30), (-8, -30)], ink.pale)
    body.blob([(24, -106), (44, -74), (27, -42), (12, -29), (30, -66)], (*ink.deep, 110))
    body.oval(-28, -86, 5, 13, (255, 255, 255, 120))
    body.poly([(-5, -27), (0, -36 - 5 * wave(t, 0.5)), (5, -27)], (255, 236, 180))
    body.box(-12, -8, 24, 17, (164, 120, 84), 4)
    body.box(-13, -10, 26, 5, (192, 146, 104), 2)
    body.line([(-6, -12), (-12, -20 - 4 * wave(t, 0.8))], (236, 190, 156), 3)
    body.dot(-3, -15, 5, (236, 190, 156))
    body.blob([(-8, -16), (-3, -21), (2, -16)], DARK)


def _cat(pen: Pen, ink: Shades, t: float, glow: bool) -> None:
    pen.shadow(0, 0, 62, 5, 1.4)
    swing = wave(t, 0.9)
    for x, side in ((-30, 1), (24, -1)):
        pen.line([(x, -34), (x + 11 * swing * side, -4)], ink.deep, 11)
    tail = 12 * wave(t, 1.4)
    pen.line([(-40, -50), (-58, -60), (-64 + tail * 0.4, -80), (-54 + tail, -98)], ink.dark, 10)
    body = pen.at(0, 1.4 * wave(t, 0.45))
    body.blob([(-46, -48), (-34, -64), (6, -62), (36, -66), (46, -50), (38, -30), (0, -28), (-38, -28)], ink.base)
    for x in (-24, -10, 4):
        body.line([(x, -61), (x - 3, -48)], ink.dark, 5)
    for x, side in ((-36, -1), (34, 1)):
        pen.line([(x, -36), (x + 11 * swing * side, -4)], ink.base, 12)
        pen.oval(x + 3 + 11 * swing * side, -4, 8, 4.6, ink.pale)
    head = body.at(46, -72, 1.08, angle=3 * wave(t, 1.8))
    for side in (-1, 1):
        head.poly([(side * 23, -6), (side * 21, -33), (side * 4, -19)], ink.base)
        head.poly([(side * 19, -10), (side * 18, -26), (side * 8, -18)], (250, 190, 186))
    head.blob([(-25, 0), (-19, -17), (0, -22), (19, -17), (25, 0), (17, 15), (0, 19), (-17, 15)], ink.base)
    head.oval(3, 9, 11, 7.5, ink.pale)
    shut = t % 2.2 > 2.05
    for x in (-8, 12):
        head.oval(x, -3, 5, 0.8 if shut else 6, (250, 252, 240))
        head.oval(x + 1, -3, 2.6, 0.8 if shut else 4.6, DARK)
    head.poly([(0, 5), (6, 5), (3, 9)], (206, 96, 104))
    for y in (8, 12):
        head.line([(12, y), (32, y - 3)], WHITE, 0.8)
        head.line([(-6, y), (-26, y - 3)], WHITE, 0.8)


ACTORS: dict[str, Callable[[Pen, Shades, float, bool], None]] = {
    "bus": _bus,
    "bicycle": _bicycle,
    "balloon": _balloon,
    "cat": _cat,
}
