"""Data sets on this machine: prepare a corpus, check it level by level, split off validation, follow moved folders."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.core.files import move_to_trash, sha256_file, write_json, write_table
from workbench.core.locks import lock
from workbench.core.lookup import nearest
from workbench.core.seeds import generator
from workbench.core.workspace import workspace
from workbench.corpus import Corpus, save_corpus
from workbench.corpus.corpus import OF_A_SPLIT
from workbench.corpus.formats import find_format
from workbench.corpus.manifest import entry_of_corpus
from workbench.corpus.store import describe_splits
from workbench.pipelines.videos import probe_corpus

MOST_TIMES = 2
"""How much larger than what is asked for a val split may be, where sources are large."""


def prepare(
    name: str,
    *,
    annotations: Sequence[Path],
    roots: Mapping[str, Path] | None = None,
    format: str | None = None,
    rename: str | None = None,
    overwrite: bool = False,
    workers: int | None = None,
    **options: Any,
) -> Corpus:
    """Make a corpus from a data set's annotation files; videos are not copied, their folders are remembered.

    Args:
        name: A corpus of the manifest (``textvr``, ``msrvtt-1ka``, ...), or any name together with ``format``.
        annotations: The annotation files.
        roots: Folder of the videos by rendition; none = annotations only.
        format: ``textvr``, ``msrvtt``, ``table`` or ``package.module:function``; None = the manifest's.
        rename: Another name for the corpus.
        overwrite: Move an existing corpus of that name to the trash.
        workers: Processes that look at the videos; None = all cores.
        **options: Passed to the format (``protocol``, ``split``, ``title``).

    Raises:
        DataError: The files break the format, or a table breaks a rule.
        UnknownNameError: Neither the manifest nor ``format`` says how to read it.
        ExistsError: A corpus of that name exists.
    """
    paths = [Path(path) for path in annotations]
    if format is None and name == "folder":
        format = name
        if rename is None:
            raise DataError("A folder of videos has no name of its own.", "Add --name NAME.")
    if not paths and format != "folder":
        raise DataError("No annotation file was given.", "Add --annotations FILE (more than once for several).")
    if format is None:
        _, format, defaults = entry_of_corpus(name)
        options = {**defaults, **options}
    folders = {rendition: Path(root).expanduser().resolve() for rendition, root in (roots or {}).items()}
    parsed = find_format(format)(paths, roots=folders, **options)
    meta = {
        "title": parsed.title or rename or name, "format": format, "protocol": parsed.protocol,
        "default_split": parsed.default_split, "roots": {key: str(root) for key, root in folders.items()},
        "notes": parsed.notes, "files": [{"name": path.name, "sha256": sha256_file(path)} for path in paths],
    }  # fmt: skip
    corpus = save_corpus(rename or name, parsed.tables, meta, overwrite=overwrite, orders=parsed.orders)
    return probe_corpus(corpus, workers=workers) if corpus.roots else corpus


def split(corpus: Corpus, *, share: float = 0.1, seed: int = 0) -> Corpus:
    """Take a validation split out of train: whole sources together, test untouched.

    Args:
        corpus: A corpus with a train split and without a val split.
        share: About which share of the train videos.
        seed: Another seed, another choice.

    Raises:
        StateError: No train split, a val split already, or a shared corpus; nothing would be left of train, or every
            source is far larger than the share.
        DataError: The share is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise DataError(f"A share of {share} is not between 0 and 1.", "Try --share 0.1")
    whole = _own(corpus).with_split(None)
    if "train" not in whole.splits:
        raise StateError(f"{corpus.name} has no train split.", "Prepare it with the train annotations.")
    if "val" in whole.splits:
        raise StateError(f"{corpus.name} has a val split already.", "Prepare it again to draw another one.")
    videos = whole.videos.copy()
    train = videos["split"] == "train"
    source = videos["source_id"].fillna(videos["video_id"])
    sources = source[train].drop_duplicates().sort_values().to_numpy()
    order = generator(seed, "validation split", whole.name).permutation(sources)
    chosen = _taken(source[train].value_counts().reindex(order), share, whole.name)
    videos.loc[train & source.isin(chosen), "split"] = "val"
    moved = videos.set_index("video_id")["split"]
    captions = whole.captions.assign(split=moved.reindex(whole.captions["video_id"]).to_numpy())
    _rewrite(whole, {"videos": videos, "captions": captions}, {"split": {"share": share, "seed": seed}})
    return Corpus(whole.path)


