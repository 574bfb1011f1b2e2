"""What the demo shows and says: scenes, texts and captions of every clip, drawn from a seed before a pixel is.

Every domain has, in every split, the same scene with different texts and the same text in different scenes, so that
neither looking nor reading alone is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from rapidfuzz import fuzz

from workbench.core.errors import DataError
from workbench.core.seeds import generator
from workbench.pipelines.demo.clip import COLOURS, STAGE, Clip, Sign

SPLIT_SHAPES = {"train": 15, "val": 2, "test": 7}
"""Videos per domain: 8 x 24 = 192; 62.5 / 8.3 / 29.2 percent, as sources are never divided."""

CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeo"
CYRILLIC = ("ЗИМА", "ДОЖДЬ", "ЖУК", "ФИЛИН", "ЛУЖА", "ЮГ")
GREEK = ("ΦΩΣ", "ΛΑΔΙ", "ΔΡΥΣ", "ΨΩΜΙ", "ΞΕΝΙΑ", "ΓΗ")

KINDS = {  # domain: (what the text is called, how a text is built of a name and a number)
    "Activity": ("the banner says", "{name} {n}"),
    "Street_View_Indoor": ("the label says", "{name} TEA"),
    "Street_View_Outdoor": ("the shop sign says", "{name} CAFE"),
    "Driving": ("the road sign says", "{name} {n}"),
    "Sports": ("the scoreboard says", "{name} {a}-{b}"),
    "Cooking": ("the recipe card says", "{name} SOUP"),
    "News_Movie": ("the ticker says", "{name} WINS"),
    "Games": ("the screen says", "{name} LEVEL {a}"),
}
DOINGS = {  # domain: what the actor does there
    "Activity": {"jumper": "jumps", "dancer": "dances", "skater": "skates", "juggler": "juggles"},
    "Street_View_Indoor": dict.fromkeys(("bottle", "box", "can", "teapot"), "stands"),
    "Street_View_Outdoor": {"bus": "drives by", "bicycle": "rolls by", "balloon": "floats by", "cat": "walks by"},
    "Driving": dict.fromkeys(("truck", "car", "van", "motorbike"), "drives ahead"),
    "Sports": {"footballer": "kicks", "runner": "runs", "tennis player": "serves", "rower": "rows"},
    "Cooking": {"pan": "sizzles", "pot": "steams", "cake": "is decorated", "bowl": "is stirred"},
    "News_Movie": {"presenter": "talks", "reporter": "reports", "singer": "sings", "scientist": "explains"},
    "Games": {"knight": "fights", "robot": "hops", "spaceship": "flies", "dragon": "flaps its wings"},
}
PLACES = {
    "park": "in the park", "beach": "on the beach", "gym": "in a gym", "shelf": "on a shelf", "counter": "on a counter",
    "fridge": "in a fridge", "day": "in daylight", "night": "at night", "rain": "in the rain",
    "desert": "through a desert",
    "snow": "through the snow", "dusk": "at dusk", "grass": "on grass", "clay": "on clay", "water": "by the water",
    "wood": "on a wooden table", "marble": "on marble", "tiles": "on tiles", "studio": "in a studio",
    "city": "before the city", "stage": "on a stage", "castle": "in a castle", "space": "in space",
    "forest": "in a forest",
}  # fmt: skip
ONE_WORD_PEOPLE = {"jumper", "dancer", "skater", "juggler", "footballer", "runner", "tennis player", "rower",
                   "presenter", "reporter", "singer", "scientist"}  # fmt: skip


@dataclass(frozen=True)
class Caption:
    """A caption and what it needs: ``visual`` (looking), ``text`` (reading) or ``both``."""

    text: str
    query_type: str


@dataclass(frozen=True)
class Shot:
    """One clip with its place in the corpus.

    Attributes:
        clip: What is drawn.
        split: train, val or test.
        source_id: Clips of one source share scene and recording.
        captions: Its captions.
        trouble: What was planted here: ``small``, ``blurred``, ``script``, ``broken``, or "".
    """

    clip: Clip
    split: str
    source_id: str
    captions: tuple[Caption, ...]
    trouble: str = ""


def plan(seed: int = 0) -> list[Shot]:
    """All clips of the demo; the same seed gives the same plan.

    Raises:
        DataError: A negative seed.
    """
    if seed < 0:
        raise DataError(f"{seed} is no seed.", "Seeds are 0 or greater.")
    names = _names(seed)
    return [shot for domain in STAGE for split in SPLIT_SHAPES for shot in _domain(domain, split, seed, names)]


def _names(seed: int) -> list[str]:
    """120 invented names, no two alike in more than six of ten letters, so that a name is recognised by reading it."""
    draw = generator(seed, "demo names")
    found: list[str] = []
    while len(found) < 120:
        consonants, vowels = draw.choice(list(CONSONANTS), 3), draw.choice(list(VOWELS), 3)
        letters = [c + v for c, v in zip(consonants, vowels, strict=True)]
        name = "".join(letters)[: int(draw.integers(5, 7))].upper()
        if all(fuzz.ratio(name, other) <= 62 for other in found):
            found.append(name)
    return found


def _scenes(domain: str, split: str, seed: int, n: int) -> list[tuple[str, str, str]]:
    """Actor, colour and setting: combinations of a split stand in no other one; neighbours differ in all three."""
    actors, settings = STAGE[domain]
    draw = generator(seed, "demo scenes", domain)
    every = list(product(actors, COLOURS, settings))
    order = [every[i] for i in draw.permutation(len(every))]
    at = list(SPLIT_SHAPES).index(split)
    pool = [scene for i, scene in enumerate(order) if (0 if i % 5 < 3 else i % 5 - 2) == at]
    chosen: list[tuple[str, str, str]] = []
    while len(chosen) < n:
        used = [sum(scene[0] == a for scene in chosen) for a in actors]
        fresh = [scene for scene in pool if scene not in chosen]
        fresh.sort(key=lambda scene: (used[actors.index(scene[0])], sum(scene[1] == c[1] for c in chosen)))
        chosen.append(fresh[0])
    return chosen


def _domain(domain: str, split: str, seed: int, names: list[str]) -> list[Shot]:
    """The clips of one domain and split: (scene, text) pairs on a grid, so that both repeat."""
    draw = generator(seed, "demo domain", domain, split)
    n = SPLIT_SHAPES[split]
    grid = {"train": [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (3, 3), (3, 4), (4, 4), (5, 5), (6, 5), (7, 6), (8, 7),
                      (9, 7), (10, 8), (10, 0)],
            "val": [(0, 0), (1, 0)],
            "test": [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (3, 2), (3, 3)]}[split]  # fmt: skip
    scenes = _scenes(domain, split, seed, 1 + max(scene for scene, _ in grid))
    texts = _texts(domain, split, draw, names, 1 + max(text for _, text in grid))
    domain_at = list(STAGE).index(domain)
    shots = []
    for number, (scene, text) in enumerate(grid[:n]):
        trouble = _trouble(domain_at, split, number)
        words = _odd_script(domain_at) if trouble == "script" else texts[text]
        sign = Sign(words, 3 if trouble == "small" else int(draw.integers(15, 20)), 5.0 if trouble == "blurred" else 0)
        video_id = f"{domain}/{split}_{number:02d}.mp4"
        actor, colour, setting = scenes[scene]
        seconds = round(float(draw.uniform(2.0, 3.0)) * 2) / 2
        clip = Clip(video_id, domain, int(draw.integers(1 << 31)), actor, colour, setting, (sign,), seconds)
        source = f"{domain}/{split}_{scene}" if domain_at % 2 == 0 else f"{domain}/{split}_{number}"
        shots.append(Shot(clip, split, source, _captions(clip, draw), trouble))
    return shots


def _trouble(domain_at: int, split: str, number: int) -> str:
    """Four test clips with small text, four blurred ones, two in another script, one broken file."""
    if split != "test":
        return ""
    planted = {4: ("small", "blurred")[domain_at % 2]}
    if domain_at in (3, 6):
        planted[5] = "script"
    if domain_at == 1:
        planted[6] = "broken"
    return planted.get(number, "")


def _odd_script(domain_at: int) -> str:
    return f"{CYRILLIC[domain_at % 6]} {GREEK[domain_at % 6]}"


def _texts(domain: str, split: str, draw: np.random.Generator, names: list[str], n: int) -> list[str]:
    """Texts of a domain; names of the three splits are disjoint, so that test names are read for the first time."""
    share = {"train": names[:60], "val": names[60:76], "test": names[76:]}[split]
    found: list[str] = []
    for name in draw.permutation(share):
        values = {
            "name": name,
            "n": int(draw.integers(11, 99)),
            "a": int(draw.integers(1, 9)),
            "b": int(draw.integers(0, 9)),
        }
        found.append(KINDS[domain][1].format(**values))
        if len(found) == n:
            break
    return found


def _captions(clip: Clip, draw: np.random.Generator) -> tuple[Caption, ...]:
    """Five captions: three that need looking and reading, one only looking, one only reading."""
    text, says = clip.signs[0].text, KINDS[clip.domain][0]
    noun = f"{clip.actor} in {clip.colour}" if clip.actor in ONE_WORD_PEOPLE else f"{clip.colour} {clip.actor}"
    article = "an" if noun[0] in "aeiou" else "a"
    doing, place = DOINGS[clip.domain][clip.actor], PLACES[clip.setting]
    scene = f"{article} {noun} {doing} {place}"
    brief = f"{article} {noun} {place}"
    both = [
        f"{_upper(scene)} and {says} {text}.",
        f"{_upper(says)} {text} while {article} {noun} {doing}.",
        f"{_upper(brief)}, with the words {text}.",
        f"{text} can be read where {scene}.",
    ]
    chosen = [both[i] for i in sorted(draw.permutation(len(both))[:3])]
    visual = [f"{_upper(scene)}.", f"We see {brief}.", f"There is {brief}."][int(draw.integers(3))]
    reading = [f"{_upper(says)} {text}.", f"The words {text} appear.", f"It reads {text}."][int(draw.integers(3))]
    return (*(Caption(one, "both") for one in chosen), Caption(visual, "visual"), Caption(reading, "text"))


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
