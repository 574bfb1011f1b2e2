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
from workbench.core.listing import Readable, readable
from workbench.core.locks import lock
from workbench.core.lookup import nearest
from workbench.core.workspace import check_name, workspace
from workbench.evaluation.runs.run import Run

FORMAT_VERSION = 1
PATIENCE = 20.0  # seconds to wait for another who is writing
TAG, BOOKMARK, SAMPLE = "tag", "bookmark", "sample"
NEEDED = {TAG: ("annotator", "query_id", "label"), BOOKMARK: ("annotator", "direction", "query_id", "on"),
          SAMPLE: ("name", "run", "split", "items")}  # fmt: skip
"""What a record of each kind must hold."""
MEND = "It is left out; mend or delete that line."
CONFIRMED = "confirmed"
"""The label that says: the computed cause is why."""
TAGGED = ["annotator", "direction", "query_id", "caption_id", "video_id", "sample"]
"""What one judgement is about: a later one of the same person on the same takes its place."""
MADE_WITH = ["fingerprint", "run_created", "thresholds"]
"""What a tag or a sample was made with; empty where an earlier version wrote it. fingerprint: of the split;
run_created: when the run of that name was made; thresholds: those not at their default, ``near=0.8;fits=0.85``."""
TAG_COLUMNS = ["at", "split", "run", *TAGGED, "label", "cause", "named_cause", "words", "evidence", *MADE_WITH]
"""caption_id and video_id are the wrong pair that was judged: the caption and the video that the run put first. cause
is the computed one, named_cause the one that the person says it is (empty = none named), words what else they say."""


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
    """The records of one kind, oldest first, without damaged ones; none where nobody has noted anything."""
    return [record for record in _records(corpus).found if record["kind"] == kind]


def damaged_notes(corpus: str) -> list[DataError]:
    """Why some lines are no note that can be read; each names its line."""
    return _records(corpus).damaged


def _records(corpus: str) -> Readable[dict[str, Any]]:
    path = notes_file(corpus)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []

    def read(numbered: tuple[int, str]) -> dict[str, Any]:
        number, line = numbered
        try:
            record = json.loads(line)
            check_format(record["format_version"], FORMAT_VERSION, f"Line {number} of {path}")
            whole = set(NEEDED[record["kind"]]) <= record.keys()
        except DataError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"Line {number} of {path} is no note.", MEND) from error
        if not whole:
            raise DataError(f"Line {number} of {path} lacks a part of a note.", MEND)
        return dict(record)

    return readable(enumerate(lines, 1), read)


def made_with(run: Run, thresholds: str) -> dict[str, str]:
    """What a tag on a run keeps of it (``MADE_WITH``), so that a change is noticed later.

    Args:
        run: The run whose wrong pair is judged.
        thresholds: Those of causes that are not at their default.
    """
    return {"fingerprint": run.fingerprint, "run_created": str(run.info["created"]), "thresholds": thresholds}


def read_tags(corpus: str) -> pd.DataFrame:
    """The tags that stand now, oldest first; columns ``TAG_COLUMNS``. A tag taken back (null label) is gone.

    Who confirms the computed cause names it, also in tags of versions that did not write that down.
    """
    table = pd.DataFrame(read_notes(corpus, TAG)).reindex(columns=TAG_COLUMNS)
    table = table.drop_duplicates(TAGGED, keep="last")
    implied = table["cause"].where(table["label"] == CONFIRMED, "")
    since = {name: table[name].where(table[name].notna(), "") for name in ("words", *MADE_WITH)}
    table = table.assign(named_cause=table["named_cause"].where(table["named_cause"].notna(), implied), **since)
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
