"""Activity: somebody jumps, dances, skates or juggles below a banner."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from workbench.pipelines.demo.clip import WIDTH, Clip
from workbench.pipelines.demo.scenes.canvas import DARK, TYRE, WHITE, Canvas, Pen, Point, ease, mix, wave
from workbench.pipelines.demo.scenes.lettering import Look, Paint, Quad, pile, rows
from workbench.pipelines.demo.scenes.people import LEG, Person, Pose, draw_person, sparkle
from workbench.pipelines.demo.scenes.places import PLACES

GROUND = 226.0
TALL = {"jumper": 1.06, "dancer": 1.08, "juggler": 1.0}  # others are larger
DRESS: dict[str, dict[str, object]] = {
    "dancer": {"long_hair": True, "skirt": True},
    "skater": {"hat": (64, 68, 84)},
    "juggler": {},
    "jumper": {},
}
Move = tuple[float, float, Pose]  # where the hip is (x, and height above where it stands), and how the limbs are


def activity(clip: Clip, rng: np.random.Generator) -> Paint:
    """Prepare a clip of the domain Activity."""
    back, drift = PLACES[clip.setting](rng)
    more = DRESS[clip.actor] | ({"hat": mix((40, 44, 66), WHITE, 0.1)} if clip.actor == "juggler" else {})
    who = Person.of(clip.colour, rng, **more)
    phase, tall = float(rng.random()), TALL.get(clip.actor, 1.16)
    paper, ink = ((42, 50, 74), WHITE) if rng.random() < 0.4 else ((253, 251, 244), (34, 42, 72))
    boards = pile(clip.signs, Look(ink, paper, mix(paper, ink, 0.25), rounded=3), 292, 72)
    heights = rows(boards, 9)
    reach = max((b.width for b in boards), default=0) / 2 - 8

    def paint(t: float, share: float) -> tuple[Canvas, list[Quad]]:
        canvas = Canvas(back.copy())
        drift(canvas, t)
        sway = 2.5 * wave(t, 4.2, phase)
        for side in (-1, 1) if boards else ():
            x = WIDTH / 2 + side * reach
            canvas.pen.line([(x, -4), (x + sway, heights[-1])], (120, 112, 108), 1.5)
        quads = [b.put(canvas, WIDTH / 2 + sway, y) for b, y in zip(boards, heights, strict=True)]
        x, rise, pose = MOVES[clip.actor](t + phase * 2, share)
        canvas.pen.shadow(x, GROUND + 4, 42 - rise * 0.5, 6, 1.3)
        pen = canvas.pen.at(x, GROUND - LEG * 2 * tall - rise, tall)
        hands = draw_person(pen, who, pose)
        if clip.actor in PROPS:
            PROPS[clip.actor](pen, who, t + phase * 2, hands)
        return canvas, quads

    return paint


def _jump(t: float, share: float) -> Move:
    beat = t % 0.9 / 0.9
    up = math.sin(math.pi * beat)
    open_ = ease(up * 1.3)
    arm, leg = 20 + 132 * open_, 6 + 34 * open_
    pose = Pose((-arm, -arm - 8), (arm, arm + 8), (-leg, -leg + 6), (leg, leg - 6))
    return 160 + 14 * wave(t, 5), 9 * up, pose


def _dance(t: float, share: float) -> Move:
    swing = wave(t, 1.3)
    kick = 24 * max(0.0, swing)
    pose = Pose(
        arm_l=(-120 - 30 * swing, -160 + 40 * swing),
        arm_r=(95 + 45 * swing, 140 + 40 * swing),
        leg_l=(-8 - 14 * max(0.0, -swing), -4),
        leg_r=(10 + kick, 4 + kick * 1.4),
        lean=9 * swing,
        turn=0.7 * swing,
        spread=12,
    )
    return 160 + 26 * wave(t, 2.6), 3 * abs(swing), pose


def _skate(t: float, share: float) -> Move:
    roll = wave(t, 1.1)
    pose = Pose(
        arm_l=(-72 + 8 * roll, -96 + 14 * roll),
        arm_r=(68 + 10 * roll, 88 - 10 * roll),
        leg_l=(-44, -6),
        leg_r=(46, 2),
        lean=14 + 4 * roll,
        turn=1,
    )
    return 84 + 152 * ease(share) + 4 * roll, -2, pose


def _juggle(t: float, share: float) -> Move:
    lift = wave(t, 0.55)
    pose = Pose((-28, -92 - 16 * lift), (28, 92 - 16 * lift), lean=2 * wave(t, 1.1))
    return 160 + 8 * wave(t, 3.1), 0, pose


def _board(pen: Pen, who: Person, t: float, hands: tuple[Point, Point]) -> None:
    y = LEG * 2 - 6
    pen.line([(-42, y - 4), (-34, y + 3), (34, y + 3), (44, y - 4)], who.shirt.dark, 6)
    for x in (-26, 26):
        pen.dot(x, y + 9, 6, TYRE)
        spin = t * 12
        pen.dot(x + 2.5 * math.cos(spin), y + 9 + 2.5 * math.sin(spin), 1.6, WHITE)
    for line in range(3):
        back = -62 - line * 9 - 5 * (t * 3 % 1)
        pen.line([(back, -30 + 22 * line), (back - 20, -30 + 22 * line)], WHITE, 2)


def _balls(pen: Pen, who: Person, t: float, hands: tuple[Point, Point]) -> None:
    for ball in range(5):
        turn = (t / 1.5 + ball / 5) % 1
        x = -46 + 92 * turn if turn < 0.75 else 46 - 92 * (turn - 0.75) * 4
        high = turn / 0.75 if turn < 0.75 else (turn - 0.75) * 4
        y = -22 - (60 if turn < 0.75 else 10) * 4 * high * (1 - high)
        pen.dot(x, y, 8, who.shirt.base if ball % 2 else who.shirt.light)
        pen.dot(x - 2.4, y - 2.6, 2.4, (*WHITE, 170))


def _skirt(pen: Pen, who: Person, t: float, hands: tuple[Point, Point]) -> None:
    swing = wave(t, 1.3)
    tilt = pen.at(0, 0, angle=9 * swing * 0.3)
    low = 36 - 3 * abs(swing)
    tilt.blob([(-9, -16), (9, -16), (22, 8), (38 + 8 * swing, low), (18, low + 5), (0, low), (-18, low + 5),
               (-38 + 8 * swing, low), (-22, 8)], who.shirt.base)  # fmt: skip
    for fold in (-1, 0, 1):
        tilt.line([(fold * 4, -8), (fold * 15 + 6 * swing, low - 3)], who.shirt.dark, 2)
    tilt.line([(-11, -14), (11, -14)], who.shirt.pale, 4)
    sparkle(pen, *hands[1], 5 + 2 * wave(t, 0.7))


def _trail(pen: Pen, who: Person, t: float, hands: tuple[Point, Point]) -> None:
    for side, hand in zip((-1, 1), hands, strict=True):
        pen.arc(0, -20, 46, *((150, 205) if side < 0 else (-25, 30)), fill=mix(WHITE, DARK, 0.08), width=1.6)
        sparkle(pen, hand[0] + side * 8, hand[1] - 4, 5)


MOVES: dict[str, Callable[[float, float], Move]] = {
    "jumper": _jump,
    "dancer": _dance,
    "skater": _skate,
    "juggler": _juggle,
}
PROPS: dict[str, Callable[[Pen, Person, float, tuple[Point, Point]], None]] = {
    "jumper": _trail,
    "dancer": _skirt,
    "skater": _board,
    "juggler": _balls,
}
