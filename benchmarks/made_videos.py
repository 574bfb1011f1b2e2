"""Files for made videos: each a link to one small clip whose frames show their numbers; a text moves with them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.figures.players import CONSTANT, FRAMES, HEIGHT, WIDTH, quad, write_video
from workbench.corpus import Corpus
from workbench.corpus.media import write_frame_times

ENGINE, SHIFTS = "rapidocr", (0, 15, 30, 45)
"""Who read the words, and the frames in which the box of the first one is stated."""
TIMES = np.asarray(CONSTANT) / 600


def tables_of_videos(
    folder: Path, videos: Sequence[str], read: Sequence[Sequence[str]]
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Files in a folder, and what a corpus says of them: renditions, texts, boxes, coverage; and its ``roots``.

    Args:
        folder: Where the files are linked.
        videos: Ids, which are the names of the files too.
        read: The words of every video; all stand in one text, whose box moves.
    """
    folder.mkdir(parents=True)
    first = folder / videos[0]
    write_video(first, CONSTANT)
    for video in videos[1:]:
        os.link(first, folder / video)
    stat = first.stat()
    file = {"width": WIDTH, "height": HEIGHT, "rotation": 0, "fps": 12.0, "n_frames": FRAMES, "codec": "h264",
            "n_bytes": stat.st_size, "mtime": stat.st_mtime}  # fmt: skip
    of_engine = {"video_id": videos, "engine": ENGINE}
    boxes = [
        {"text_id": video, "frame": at, "time_s": TIMES[at], **quad((10 + at) / 160, 0.7, (70 + at) / 160, 0.867)}
        for video in videos for at in SHIFTS
    ]  # fmt: skip
    words = [" ".join(one) for one in read]
    tables = {
        "renditions": pd.DataFrame({"video_id": videos, "rendition": "original", "path": videos, **file}),
        "texts": pd.DataFrame({**of_engine, "text_id": videos, "kind": "ocr", "text": words, "start_s": 0.0}),
        "text_coverage": pd.DataFrame({**of_engine, "state": "read", "rendition": "original"}),
        "boxes": pd.DataFrame(boxes),
    }
    return tables, {"roots": {"original": str(folder)}}


def write_times(corpus: Corpus, videos: Sequence[str]) -> None:
    """The times of every file's frames, as probing it would store them."""
    keys = np.arange(FRAMES) % 15 == 0
    for video in videos:
        write_frame_times(corpus, video, "original", TIMES, keys)
