"""Sports: a footballer, a runner, a tennis player or a rower below a scoreboard."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image

from workbench.pipelines.demo.clip import WIDTH, Clip
from workbench.pipelines.demo.scenes.canvas import DARK, WHITE, ZOOM, Canvas, Ink, Pen, ease, mix, wave
from workbench.pipelines.demo.scenes.lettering import Look, Paint, Quad, pile, pile_height, rows
from workbench.pipelines.demo.scenes.people import Person, Pose, draw_arm, draw_head, draw_leg, draw_person, draw_trunk

GROUND = 222.0
TALL = 1.12
BOARDS = (
    Look(ink=(255, 244, 214), paper=(26, 30, 40), edge=(92, 98, 112), face="DejaVuSansMono-Bold", rounded=3),
    Look(ink=(24, 40, 84), paper=(250, 250, 252), edge=(180, 190, 206), rounded=2),
)


def sports(clip: Clip, rng: np.random.Generator) -> Paint:
    """Prepare a clip of the domain Sports."""
    stand, field = _stand(rng, clip.setting), FIELDS[clip.setting](rng)
    who = Person.of(clip.colour, rng)
    phase, speed = float(rng.random()), 150.0 if clip.actor in ("runner", "rower") else 12.0
    boards = pile(clip.signs, BOARDS[int(rng.integers(len(BOARDS)))], 296, 74)
    heights = rows(boards, 8)
    reach = max((b.width for b in boards), default=0) / 2
    bottom = 8 + pile_height(boards)

    def paint(t: float, share: float) -> tuple[Canvas, list[Quad]]:
        canvas = Canvas(Image.new("RGB", (WIDTH * ZOOM, 240 * ZOOM)))
        canvas.scroll(stand, t * speed * 0.25, 0)
        canvas.scroll(field, t * speed, 118)
        if clip.setting == "water":
            _waves(canvas.pen, t)
            if clip.actor != "rower":
                _jetty(canvas.pen, t * speed)
        sway = 3 * wave(t, 5, phase)
        for side in (-1, 1) if boards else ():
            x = 160 + sway + side * reach * 0.8
            canvas.pen.box(x - 2, bottom - 6, 4, 122 - bottom, (112, 118, 132))
        quads = [b.put(canvas, 160 + sway, y) for b, y in zip(boards, heights, strict=True)]
        ACTORS[clip.actor](canvas.pen, who, t + phase, share)
        return canvas, quads

    return paint


def _stand(rng: np.random.Generator, setting: str) -> Image.Image:
    """A stand full of people behind a low fence, or a shore with trees at the water."""
    sky: tuple[Ink, Ink] = ((176, 206, 226), (236, 240, 238))
    canvas = Canvas.gradient([(0, sky[0]), (1, sky[1])], 480, 120)
    pen = canvas.pen
    if setting == "water":
        pen.box(0, 84, 480, 40, (150, 174, 164))
        for x in range(0, 480, 24):
            pen.dot(x + 6, 86, float(rng.uniform(10, 16)), (132, 162, 152))
            pen.dot(x + 18, 96, float(rng.uniform(9, 12)), (116, 148, 142))
        return canvas.image
    pen.box(0, 22, 480, 100, (126, 130, 148))
    pen.box(0, 14, 480, 10, (222, 224, 230))
    tones = ((226, 204, 190), (188, 176, 180), (160, 152, 168), (206, 210, 218), (148, 164, 176))
    for row in range(7):
        y = 34 + row * 12
        pen.box(0, y + 5, 480, 8, (106, 110, 130))
        for seat in range(48):
            tone = tones[int(rng.integers(len(tones)))]
            pen.box(seat * 10 + 1, y, 8, 9, mix(tone, DARK, 0.25), 3)
            pen.dot(seat * 10 + 5, y - 2, 3, tone)
    pen.box(0, 106, 480, 14, (236, 238, 242))
    pen.box(0, 106, 480, 2.5, (188, 192, 204))
    return canvas.image


def _lawn(rng: np.random.Generator) -> Image.Image:
    """A mown field with a white line."""
    canvas = Canvas.gradient([(0, (120, 172, 104)), (1, (146, 194, 122))], 480, 122)
    for n in range(7):
        canvas.pen.poly([(n * 80, 0), (n * 80 + 40, 0), (n * 80 + 20, 122), (n * 80 - 20, 122)], (96, 150, 84, 120))
    canvas.pen.box(0, 20, 480, 4, (240, 246, 236))
    return canvas.image


def _clay(rng: np.random.Generator) -> Image.Image:
    """A court or a track of clay with white lines."""
    canvas = Canvas.gradient([(0, (190, 128, 102)), (1, (212, 152, 122))], 480, 122)
    for y in (16, 44, 92):
        canvas.pen.box(0, y, 480, 3.5, (246, 238, 232))
    for n in range(2):
        canvas.pen.poly(
            [(n * 240 + 40, 16), (n * 240 + 44, 16), (n * 240 + 26, 92), (n * 240 + 20, 92)], (246, 238, 232)
        )
    for _ in range(70):
        canvas.pen.oval(float(rng.uniform(0, 480)), float(rng.uniform(4, 120)), 3, 1, (194, 134, 108))
    return canvas.image


def _lake(rng: np.random.Generator) -> Image.Image:
    """Water with long ripples."""
    canvas = Canvas.gradient([(0, (150, 200, 208)), (1, (84, 150, 170))], 480, 122)
    for _ in range(60):
        x, y = float(rng.uniform(0, 440)), float(rng.uniform(4, 118))
        canvas.pen.box(x, y, 10 + y * 0.25, 1.6, (190, 224, 228, 150), 1)
    return canvas.image


FIELDS: dict[str, Callable[[np.random.Generator], Image.Image]] = {"grass": _lawn, "clay": _clay, "water": _lake}


def _waves(pen: Pen, t: float) -> None:
    for row, y in enumerate((128, 150, 178, 212)):
        shift = 12 * wave(t, 2.6, row * 0.27)
        for n in range(5):
            x = n * 84 + shift + row * 31 - 30
            pen.arc(x, y, 9 + row * 2, 205, 335, (206, 234, 236), 1.6)


def _jetty(pen: Pen, moved: float) -> None:
    """Planks on the water, for those who do not row."""
    pen.box(-5, 210, 340, 18, (190, 160, 130))
    pen.box(-5, 226, 340, 6, (128, 104, 90))
    for n in range(15):
        x = n * 24 - moved % 24
        pen.line([(x + 3, 211), (x, 226)], (150, 122, 100), 1.4)
        if n % 4 == 0:
            pen.box(x - 3, 228, 7, 14, (112, 92, 82))


def _ball(pen: Pen, x: float, y: float, radius: float, spin: float, ink: Ink = WHITE) -> None:
    pen.dot(x, y, radius, ink)
    for patch in range(3):
        angle = spin + patch * 2.1
        pen.dot(x + radius * 0.6 * math.cos(angle), y + radius * 0.6 * math.sin(angle), radius * 0.27, (60, 62, 76))


def _stride(beat: float) -> Pose:
    """A runner to the right; one step every unit."""
    swing, lift = math.sin(math.pi * beat), math.cos(math.pi * beat)
    return Pose(
        arm_l=(-46 * swing - 6, -46 * swing + 64),
        arm_r=(46 * swing - 6, 46 * swing + 64),
        leg_l=(44 * swing, 44 * swing - 34 + 30 * lift),
        leg_r=(-44 * swing, -44 * swing - 34 - 30 * lift),
        lean=12,
        turn=1,
        spread=7,
        hips=2,
    )


def _runner(pen: Pen, who: Person, t: float, share: float) -> None:
    beat = t * 3.4
    x = 120 + 80 * ease(share)
    hop = 5 * abs(math.cos(math.pi * beat))
    pen.shadow(x, GROUND + 3, 38, 6)
    draw_person(pen.at(x, GROUND - 56 - hop, TALL), who, _stride(beat))
    for line in range(3):
        y = 140 + 24 * line
        pen.line([(x - 52 - 6 * line, y), (x - 84 - 10 * (t * 4 + line) % 12, y)], WHITE, 2)


def _footballer(pen: Pen, who: Person, t: float, share: float) -> None:
    beat = t / 1.25 % 1
    kick = math.sin(math.pi * ease(min(1, beat * 2))) if beat < 0.5 else 0.0
    back = math.sin(math.pi * (beat - 0.6) / 0.4) if beat > 0.6 else 0.0
    leg = 78 * kick - 48 * back
    pose = Pose(
        arm_l=(50 * kick - 40 * back - 30, 60 * kick - 30), arm_r=(-60 * kick + 30 + 30 * back, -30 * kick + 60),
        leg_l=(-6, -14 + 6 * kick), leg_r=(leg, leg - 40 * back - 8),
        lean=-10 * kick + 8 * back, turn=1, spread=9, hips=4,
    )  # fmt: skip
    x = 112 + 6 * wave(t, 2.5)
    pen.shadow(x, GROUND + 3, 36, 6)
    flight = min(max((beat - 0.18) / 0.82, 0), 1)
    ball_x, ball_y = x + 52 + 128 * math.sin(math.pi * flight), GROUND - 10 - 58 * math.sin(math.pi * flight) ** 2
    pen.shadow(ball_x, GROUND + 3, 12, 3.4)
    draw_person(pen.at(x, GROUND - 57, TALL), who, pose)
    _ball(pen, ball_x, ball_y, 12, t * 8)


def _tennis(pen: Pen, who: Person, t: float, share: float) -> None:
    beat = t / 1.3 % 1
    swing = ease(beat / 0.3) - ease((beat - 0.5) / 0.5)
    arm = -40 + 160 * swing
    pose = Pose(
        arm_l=(-60 + 30 * swing, -90 + 60 * swing), arm_r=(arm, arm + 12), leg_l=(-26, -12), leg_r=(30, 14),
        lean=-6 + 14 * swing, turn=1, spread=11,
    )  # fmt: skip
    x = 116 + 12 * wave(t, 2.6)
    pen.shadow(x, GROUND + 3, 44, 6)
    body = pen.at(x, GROUND - 51, 1.04)
    hand = draw_person(body, who, pose)[1]
    racket = body.at(*hand, angle=-(arm + 12))
    racket.line([(0, -2), (0, 20)], DARK, 4)
    racket.oval(0, 37, 15, 19, who.shirt.dark)
    racket.oval(0, 37, 12, 16, (240, 242, 240))
    for n in (-6, 0, 6):
        racket.line([(n, 23), (n, 51)], (196, 202, 206), 1)
        racket.line([(-11, 37 + n), (11, 37 + n)], (196, 202, 206), 1)
    flight = min(max((beat - 0.16) / 0.84, 0), 1)
    ball_x, ball_y = x + 66 + 130 * math.sin(math.pi * flight), 178 - 60 * math.sin(2 * math.pi * flight) ** 2
    pen.shadow(ball_x, GROUND - 6, 8, 2.4)
    pen.dot(ball_x, ball_y, 7, (238, 246, 190))
    pen.arc(ball_x - 4, ball_y, 6, -50, 50, WHITE, 1.4)


def _rower(pen: Pen, who: Person, t: float, share: float) -> None:
    pull = wave(t, 1.3)
    x, y = 156 + 10 * ease(share) + 4 * pull, 192 + 2 * wave(t, 1.9)
    pen.blob([(-60, 206), (100, 190), (240, 190), (390, 206), (390, 260), (-60, 260)], (112, 172, 190))
    boat = pen.at(x, y, 1.12)
    oar = boat.at(18, -12, angle=-30 + 30 * pull)
    pose = Pose(
        arm_l=(76 + 8 * pull, 84), arm_r=(60 + 18 * pull, 92 - 12 * pull), leg_l=(84, 62), leg_r=(80 + 6 * pull, 66),
        lean=-14 - 16 * pull, turn=1, spread=8, hips=3,
    )  # fmt: skip
    who_pen = boat.at(-12 - 5 * pull, -2)
    draw_arm(who_pen, who, pose, -1)
    draw_leg(who_pen, who, pose, -1)
    draw_leg(who_pen, who, pose, 1)
    lean = who_pen.at(0, 0, angle=pose.lean)
    draw_trunk(lean, who, pose)
    draw_head(lean.at(0, -37, angle=-pose.lean * 0.5), who, 1)
    boat.blob([(-118, -4), (-60, 4), (60, 4), (122, -6), (104, 12), (50, 24), (-50, 24), (-98, 14)], who.shirt.base)
    boat.blob([(-96, 12), (-50, 17), (50, 17), (102, 10), (50, 25), (-50, 25)], who.shirt.deep)
    boat.line([(-104, 1), (-60, 7), (60, 7), (110, 0)], who.shirt.pale, 2.4)
    draw_arm(who_pen, who, pose, 1)
    oar.line([(0, -26), (0, 34)], (232, 214, 184), 4)
    oar.box(-6, 32, 12, 24, who.shirt.light, 5)
    for drop in range(4):
        rise = (t * 1.6 + drop / 4) % 1
        boat.dot(
            -34 + 30 * pull - drop * 9 * rise, 30 - 26 * rise * (1 - rise) * 2, 2.6 * (1 - rise) + 0.6, (240, 250, 252)
        )
    boat.blob([(-120, 20), (-60, 26), (0, 22), (60, 27), (120, 18), (70, 34), (-70, 34)], (196, 228, 234, 190))


ACTORS: dict[str, Callable[[Pen, Person, float, float], None]] = {
    "footballer": _footballer,
    "runner": _runner,
    "tennis player": _tennis,
    "rower": _rower,
}
