"""The open format for text found in videos, one JSON object a line, and its way to the tables and back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.core.files import atomic
from workbench.core.lookup import nearest

CORNERS = [f"{axis}{i}" for i in range(1, 5) for axis in ("x", "y")]
BOX_COLUMNS = ["text_id", "frame", "time_s", *CORNERS]
TEXT_COLUMNS = [
    "text_id", "video_id", "kind", "engine", "text", "language", "score", "start_s", "end_s", "first_frame",
    "last_frame", "n_boxes",
]  # fmt: skip
RECORD_KEYS = ("video_id", "engine", "texts", "frames_read", "width", "height")
TEXT_KEYS = ("text", "track", "score", "language", "boxes", "start_s", "end_s")
BOX_KEYS = ("time_s", "frame", "quad")
QUAD_SLACK = 0.1
"""Corners so little outside the frame (in shares of it) are clipped; more is taken for pixels."""


def text_table(rows: Sequence[Sequence[object]]) -> pd.DataFrame:
    """Rows of ``texts`` in the order of ``TEXT_COLUMNS``, with the right types also where there is none."""
    table = pd.DataFrame(rows, columns=TEXT_COLUMNS)
    kinds = dict.fromkeys(TEXT_COLUMNS[:6], "str") | dict.fromkeys(TEXT_COLUMNS[6:9], "float64")
    return table.astype(kinds | dict.fromkeys(TEXT_COLUMNS[9:], "Int64"))


def box_table(rows: Sequence[Sequence[object]]) -> pd.DataFrame:
    """Rows of ``boxes`` in the order of ``BOX_COLUMNS``, with the right types also where there is none."""
    kinds = {"text_id": "str", "frame": "Int64"} | dict.fromkeys(BOX_COLUMNS[2:], "float64")
    return pd.DataFrame(rows, columns=BOX_COLUMNS).astype(kinds)


def read_jsonlines(path: Path) -> list[dict[str, Any]]:
    """Read and check a file; blank lines are passed over.

    Raises:
        DataError: The file is absent or not UTF-8, or a line breaks the format (the sentence names the line).
    """
    return list(_checked(Path(path)))


def _checked(path: Path) -> Iterator[dict[str, Any]]:
    seen: dict[tuple[str, str], int] = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            record = json.loads(line, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{place} is not valid JSON: {error}.", "Write one JSON object a line.") from error
        _check_record(record, place)
        key = (record["video_id"], record["engine"])
        if key in seen:
            raise DataError(f"{place} repeats {key[0]} by {key[1]} of line {seen[key]}.", "Join the two lines.")
        seen[key] = number
        yield record


def _lines(path: Path) -> Iterator[str]:
    try:
        with open(path, encoding="utf-8-sig") as stream:
            yield from stream
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing; it should hold texts of videos.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from error


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _check_record(record: object, place: str) -> None:
    record = _object(record, RECORD_KEYS, place)
    for key in ("video_id", "engine"):
        _need(_is_text(record.get(key)), place, key, record.get(key), "text that is not empty")
    _need(isinstance(record.get("texts"), list), place, "texts", record.get("texts"), "a list")
    for key in ("width", "height"):
        value = record.get(key)
        _need(value is None or (_is_index(value) and value > 0), place, key, value, "a whole number above 0")
    frames = record.get("frames_read")
    whole = isinstance(frames, list) and all(_is_index(frame) for frame in frames)
    _need(frames is None or whole, place, "frames_read", frames, "a list of frame indices")
    for i, text in enumerate(record["texts"]):
        _check_text(text, f"{place}, text {i}")
    names = [str(text.get("track") or i) for i, text in enumerate(record["texts"])]
    _need(len(set(names)) == len(names), place, "track", names, "different in every text")


def _check_text(value: object, place: str) -> None:
    text = _object(value, TEXT_KEYS, place)
    _need(_is_text(text.get("text")), place, "text", text.get("text"), "text that is not empty")
    for key in ("language", "track"):
        _need(text.get(key) is None or _is_text(text[key]), place, key, text.get(key), "text")
    for key, high in (("score", 1.0), ("start_s", math.inf), ("end_s", math.inf)):
        number = text.get(key)
        fits = number is None or (_is_number(number) and 0 <= number <= high)
        _need(fits, place, key, number, "a number in 0..1" if high == 1 else "seconds from 0")
    boxes = text.get("boxes", [])
    _need(isinstance(boxes, list), place, "boxes", boxes, "a list")
    for i, box in enumerate(boxes):
        _check_box(box, f"{place}, box {i}")


def _check_box(value: object, place: str) -> None:
    box = _object(value, BOX_KEYS, place)
    frame, time, quad = box.get("frame"), box.get("time_s"), box.get("quad")
    _need(frame is not None or time is not None, place, "time_s", None, "seconds, unless there is a frame")
    _need(frame is None or _is_index(frame), place, "frame", frame, "a frame index from 0")
    _need(time is None or _is_number(time), place, "time_s", time, "seconds")
    eight = isinstance(quad, list) and len(quad) == 8 and all(_is_number(corner) for corner in quad)
    _need(eight, place, "quad", quad, "8 numbers x1, y1 ... x4, y4")
    inside = all(-QUAD_SLACK <= corner <= 1 + QUAD_SLACK for corner in quad or [])
    _need(inside, place, "quad", quad, "in 0..1 of the frame (divide pixels by width and height)")


def _object(value: object, keys: Sequence[str], place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"{place} is {_shown(value)}, not an object.", f"Its keys are {', '.join(keys)}.")
    for key in value:
        if key not in keys:
            raise DataError(f"{place} has an unknown key {_shown(key)}.", nearest(key, keys))
    return value


def _need(holds: bool, place: str, key: str, found: object, rule: str) -> None:
    if not holds:
        raise DataError(f"{place}: {key} is {_shown(found)}; it must be {rule}.", "Correct that line.")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9


def _is_text(value: object) -> bool:
    """Text with something in it that can be stored as UTF-8 (no half surrogate pair)."""
    return isinstance(value, str) and bool(value.strip()) and not any("\ud800" <= c <= "\udfff" for c in value)


def to_tables(record: Mapping[str, Any], frame_times: np.ndarray | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of ``texts`` and ``boxes`` of one record.

    Args:
        record: One of ``read_jsonlines``.
        frame_times: Seconds of every frame of the video, ascending, float [n_frames]. A box with a time alone belongs
            to the nearest frame. Without them only boxes that state both frame and time are kept.

    Raises:
        DataError: A box names a frame that the video does not have.
    """
    texts: list[list[object]] = []
    boxes: list[list[object]] = []
    for number, text in enumerate(record["texts"]):
        text_id = f"{record['video_id']}#{record['engine']}#{text.get('track') or number}"
        placed = _placed(text.get("boxes", []), frame_times, f"{text_id}")
        boxes += [[text_id, frame, time, *quad] for frame, (time, quad) in placed.items()]
        seconds = [time for time, _ in placed.values()]
        start = text["start_s"] if text.get("start_s") is not None else min(seconds, default=None)
        end = text["end_s"] if text.get("end_s") is not None else max(seconds, default=None)
        first, last = _frame_of(start, frame_times), _frame_of(end, frame_times)
        texts.append([
            text_id, record["video_id"], "ocr", record["engine"], text["text"], text.get("language"), text.get("score"),
            start, end, min(placed, default=None) if first is None else first,
            max(placed, default=None) if last is None else last, len(placed),
        ])  # fmt: skip
    return text_table(texts), box_table(boxes)


