"""TextVR: 42.2k captions of 10.5k videos in 8 domains, half of which can only be matched by reading the frames.

Source: https://github.com/callsys/TextVR (annotations, MIT). One JSON array per file; a record, invented:

    {"path": "Cooking/abc_1.mp4",
     "captions_info": [{"caption": "A cook opens CRUMB SOUP.", "caption_info": {"duration": 9.0, "desc_id": 7}}],
     "videos_info": {"source": "vitvr_yc2", "split": "test", "Kwai_OCR": "Cooking/abc_1.json"}}

The test set exists twice: ``TextVR_test.json`` (aligned, the truth) and ``TextVR_test_rand.json``, whose video column
is permuted (the form in which the challenge was run). A duration of integer 0 means unknown and marks Activity clips.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.corpus.formats.parsed import (
    Parsed,
    field_of,
    find_renditions,
    one_relevance_per_caption,
    read_annotation_json,
)

UNKNOWN_LENGTH_DOMAIN = "Activity"
VIDEO_FOLDERS = ("Video", "Videos", "videos", "")
RANGE = re.compile(r"(.+)_\d{5}_\d{5}")
PIECE = re.compile(r"(.+)_\d+")
PROTOCOL = "Each caption finds its video among all videos of the split; test: one caption per video."


def parse_textvr(annotations: Sequence[Path], *, roots: Mapping[str, Path] | None = None) -> Parsed:
    """Parse TextVR's annotation files: any of train, aligned test and scrambled test.

    Args:
        annotations: ``TextVR_train.json``, ``TextVR_test.json``, ``TextVR_test_rand.json`` under any name and in any
            order; a scrambled file is accepted only beside the aligned one, and stored as the named order "scrambled".
        roots: Folder of the videos by rendition; ``Video/``, ``Videos/``, ``videos/`` and flat layouts are found.

    Raises:
        DataError: Not TextVR's layout, a stale file (paths and OCR paths disagree), a scrambled file alone.
    """
    rows: list[dict[str, Any]] = []
    scrambled: list[list[str]] = []
    notes: list[str] = []
    for path in map(Path, annotations):
        records = _records(path)
        if _is_scrambled(records):
            scrambled.append([record["path"] for record in records])
            continue
        _refuse_stale(records, path)
        if any("ocr_info" in record for record in records):
            notes.append(f"{path.name} carries ocr_info; it was not read. Import OCR with: workbench ocr import")
        rows.extend(_rows(records))
    if not rows:
        raise DataError(
            "Only a scrambled file was given: its captions and videos do not belong together.",
            "Give TextVR_test.json (aligned) as well; the scrambled one then becomes the named order 'scrambled'.",
        )
    captions = pd.DataFrame(rows)
    videos = captions.drop_duplicates("video_id").reset_index(drop=True)
    renditions, status = find_renditions(videos["video_id"], dict(roots or {}), _places)
    videos = videos.assign(status=videos["video_id"].map(status), reason=None)
    tables = {
        "videos": videos[["video_id", "domain", "collection", "source_id", "split", "duration_s", "status", "reason"]],
        "captions": captions[["caption_id", "video_id", "text", "language", "role", "split"]],
        "relevance": one_relevance_per_caption(captions),
    }
    if roots:
        tables["renditions"] = renditions
    orders = _orders(videos[videos["split"] == "test"], scrambled)
    return Parsed(tables, "TextVR", PROTOCOL, _default_split(videos), orders, notes)


def scrambled_permutation(aligned: Sequence[str], scrambled: Sequence[str]) -> np.ndarray:
    """Where each aligned video stands in the scrambled order: ``S_aligned = S_scrambled[:, pi]``.

    Args:
        aligned: Video ids in the order of the aligned file.
        scrambled: The same ids in another order.

    Returns:
        pi, int64 [n]; its inverse ``numpy.argsort(pi)`` converts the other way.

    Raises:
        DataError: The two are not the same set of distinct ids.
    """
    place = {video: index for index, video in enumerate(scrambled)}
    if len(place) != len(scrambled) or set(place) != set(aligned) or len(aligned) != len(scrambled):
        raise DataError("The two orders do not hold the same videos, each once.", "Give two files of the same split.")
    return np.asarray([place[video] for video in aligned], dtype=np.int64)


def source_of(video_id: str) -> str:
    """The recording a clip was cut from, by its name: ``id_SSSSS_SSSSS``, ``v_id_k`` (Activity), ``id_k`` (Cooking).

    Driving clips with a bare number are their own source.
    """
    path = PurePosixPath(video_id)
    pattern = PIECE if path.parts[0] in ("Activity", "Cooking") else RANGE
    found = pattern.fullmatch(path.stem)
    return f"{path.parts[0]}/{found.group(1) if found else path.stem}"


def _records(path: Path) -> list[dict[str, Any]]:
    records = read_annotation_json(path)
    if not isinstance(records, list) or not records:
        raise DataError(f"{path} is not a list of records.", "TextVR's files are one JSON array each.")
    for number, record in enumerate(records):
        video = field_of(record, path, number, "path")
        if not isinstance(video, str) or len(PurePosixPath(video).parts) != 2:
            raise DataError(
                f"{path}, record {number}: path {video!r} is not <Domain>/<clip>.", "Is this TextVR's file?"
            )
        field_of(record, path, number, "videos_info", "split")
        captions = field_of(record, path, number, "captions_info")
        if not isinstance(captions, list) or not captions:
            raise DataError(f"{path}, record {number}: it has no caption.", "Is this TextVR's file?")
        for caption in captions:
            field_of(caption, path, number, "caption")
    return records


def _unknown_length(record: Mapping[str, Any]) -> bool:
    duration = record["captions_info"][0].get("caption_info", {}).get("duration")
    return isinstance(duration, int) and not isinstance(duration, bool) and duration == 0


def _is_scrambled(records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether captions and paths are out of step: integer-0 durations belong to Activity clips and to no others."""
    agree = [_unknown_length(r) == (PurePosixPath(r["path"]).parts[0] == UNKNOWN_LENGTH_DOMAIN) for r in records]
    return sum(agree) < 0.95 * len(agree)


