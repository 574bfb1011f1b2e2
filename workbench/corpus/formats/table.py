"""Any csv, tsv or jsonl of captions and video ids, one row per right pair, with or without a header's usual names."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.core.errors import DataError
from workbench.corpus.formats.parsed import (
    VIDEO_SUFFIXES,
    Parsed,
    find_renditions,
    one_relevance_per_caption,
    read_text,
)

NAMES = {  # our column: the names it goes by
    "text": ("caption", "text", "sentence", "query", "desc", "description"),
    "video_id": ("video_id", "video", "path", "video_path", "videoid", "vid", "file", "name"),
    "caption_id": ("caption_id", "query_id", "key", "id", "sen_id", "desc_id"),
    "split": ("split", "subset"),
    "domain": ("domain", "category", "class"),
    "source_id": ("source_id", "source", "source_video"),
    "language": ("language", "lang"),
    "duration_s": ("duration_s", "duration"),
}
PROTOCOL = "Each caption finds the videos it is listed with, among all videos of the split."


def parse_table(
    annotations: Sequence[Path], *, roots: Mapping[str, Path] | None = None, split: str = "test", title: str = ""
) -> Parsed:
    """Parse tables of captions and videos.

    A caption id that stands with several videos is one caption with several right videos.

    Args:
        annotations: csv, tsv or jsonl files (also ``.gz``).
        roots: Folder of the videos by rendition; a video id is a path below it, with or without its extension.
        split: The split of rows that state none.
        title: The corpus' name as people write it.

    Raises:
        DataError: No column of captions or of videos (the sentence names those found), an empty cell, a broken line.
    """
    table = pd.concat([read_rows(Path(path)) for path in annotations], ignore_index=True)
    if "split" not in table:
        table["split"] = split
    table["split"] = table["split"].replace("", split).fillna(split)
    if "caption_id" not in table:
        table["caption_id"] = table["video_id"] + "#" + table.groupby("video_id").cumcount().astype(str)
    for column in set(NAMES) - set(table.columns):
        table[column] = None
    captions = table.drop_duplicates("caption_id").assign(role="original").reset_index(drop=True)
    _refuse_two_texts(table, captions)
    videos = table.drop_duplicates("video_id").reset_index(drop=True)
    renditions, status = find_renditions(videos["video_id"], dict(roots or {}), _places)
    videos = videos.assign(
        status=videos["video_id"].map(status), duration_s=pd.to_numeric(videos["duration_s"], errors="coerce")
    )
    tables = {
        "videos": videos[["video_id", "domain", "source_id", "split", "duration_s", "status"]],
        "captions": captions[["caption_id", "video_id", "text", "language", "role", "split"]],
        "relevance": one_relevance_per_caption(table.drop_duplicates(["caption_id", "video_id"])),
    }
    if roots:
        tables["renditions"] = renditions
    default = split if split in set(table["split"]) else str(table["split"].iloc[0])
    return Parsed(tables, title, PROTOCOL, default)


def read_rows(path: Path) -> pd.DataFrame:
    """The rows of one file under our column names; captions and video ids are never empty."""
    rows = _json_lines(path) if ".jsonl" in path.name else _delimited(path)
    found = {str(column).strip().lower(): column for column in rows.columns}
    chosen = {ours: next((found[name] for name in names if name in found), None) for ours, names in NAMES.items()}
    for needed, what in (("text", "captions"), ("video_id", "video ids")):
        if chosen[needed] is None:
            columns = ", ".join(map(str, rows.columns)) or "nothing"
            raise DataError(
                f"{path} has no column of {what}; it has {columns}.", f"Name it one of: {', '.join(NAMES[needed])}."
            )
    table = pd.DataFrame({ours: rows[column] for ours, column in chosen.items() if column is not None})
    for column in ("text", "video_id"):
        empty = table[column].isna() | (table[column].astype(str).str.strip() == "")
        if empty.any():
            raise DataError(f"{path}, data row {int(empty.argmax())}: {column} is empty.", "Fill it or drop the row.")
    textual = [column for column in table.columns if column != "duration_s"]
    table[textual] = table[textual].map(lambda value: None if pd.isna(value) or value == "" else str(value))
    return table


def _delimited(path: Path) -> pd.DataFrame:
    text = read_text(path)
    first = text.splitlines()[0]
    separator = "\t" if ".tsv" in path.name or ("\t" in first and "," not in first) else ","
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=separator, strict=True))
    except csv.Error as error:
        raise DataError(f"{path} is not a table: {error}.", "Check its quotes.") from error
    rows = [row for row in rows if any(row)]
    header = rows[0]
    for number, row in enumerate(rows[1:]):
        if len(row) != len(header):
            raise DataError(
                f"{path}, data row {number}: {len(row)} values for {len(header)} columns.", "Quote texts with commas."
            )
    return pd.DataFrame(rows[1:], columns=header)


def _json_lines(path: Path) -> pd.DataFrame:
    rows: list[Any] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise DataError(f"{path}, line {number}: not JSON ({error.msg}).", "One object a line.") from error
    if not all(isinstance(row, dict) for row in rows):
        raise DataError(
            f"{path} holds lines that are no objects.", 'One object a line: {"caption": ..., "video_id": ...}'
        )
    return pd.DataFrame(rows)


def _refuse_two_texts(table: pd.DataFrame, captions: pd.DataFrame) -> None:
    text = captions.set_index("caption_id")["text"]
    other = table["text"].to_numpy() != text.reindex(table["caption_id"]).to_numpy()
    if other.any():
        caption = table["caption_id"].iloc[int(other.argmax())]
        raise DataError(f"Caption {caption!r} stands with two different texts.", "Give every caption its own id.")


def _places(video_id: str) -> list[str]:
    return [video_id, *(video_id + suffix for suffix in VIDEO_SUFFIXES)]
