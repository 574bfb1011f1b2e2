"""Four made videos with read texts, and runs on them whose first query fails: for causes in scene text."""

from __future__ import annotations

import numpy as np
import pandas as pd

import workbench as wb
from workbench.corpus import save_corpus

IDS = list("abcd")
WRONG = np.array([[0.2, 0.9, 0.1, 0.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], np.float32)
"""The first query fails at ``b``, the others are right."""
FIRST = 'A shop with the words "Sloane Square".'


def read_corpus(
    first=FIRST, *, rapidocr=None, truth=None, states=None, domains=None, kinds=None, name="c", others=None
):
    """Four videos; ``rapidocr`` and ``truth`` are texts by video, ``states`` the coverage of a video by rapidocr."""
    videos = pd.DataFrame({"video_id": IDS, "split": "test", "status": "not_kept", "domain": domains})
    texts = [first, *(others or ["a dog", "a cat", "a bird"])]
    captions = pd.DataFrame({"caption_id": [f"q{i}" for i in range(4)], "video_id": IDS, "role": "original",
                             "text": texts, "split": "test", "query_type": kinds})  # fmt: skip
    tables = {"videos": videos, "captions": captions}
    rows, coverage = [], []
    for engine, read in (("rapidocr", rapidocr), ("truth", truth)):
        for video in IDS if read is not None else []:
            state = (states or {}).get(video) if engine == "rapidocr" else None
            words = read.get(video, [])
            coverage.append({"video_id": video, "engine": engine, "state": state or ("read" if words else "empty")})
            rows += [
                {"text_id": f"{video}#{engine}#{n}", "video_id": video, "kind": "ocr", "engine": engine, "text": text}
                for n, text in enumerate(words)
            ]
    if coverage:
        tables["text_coverage"] = pd.DataFrame(coverage)
        tables["texts"] = pd.DataFrame(rows) if rows else None
    return save_corpus(name, {k: v for k, v in tables.items() if v is not None}).with_split("test")


def run_on(corpus, *, given=None, similarity=WRONG, name="r", engine="rapidocr", **options):
    """A run; ``given`` are the words that its model had by video, None = it does not say."""
    inputs = None
    if given is not None:
        words = [given.get(video, []) for video in IDS]
        inputs = pd.DataFrame({"video_id": IDS, "words": words, "engine": engine})
    return wb.save_run(np.array(similarity, np.float32), corpus=corpus, name=name, inputs=inputs, **options)
