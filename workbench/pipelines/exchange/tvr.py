"""TVR predictions, which are its submission too: JSON of moments per query, videos by number.

``{"video2idx": {name: number}, "VCMR": [{"desc_id", "desc", "predictions": [[number, start, end, score], ...]}, ...],
"SVMR": [...], "VR": [...]}``; best first; the order counts, not the score.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.core.files import atomic, read_json
from workbench.corpus import Corpus
from workbench.evaluation.moment_table import FILE, TASKS, check_moments, read_moments
from workbench.evaluation.runs import Run
from workbench.evaluation.spans import DEPTH
from workbench.pipelines.exchange.lists import Imported, ranked_lists, spread
from workbench.pipelines.ids import positions_of

SHAPE = "It is an object of video2idx and VCMR, SVMR, VR lists; a prediction is [video, start, end, score]."


def write_tvr(run: Run, path: Path) -> str:
    """Write the moments of a run, or, where it holds none, its best 100 videos of every caption as task VR.

    Videos are numbered in the order of the gallery; caption ids that are whole numbers are written as such.
    """
    if (run.path / FILE).exists():
        moments = read_moments(run)
    else:
        moments = ranked_lists(run, DEPTH).assign(task="vr", start_s=np.nan, end_s=np.nan)
    texts = dict(zip(run.queries["caption_id"], run.queries["text"], strict=True))
    numbers = {video: number for number, video in enumerate(run.gallery["video_id"])}
    submission = to_submission(moments, texts, numbers)
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(submission, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    tasks = ", ".join(key for key in submission if key != "video2idx")
    return f"{tasks} of {moments['caption_id'].nunique():,} captions"


def to_submission(moments: pd.DataFrame, texts: Mapping[str, str], numbers: Mapping[str, int]) -> dict[str, Any]:
    """A table of moments as a submission.

    Args:
        moments: ``check_moments``; at most 100 of a query are written.
        texts: Text of every caption.
        numbers: Number of every video.

    Raises:
        DataError: A video has no number.
    """
    found: dict[str, Any] = {"video2idx": dict(numbers)}
    whole = all(_is_whole(caption) for caption in moments["caption_id"].unique())
    video = moments["video_id"].map(dict(numbers))
    if video.isna().any():
        lost = moments["video_id"].iloc[int(video.isna().argmax())]
        raise DataError(f"Video {lost!r} has no number.", "Give it one.")
    moments = moments[moments["rank"] <= DEPTH].assign(video=video)
    for task in TASKS:
        part = moments[moments["task"] == task].fillna({"start_s": 0.0, "end_s": 0.0, "score": 0.0})
        columns = [part[name].to_list() for name in ("caption_id", "video", "start_s", "end_s", "score")]
        if len(part):
            found[task.upper()] = [
                {
                    "desc_id": int(caption) if whole else caption,
                    "desc": texts.get(caption, ""),
                    "predictions": [[int(row[1]), *row[2:]] for row in rows],
                }
                for caption, rows in groupby(zip(*columns, strict=True), key=itemgetter(0))
            ]
    return found


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and str(int(text)) == text


def read_tvr(path: Path, corpus: Corpus) -> Imported:
    """Predictions as moments and as scores of videos: minus the rank in VR, or of a video's best moment in VCMR.

    Raises:
        DataError: Not this layout, an unknown caption or video, or only SVMR, which ranks no videos.
    """
    moments = _known(read_submission(path), corpus)
    ranked = next((task for task in ("vr", "vcmr") if (moments["task"] == task).any()), None)
    if ranked is None:
        raise DataError(f"{path} holds SVMR only, which ranks no videos.", "Give VR or VCMR as well.")
    lists = moments[moments["task"] == ranked].drop_duplicates(["caption_id", "video_id"])
    origin = f"{path.name}, minus the rank in {ranked.upper()}"
    found = spread(lists.assign(score=-lists["rank"].astype(float)), corpus, origin)
    return Imported(found.matrix, found.candidates, moments)


def _known(moments: pd.DataFrame, corpus: Corpus) -> pd.DataFrame:
    """Moments with the ids of the corpus, where the file has names of its own for them."""
    renamed = {}
    for column, table in (("caption_id", corpus.captions), ("video_id", corpus.videos)):
        codes, names = pd.factorize(moments[column])
        known = table[column].to_list()
        places = positions_of(list(map(str, names)), known, column.removesuffix("_id"))
        renamed[column] = np.asarray(known, object)[places][codes]
    return check_moments(moments.assign(**renamed))


def read_submission(path: Path) -> pd.DataFrame:
    """The moments of a TVR prediction file, videos by name.

    Raises:
        DataError: Not JSON, not this layout, a video number without a name, or a query that stands twice.
    """
    content = read_json(path, "TVR predictions")
    return from_submission(content, str(path))


def from_submission(content: Any, what: str) -> pd.DataFrame:
    """A submission as a table of moments.

    Raises:
        DataError: Not this layout, a video number without a name, or a query that stands twice.
    """
    names = content.get("video2idx") if isinstance(content, dict) else None
    if not isinstance(names, dict) or not all(isinstance(number, int) for number in names.values()):
        raise DataError(f"{what} has no mapping 'video2idx' of names to numbers.", SHAPE)
    name_of = {number: name for name, number in names.items()}
    if len(name_of) < len(names):
        raise DataError(f"{what}: two videos of video2idx have one number.", "Number every video once.")
    rows = [row for task in TASKS for row in _rows(content.get(task.upper(), []), task, what)]
    if not rows:
        raise DataError(f"{what} holds no prediction.", SHAPE)
    table = pd.DataFrame(rows, columns=["task", "caption_id", "rank", "video", "start_s", "end_s", "score"])
    video = table.pop("video").map(name_of)
    if video.isna().any():
        row = int(video.isna().argmax())
        raise DataError(
            f"{what}: query {table['caption_id'].iloc[row]!r} names a video number that video2idx lacks.",
            "Give the mapping that the predictions were made with.",
        )
    vr = table["task"] == "vr"
    table[["start_s", "end_s"]] = table[["start_s", "end_s"]].astype(float).mask(vr)
    return check_moments(table.assign(video_id=video))


def _rows(entries: Any, task: str, what: str) -> Iterator[tuple[Any, ...]]:
    seen: set[str] = set()
    if not isinstance(entries, list):
        raise DataError(f"{what}: {task.upper()} is no list.", SHAPE)
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or "desc_id" not in entry or not isinstance(entry.get("predictions"), list):
            raise DataError(f"{what}: {task.upper()} entry {number} has no desc_id and predictions.", SHAPE)
        caption = str(entry["desc_id"])
        if caption in seen:
            raise DataError(f"{what}: query {caption!r} stands twice in {task.upper()}.", "Give each query once.")
        seen.add(caption)
        for rank, one in enumerate(entry["predictions"], 1):
            if not isinstance(one, list) or len(one) < 3 or not all(_is_number(value) for value in one[:4]):
                raise DataError(f"{what}: {task.upper()}, query {caption!r}, prediction {rank} is wrong.", SHAPE)
            yield task, caption, rank, *one[:3], one[3] if len(one) > 3 else np.nan


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
