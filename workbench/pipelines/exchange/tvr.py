"""TVR predictions, which are its submission too: JSON of moments per query, videos by number.

``{"video2idx": {name: number}, "VCMR": [{"desc_id", "desc", "predictions": [[number, start, end, score], ...]}, ...],
"SVMR": [...], "VR": [...]}``; best first; the order counts, not the score. A zip for the challenge holds one such file
for every split, ``tvr_<split>_submission.json``.
"""

from __future__ import annotations

import json
import zipfile
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
from workbench.evaluation.moments.spans import DEPTH, place_in_group
from workbench.evaluation.moments.table import TASKS, check_moments, read_moments
from workbench.evaluation.runs.run import Run
from workbench.pipelines.exchange.lists import Imported, ranked_lists, spread
from workbench.pipelines.ids import positions_of

LARGEST = 1e300
SHAPE = "It is an object of video2idx and VCMR, SVMR, VR lists; a prediction is [video, start, end, score]."


def write_tvr(run: Run, path: Path) -> str:
    """Write the moments of a run, or, where it holds none, its best 100 videos of every caption as task VR.

    A ``.zip`` holds them as ``tvr_<split>_submission.json``. Videos are numbered in the order of the
    gallery; caption ids that are whole numbers are written as such.
    """
    if run.moments is not None:
        moments = read_moments(run)
    else:
        moments = ranked_lists(run, DEPTH).assign(task="vr", start_s=np.nan, end_s=np.nan)
    texts = dict(zip(run.queries["caption_id"], run.queries["text"], strict=True))
    numbers = {video: number for number, video in enumerate(run.gallery["video_id"])}
    submission = to_submission(moments, texts, numbers)
    content = json.dumps(submission, ensure_ascii=False, allow_nan=False)
    with atomic(path) as temporary:
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(_member(run.split), content)
        else:
            temporary.write_text(content, encoding="utf-8")
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


def _member(split: str) -> str:
    """Name of a split's file in a zip."""
    return f"tvr_{split}_submission.json"


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and str(int(text)) == text


def read_tvr(path: Path, corpus: Corpus) -> Imported:
    """Predictions as moments and as scores of videos: minus the rank in VR, or of a video's best moment in VCMR.

    Raises:
        DataError: Not this layout, an unknown caption or video, or only SVMR, which ranks no videos.
    """
    moments = _known(read_submission(path, corpus.split or ""), corpus)
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


def read_submission(path: Path, split: str = "") -> pd.DataFrame:
    """The moments of a TVR prediction file, videos by name.

    Args:
        path: JSON, or a zip of such files.
        split: Whose file of a zip to take, where it holds several.

    Raises:
        DataError: Not JSON, not this layout, a video number without a name, a query that stands twice, or a zip without
            a file for the split.
    """
    if path.suffix.lower() == ".zip":
        return from_submission(_unzipped(path, split), str(path))
    return from_submission(read_json(path, "TVR predictions"), str(path))


def holds_predictions(path: Path) -> bool:
    """Whether a file is a zip of JSON files, as TVR's submissions are."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".json") for name in archive.namelist())
    except (zipfile.BadZipFile, FileNotFoundError, IsADirectoryError):
        return False


def _unzipped(path: Path, split: str) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".json")]
            wanted = _member(split) if _member(split) in names or len(names) != 1 else names[0]
            if wanted not in names:
                held = ", ".join(names) or "no JSON file"
                raise DataError(f"{path} holds {held}, and no {wanted}.", "Choose the split it was made on (--split).")
            return json.loads(archive.read(wanted).decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist.", "Check the path.") from error
    except (zipfile.BadZipFile, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}.", "Save or download it again.") from error


def from_submission(content: Any, what: str) -> pd.DataFrame:
    """A submission as a table of moments.

    Raises:
        DataError: Not this layout, a video number without a name, or a query that stands twice.
    """
    names = content.get("video2idx") if isinstance(content, dict) else None
    if not isinstance(names, dict) or not all(isinstance(number, int) for number in names.values()):
        raise DataError(f"{what} has no mapping 'video2idx' of names to numbers.", SHAPE)
    numbers = np.asarray(list(names.values()), np.int64)
    if len(np.unique(numbers)) < len(numbers):
        raise DataError(f"{what}: two videos of video2idx have one number.", "Number every video once.")
    parts = [part for task in TASKS for part in _lists(content.get(task.upper(), []), task, what)]
    if not any(len(values) for *_, values in parts):
        raise DataError(f"{what} holds no prediction.", SHAPE)
    sizes = [len(values) for *_, values in parts]
    values = np.concatenate([values for *_, values in parts])
    order = np.argsort(numbers)
    place = order[np.searchsorted(numbers, values[:, 0], sorter=order).clip(max=len(order) - 1)]
    if (unnamed := numbers[place] != values[:, 0]).any():
        caption = parts[int(np.searchsorted(np.cumsum(sizes), int(unnamed.argmax()), "right"))][1]
        raise DataError(
            f"{what}: query {caption!r} names a video number that video2idx lacks.",
            "Give the mapping that the predictions were made with.",
        )
    owner = np.repeat(np.arange(len(parts)), sizes)
    task, caption = (pd.Series([part[at] for part in parts], dtype="str").take(owner).array for at in (0, 1))
    table = pd.DataFrame({
        "task": task, "caption_id": caption, "rank": place_in_group(owner) + 1,
        "video_id": pd.Series(list(names), dtype="str").take(place).array,
        "start_s": values[:, 1], "end_s": values[:, 2], "score": values[:, 3],
    })  # fmt: skip
    table[["start_s", "end_s"]] = table[["start_s", "end_s"]].mask(table["task"] == "vr")
    return check_moments(table)


def _lists(entries: Any, task: str, what: str) -> Iterator[tuple[str, str, np.ndarray]]:
    """Task, caption and predictions [n, 4] (video number, start, end, score or NaN) of every query."""
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
        values = _predictions(entry["predictions"])
        if isinstance(values, int):
            raise DataError(f"{what}: {task.upper()}, query {caption!r}, prediction {values} is wrong.", SHAPE)
        yield task, caption, values


def _predictions(rows: list[Any]) -> np.ndarray | int:
    """float64 [n, 4], or which prediction is wrong, from 1."""
    try:
        found = np.asarray(rows)
    except ValueError:  # of several lengths
        found = np.empty(0, object)
    if found.ndim == 2 and found.shape[1] == 4 and found.dtype.kind in "if":
        wrong = ~(np.abs(found) < LARGEST).all(axis=1)
        return int(wrong.argmax()) + 1 if wrong.any() else found.astype(float)
    padded = np.full((len(rows), 4), np.nan)
    for place, row in enumerate(rows):
        if not isinstance(row, list) or len(row) < 3 or not all(map(_is_number, row[:4])):
            return place + 1
        padded[place, : min(4, len(row))] = row[:4]
    return padded


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < LARGEST
