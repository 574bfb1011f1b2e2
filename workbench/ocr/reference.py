"""The frame of reference of foreign boxes: which pictures an engine has read, and how well that fits what is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench.ocr.jsonlines import CORNERS

Rotation = Literal[0, 90, 180, 270]
ROTATIONS: tuple[Rotation, ...] = (0, 90, 180, 270)
SCALES = (1.0, 0.5, 2.0)
FIRSTS = (0, 1)
SIDES = ["left", "top", "right", "bottom"]
SAME_TIME = 1e-3
"""Seconds within which two frames are the same one."""
LONGEST = 1.0
"""Seconds between two readings of one text that are followed."""


@dataclass(frozen=True)
class Reference:
    """The pictures that an engine has read.

    Attributes:
        rendition: The file whose frames it counted and whose pixels it measured.
        scale: Pixels of its pictures per pixel of that file; 0.5 = it read halved pictures.
        rotation: Degrees by which its pictures must be turned clockwise to stand upright.
        first: Index of the first frame.
    """

    rendition: str
    scale: float = 1.0
    rotation: Rotation = 0
    first: int = 0

    @property
    def label(self) -> str:
        """In words, e.g. "original, half size, turned by 90°, frames from 1"."""
        sizes = {1.0: "", 0.5: "half size", 2.0: "double size"}
        parts = [self.rendition, sizes.get(self.scale, f"{self.scale:g} times the size")]
        parts += [f"turned by {self.rotation}°" if self.rotation else "", f"frames from {self.first}"]
        return ", ".join(filter(None, parts))

    def picture(self, width: float, height: float) -> tuple[float, float]:
        """Width and height of the pictures that were read, of the upright size of the file."""
        wide, high = (height, width) if self.rotation in (90, 270) else (width, height)
        return max(wide * self.scale, 1.0), max(high * self.scale, 1.0)

    def upright(self, shares: np.ndarray) -> np.ndarray:
        """Corners as shares of the upright picture.

        Args:
            shares: Shares of the pictures that were read, float [..., 2]: from the left, from the top.
        """
        left, top = shares[..., 0], shares[..., 1]
        turned = {0: (left, top), 90: (1 - top, left), 180: (1 - left, 1 - top), 270: (top, 1 - left)}
        return np.stack(turned[self.rotation], axis=-1)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def references(renditions: Iterable[str], rotations: Sequence[Rotation] = (0,)) -> list[Reference]:
    """Every frame of reference that is tried, the plainest first."""
    return [Reference(*parts) for parts in product(renditions, SCALES, rotations, FIRSTS)]


@dataclass(frozen=True)
class Fit:
    """How well boxes fit in a frame of reference; fits add up over videos.

    Attributes:
        n_boxes: Boxes of the file.
        n_placed: Those that lie in the picture, on a frame that exists.
        n_compared: Boxes for which another engine has read the same text at the same time.
        overlap: Sum of their overlaps with it (intersection over union, 0..1 each).
    """

    n_boxes: int = 0
    n_placed: int = 0
    n_compared: int = 0
    overlap: float = 0.0

    def __add__(self, other: Fit) -> Fit:
        return Fit(
            self.n_boxes + other.n_boxes, self.n_placed + other.n_placed, self.n_compared + other.n_compared,
            self.overlap + other.overlap,
        )  # fmt: skip

    @property
    def placed(self) -> float:
        """Share of the boxes that lie in the picture, on a frame that exists."""
        return self.n_placed / self.n_boxes if self.n_boxes else 0.0

    @property
    def agreement(self) -> float | None:
        """Mean overlap with another engine; None where nothing can be compared."""
        return self.overlap / self.n_compared if self.n_compared else None

    @property
    def order(self) -> tuple[float, float]:
        """Best ones are greatest: the share that is placed, then the overlap."""
        return round(self.placed, 3), self.agreement or 0.0


def overlaps(
    texts: pd.DataFrame, boxes: pd.DataFrame, other_texts: pd.DataFrame, other_boxes: pd.DataFrame
) -> np.ndarray:
    """Overlap of boxes with those that another engine has for the same text, float [n], 0..1.

    Between two readings of the other engine its box moves evenly: where text moves, this tells frames that are counted
    from 0 from those counted from 1. Boxes outside its readings are left out.

    Args:
        texts: text_id and text of the first engine, in one video.
        boxes: text_id, time_s and corners (0..1).
        other_texts: The same of the other engine.
        other_boxes: The same of the other engine.
    """
    mine, theirs = (_with_text(*pair) for pair in ((texts, boxes), (other_texts, other_boxes)))
    best = pd.Series(-1.0, index=mine.index)
    for _, track in theirs.sort_values("time_s").groupby("text_id"):
        same = mine[mine["plain"] == track["plain"].iloc[0]]
        times, read = same["time_s"].to_numpy(), track["time_s"].to_numpy()
        after = np.searchsorted(read, times - SAME_TIME)
        before = np.searchsorted(read, times + SAME_TIME, side="right") - 1
        known = (after < len(read)) & (before >= 0)
        near = known & (read[np.minimum(after, len(read) - 1)] - read[np.maximum(before, 0)] <= LONGEST)
        there = np.stack([np.interp(times, read, track[side]) for side in SIDES], axis=-1)
        found = pd.Series(_overlap(same[SIDES].to_numpy(), there), index=same.index)[near]
        best[found.index] = np.maximum(best[found.index], found)
    return best[best >= 0].to_numpy()


def _overlap(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Intersection over union of rectangles, float [n], of float [n, 4]: left, top, right, bottom."""
    size = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
    shared = np.clip(size, 0, None).prod(axis=1)
    areas = sum((box[:, 2:] - box[:, :2]).prod(axis=1) for box in (one, other))
    found: np.ndarray = shared / np.maximum(areas - shared, 1e-9)
    return found


def _with_text(texts: pd.DataFrame, boxes: pd.DataFrame) -> pd.DataFrame:
    """Boxes as upright rectangles, with their text in small letters and digits alone; shorter than two is left out."""
    plain = texts["text"].astype(str).str.casefold().str.replace(r"\W+", "", regex=True)
    named = boxes["text_id"].map(dict(zip(texts["text_id"], plain, strict=True))).fillna("").astype(str)
    corners = boxes[CORNERS].to_numpy("float64").reshape(-1, 4, 2)
    sides = np.hstack([corners.min(axis=1), corners.max(axis=1)])
    found = pd.DataFrame(sides, columns=SIDES).assign(
        text_id=boxes["text_id"].to_numpy(), plain=named.to_numpy(), time_s=boxes["time_s"].to_numpy("float64")
    )
    return found[found["plain"].str.len() > 1]
