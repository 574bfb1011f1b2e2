"""What people say about queries: tags, bookmarks and drawn samples, lines of one file per corpus in the workspace."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.core.errors import DataError, UnknownNameError
from workbench.core.files import atomic, check_format
from workbench.core.locks import lock
from workbench.core.lookup import nearest
from workbench.core.workspace import check_name, workspace

FORMAT_VERSION = 1
PATIENCE = 20.0  # seconds to wait for another who is writing
TAG, BOOKMARK, SAMPLE = "tag", "bookmark", "sample"
CONFIRMED = "confirmed"
"""The label that says: the computed cause is why."""
TAGGED = ["annotator", "direction", "query_id", "caption_id", "video_id", "sample"]
"""What one judgement is about: a later one of the same person on the same takes its place."""
TAG_COLUMNS = ["at", "split", "run", *TAGGED, "label", "cause", "named_cause", "evidence"]
"""caption_id and video_id are the wrong pair that was judged: the caption and the video that the run put first. cause
is the computed one, named_cause the one that the person says it is (empty = none named)."""


def notes_file(corpus: str) -> Path:
    """Where the notes on a corpus lie.

    Raises:
        DataError: This cannot name a corpus.
    """
    return workspace().notes / f"{check_name(corpus, 'corpus')}.jsonl"


def add_notes(corpus: str, records: Iterable[Mapping[str, Any]]) -> None:
    """Append records with the time (UTC); others who write at the same time lose nothing.

    Args:
        corpus: Its name.
        records: Plain values; ``kind`` is ``tag``, ``bookmark`` or ``sample``.

    Raises:
        BusyError: Another process holds the file for very long.
        StateError: The disk is full or the workspace cannot be written.
        ValueError: A record holds NaN or infinity.
    """
    path = notes_file(corpus)
    head = {"format_version": FORMAT_VERSION, "at": datetime.now(UTC).isoformat(timespec="milliseconds")}
    lines = "".join(json.dumps({**head, **record}, allow_nan=False) + "\n" for record in records)
    with lock(path.with_suffix(".lock"), f"The file of notes on {corpus}", PATIENCE):
        before = path.read_bytes() if path.exists() else b""
        with atomic(path) as temporary:
            temporary.write_bytes(before + lines.encode())


def read_notes(corpus: str, kind: str) -> list[dict[str, Any]]:
    """The records of one kind, oldest first; none where nobody has noted anything.

    Raises:
        DataError: A line is no record; the sentence names it.
        FormatVersionError: A newer workbench wrote one.
    """
    path = notes_file(corpus)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = []
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            version = record["format_version"]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"Line {number} of {path} is no note.", "Mend or delete that line.") from error
        check_format(version, FORMAT_VERSION, f"Line {number} of {path}")
        if record.get("kind") == kind:
            found.append(record)
    return found


def read_tags(corpus: str) -> pd.DataFrame:
    """The tags that stand now, oldest first; columns ``TAG_COLUMNS``. A tag taken back (null label) is gone.

    Who confirms the computed cause names it, also in tags of versions that did not write that down.
    """
    table = pd.DataFrame(read_notes(corpus, TAG)).reindex(columns=TAG_COLUMNS)
    table = table.drop_duplicates(TAGGED, keep="last")
    implied = table["cause"].where(table["label"] == CONFIRMED, "")
    table = table.assign(named_cause=table["named_cause"].where(table["named_cause"].notna(), implied))
    return table[table["label"].notna()].astype("str").reset_index(drop=True)


def read_bookmarks(corpus: str, annotator: str, direction: str) -> list[str]:
    """Queries that somebody has bookmarked, in the order in which it was done."""
    kept: dict[str, None] = {}
    for one in read_notes(corpus, BOOKMARK):
        if (one["annotator"], one["direction"]) == (annotator, direction):
            kept.pop(one["query_id"], None)
            if one["on"]:
                kept[one["query_id"]] = None
    return list(kept)


def read_sample(corpus: str, name: str) -> dict[str, Any]:
    """A drawn sample: its record, with ``items`` as a table.

    Raises:
        UnknownNameError: None is called so.
    """
    found = {one["name"]: one for one in read_notes(corpus, SAMPLE)}
    if name not in found:
        raise UnknownNameError(f"There is no sample called {name!r}.", nearest(name, found))
    return {**found[name], "items": pd.DataFrame(found[name]["items"])}
