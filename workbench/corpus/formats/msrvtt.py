"""MSR-VTT: 10,000 web clips with 20 captions each, under three protocols that are three corpora.

``1ka`` (JSFusion): 1,000 test clips with one caption each, from ``MSRVTT_JSFUSION_test.csv``; ``7k``: the same test
clips with the older train list; ``full``: 2,990 test clips with 20 captions. Train captions are in ``MSRVTT_data.json``
(``sentences``) or Frozen in Time's ``MSR_VTT.json`` (``annotations``); train videos from ``MSRVTT_train.9k.csv`` or
``.7k.csv``. Lists of ``{"video_id", "desc"}`` records (GRAM) are read too.
Sources: CLIP4Clip, DRL, Frozen in Time, GRAM (layouts only).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.corpus.formats.parsed import (
    VIDEO_SUFFIXES,
    Parsed,
    find_renditions,
    one_relevance_per_caption,
    read_annotation_json,
    read_text,
)

PROTOCOLS = {
    "1ka": "1k-A: 1,000 test captions, one per video, each finds its video among 1,000; train on 9,000 videos.",
    "7k": "The 1,000 test pairs of 1k-A; train on 7,010 videos.",
    "full": "Official split: 2,990 test videos with 20 captions each.",
}
TITLES = {"1ka": "MSR-VTT 1k-A", "7k": "MSR-VTT 7k", "full": "MSR-VTT full"}
TEST_COLUMNS = ("key", "vid_key", "video_id", "sentence")


def parse_msrvtt(
    annotations: Sequence[Path], *, roots: Mapping[str, Path] | None = None, protocol: str = "1ka"
) -> Parsed:
    """Parse MSR-VTT's files; what each file is, is seen from its content.

    Args:
        annotations: The 1k-A csv, train lists, JSON of captions in any of the three layouts; any subset that has a
            test split.
        roots: Folder of ``<video_id>.mp4`` (or .webm ...) by rendition.
        protocol: ``1ka``, ``7k`` or ``full``.

    Raises:
        DataError: A file of no known layout, or nothing to test on.
        UnknownNameError: An unknown protocol.
    """
    sentence = pick(PROTOCOLS, protocol, "MSR-VTT protocol")
    found = _Found()
    for path in map(Path, annotations):
        _read(path, found)
    captions = pd.DataFrame(_captions(found, protocol), columns=["caption_id", "video_id", "text", "split"])
    if not (captions["split"] == "test").any():
        raise DataError(
            f"These files hold no test captions of protocol {protocol}.",
            "Give MSRVTT_JSFUSION_test.csv (1ka, 7k), or a JSON with splits (full).",
        )
    captions = captions.assign(language="en", role="original")
    videos = captions.drop_duplicates("video_id")[["video_id", "split"]].reset_index(drop=True)
    renditions, status = find_renditions(videos["video_id"], dict(roots or {}), _places)
    videos = videos.assign(
        source_id=videos["video_id"].map(found.sources), domain=videos["video_id"].map(found.categories),
        status=videos["video_id"].map(status),
    )  # fmt: skip
    tables = {"videos": videos, "captions": captions, "relevance": one_relevance_per_caption(captions)}
    if roots:
        tables["renditions"] = renditions
    notes = [] if found.sources else ["Source videos are unknown (no JSON with urls): intervals are not clustered."]
    return Parsed(tables, TITLES[protocol], sentence, "test", None, notes)


class _Found:
    """What the files held: the test table, train ids, captions by video, sources, splits."""

    def __init__(self) -> None:
        self.test: pd.DataFrame | None = None
        self.train_ids: list[str] = []
        self.captions: dict[str, list[str]] = {}
        self.sources: dict[str, str] = {}
        self.categories: dict[str, str] = {}
        self.splits: dict[str, str] = {}


def _read(path: Path, found: _Found) -> None:
    name = path.name.lower()
    if name.endswith((".json", ".json.gz")):
        _read_json(path, read_annotation_json(path), found)
        return
    if not name.endswith((".csv", ".csv.gz", ".txt")):
        raise DataError(f"{path.name} is of an unknown kind.", "MSR-VTT's annotations are csv, txt and json files.")
    table = pd.read_csv(io.StringIO(read_text(path)), dtype=str, keep_default_na=False)
    if set(TEST_COLUMNS) <= set(table.columns):
        _refuse_empty(table, path)
        found.test = table
    elif list(table.columns) == ["video_id"]:
        found.train_ids += table["video_id"].to_list()
    elif len(table.columns) == 1 and re.fullmatch(r"video\d+", table.columns[0]):
        found.train_ids += [table.columns[0], *table.iloc[:, 0]]
    else:
        columns = ", ".join(map(str, table.columns[:6]))
        raise DataError(
            f"{path} has the columns {columns}.",
            f"The 1k-A file has {', '.join(TEST_COLUMNS)}; train lists have video_id. For other tables: --format table",
        )


def _refuse_empty(table: pd.DataFrame, path: Path) -> None:
    for column in TEST_COLUMNS:
        empty = table[column].str.strip() == ""
        if empty.any():
            raise DataError(f"{path}, data row {int(empty.argmax())}: {column} is empty.", "Download it again.")


def _read_json(path: Path, content: Any, found: _Found) -> None:
    records: list[Any]
    if isinstance(content, dict) and isinstance(content.get("sentences"), list):
        records = [(r.get("video_id"), r.get("caption")) for r in content["sentences"]]
    elif isinstance(content, dict) and isinstance(content.get("annotations"), list):
        records = [(r.get("image_id") or r.get("video_id"), r.get("caption")) for r in content["annotations"]]
    elif isinstance(content, list) and content and isinstance(content[0], dict) and "desc" in content[0]:
        records = [(r.get("video_id"), text) for r in content for text in _texts(r["desc"])]
        found.splits.update({r["video_id"]: "test" for r in content if "test" in path.name})
    else:
        raise DataError(
            f"{path} has none of MSR-VTT's layouts.",
            "Known: {sentences, videos}, {annotations, images}, and lists of {video_id, desc}.",
        )
    for number, (video, text) in enumerate(records):
        if not isinstance(video, str) or not isinstance(text, str) or not text.strip():
            raise DataError(f"{path}, caption {number}: video id or text is missing.", "Download it again.")
        found.captions.setdefault(video, []).append(text)
    for video in content.get("videos", []) if isinstance(content, dict) else []:
        _read_video(video, found)


def _texts(desc: Any) -> list[Any]:
    return desc if isinstance(desc, list) else [desc]


def _read_video(video: Mapping[str, Any], found: _Found) -> None:
    name, url = video.get("video_id"), str(video.get("url", ""))
    if name is None:
        return
    if source := re.search(r"[?&]v=([^&]+)", url):
        found.sources[name] = source.group(1)
    if split := {"train": "train", "validate": "val", "val": "val", "test": "test"}.get(video.get("split", "")):
        found.splits[name] = split


def _captions(found: _Found, protocol: str) -> Iterator[tuple[str, str, str, str]]:
    if protocol == "full":
        for video, texts in found.captions.items():
            for number, text in enumerate(texts):
                yield f"{video}#{number}", video, text, found.splits.get(video, "train")
        return
    tested: set[str] = set()
    if found.test is not None:
        tested = set(found.test["video_id"])
        for row in found.test.itertuples(index=False):
            yield str(row.key), str(row.video_id), str(row.sentence), "test"
    else:
        for video in (name for name, split in found.splits.items() if split == "test"):
            tested.add(video)
            yield f"{video}#0", video, found.captions[video][0], "test"
    train = [video for video in dict.fromkeys(found.train_ids or found.captions) if video not in tested]
    for video in train:
        for number, text in enumerate(found.captions.get(video, [])):
            yield f"{video}#{number}", video, text, "train"


def _places(video_id: str) -> Iterator[str]:
    return (f"{folder}{video_id}{suffix}" for folder in ("", "videos/", "all/") for suffix in VIDEO_SUFFIXES)
