"""A person of simple shapes whose limbs can be posed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from workbench.pipelines.demo.scenes.canvas import DARK, WHITE, Ink, Pen, Point, Shades, mix

SKINS: tuple[Ink, ...] = ((250, 214, 184), (232, 182, 140), (190, 132, 92), (128, 84, 60))
HAIRS: tuple[Ink, ...] = ((58, 40, 36), (34, 32, 40), (120, 78, 48), (92, 88, 92))
LEG, ARM, TRUNK = 26.0, 18.0, 37.0

Limb = tuple[float, float]  # upper and lower half: degrees from hanging down, positive to the right


@dataclass(frozen=True)
class Person:
    """What stays the same in a clip."""

    shirt: Shades
    legs: Ink
    skin: Ink = SKINS[0]
    hair: Ink = HAIRS[0]
    sleeves: Ink | None = None
    long_hair: bool = False
    hat: Ink | None = None
    skirt: bool = False
    shoes: Ink = (244, 244, 248)

    @classmethod
    def of(cls, colour: str, rng: np.random.Generator, **more: object) -> Person:
        """A person dressed in a colour, with skin and hair left to chance."""
        shirt = Shades.of(colour)
        skin, hair = SKINS[int(rng.integers(len(SKINS)))], HAIRS[int(rng.integers(len(HAIRS)))]
        looks: dict[str, object] = {"legs": shirt.deep, "skin": skin, "hair": hair} | more
        return cls(shirt=shirt, **looks)  # type: ignore[arg-type]  # looks of several types


@dataclass(frozen=True)
class Pose:
    """Where the limbs are; ``l`` is the limb behind, or at the left of the picture."""

    arm_l: Limb = (-12, -4)
    arm_r: Limb = (12, 4)
    leg_l: Limb = (-5, -3)
    leg_r: Limb = (5, 3)
    lean: float = 0.0
    turn: float = 0.0  # of the head: -1 looks left, 1 looks right
    spread: float = 13.0  # of the shoulders
    hips: float = field(default=6.0)


def step(start: Point, angle: float, length: float) -> Point:
    """The point at ``length`` from ``start``, at an angle from hanging down."""
    return start[0] + math.sin(math.radians(angle)) * length, start[1] + math.cos(math.radians(angle)) * length


def limb(pen: Pen, start: Point, angles: Limb, lengths: Limb, inks: tuple[Ink, Ink], width: float) -> Point:
    """Draw an arm or a leg and give back where it ends."""
    middle = step(start, angles[0], lengths[0])
    end = step(middle, angles[1], lengths[1])
    pen.line([middle, end], inks[1], width * 0.86)
    pen.line([start, middle], inks[0], width)
    return end


def shoulder(pose: Pose, side: float) -> Point:
    """Where an arm starts; ``side`` is -1 or 1. The hip is the origin."""
    lean = math.radians(pose.lean)
    x, y = side * pose.spread, -TRUNK + 5
    return x * math.cos(lean) - y * math.sin(lean), x * math.sin(lean) + y * math.cos(lean)


def draw_leg(pen: Pen, who: Person, pose: Pose, side: float) -> Point:
    """One leg with its shoe."""
    angles = pose.leg_l if side < 0 else pose.leg_r
    ink = mix(who.legs, DARK, 0.2) if side < 0 else who.legs
    lower = who.skin if who.skirt else ink
    foot = limb(pen, (side * pose.hips, 0), angles, (LEG, LEG), (ink, lower), 11)
    toe = 6 * (pose.turn if pose.turn else side * 0.8)
    pen.line([foot, (foot[0] + toe, foot[1] + 1)], who.shoes, 8)
    return foot


def draw_arm(pen: Pen, who: Person, pose: Pose, side: float) -> Point:
    """One arm with its hand; gives back the hand."""
    angles = pose.arm_l if side < 0 else pose.arm_r
    sleeve = who.sleeves or (who.shirt.dark if side < 0 else mix(who.shirt.base, who.shirt.dark, 0.5))
    start = shoulder(pose, side)
    hand = limb(pen, start, angles, (ARM, ARM), (sleeve, who.skin), 9.5)
    pen.dot(*hand, 4.6, who.skin)
    return hand


def draw_head(pen: Pen, who: Person, turn: float, talk: float = 0.0) -> None:
    """A head whose neck starts at the origin; ``talk`` opens the mouth (0..1)."""
    look = turn * 4
    if who.long_hair:
        pen.blob([(-14, -16), (-9, -33), (9, -33), (14, -16), (15, 4), (0, 8), (-15, 4)], who.hair)
    pen.box(-4.5, -10, 9, 14, mix(who.skin, DARK, 0.14), 3)
    pen.dot(0, -17, 12.5, who.skin)
    pen.blob([(-13, -17), (-11, -28), (0, -32), (11, -28), (13, -17), (8 + look, -24), (-6 + look, -23)], who.hair)
    for side in (-1, 1):
        pen.oval(side * 4.6 + look, -16, 1.5, 2, DARK)
        pen.dot(side * 7.2 + look * 0.9, -12, 2, (238, 120, 110, 70))
    if talk > 0.15:
        pen.oval(look, -9.6, 3, 1 + 2 * talk, (130, 40, 48))
    else:
        pen.arc(look, -12.4, 3.6, 30, 150, (130, 56, 56), 1.4)
    if who.hat is not None:
        pen.blob([(-13.5, -21), (-11, -31), (0, -34.5), (11, -31), (13.5, -21), (0, -23)], who.hat)
        pen.line([(-11 + max(0, look * 2), -22), (11 + look * 3, -21.5)], mix(who.hat, DARK, 0.3), 4)


def draw_trunk(pen: Pen, who: Person, pose: Pose) -> None:
    """Shirt and, if she wears one, skirt; the pen stands at the hip, leaning."""
    w = pose.spread + 3.5
    h = TRUNK
    pen.blob(
        [(-w, -h + 4), (-6, -h - 1), (6, -h - 1), (w, -h + 4), (w - 4, -14), (w - 4, 3), (-w + 4, 3), (-w + 4, -14)],
        who.shirt.base,
    )
    pen.blob(
        [(-w + 1, -h + 6), (-w + 6, -h + 5), (-w + 8, -10), (-w + 7, 2), (-w + 5, 2), (-w + 5, -14)],
        (*who.shirt.deep, 90),
    )
    pen.arc(0, -h - 1, 5, 10, 170, mix(who.skin, DARK, 0.14), 3)


def draw_person(pen: Pen, who: Person, pose: Pose, talk: float = 0.0) -> tuple[Point, Point]:
    """A whole person; the pen stands at the hip. Gives back the left and the right hand."""
    hand_l = draw_arm(pen, who, pose, -1)
    draw_leg(pen, who, pose, -1)
    draw_leg(pen, who, pose, 1)
    lean = pen.at(0, 0, angle=pose.lean)
    draw_trunk(lean, who, pose)
    draw_head(lean.at(0, -TRUNK, angle=-pose.lean * 0.5), who, pose.turn, talk)
    hand_r = draw_arm(pen, who, pose, 1)
    return hand_l, hand_r


def sparkle(pen: Pen, x: float, y: float, size: float) -> None:
    """A little star of light."""
    s = size * 0.22
    pen.poly(
        [
            (x, y - size),
            (x + s, y - s),
            (x + size, y),
            (x + s, y + s),
            (x, y + size),
            (x - s, y + s),
            (x - size, y),
            (x - s, y - s),
        ],
        (*WHITE, 230),
    )