def _refuse_stale(records: Sequence[Mapping[str, Any]], path: Path) -> None:
    stale = [
        number
        for number, record in enumerate(records)
        if "Kwai_OCR" in record["videos_info"]
        and PurePosixPath(record["path"]).stem != PurePosixPath(record["videos_info"]["Kwai_OCR"]).stem
    ]
    if stale:
        raise DataError(
            f"{path} is a stale file: {len(stale)} of {len(records)} records name another clip's OCR, the first is "
            f"record {stale[0]} ({records[stale[0]]['path']}).",
            "Download the current TextVR_test.json (corrected on 28 December 2023).",
        )


def _rows(records: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for record in records:
        video, info = record["path"], record["videos_info"]
        for number, caption in enumerate(record["captions_info"]):
            duration = caption.get("caption_info", {}).get("duration")
            yield {
                "video_id": video, "caption_id": f"{video}#{number}", "text": caption["caption"], "language": "en",
                "role": "original", "split": info["split"], "domain": PurePosixPath(video).parts[0],
                "collection": info.get("source"), "source_id": source_of(video),
                "duration_s": float(duration) if isinstance(duration, int | float) and duration > 0 else None,
            }  # fmt: skip


def _places(video_id: str) -> Iterator[str]:
    name = PurePosixPath(video_id).name
    yield from (str(PurePosixPath(folder, video_id)) for folder in VIDEO_FOLDERS)
    yield from (str(PurePosixPath(folder, name)) for folder in VIDEO_FOLDERS)


def _default_split(videos: pd.DataFrame) -> str:
    splits = list(dict.fromkeys(videos["split"]))
    return "test" if "test" in splits else splits[0]


def _orders(videos: pd.DataFrame, scrambled: list[list[str]]) -> pd.DataFrame | None:
    if not scrambled:
        return None
    aligned = videos["video_id"].to_list()
    scrambled_permutation(aligned, scrambled[0])
    parts = [
        pd.DataFrame({"split": "test", "order": order, "axis": "videos", "position": range(len(ids)), "id": ids})
        for order, ids in (("aligned", aligned), ("scrambled", scrambled[0]))
    ]
    return pd.concat(parts, ignore_index=True)
