"""What a corpus holds on this machine, what it lacks, and what is wrong with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.core.errors import DataError
from workbench.core.files import read_json, write_json
from workbench.core.lookup import nearest
from workbench.core.progress import track
from workbench.core.workspace import workspace
from workbench.corpus import Corpus
from workbench.corpus.fingerprint import split_fingerprint
from workbench.corpus.store import check_tables
from workbench.video import probe, read_frames
from workbench.video.probe import UnreadableVideo

LEVELS = ("index", "existence", "decodability")
SAVE_EVERY = 200


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
    """Why the first, middle or last frame of a video cannot be decoded; empty when all three can."""
    try:
        info = probe(path)
        ends = sorted({0, info.n_frames // 2, info.n_frames - 1})
        return read_frames(info, ends, short_side=32).info.damage
    except UnreadableVideo as error:
        return error.message.removeprefix(f"{path.name} ")
    except DataError:  # fewer frames can be decoded than the container states
        return probe(path, exact=True).damage


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
    found = pd.concat([files.sort_values("Problem", kind="stable"), unread, _damaged(corpus)])
    return found.drop_duplicates("Video").reset_index(drop=True)


def _damaged(corpus: Corpus) -> pd.DataFrame:
    """Videos of which not every frame could be decoded when their text was read."""
    coverage = corpus.text_coverage
    said = coverage[coverage["state"].isin(["read", "empty"]) & coverage["reason"].notna()]
    return pd.DataFrame({"Video": said["video_id"], "Problem": "damaged", "Reason": said["reason"]})


def as_dict(report: CheckReport) -> dict[str, Any]:
    """A report for ``--json``."""
    return {**dataclasses.asdict(report), "problems": report.problems.to_dict("records"), "ok": report.ok}
