"""Data sets on this machine: prepare a corpus, check it level by level, split off validation, follow moved folders."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.core.files import move_to_trash, read_json, sha256_file, write_json, write_table
from workbench.core.locks import lock
from workbench.core.lookup import nearest
from workbench.core.optional import need
from workbench.core.progress import track
from workbench.core.seeds import generator
from workbench.core.workspace import workspace
from workbench.corpus import Corpus, save_corpus
from workbench.corpus.corpus import OF_A_SPLIT
from workbench.corpus.fingerprint import split_fingerprint
from workbench.corpus.formats import find_format
from workbench.corpus.manifest import entry_of_corpus
from workbench.corpus.store import check_tables, describe_splits
from workbench.pipelines.videos import probe_corpus

LEVELS = ("index", "existence", "decodability")
SAVE_EVERY = 200


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


@dataclass(frozen=True)
class CheckReport:
    """What a check found.

    Attributes:
        level: The deepest level that was looked at.
        n_videos: Videos of the corpus.
        problems: level, table, id, problem, remedy; one row per problem.
    """

    level: str
    n_videos: int
    problems: pd.DataFrame

    @property
    def ok(self) -> bool:
        return self.problems.empty


def check(corpus: Corpus, level: str = "existence", resume: bool = True) -> CheckReport:
    """Look for what is wrong with a corpus on this machine.

    ``index``: the tables keep their rules and the fingerprint still fits. ``existence``: every recorded file is there,
    with its size. ``decodability``: the first, the middle and the last picture of every file can be decoded.

    Args:
        corpus: The corpus, whole.
        level: How deep to look; a level contains those before it.
        resume: Skip files that an interrupted check has decoded already and that have not changed since.

    Raises:
        UnknownNameError: An unknown level.
        MissingExtraError: PyAV is not installed (decodability).
    """
    if level not in LEVELS:
        raise DataError(f"There is no check level {level!r}.", nearest(level, LEVELS))
    rows = list(_check_index(corpus))
    if level != "index":
        rows += _check_existence(corpus)
    if level == "decodability":
        rows += _check_decodability(corpus, resume)
    problems = pd.DataFrame(rows, columns=["level", "table", "id", "problem", "remedy"])
    return CheckReport(level, len(corpus.videos), problems)


Row = tuple[str, str, str, str, str]


def _check_index(corpus: Corpus) -> Iterator[Row]:
    tables = {name: getattr(corpus, name) for name in ("videos", "captions", "relevance", "renditions", "texts")}
    again = "Prepare it again: workbench data prepare NAME --overwrite"
    try:
        check_tables({name: table for name, table in tables.items() if len(table)})
    except DataError as error:
        yield "index", "all", corpus.name, error.message, again
        return
    for split in corpus.splits:
        part = corpus.with_split(split)
        if split_fingerprint(part.captions, part.relevance, part.videos["video_id"]) != part.fingerprint:
            yield "index", "captions", split, "the tables do not fit the recorded fingerprint: they were edited", again
    if not corpus.has_sources:
        without = int(corpus.videos["source_id"].isna().sum())
        yield (
            "index",
            "videos",
            "source_id",
            f"{without} videos state no source: intervals are not clustered",
            ("Nothing to do where the data set states none."),
        )


def _check_existence(corpus: Corpus) -> list[Row]:
    rows: list[Row] = []
    if not corpus.roots:
        return [("existence", "renditions", corpus.name, "no folder of videos is known",
                 f"workbench data prepare {corpus.name} --annotations ... --root FOLDER --overwrite")]  # fmt: skip
    for rendition, root in corpus.roots.items():
        if not Path(root).is_dir():
            rows.append(("existence", "renditions", rendition, f"the folder {root} is gone",
                         f"workbench data relocate {corpus.name} {rendition} FOLDER"))  # fmt: skip
    for row in track(_files(corpus), "Looking for files", unit="files"):
        if not Path(corpus.roots.get(row["rendition"], "")).is_dir():
            continue
        path = Path(corpus.roots[row["rendition"]], row["path"])
        if not path.is_file():
            rows.append(
                ("existence", "renditions", row["video_id"], f"{row['path']} is gone", "Put it back, or prepare again.")
            )
        elif pd.notna(row["n_bytes"]) and path.stat().st_size != row["n_bytes"]:
            rows.append(
                ("existence", "renditions", row["video_id"], f"{row['path']} has changed its size", "Prepare again.")
            )
    found = set(corpus.renditions["video_id"])
    for video in corpus.videos.loc[~corpus.videos["video_id"].isin(found), "video_id"]:
        rows.append(("existence", "videos", video, "it has no file", "Find the file, or leave it: it stays a miss."))
    return rows


def _files(corpus: Corpus) -> list[dict[Any, Any]]:
    """The rows of the renditions table."""
    return corpus.renditions.to_dict("records")


def _check_decodability(corpus: Corpus, resume: bool) -> list[Row]:
    state = workspace().cache / "checks" / f"{corpus.name}.json"
    known = read_json(state, "the state of a check") if resume and state.exists() else {}
    files = [
        (row, path) for row in _files(corpus)
        if (path := Path(corpus.roots.get(row["rendition"], ""), row["path"])).is_file()
    ]  # fmt: skip
    rows: list[Row] = []
    for number, (row, path) in enumerate(track(files, "Decoding", unit="files")):
        key = f"{row['rendition']}/{row['path']}"
        stamp = [path.stat().st_size, path.stat().st_mtime]
        if key not in known or known[key][:2] != stamp:
            known[key] = [*stamp, why_undecodable(path)]
        if known[key][2]:
            rows.append(("decodability", "renditions", row["video_id"], f"{row['path']}: {known[key][2]}",
                         "Download it again, or leave it: it counts as a miss."))  # fmt: skip
        if number % SAVE_EVERY == SAVE_EVERY - 1:
            write_json(state, known)
    write_json(state, known)
    return rows


def why_undecodable(path: Path) -> str:
    """Why the first, middle or last picture of a video cannot be decoded; empty when all three can."""
    av = need("av", "Decoding videos")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                return "it has no video stream"
            stream = container.streams.video[0]
            times = [packet.pts for packet in container.demux(stream) if packet.pts is not None]
            if not times:
                return "it has no pictures"
            for wanted in (times[0], times[len(times) // 2], max(times)):
                container.seek(wanted, stream=stream, backward=True)
                if next(container.decode(stream), None) is None:
                    return f"no picture at {float(wanted * stream.time_base):.2f} s"
    except (av.error.FFmpegError, ValueError) as error:
        return f"it cannot be decoded ({error.strerror if hasattr(error, 'strerror') else error})"
    return ""


ADDED_BY = {  # what adds a part that a corpus lacks
    "videos on disk": "workbench data prepare {name} --annotations ... --root FOLDER --overwrite",
    "domains": "annotations with a domain or category column",
    "sources": "annotations that say which videos share a recording",
    "text in frames": "workbench ocr run {name}",
}


def holdings(corpus: Corpus) -> pd.DataFrame:
    """What a corpus holds, what it lacks, and what adds it.

    Returns:
        Part, Holds (a count), To add it (empty where it is there).
    """
    videos = corpus.videos
    with_files = corpus.renditions["video_id"].nunique()
    rows = [
        ("captions", f"{len(corpus.captions):,}", True),
        ("videos listed", f"{len(videos):,}", True),
        ("right pairs", f"{len(corpus.relevance):,}", True),
        ("videos on disk", f"{with_files:,} of {len(videos):,}", with_files > 0),
        ("domains", f"{videos['domain'].nunique()}", corpus.has_domains),
        ("sources", f"{videos['source_id'].nunique():,}", corpus.has_sources),
        ("text in frames", _texts_by_engine(corpus), corpus.has("texts")),
    ]
    found = [(part, holds, "" if there else ADDED_BY[part].format(name=corpus.name)) for part, holds, there in rows]
    return pd.DataFrame(found, columns=["Part", "Holds", "To add it"])


def _texts_by_engine(corpus: Corpus) -> str:
    counts = corpus.texts["engine"].value_counts()
    return ", ".join(f"{n:,} by {engine}" for engine, n in counts.items()) or "0"


def oddities(corpus: Corpus) -> pd.DataFrame:
    """Videos that cannot be used as they should, each with its reason.

    Returns:
        Video, Problem (broken, damaged, not read by ENGINE), Reason; broken ones first.
    """
    videos = corpus.videos[corpus.videos["reason"].notna() | (corpus.videos["status"] == "broken")]
    problem = videos["status"].where(videos["status"] == "broken", "damaged")
    files = pd.DataFrame({"Video": videos["video_id"], "Problem": problem, "Reason": videos["reason"]})
    failed = corpus.text_coverage[corpus.text_coverage["state"] == "failed"]
    unread = pd.DataFrame({"Video": failed["video_id"], "Problem": "not read by " + failed["engine"].astype("str"),
                           "Reason": failed["reason"]})  # fmt: skip
    unread = unread[~unread["Video"].isin(files["Video"])]
    return pd.concat([files.sort_values("Problem", kind="stable"), unread]).reset_index(drop=True)


def split(corpus: Corpus, *, share: float = 0.1, seed: int = 0) -> Corpus:
    """Take a validation split out of train: whole sources together, test untouched.

    Args:
        corpus: A corpus with a train split and without a val split.
        share: About which share of the train videos.
        seed: Another seed, another choice.

    Raises:
        StateError: No train split, a val split already, or a shared corpus.
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
    sizes = source[train].value_counts()
    order = generator(seed, "validation split", whole.name).permutation(sources)
    taken = np.cumsum(sizes.reindex(order).to_numpy()) <= max(1, round(share * int(train.sum())))
    chosen = set(order[taken]) or {order[0]}
    videos.loc[train & source.isin(chosen), "split"] = "val"
    moved = videos.set_index("video_id")["split"]
    captions = whole.captions.assign(split=moved.reindex(whole.captions["video_id"]).to_numpy())
    _rewrite(whole, {"videos": videos, "captions": captions}, {"split": {"share": share, "seed": seed}})
    return Corpus(whole.path)


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
        raise StateError(f"Corpus {corpus.name} lies in {corpus.path.parent}, which is only read.", "Prepare your own.")
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


def as_dict(report: CheckReport) -> dict[str, Any]:
    """A report for ``--json``."""
    return {**dataclasses.asdict(report), "problems": report.problems.to_dict("records"), "ok": report.ok}