def _placed(
    boxes: Iterable[Mapping[str, Any]], times: np.ndarray | None, text_id: str
) -> dict[int, tuple[float, list[float]]]:
    """Time and quad by frame, ascending; of several boxes in one frame the first."""
    placed: dict[int, tuple[float, list[float]]] = {}
    for box in boxes:
        frame, time = box.get("frame"), box.get("time_s")
        if times is not None and frame is not None and frame >= len(times):
            raise DataError(
                f"A box of {text_id} stands in frame {frame}, but the video has {len(times)} frames.",
                "Count frames from 0 in the video that the corpus names, or give time_s.",
            )
        frame = _frame_of(time, times) if frame is None else frame
        if time is None and times is not None:
            time = float(times[frame])
        if frame is not None and time is not None and frame not in placed:
            placed[frame] = (float(time), np.clip(box["quad"], 0, 1).tolist())
    return dict(sorted(placed.items()))


def _frame_of(time: float | None, times: np.ndarray | None) -> int | None:
    """The frame whose time is nearest."""
    return None if time is None or times is None or not len(times) else int(np.argmin(np.abs(times - time)))


def write_jsonlines(
    path: Path, tables: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]], *, engine: str | None = None
) -> None:
    """Write texts and boxes by video id, atomically, a line per video and engine; ``read_jsonlines`` gives them back.

    Args:
        path: The file.
        tables: Rows of ``texts`` and ``boxes`` by video id.
        engine: Who read the videos without texts (read, and empty); None = they get no line.
    """
    with atomic(Path(path)) as temporary, open(temporary, "w", encoding="utf-8") as out:
        for video_id, (texts, boxes) in tables.items():
            of_text = dict(iter(boxes.groupby("text_id", sort=False)))
            lines = [(str(name), rows) for name, rows in texts.groupby("engine", sort=False)]
            for name, rows in lines or ([(engine, texts)] if engine else []):
                listed = [_text_object(row, of_text.get(row["text_id"])) for row in rows.to_dict("records")]
                record = {"video_id": video_id, "engine": name, "texts": listed}
                out.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def _text_object(row: Mapping[Any, Any], boxes: pd.DataFrame | None) -> dict[str, Any]:
    optional = {key: row[key] for key in ("score", "language", "start_s", "end_s") if not pd.isna(row[key])}
    track = str(row["text_id"]).removeprefix(f"{row['video_id']}#{row['engine']}#")
    quads = [] if boxes is None else boxes[CORNERS].to_numpy(float).tolist()
    places = [] if boxes is None else zip(boxes["frame"], boxes["time_s"], strict=True)
    listed = [{"frame": int(f), "time_s": float(t), "quad": q} for (f, t), q in zip(places, quads, strict=True)]
    return {"text": row["text"], "track": track, **optional, "boxes": listed}
