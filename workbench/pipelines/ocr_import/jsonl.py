"""JSON lines of the open format: each is what one engine has read in one video."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import nearest
from workbench.core.progress import track
from workbench.corpus import Corpus
from workbench.ocr.jsonlines import read_jsonlines, to_tables
from workbench.pipelines.ocr_import.found import Found, media_of, times_of


def jsonl_texts(corpus: Corpus, source: Path, engine: str | None) -> Found:
    """What a file holds.

    Raises:
        DataError: It is a folder, has no line about a video of the corpus, or lines of several engines.
    """
    if source.is_dir():
        raise DataError(
            f"{source} is a folder.", "Give a JSON-lines file, or --format kwai for a folder of JSON files."
        )
    records = read_jsonlines(source)
    if not records:
        raise DataError(f"{source} holds no line.", "Each video is one JSON object on a line.")
    chosen, name = _of_one_engine(records, engine, source)
    found = Found(name)
    if len(chosen) < len(records):
        found.notes.append(f"{len(records) - len(chosen)} of {len(records)} lines are of other engines; not imported.")
    media = media_of(corpus)
    unknown = []
    videos = dict.fromkeys(corpus.videos["video_id"])
    for record in track(chosen, "Importing text", unit="videos"):
        if record["video_id"] in videos:
            _take(record, corpus, media, found)
        else:
            unknown.append(record["video_id"])
    if not found.rows:
        raise DataError(
            f"No line of {source} names a video of {corpus.name}, e.g. {unknown[0]!r}.",
            f"Its ids look like {next(iter(videos))!r}.",
        )
    if unknown:
        found.notes.append(
            f"{len(unknown)} of {len(chosen)} lines name no video of {corpus.name}, e.g. {unknown[0]!r}."
        )
    for video_id in videos:
        if video_id not in found.rows:
            found.leave(video_id, "absent", "No line names it.")
    return found


def _of_one_engine(records: list[dict[str, Any]], engine: str | None, source: Path) -> tuple[list[dict[str, Any]], str]:
    """The lines to take, and the name under which they are stored."""
    names = sorted({record["engine"] for record in records})
    if len(names) == 1:
        return records, engine or names[0]
    if engine is None or engine not in names:
        raise DataError(
            f"{source} holds texts of {len(names)} engines: {', '.join(names)}.",
            f"Import one at a time, e.g. --as {names[0]}." if engine is None else nearest(engine, names),
        )
    return [record for record in records if record["engine"] == engine], engine


def _take(record: dict[str, Any], corpus: Corpus, media: Mapping[str, Any], found: Found) -> None:
    video_id = record["video_id"]
    facts = dict(media.get(video_id, {}).get("original", {}))
    facts |= {key: record[key] for key in ("width", "height") if record.get(key) is not None}
    if record.get("frames_read") is not None:
        facts["frames_read"] = np.asarray(record["frames_read"], np.int64)
    times = times_of(corpus, video_id, "original")
    try:
        texts, boxes = to_tables({**record, "engine": found.engine}, times)
    except DataError as error:
        found.leave(video_id, "failed", error.message)
        return
    found.add(video_id, texts, boxes, **facts)
    given = sum(len(text.get("boxes", [])) for text in record["texts"])
    left_out = "boxes left out: no frame time" if times is None else "boxes left out: frame given twice"
    found.census.append({
        "lines": 1, "texts": len(texts), "boxes": len(boxes), left_out: given - len(boxes),
        "texts without boxes": int((texts["n_boxes"] == 0).sum()),
        "texts without score": int(texts["score"].isna().sum()),
        "texts without time": int(texts["start_s"].isna().sum()),
    })  # fmt: skip
