"""Runs of four made videos a, b, c, d whose first query fails at ``b``, with all that a cause may ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

import workbench as wb
from tests.texts import IDS, WRONG
from workbench.corpus import save_corpus
from workbench.evaluation import Run

OTHERS = ["a dog swims across the lake", "an old cat sleeps under blankets", "a bird sits high above the trees"]


def failing(
    first: str = "a horse",
    second: str | None = None,
    *,
    name: str = "r",
    corpus: str = "c",
    similarity: Any = WRONG,
    read: Mapping[str, Sequence[str]] | None = None,
    truth: Mapping[str, Sequence[str]] | None = None,
    given: Mapping[str, Sequence[str]] | None = None,
    times: Mapping[str, Sequence[float]] | None = None,
    spans: Mapping[str, tuple[float, float]] | None = None,
    frames: Mapping[str, Sequence[int]] | None = None,
    train: Sequence[str] = (),
    captions: Mapping[str, Sequence[Any]] | None = None,
    videos: Mapping[str, Sequence[Any]] | None = None,
    boxes: pd.DataFrame | None = None,
    **options: Any,
) -> Run:
    """A run on a corpus that states just what a test needs.

    Args:
        first: What the first query says.
        second: What the caption of ``b`` says.
        name: The run's.
        corpus: The corpus'.
        similarity: Scores; the first query fails at ``b``.
        read: Texts that the engine rapidocr read, by video.
        truth: Texts that are written, by video.
        given: Words that the model had, by video; None = it does not say.
        times: Times of the frames that the model saw, by video.
        spans: Start and end of every text of a video, seconds (rapidocr) and frames (truth).
        frames: Frames that the engine looked at, by video.
        train: Captions of the train split.
        captions: More columns of the four captions.
        videos: More columns of the four videos.
        boxes: Of all texts.
        **options: Of ``save_run``.
    """
    n = len(train)
    more = [f"t{i}" for i in range(n)]
    texts = [first, second or OTHERS[0], *OTHERS[1:], *train]
    split = ["test"] * 4 + ["train"] * n
    tables = {
        "videos": pd.DataFrame({"video_id": [*IDS, *more], "split": split, "status": "not_kept",
                                **{key: [*own, *[None] * n] for key, own in (videos or {}).items()}}),
        "captions": pd.DataFrame({"caption_id": [*(f"q{i}" for i in range(4)), *more], "video_id": [*IDS, *more],
                                  "role": "original", "text": texts, "split": split,
                                  **{key: [*own, *[None] * n] for key, own in (captions or {}).items()}}),
    }  # fmt: skip
    engines = {"rapidocr": read, "truth": truth}
    rows = [_text(video, engine, i, text, spans or {}) for engine, by_video in engines.items()
            for video, own in (by_video or {}).items() for i, text in enumerate(own)]  # fmt: skip
    looked = [
        {"video_id": video, "engine": engine, "state": "read" if by_video.get(video) else "empty",
         "rendition": "original", "frames_read": list((frames or {}).get(video, []))}
        for engine, by_video in engines.items() if by_video is not None for video in IDS
    ]  # fmt: skip
    if looked:
        tables["text_coverage"] = pd.DataFrame(looked)
    if rows:
        tables["texts"] = pd.DataFrame(rows)
    if boxes is not None:
        tables["boxes"] = boxes
    made = save_corpus(corpus, tables, overwrite=True).with_split("test")
    inputs = None
    if given is not None or times is not None:
        inputs = pd.DataFrame({"video_id": IDS, "times_s": [list((times or {}).get(one, [])) for one in IDS]})
    if given is not None and inputs is not None:
        inputs = inputs.assign(words=[list(given.get(one, [])) for one in IDS], engine="rapidocr")
    return wb.save_run(np.array(similarity, np.float32), corpus=made, name=name, inputs=inputs, **options)


def _text(video: str, engine: str, i: int, text: str, spans: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    start, end = spans.get(video, (None, None))
    place = {"start_s": start, "end_s": end} if engine == "rapidocr" else {"first_frame": start, "last_frame": end}
    return {"text_id": f"{video}#{engine}#{i}", "video_id": video, "kind": "ocr", "engine": engine, "text": text,
            **place}  # fmt: skip
