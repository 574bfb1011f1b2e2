"""TVR: moments of TV episodes, asked for by what is seen (v), what is said (t) or both (vt).

Source: https://github.com/jayleicn/TVRetrieval (annotations, MIT; Lei et al. 2020, arXiv 2001.09099). One JSON object
per line, invented:

    {"vid_name": "house_s02e03_seg02_clip_07", "duration": 75.4, "ts": [12.1, 18.56], "desc": "A doctor waits.",
     "type": "v", "desc_id": 999999}

``tvr_video2dur_idx.json`` is ``{split: {vid_name: [seconds, number]}}``: the gallery of a split is all of its videos,
asked for or not. Subtitles are lines of ``{"vid_name", "sub": [{"text", "start", "end"}, ...]}``. The queries of
``test_public`` hide their videos, so they cannot be captions of a corpus; its gallery can.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.core.errors import DataError
from workbench.corpus.formats.parsed import (
    VIDEO_SUFFIXES,
    Parsed,
    field_of,
    find_renditions,
    read_annotation_json,
    read_text,
)

PROTOCOL = (
    "VCMR: a query finds its video and moment among all videos of the split; SVMR: the moment in the given video; "
    "VR: the video. R@K at temporal IoU 0.5 and 0.7, over all queries and per query type."
)
SHOWS = {
    "": "The Big Bang Theory", "castle": "Castle", "friends": "Friends", "grey": "Grey's Anatomy", "house": "House",
    "met": "How I Met Your Mother",
}  # fmt: skip
TYPES = ("v", "t", "vt")
NAME = re.compile(r"(?:(?P<show>[a-z]+)_)?(?P<episode>s\d+e\d+(?:-\d+)?)_seg\d+_clip_\d+")
SPLITS = ("train", "val", "test_public", "test_challenge")
ENGINE = "subtitles"


@dataclass
class _Found:
    """What the files held."""

    gallery: dict[str, tuple[str, float | None]] = field(default_factory=dict)
    """Split and seconds of every video that the index lists."""
    queries: list[dict[str, Any]] = field(default_factory=list)
    hidden: dict[str, int] = field(default_factory=dict)
    """Queries without their videos, by split."""
    subtitles: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def parse_tvr(annotations: Sequence[Path], *, roots: Mapping[str, Path] | None = None) -> Parsed:
    """Parse TVR's files; what each file is, is seen from its content.

    Args:
        annotations: ``tvr_<split>_release.jsonl``, one or several; ``tvr_video2dur_idx.json``, without which a split's
            gallery is only the videos that are asked for; ``tvqa_preprocessed_subtitles.jsonl`` for subtitles.
        roots: Folder of ``<vid_name>.mp4`` (or .mkv ...) by rendition.

    Raises:
        DataError: A file or record of no known layout, or no query whose video is stated.
    """
    found = _Found()
    for path in map(Path, annotations):
        _read(path, found)
    if not found.queries:
        raise DataError(
            "These files hold no query whose video is stated.", "Give tvr_val_release.jsonl or tvr_train_release.jsonl."
        )
    captions = _captions(found)
    videos = _videos(found, captions)
    renditions, status = find_renditions(
        videos["video_id"], dict(roots or {}), lambda name: (f"{name}{suffix}" for suffix in VIDEO_SUFFIXES)
    )
    videos = videos.assign(status=videos["video_id"].map(status))
    relevance = captions[["caption_id", "video_id", "start_s", "end_s"]].assign(grade=1, annotator=None)
    tables = {"videos": videos, "captions": captions.drop(columns=["start_s", "end_s"]), "relevance": relevance}
    if roots:
        tables["renditions"] = renditions
    texts = _texts(found, set(videos["video_id"]))
    if len(texts):
        tables["texts"] = texts
    default = "val" if (videos["split"] == "val").any() else str(captions["split"].iloc[0])
    return Parsed(tables, "TVR", PROTOCOL, default, None, _notes(found, texts))


def _read(path: Path, found: _Found) -> None:
    if path.suffix != ".jsonl" and not path.name.endswith(".jsonl.gz"):
        _read_index(path, read_annotation_json(path), found)
        return
    for number, record in enumerate(_lines(path)):
        if isinstance(record, dict) and "sub" in record:
            found.subtitles[field_of(record, path, number, "vid_name")] = _spoken(record, path, number)
        elif isinstance(record, dict) and "desc" in record and "vid_name" not in record:
            split = _split_named(path, number)
            found.hidden[split] = found.hidden.get(split, 0) + 1
        else:
            found.queries.append(_query(record, path, number))


def _lines(path: Path) -> Iterator[Any]:
    for number, line in enumerate(read_text(path).split("\n")):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                place = f"{path}, line {number + 1}"
                raise DataError(f"{place} is not valid JSON: {error.msg}.", "Download it again.") from error


def _read_index(path: Path, content: Any, found: _Found) -> None:
    if not isinstance(content, dict) or not all(isinstance(videos, dict) for videos in content.values()):
        raise DataError(f"{path} is not {{split: {{video: [seconds, number]}}}}.", "Give tvr_video2dur_idx.json.")
    for split, videos in content.items():
        for name, value in videos.items():
            if not isinstance(value, list) or len(value) != 2 or not _is_number(value[0]):
                raise DataError(f"{path}, {split}, {name}: {value!r} is not [seconds, number].", "Download it again.")
            found.gallery[name] = (split, float(value[0]))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _query(record: Any, path: Path, number: int) -> dict[str, Any]:
    name, text, span = (field_of(record, path, number, key) for key in ("vid_name", "desc", "ts"))
    if not isinstance(name, str) or not isinstance(text, str) or not text.strip():
        raise DataError(f"{path}, record {number}: vid_name or desc is no text.", "Download it again.")
    if not isinstance(span, list) or len(span) != 2 or not all(map(_is_number, span)) or not 0 <= span[0] <= span[1]:
        raise DataError(f"{path}, record {number}: ts {span!r} is not [start, end] in seconds.", "Download it again.")
    kind = record.get("type")
    if kind is not None and kind not in TYPES:
        raise DataError(f"{path}, record {number}: type {kind!r} is none of {', '.join(TYPES)}.", "Correct it.")
    seconds = record.get("duration")
    return {
        "caption_id": str(field_of(record, path, number, "desc_id")), "video_id": name, "text": text,
        "query_type": kind, "start_s": float(span[0]), "end_s": float(span[1]),
        "duration_s": float(seconds) if _is_number(seconds) else None, "named": _split_of_name(path),
    }  # fmt: skip


def _split_of_name(path: Path) -> str | None:
    """The split that a file's name states."""
    return next((split for split in reversed(SPLITS) if split in path.name), None)


