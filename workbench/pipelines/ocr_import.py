"""Import the text that another engine has read in the videos of a corpus, with what was found and what was odd."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.core.files import read_json
from workbench.core.lookup import nearest, pick
from workbench.core.progress import track
from workbench.corpus import Corpus
from workbench.corpus.media import frame_times
from workbench.corpus.store import replace_texts
from workbench.ocr.jsonlines import read_jsonlines, to_tables
from workbench.ocr.kwai import KwaiFile, Size, guess_over_files, merge_census, read_kwai
from workbench.ocr.reference import Reference
from workbench.pipelines.calibration import Sources, calibration_of, remember_import


@dataclass(frozen=True)
class ImportedOcr:
    """What an import gave.

    Attributes:
        corpus: The corpus with its new tables.
        engine: The name under which the texts are stored.
        videos: video_id, state (read, empty, failed, absent), reason, n_texts; one row per video of the corpus.
        census: what, count, share (of the files or lines in which it occurs).
        notes: What a user should know, in sentences.
    """

    corpus: Corpus
    engine: str
    videos: pd.DataFrame
    census: pd.DataFrame
    notes: list[str]


@dataclass
class _Found:
    """What a format found in its source; ``rows`` are rows of ``text_coverage`` with the further column n_texts."""

    engine: str
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: list[pd.DataFrame] = field(default_factory=list)
    boxes: dict[str, pd.DataFrame] = field(default_factory=dict)
    census: list[Mapping[str, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, video_id: str, texts: pd.DataFrame, boxes: pd.DataFrame, **facts: Any) -> None:
        self.rows[video_id] = {"state": "read" if len(texts) else "empty", "n_texts": len(texts), **facts}
        if len(texts):
            self.texts.append(texts)
        self.boxes[video_id] = boxes

    def leave(self, video_id: str, state: str, reason: str) -> None:
        self.rows[video_id] = {"state": state, "reason": reason, "n_texts": 0}


def import_ocr(corpus: Corpus, source: Path, *, format: str = "jsonl", engine: str | None = None) -> ImportedOcr:
    """Store the texts of a foreign OCR beside those of other engines.

    Videos that the source does not hold keep what this engine had for them, so that a data set can be imported in
    parts.

    Args:
        corpus: The corpus; always all of it, whatever its split.
        source: ``jsonl``: a file of the open format. ``kwai``: a folder of ``<OcrDomain>/<clip>.json``; a video finds
            its file by the stem alone, as TextVR's OCR folders are called otherwise than the videos' domains.
        format: One of ``FORMATS``.
        engine: Name under which the texts are stored; None = ``kwai``, or the name in the lines. Where the lines have
            several names, it says which of them to take.

    Raises:
        UnknownNameError: An unknown format.
        DataError: The source holds nothing of the format, or nothing about any video of the corpus.
        BusyError: Another process writes the corpus.
    """
    read = pick(FORMATS, format, "OCR format")
    whole = corpus.with_split(None)
    found = read(whole, Path(source), engine)
    rows = [{"video_id": video_id, "reason": None, **found.rows[video_id]} for video_id in whole.videos["video_id"]]
    coverage = pd.DataFrame(rows).assign(engine=found.engine)
    before = whole.text_coverage
    known = before.loc[(before["engine"] == found.engine) & (before["state"] != "absent"), "video_id"]
    kept = (coverage["state"] == "absent") & coverage["video_id"].isin(known)
    if kept.any():
        found.notes.append(f"{kept.sum()} absent videos keep what {found.engine} had for them.")
    texts = pd.concat(found.texts, ignore_index=True) if found.texts else pd.DataFrame()
    updated = replace_texts(corpus, found.engine, texts, coverage[~kept].drop(columns="n_texts"), found.boxes)
    if format == "kwai":
        remember_import(whole.name, found.engine, Path(source))
    videos = coverage[["video_id", "state", "reason", "n_texts"]]
    return ImportedOcr(updated, found.engine, videos, merge_census(found.census), found.notes)


def _media(corpus: Corpus) -> dict[str, dict[str, dict[str, Any]]]:
    """Video -> rendition -> width, height, n_frames, fps of the files that were probed."""
    probed = corpus.renditions[corpus.renditions["width"].notna() & corpus.renditions["height"].notna()]
    media: dict[str, dict[str, dict[str, Any]]] = {}
    for row in probed.to_dict("records"):
        facts = {column: None if pd.isna(row[column]) else row[column] for column in ("width", "height", "n_frames")}
        facts |= {"rendition": row["rendition"], "fps": row["fps"]}
        media.setdefault(row["video_id"], {})[row["rendition"]] = facts
    return media


def _times(corpus: Corpus, video_id: str, rendition: str | None) -> np.ndarray | None:
    try:
        return frame_times(corpus, video_id, rendition) if rendition else None
    except StateError:
        return None


# Kwai_VideoOCR ----------------------------------------------------------------------------------------------------


def _kwai(corpus: Corpus, source: Path, engine: str | None) -> _Found:
    found = _Found(engine or "kwai")
    paths, n_files = _kwai_files(corpus, source, found)
    media = _media(corpus)
    guesses = {video_id: file for video_id, file in _read_kwai_files(paths, media, found)}
    reference, chosen, evidence = _reference(corpus, found.engine, guesses.values())
    rendition = reference.rendition if reference else None
    found.notes.append(evidence)
    if not media:
        found.notes.append(
            f"Without the size of any video no box could be placed. Run: workbench video probe {corpus.name}"
        )
    of_another = 0
    for video_id, first in track(guesses.items(), "Importing text", unit="files"):
        sizes = media.get(video_id, {})
        fits = rendition in sizes and (chosen or rendition in first.fits or not first.fits)
        of_another += bool(first.fits) and rendition in sizes and not fits
        facts = sizes[rendition] if fits and rendition else {}
        file = read_kwai(
            read_json(paths[video_id], f"the OCR of {video_id}"), video_id=video_id, engine=found.engine,
            frame_times=_times(corpus, video_id, rendition if facts else None),
            sizes={rendition: _size(facts)} if facts and rendition else {}, reference=reference if facts else None,
        )  # fmt: skip
        found.add(video_id, file.texts, file.boxes, **facts)
        found.census.append(file.census)
    if of_another:
        found.notes.append(f"{of_another} files fit only another rendition: their texts are stored without boxes.")
    lost = n_files - len(paths)
    if lost:
        found.notes.append(f"{lost} of {n_files} files belong to no video of {corpus.name}, or not to one alone.")
    return found


def _reference(corpus: Corpus, engine: str, files: Iterable[KwaiFile]) -> tuple[Reference | None, bool, str]:
    """The frame of reference, whether somebody chose it by eye (else most files describe it), and why."""
    known = calibration_of(corpus.name, engine)
    if known is not None and known.reference is not None:
        said = f"Frame of reference chosen by eye on {known.video_id}: {known.reference.label}. {known.evidence}"
        return known.reference, True, said
    rendition, evidence = guess_over_files(files)
    return (Reference(rendition) if rendition else None), False, f"Which rendition the boxes are of: {evidence}"


def sources_of(corpus: Corpus, engine: str, source: Path) -> Sources:
    """The files of an import, to look at them in several frames of reference.

    Raises:
        DataError: The folder is gone, or holds no file of a video.
    """
    whole = corpus.with_split(None)
    paths, _ = _kwai_files(whole, source, _Found(engine))
    sizes = {
        video: {name: _size(facts) for name, facts in renditions.items()} for video, renditions in _media(whole).items()
    }
    return Sources(whole, engine, paths, sizes)


def _kwai_files(corpus: Corpus, source: Path, found: _Found) -> tuple[dict[str, Path], int]:
    """The file of every video that has one and is the only one to have it; the others are absent, with the reason."""
    if not source.is_dir():
        raise DataError(f"{source} is not a folder.", "The format kwai takes the folder Kwai_VideoOCR.")
    files: dict[str, list[Path]] = {}
    for path in sorted(source.rglob("*.json")):
        if path.is_file() and not path.name.startswith("."):
            files.setdefault(path.stem, []).append(path)
    if not files:
        raise DataError(f"{source} holds no .json file.", "Give the folder that holds <OcrDomain>/<clip>.json.")
    videos = corpus.videos["video_id"].tolist()
    stems = {video_id: _stem(video_id, files) for video_id in videos}
    sharing = Counter(stems.values())
    paths = {}
    for video_id, stem in stems.items():
        fitting = files.get(stem, [])
        if len(fitting) == 1 and sharing[stem] == 1:
            paths[video_id] = fitting[0]
        elif not fitting:
            found.leave(video_id, "absent", f"No file is called {stem}.json.")
        elif len(fitting) > 1:
            places = " and ".join(path.relative_to(source).as_posix() for path in fitting[:2])
            found.leave(video_id, "absent", f"{len(fitting)} files are called {stem}.json: {places}.")
        else:
            found.leave(video_id, "absent", f"{sharing[stem]} videos are called {stem}, but there is one {stem}.json.")
    if not paths:
        raise DataError(
            f"No file below {source} is called like one video of {corpus.name}, e.g. {stems[videos[0]]}.json.",
            "Check the folder and the corpus.",
        )
    return paths, sum(map(len, files.values()))


def _stem(video_id: str, files: Mapping[str, Any]) -> str:
    """The name of a video without its extension; with it where only that names a file (an id without extension)."""
    path = PurePosixPath(video_id)
    return path.name if path.name in files and path.stem not in files else path.stem


def _read_kwai_files(
    paths: Mapping[str, Path], media: Mapping[str, Any], found: _Found
) -> Iterator[tuple[str, KwaiFile]]:
    """Every file once, to learn which rendition it describes; one that cannot be read fails."""
    for video_id, path in track(paths.items(), "Reading text files", unit="files"):
        sizes = {name: _size(facts) for name, facts in media.get(video_id, {}).items()}
        try:
            content = read_json(path, f"the OCR of {video_id}")
            yield video_id, read_kwai(content, video_id=video_id, frame_times=None, sizes=sizes)
        except DataError as error:
            found.leave(video_id, "failed", error.message)
        except RecursionError:
            found.leave(video_id, "failed", f"{path} is nested too deeply.")


def _size(facts: Mapping[str, Any]) -> Size:
    return int(facts["width"]), int(facts["height"]), int(facts["n_frames"] or 0)


# JSON lines -------------------------------------------------------------------------------------------------------


def _jsonl(corpus: Corpus, source: Path, engine: str | None) -> _Found:
    if source.is_dir():
        raise DataError(
            f"{source} is a folder.", "Give a JSON-lines file, or --format kwai for a folder of JSON files."
        )
    records = read_jsonlines(source)
    if not records:
        raise DataError(f"{source} holds no line.", "Each video is one JSON object on a line.")
    chosen, name = _of_one_engine(records, engine, source)
    found = _Found(name)
    if len(chosen) < len(records):
        found.notes.append(f"{len(records) - len(chosen)} of {len(records)} lines are of other engines; not imported.")
    media = _media(corpus)
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


def _take(record: dict[str, Any], corpus: Corpus, media: Mapping[str, Any], found: _Found) -> None:
    video_id = record["video_id"]
    facts = dict(media.get(video_id, {}).get("original", {}))
    facts |= {key: record[key] for key in ("width", "height") if record.get(key) is not None}
    if record.get("frames_read") is not None:
        facts["frames_read"] = np.asarray(record["frames_read"], np.int64)
    times = _times(corpus, video_id, "original")
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


FORMATS = {"jsonl": _jsonl, "kwai": _kwai}