def _taken(sizes: pd.Series, share: float, name: str) -> set[str]:
    """The first sources that together have about a share of the videos, of those that are not far larger themselves.

    Args:
        sizes: Videos of each source, in the order in which they are taken.
        share: Of all videos.
        name: Of the corpus.

    Raises:
        StateError: There is none such, or there is nothing else.
    """
    videos = int(sizes.sum())
    wanted = max(1, round(share * videos))
    small = sizes[sizes <= MOST_TIMES * wanted]
    if small.empty:
        least = int(sizes.min())
        raise StateError(
            f"The smallest source of {name} has {least} of {videos} train videos, far above a share of {share:.3g}.",
            f"To take it all the same: workbench data split {name} --share {least / videos:.2g}",
        )
    chosen = set(small.index[small.cumsum() <= wanted]) or {small.index[0]}
    if len(chosen) == len(sizes):
        raise StateError(
            f"All {videos} train videos of {name} would become its val split, as none is of another source.",
            "Give some videos the split val in the annotations, and prepare the corpus again.",
        )
    return chosen


def relocate(corpus: Corpus, rendition: str, root: Path) -> tuple[int, int]:
    """Remember another folder for the files of a rendition; returns (files found there, files recorded).

    Raises:
        DataError: The folder does not exist or holds none of the files.
        StateError: A shared corpus, or a rendition that it does not have.
    """
    whole = _own(corpus).with_split(None)
    if rendition not in whole.roots:
        raise StateError(f"{corpus.name} has no {rendition} videos.", nearest(rendition, whole.roots))
    root = Path(root).expanduser().resolve()
    if not root.is_dir():
        raise DataError(f"{root} is not a folder.", "Check the path.")
    paths = whole.renditions.loc[whole.renditions["rendition"] == rendition, "path"]
    found = sum((root / path).is_file() for path in paths)
    if len(paths) and not found:
        raise DataError(f"None of the {len(paths)} files lies in {root}, e.g. {paths.iloc[0]}.", "Check the folder.")
    _rewrite(whole, {}, {"roots": {**whole.roots, rendition: str(root)}})
    return found, len(paths)


def remove(corpus: Corpus) -> Path:
    """Move a corpus to ``corpora/.trash/`` (videos are not touched); returns where it lies now."""
    with lock(workspace().corpora / f".{_own(corpus).name}.lock", f"Corpus {corpus.name}"):
        return move_to_trash(corpus.path, workspace().corpora / ".trash")


def _own(corpus: Corpus) -> Corpus:
    if not workspace().is_own(corpus.path):
        copied = shlex.join(["cp", "-r", str(corpus.path), str(workspace().corpora)])
        raise StateError(
            f"Corpus {corpus.name} lies in {corpus.path.parent}, which is only read.", f"Make it your own: {copied}"
        )
    return corpus


def _rewrite(corpus: Corpus, tables: Mapping[str, pd.DataFrame], meta: Mapping[str, Any]) -> None:
    """Replace tables and entries of corpus.json; fingerprints follow the tables."""
    with lock(workspace().corpora / f".{corpus.name}.lock", f"Corpus {corpus.name}"):
        described = {**corpus.meta, **meta}
        if set(tables) & set(OF_A_SPLIT):
            found = describe_splits(tables["videos"], tables["captions"], corpus.relevance)
            described |= dict(zip(("fingerprint", "counts"), found, strict=True))
        for name, table in tables.items():
            write_table(corpus.path / f"{name}.parquet", table)
        write_json(corpus.path / "corpus.json", described)
