"""The same text in several frames is one track: linked by what it says and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from rapidfuzz import fuzz

from workbench.ocr.engine import Line

SAME_WORDS, SAME_PLACE_WORDS = 80, 50
"""Similarity 0..100 (normalised indel) from which two lines say the same: anywhere near, and in the same place."""
NEAR, SAME_PLACE = 0.25, 0.5
"""Distance of the centres in shares of the frame; overlap (intersection over union) of the bounding boxes."""


@dataclass
class Track:
    """One text over time: its lines by frame index."""

    lines: dict[int, Line] = field(default_factory=dict)

    @property
    def best(self) -> Line:
        """The reading that most frames agree on, by summed confidence; the most confident line of it."""
        weight: dict[str, float] = {}
        for line in self.lines.values():
            weight[line.text] = weight.get(line.text, 0.0) + line.score
        text = max(weight, key=lambda one: (weight[one], one))
        return max((line for line in self.lines.values() if line.text == text), key=lambda line: line.score)


def same_text(a: Line, b: Line) -> bool:
    """Whether two lines of different frames are one text."""
    words = fuzz.ratio(a.text.casefold(), b.text.casefold())
    if words < SAME_PLACE_WORDS:
        return False
    overlap = _overlap(a.quad, b.quad)
    distance = float(np.linalg.norm(a.quad.mean(0) - b.quad.mean(0)))
    return overlap >= SAME_PLACE or (words >= SAME_WORDS and distance <= NEAR)


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    low, high = np.maximum(a.min(0), b.min(0)), np.minimum(a.max(0), b.max(0))
    shared = float(np.prod(np.clip(high - low, 0, None)))
    areas = float(np.prod(a.max(0) - a.min(0)) + np.prod(b.max(0) - b.min(0)))
    return shared / (areas - shared) if areas > shared else 0.0


def same_lines(a: list[Line], b: list[Line]) -> bool:
    """Whether two frames show the same texts, none more and none less."""
    return len(a) == len(b) and len(_links(a, b)) == len(a)


def _links(before: list[Line], after: list[Line]) -> list[tuple[int, int]]:
    """Pairs of lines that are one text, each line once, the most alike first."""
    alike = [
        (fuzz.ratio(a.text.casefold(), b.text.casefold()) + 100 * _overlap(a.quad, b.quad), i, j)
        for i, a in enumerate(before)
        for j, b in enumerate(after)
        if same_text(a, b)
    ]
    pairs: list[tuple[int, int]] = []
    for _, i, j in sorted(alike, reverse=True):
        if all(i != x and j != y for x, y in pairs):
            pairs.append((i, j))
    return pairs


def link(read: Mapping[int, list[Line]]) -> list[Track]:
    """Tracks of the lines read in some frames.

    Args:
        read: Lines by frame index; frames without text have an empty list, which ends the tracks before it.

    Returns:
        Tracks in the order in which they begin.
    """
    tracks: list[Track] = []
    open_tracks: list[Track] = []
    for frame in sorted(read):
        lines = read[frame]
        last = [track.lines[max(track.lines)] for track in open_tracks]
        linked = {j: i for i, j in _links(last, lines)}
        following = []
        for j, line in enumerate(lines):
            track = open_tracks[linked[j]] if j in linked else Track()
            if j not in linked:
                tracks.append(track)
            track.lines[frame] = line
            following.append(track)
        open_tracks = following
    return tracks


def tables(
    tracks: list[Track], video_id: str, engine: str, times: np.ndarray, held: Mapping[int, int] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of ``texts`` and ``boxes`` of one video.

    Args:
        tracks: From ``link``.
        video_id: The video.
        engine: The engine's name in ``texts``.
        times: Seconds of every frame of the video.
        held: Last frame that looks like a read frame, by that frame: up to it the text is known to stand there.
    """
    texts, boxes = [], []
    for number, track in enumerate(tracks):
        frames = sorted(track.lines)
        last = max(frames[-1], (held or {}).get(frames[-1], 0))
        text_id, best = f"{video_id}#{engine}#{number}", track.best
        texts.append({
            "text_id": text_id, "video_id": video_id, "kind": "ocr", "engine": engine, "text": best.text,
            "language": None, "score": best.score, "start_s": float(times[frames[0]]), "end_s": float(times[last]),
            "first_frame": frames[0], "last_frame": last, "n_boxes": len(frames),
        })  # fmt: skip
        for frame in frames:
            corners = track.lines[frame].quad.ravel()
            boxes.append([text_id, frame, float(times[frame]), *corners])
    columns = ["text_id", "frame", "time_s", *(f"{axis}{i}" for i in range(1, 5) for axis in ("x", "y"))]
    return pd.DataFrame(texts), pd.DataFrame(boxes, columns=columns)
