"""Text tracks of a Kwai_VideoOCR file: whatever form its values have, what is odd is counted and left out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

KNOWN_KEYS = ("text", "score", "tracks", "recommend_box")
SCORE_SLACK = 1e-3
"""Scores so little outside 0..1 are rounding errors and are clipped."""


@dataclass
class Track:
    """One text and where it stands.

    Attributes:
        name: Its key in the file.
        text: What was read.
        score: 0..1; None where the file gives none.
        quads: By frame index, ascending: float [4, 2] in pixels, or None where the box cannot be read.
    """

    name: str
    text: str
    score: float | None
    quads: dict[int, np.ndarray | None]


def read_tracks(content: Mapping[Any, Any], census: Counter[str]) -> list[Track]:
    """The tracks of a file that have text.

    Args:
        content: Track name -> {text, score, tracks: {frame index: 8 or 10 numbers}}.
        census: Each form and each oddity is counted here.
    """
    found = [_read_track(_text(name), value, census) for name, value in content.items()]
    return [track for track in found if track is not None]


def _text(value: object) -> str:
    """A string that can be stored as UTF-8: half surrogate pairs become question marks."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _read_track(name: str, value: object, census: Counter[str]) -> Track | None:
    census["tracks"] += 1
    if not isinstance(value, Mapping):
        census["tracks that are no object"] += 1
        return None
    for key in value:
        if key not in KNOWN_KEYS:
            census[f"extra key: {_text(key)}"] += 1
    if "recommend_box" in value:
        census[f"recommend_box is {type(value['recommend_box']).__name__}"] += 1
    score = _score(value.get("score"), census)
    quads = _read_frames(value.get("tracks"), census)
    text = value.get("text")
    if isinstance(text, (int, float)) and not isinstance(text, bool) and math.isfinite(text):
        census["texts given as a number"] += 1
        text = str(text)
    if not isinstance(text, str) or not text.strip():
        census["tracks without text"] += 1
        return None
    census["words"] += len(text.split())
    return Track(name, _text(text), score, quads)


def _number(value: object) -> float | None:
    """A finite number, also one given as text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _score(value: object, census: Counter[str]) -> float | None:
    number = _number(value)
    if number is None:
        census["scores absent" if value is None else "scores that are no number"] += 1
        return None
    if isinstance(value, str):
        census["scores given as text"] += 1
    if not -SCORE_SLACK <= number <= 1 + SCORE_SLACK:
        census["scores outside 0..1"] += 1
        return None
    return min(max(number, 0.0), 1.0)


def _read_frames(value: object, census: Counter[str]) -> dict[int, np.ndarray | None]:
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        pairs = value.items()
    elif isinstance(value, (list, tuple)):
        census["tracks given as a list"] += 1
        pairs = [(pair[0], pair[1]) for pair in value if isinstance(pair, (list, tuple)) and len(pair) == 2]
        census["boxes without a frame index"] += len(value) - len(list(pairs))
    quads: dict[int, np.ndarray | None] = {}
    for key, box in pairs:
        frame = _frame(key)
        if frame is None:
            census["frame keys that are no index"] += 1
        elif frame in quads:
            census["frames given twice"] += 1
        else:
            quads[frame] = _quad(box, census)
    census["tracks without boxes"] += not any(quad is not None for quad in quads.values())
    return dict(sorted(quads.items()))


def _frame(key: object) -> int | None:
    """A frame index from 0; None for anything that is not plain decimal digits."""
    if isinstance(key, bool):
        return None
    text = str(key).strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _quad(box: object, census: Counter[str]) -> np.ndarray | None:
    parts = list(box) if isinstance(box, (list, tuple)) else []
    lists = [list(part) if isinstance(part, (list, tuple)) else [part] for part in parts]
    values = [value for part in lists for value in part]
    nested = len(values) != len(parts)
    census["boxes"] += 1
    census["boxes as nested corners"] += nested
    census[f"boxes of {len(values)} numbers"] += 1
    if len(values) not in (8, 10):
        return None
    if len(values) == 10 and [_number(value) for value in values[8:]] != [0.0, 0.0]:
        census["boxes whose last two values are not both 0"] += 1
    numbers = [_number(value) for value in values[:8]]
    if None in numbers or any(abs(number or 0) > 1e6 for number in numbers):
        census["boxes with a corner that is no number"] += 1
        return None
    return np.asarray(numbers, float).reshape(4, 2)
