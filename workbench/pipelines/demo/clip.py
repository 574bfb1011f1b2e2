"""One clip of the demo before it is drawn: who does what where, and which words stand in it."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH, HEIGHT, FPS = 320, 240, 12
COLOURS = ("red", "blue", "green", "yellow", "purple", "orange")


@dataclass(frozen=True)
class Sign:
    """A text that is drawn into the scene.

    Attributes:
        text: Its words, as drawn (Latin, Cyrillic or Greek).
        height: Height of its capitals in pixels of the 320 x 240 frame.
        blur: Radius of a Gaussian blur over it, in pixels; 0 = sharp.
    """

    text: str
    height: int = 16
    blur: float = 0.0


@dataclass(frozen=True)
class Clip:
    """What one video shows.

    Attributes:
        video_id: ``<domain>/<name>.mp4``.
        domain: One of the keys of ``STAGE``.
        seed: Everything that is left to chance is drawn from it.
        actor: What moves or is used: one of the domain's actors in ``STAGE``.
        colour: Its colour: one of ``COLOURS``.
        setting: Where or when: one of the domain's settings in ``STAGE``.
        signs: The texts; the first one is the main one (shop sign, road sign, scoreboard, ticker, label, HUD, title,
            print on the shirt).
        seconds: Length.
    """

    video_id: str
    domain: str
    seed: int
    actor: str
    colour: str
    setting: str
    signs: tuple[Sign, ...]
    seconds: float = 2.5


STAGE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # domain: (actors, settings)
    "Activity": (("jumper", "dancer", "skater", "juggler"), ("park", "beach", "gym")),
    "Street_View_Indoor": (("bottle", "box", "can", "teapot"), ("shelf", "counter", "fridge")),
    "Street_View_Outdoor": (("bus", "bicycle", "balloon", "cat"), ("day", "night", "rain")),
    "Driving": (("truck", "car", "van", "motorbike"), ("desert", "snow", "dusk")),
    "Sports": (("footballer", "runner", "tennis player", "rower"), ("grass", "clay", "water")),
    "Cooking": (("pan", "pot", "cake", "bowl"), ("wood", "marble", "tiles")),
    "News_Movie": (("presenter", "reporter", "singer", "scientist"), ("studio", "city", "stage")),
    "Games": (("knight", "robot", "spaceship", "dragon"), ("castle", "space", "forest")),
}
