"""Write a corpus: every table checked, then all of it in place at once."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.core.files import building, touch, write_json, write_table
from workbench.core.locks import lock
from workbench.core.lookup import nearest
from workbench.core.workspace import check_name, workspace
from workbench.corpus.corpus import FORMAT_VERSION, Corpus, video_key
from workbench.corpus.fingerprint import corpus_fingerprint, split_fingerprint
from workbench.corpus.tables import TABLES, complete, empty, validate


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
    if "videos" not in tables or tables["videos"].empty:
        raise DataError("There are no videos.", "A corpus needs at least one; captions may be absent.")
    found = {"captions": empty("captions"), **tables}
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


def replace_texts(
    corpus: Corpus, engine: str, texts: pd.DataFrame, coverage: pd.DataFrame, boxes: Mapping[str, pd.DataFrame]
) -> Corpus:
    """Put the texts of one engine in place of those it had for the same videos; other engines and videos stay.

    Args:
        corpus: The corpus; its whole tables are rewritten.
        engine: The engine, e.g. ``rapidocr``.
        texts: Rows of ``texts`` of this engine.
        coverage: Rows of ``text_coverage``: one per video that was looked at.
        boxes: Rows of ``boxes`` by video id.

    Raises:
        DataError: A table breaks a rule, or the engine's name cannot be part of an id.
        StateError: A shared corpus, which is only read.
        BusyError: Another process writes the corpus.
    """
    space = workspace()
    if not engine.strip() or "#" in engine:
        raise DataError(f"{engine!r} cannot name an engine.", "Use letters, digits and dashes.")
    _refuse_shared(corpus)
    with lock(space.corpora / f".{corpus.name}.lock", f"Corpus {corpus.name}"):
        whole = corpus.with_split(None)
        looked_at = set(coverage["video_id"])
        merged = {}
        for name, new in (("texts", texts), ("text_coverage", coverage)):
            old = getattr(whole, name)
            kept = old[(old["engine"] != engine) | ~old["video_id"].isin(looked_at)]
            merged[name] = validate(name, _joined(name, [kept, new]), {"videos": whole.videos})
        (corpus.path / "boxes").mkdir(exist_ok=True)
        for video_id in looked_at:
            old = whole.boxes(video_id)
            kept = old[~old["text_id"].str.startswith(f"{video_id}#{engine}#")]
            path = corpus.path / "boxes" / f"{video_key(video_id)}.parquet"
            parts = [part for part in (kept, boxes.get(video_id)) if part is not None and len(part)]
            if parts:
                write_table(path, validate("boxes", _joined("boxes", parts)))
            else:
                path.unlink(missing_ok=True)
        for name, table in merged.items():
            write_table(corpus.path / f"{name}.parquet", table)
        touch(corpus.path / "corpus.json")
    return Corpus(corpus.path, corpus.split)


def replace_media(corpus: Corpus, videos: pd.DataFrame, renditions: pd.DataFrame) -> Corpus:
    """Put what a probe found in place: status, reason and length of videos, and the renditions; nothing else changes.

    Raises:
        DataError: A table breaks a rule, or ids, splits or their order differ.
        StateError: A shared corpus, which is only read.
        BusyError: Another process writes the corpus.
    """
    _refuse_shared(corpus)
    with lock(workspace().corpora / f".{corpus.name}.lock", f"Corpus {corpus.name}"):
        whole = corpus.with_split(None)
        if not whole.videos[["video_id", "split"]].equals(videos[["video_id", "split"]]):
            raise DataError("A probe may not change which videos there are.", "Prepare the corpus again.")
        checked = validate("videos", videos)
        write_table(corpus.path / "renditions.parquet", validate("renditions", renditions, {"videos": checked}))
        write_table(corpus.path / "videos.parquet", checked)
        touch(corpus.path / "corpus.json")
    return Corpus(corpus.path, corpus.split)


def _refuse_shared(corpus: Corpus) -> None:
    shared = workspace().shared
    if shared is not None and corpus.path.resolve().is_relative_to(shared.resolve()):
        raise StateError(f"Corpus {corpus.name} lies in {corpus.path.parent}, which is only read.", "Prepare your own.")


def _joined(name: str, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    filled = [complete(name, part) for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else empty(name)


def _write_boxes(folder: Path, boxes: pd.DataFrame, texts: pd.DataFrame) -> None:
    owner = texts.set_index("text_id")["video_id"]
    folder.mkdir()
    for video_id, part in boxes.groupby(owner.reindex(boxes["text_id"]).to_numpy()):
        write_table(folder / f"{video_key(str(video_id))}.parquet", part.reset_index(drop=True))
