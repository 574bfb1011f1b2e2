"""A frame-exact video player with text boxes: one JS module for the app, for notebook cells and for static reports."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import UnknownNameError
from workbench.core.lookup import nearest

OPTIONS: dict[str, Any] = {
    "start": 0.0, "autoplay": False, "loop": True, "muted": True, "compact": False, "speed": 1.0, "show_boxes": True,
    "tick_label": "frame the model saw", "group": "", "together": "",
    "poster": "",
}  # fmt: skip
SCRIPTS = ("frames.js", "parts.js", "seeking.js", "sources.js", "boxes.js", "words.js", "together.js", "look.js",
           "controls.js", "player.js")  # fmt: skip
CORNERS = [f"{axis}{i}" for i in range(1, 5) for axis in ("x", "y")]
STAMP = 1e-3  # seconds: subtitles are written in milliseconds, so a frame begins up to this much after its stamp
CONTROLS = 84  # pixels of the scrub bar and the buttons
ESCAPES = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def assets() -> tuple[str, str]:
    """The player's JS module, which exports ``mount``, and its style sheet."""
    folder = files("workbench.figures.player")
    js = "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS)
    return js, folder.joinpath("player.css").read_text(encoding="utf-8")


def player_data(
    *, key: str, sources: Sequence[Mapping[str, Any]], width: int, height: int, frame_times: Sequence[float],
    texts: pd.DataFrame, boxes: pd.DataFrame, matched: Collection[str] = (), ticks: Sequence[int] = (), title: str = "",
    sub: str = "", **options: Any,
) -> dict[str, Any]:  # fmt: skip
    """What the player shows, as plain JSON.

    Args:
        key: Names the player; another key loads the video anew.
        sources: Files in the order in which they are tried: ``src`` (address), ``rendition`` and ``times`` (seconds of
            each of its frames; left out = those of the original).
        width: Pixels of the upright picture.
        height: Pixels of the upright picture.
        frame_times: Seconds of every frame of the original, in presentation order.
        texts: Rows of the table ``texts`` of this video.
        boxes: Rows of the table ``boxes``; those of other texts and those with a corner that is not finite are left
            out. A text whose ``last_frame`` comes after its last box keeps that box, dashed, until then.
        matched: ``text_id`` of the texts that the query names; they get another colour, a double line and a star.
        ticks: Frames to mark on the scrub bar.
        title: Shown above the picture, e.g. the caption.
        sub: Small line below the title.
        **options: ``start`` (seconds), ``autoplay``, ``loop``, ``muted``, ``compact`` (picture, scrub bar and play
            only), ``speed``, ``show_boxes``, ``tick_label``, ``group`` (its players have a button that
            makes them move together), ``together`` (how they do so from the start: ``share`` or ``seconds``),
            ``poster`` (address of a picture that stands there while one waits for the file).

    Raises:
        UnknownNameError: No option is called so.
    """
    for name in options:
        if name not in OPTIONS:
            raise UnknownNameError(f"The player has no option {name!r}.", nearest(name, OPTIONS))
    chosen = {**OPTIONS, **options}
    label = str(chosen.pop("tick_label"))
    times = _seconds(frame_times)
    return {
        "key": str(key),
        "title": str(title),
        "sub": str(sub),
        "sources": [
            {
                "src": str(source["src"]),
                "rendition": str(source.get("rendition", "")),
                "times": _seconds(source.get("times", frame_times)),
            }
            for source in sources
        ],
        "width": int(width),
        "height": int(height),
        "tracks": _tracks(texts, boxes, set(matched), np.asarray(times)),
        "frame_times": times,
        "ticks": [{"frame": int(frame), "label": label} for frame in ticks],
        **chosen,
        "start": float(chosen["start"]),
    }


def _seconds(times: Sequence[float] | np.ndarray) -> list[float]:
    """Microseconds are finer than any frame, and short in JSON."""
    return [round(float(time), 6) for time in times]


def _tracks(texts: pd.DataFrame, boxes: pd.DataFrame, matched: set[str], times: np.ndarray) -> list[dict[str, Any]]:
    quads = _quads(boxes[boxes["text_id"].isin(texts["text_id"])] if len(boxes) else boxes)
    tracks = []
    for row in texts.to_dict("records"):
        score = row.get("score")
        own = quads.get(row["text_id"], [])
        tracks.append(
            {
                "text": str(row["text"]),
                "engine": str(row["engine"]),
                "score": None if score is None or pd.isna(score) else round(float(score), 4),
                "matched": row["text_id"] in matched,
                "boxes": own,
                "span": None if own else _span(row, times),
                "until": _until(row, own, len(times)),
            }
        )
    return tracks


def _until(row: Mapping[Any, Any], quads: Sequence[Sequence[float]], n_frames: int) -> int | None:
    """The frame up to which a text stands after its last box, or None where it does not."""
    last = row.get("last_frame")
    if not quads or last is None or pd.isna(last):
        return None
    until = min(int(last), n_frames - 1)
    return until if until > quads[-1][0] else None


def _quads(boxes: pd.DataFrame) -> dict[Any, list[list[float]]]:
    """``[frame, x1, y1, ... y4]`` by text, sorted by frame."""
    if not len(boxes):
        return {}
    corners = boxes[CORNERS].to_numpy("float64").round(5)
    finite = np.isfinite(corners).all(axis=1)
    frames = boxes["frame"].astype("int64").to_numpy()
    ids = boxes["text_id"].to_numpy()
    quads: dict[Any, list[list[float]]] = {}
    for i in np.argsort(frames, kind="stable"):
        if finite[i]:
            quads.setdefault(ids[i], []).append([int(frames[i]), *corners[i].tolist()])
    return quads


def _span(row: Mapping[Any, Any], times: np.ndarray) -> list[int] | None:
    """First and last frame of a text without boxes, from its frames or else from its seconds."""
    frames = [row.get("first_frame"), row.get("last_frame")]
    if not any(pd.isna(value) for value in frames):
        return [int(value) for value in frames if value is not None]
    seconds = [row.get("start_s"), row.get("end_s")]
    if any(pd.isna(value) for value in seconds) or not len(times):
        return None
    first, last = (
        int(np.searchsorted(times, float(value) + STAMP, side="right")) - 1 for value in seconds if value is not None
    )
    return [max(0, first), max(0, first, last)]


def player_html(data: Mapping[str, Any], height: int = 480, still: bytes = b"") -> str:
    """One HTML fragment that needs no other file, for a notebook cell or a report.

    Args:
        data: Of ``player_data``; its sources must be reachable from the page.
        height: Pixels for picture and controls together, at most; the words come below.
        still: A picture (PNG) that stands there where no script may run.
    """
    js, css = assets()
    name = f"player-{uuid.uuid4().hex}"
    text = json.dumps(data, allow_nan=False)
    for character, coded in ESCAPES.items():
        text = text.replace(character, coded)
    high = max(120, int(height) - CONTROLS)
    alt = escape(f"A frame of {data['key']}")
    picture = base64.b64encode(still).decode("ascii")
    frame = f'<img src="data:image/png;base64,{picture}" alt="{alt}" height="{high}"><br>' if still else ""
    return (
        f'<div id="{name}" style="--wbp-height: {high}px">{frame}'
        "The player starts where scripts may run (trust the notebook).</div>\n"
        f"<style>\n{css}</style>\n"
        f'<script type="application/json" id="{name}-data">{text}</script>\n'
        f'<script type="module">\n{js}\n'
        f'mount(document.getElementById("{name}"), JSON.parse(document.getElementById("{name}-data").textContent));\n'
        "</script>\n"
    )
