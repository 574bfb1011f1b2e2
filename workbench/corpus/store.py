"""Write a corpus: every table checked, then all of it in place at once."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.core.errors import DataError
from workbench.core.files import building, write_json, write_table
from workbench.core.locks import lock
from workbench.core.lookup import nearest
from workbench.core.workspace import check_name, workspace
from workbench.corpus.corpus import FORMAT_VERSION, Corpus, video_key
from workbench.corpus.fingerprint import corpus_fingerprint, split_fingerprint
from workbench.corpus.tables import TABLES, complete, validate


def save_corpus(
    name: str,
    tables: Mapping[str, pd.DataFrame],
    meta: Mapping[str, Any] | None = None,
    *,
    overwrite: bool = False,
    orders: pd.DataFrame | None = None,
) -> Corpus:
    """Check tables and store them as a corpus of the workspace.

    Args:
        name: The corpus' name.
        tables: By name; ``videos`` and ``captions`` are needed, ``relevance`` follows from the captions when absent.
        meta: Entries of ``corpus.json``: title, format, protocol, default_split, roots, notes, files.
        overwrite: Move an existing corpus of that name to ``corpora/.trash/``.
        orders: Named orders: split, order, axis (captions or videos), position, id.

    Raises:
        DataError: A table breaks a rule (the sentence names table, row, column), or the name cannot be used.
        ExistsError: A corpus of that name exists.
    """
    space = workspace()
    folder = space.corpora / check_name(name, "corpus")
    checked = check_tables(tables)
    described = _describe(name, checked, dict(meta or {}))
    with lock(space.corpora / f".{name}.lock", f"Corpus {name}"):
        with building(folder, overwrite=overwrite, trash=space.corpora / ".trash") as temporary:
            for table, frame in checked.items():
                if table == "boxes":
                    _write_boxes(temporary / "boxes", frame, checked["texts"])
                else:
                    write_table(temporary / f"{table}.parquet", frame)
            if orders is not None:
                write_table(temporary / "orders.parquet", orders)
            write_json(temporary / "corpus.json", described)
    return Corpus(folder)


def check_tables(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """All tables completed and checked, in the order in which they name each other.

    Raises:
        DataError: An unknown table, one that is needed and absent, or a broken rule.
    """
    unknown = [name for name in tables if name not in TABLES]
    if unknown:
        raise DataError(f"{unknown[0]!r} is no table of a corpus.", nearest(unknown[0], TABLES))
    absent = [name for name in ("videos", "captions") if name not in tables or tables[name].empty]
    if absent:
        raise DataError(f"There are no {absent[0]}.", "A corpus needs at least one video and one caption.")
    found = dict(tables)
    if "relevance" not in found:
        found["relevance"] = complete("captions", found["captions"])[["caption_id", "video_id"]].assign(grade=1)
    checked: dict[str, pd.DataFrame] = {}
    for name in TABLES:
        if name in found:
            checked[name] = validate(name, found[name], checked)
    _check_splits(checked)
    return checked


def _check_splits(tables: Mapping[str, pd.DataFrame]) -> None:
    videos = tables["videos"].set_index("video_id")["split"]
    captions = tables["captions"]
    other = (captions["split"].to_numpy() != videos.reindex(captions["video_id"]).to_numpy()).nonzero()[0]
    if len(other):
        row = captions.iloc[other[0]]
        raise DataError(
            f"Table captions, row {other[0]}, column split: {row['split']!r}, but its video {row['video_id']} is in "
            f"{videos[row['video_id']]!r}.",
            "A caption and its video belong to one split.",
        )


def _describe(name: str, tables: Mapping[str, pd.DataFrame], meta: dict[str, Any]) -> dict[str, Any]:
    fingerprint, counts = describe_splits(tables["videos"], tables["captions"], tables["relevance"])
    default = meta.pop("default_split", None) or ("test" if "test" in fingerprint else next(iter(fingerprint)))
    if default not in fingerprint:
        raise DataError(f"The default split {default!r} is empty.", nearest(default, fingerprint))
    return {
        "title": name, "format": None, "protocol": "", "roots": {}, "notes": [], "files": [],
        **meta,
        "format_version": FORMAT_VERSION, "name": name, "default_split": default, "counts": counts,
        "made": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "fingerprint": fingerprint,
    }  # fmt: skip


def describe_splits(
    videos: pd.DataFrame, captions: pd.DataFrame, relevance: pd.DataFrame
) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
    """Fingerprint of every split and, under ``""``, of the corpus; and the captions and videos of every split."""
    fingerprint: dict[str, str] = {}
    counts: dict[str, dict[str, int]] = {}
    for split in map(str, dict.fromkeys(videos["split"])):
        own, gallery = captions[captions["split"] == split], videos.loc[videos["split"] == split, "video_id"]
        right = relevance[relevance["caption_id"].isin(own["caption_id"])]
        fingerprint[split] = split_fingerprint(own, right, gallery)
        counts[split] = {"captions": len(own), "videos": len(gallery)}
    return {**fingerprint, "": corpus_fingerprint(fingerprint)}, counts


def _write_boxes(folder: Path, boxes: pd.DataFrame, texts: pd.DataFrame) -> None:
    owner = texts.set_index("text_id")["video_id"]
    folder.mkdir()
    for video_id, part in boxes.groupby(owner.reindex(boxes["text_id"]).to_numpy()):
        write_table(folder / f"{video_key(str(video_id))}.parquet", part.reset_index(drop=True))