def _split_named(path: Path, number: int) -> str:
    split = _split_of_name(path)
    if split is None:
        raise DataError(
            f"{path}, record {number}: there is no 'vid_name', and the file's name states no split.",
            f"Name it after its split: {', '.join(SPLITS)}.",
        )
    return split


def _spoken(record: Mapping[str, Any], path: Path, number: int) -> list[dict[str, Any]]:
    lines = record["sub"]
    if not isinstance(lines, list):
        raise DataError(f"{path}, record {number}: sub is no list.", "Is this tvqa_preprocessed_subtitles.jsonl?")
    return [{key: field_of(line, path, number, key) for key in ("text", "start", "end")} for line in lines]


def _captions(found: _Found) -> pd.DataFrame:
    table = pd.DataFrame(found.queries)
    listed = table["video_id"].map(lambda name: found.gallery.get(name, (None, None))[0])
    lost = (listed.isna() & bool(found.gallery)).to_numpy(bool)
    if lost.any():
        name = table["video_id"].iloc[int(lost.argmax())]
        raise DataError(f"Video {name!r} is in no split of the index.", "Give the index of the same release.")
    split = listed.where(listed.notna(), table["named"]).fillna("val")
    table = table.assign(split=split, language="en", role="original")
    columns = ["caption_id", "video_id", "text", "language", "role", "split", "query_type", "start_s", "end_s"]
    return table[columns]


def _videos(found: _Found, captions: pd.DataFrame) -> pd.DataFrame:
    """All videos of every split that was given, in the order of the index; without one, those that are asked for."""
    splits = {*captions["split"], *found.hidden}
    if found.gallery:
        rows = [(name, split, seconds) for name, (split, seconds) in found.gallery.items() if split in splits]
    else:
        seconds_of = {one["video_id"]: one["duration_s"] for one in found.queries}
        own = captions.drop_duplicates("video_id")
        rows = [(name, split, seconds_of[name]) for name, split in zip(own["video_id"], own["split"], strict=True)]
    videos = pd.DataFrame(rows, columns=["video_id", "split", "duration_s"])
    shows = [NAME.fullmatch(name) for name in videos["video_id"]]
    domain = [SHOWS.get(one["show"] or "", one["show"]) if one else None for one in shows]
    source = [f"{show} {one['episode']}" if one else None for show, one in zip(domain, shows, strict=True)]
    videos["domain"], videos["source_id"] = domain, source
    return videos


def _texts(found: _Found, videos: set[str]) -> pd.DataFrame:
    rows = [
        {"text_id": f"{name}#{ENGINE}#{number}", "video_id": name, "kind": "subtitle", "engine": ENGINE,
         "language": "en", "text": line["text"], "start_s": line["start"], "end_s": line["end"]}
        for name, lines in found.subtitles.items() if name in videos
        for number, line in enumerate(lines) if str(line["text"]).strip()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _notes(found: _Found, texts: pd.DataFrame) -> list[str]:
    notes = [
        f"{split}: {n:,} queries hide their videos and are left out; its videos can be searched."
        for split, n in found.hidden.items()
    ]
    if not found.gallery:
        notes.append("Without tvr_video2dur_idx.json the gallery holds only videos that are asked for.")
    if found.subtitles and not len(texts):
        notes.append("No subtitle belongs to a video of these splits.")
    return notes
