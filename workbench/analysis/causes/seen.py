"""Where the words of the evidence stand: texts with their first frame, and their boxes for a few queries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from workbench.analysis.causes.failed import Seen
from workbench.analysis.reading.run_texts import Readings
from workbench.corpus import Corpus
from workbench.corpus.engines import TRUTH

MOST_TEXTS = 3
"""Texts of a video that are kept of each word, the first ones; a ticker says the same word again and again."""
CORNERS = [f"{axis}{i}" for i in range(1, 5) for axis in "xy"]
PLACE = ["cause", "word", "video_id", "text_id", "frame", "time_s"]
COLUMNS = ["query_id", "cause", "word", "video_id", "text_id", "engine", "text", "frame", "time_s", *CORNERS]


def places_of(cause: str, seen: Sequence[Seen], readings: Readings) -> list[dict[str, Any]]:
    """The first texts that hold each word of a cause's evidence: cause, word, video_id, text_id, frame, time_s.

    Args:
        cause: The cause.
        seen: Words that triggered it.
        readings: What was read; frame and seconds are those in which a text begins, None = not stated.
    """
    found, texts = [], readings.word_texts
    for one in seen:
        engine = TRUTH if one.written else readings.engine
        rows = texts.rows(engine, one.video_id, one.word)
        if len(rows) > 1:
            rows = sorted(rows, key=lambda at: (texts.begins(at)[0] is None, texts.begins(at)[0] or 0.0))
        for at in rows[:MOST_TEXTS]:
            seconds, frame = texts.begins(at)
            found.append(
                {"cause": cause, "word": one.word, "video_id": one.video_id, "text_id": texts.text_ids[at],
                 "frame": frame, "time_s": seconds}
            )  # fmt: skip
    return found


def texts_in_evidence(failed: pd.DataFrame, video_id: str) -> list[str]:
    """Ids of the texts of a video that stand in the evidence of some failures.

    Args:
        failed: Rows of ``failures``.
        video_id: The video.
    """
    every = (place for own in failed["places"] for place in json.loads(own))
    return list(dict.fromkeys(place["text_id"] for place in every if place["video_id"] == video_id))


def evidence_boxes(failed: pd.DataFrame, corpus: Corpus) -> pd.DataFrame:
    """The first box of every text in the evidence of some failures.

    Boxes lie in one file per video, so give the rows that are looked at, rather than all of a large run.

    Args:
        failed: Rows of ``failures``.
        corpus: The run's corpus.

    Returns:
        query_id, cause, word, video_id, text_id, engine, text, frame, time_s (of the box; where there is none, those in
        which the text begins), x1 y1 ... x4 y4 (0..1 of the displayed frame, null where there is no box).
    """
    pairs = zip(failed["query_id"], failed["places"], strict=True)
    rows = [{"query_id": query, **place} for query, own in pairs for place in json.loads(own)]
    table = pd.DataFrame(rows, columns=["query_id", *PLACE])
    parts = [_first_boxes(corpus, str(video), set(own["text_id"])) for video, own in table.groupby("video_id")]
    boxes = pd.concat(parts) if parts else corpus.boxes("").set_index("text_id")
    own = pd.concat([corpus.of_video("texts", video) for video in table["video_id"].unique()] or [corpus.texts[:0]])
    texts = own[own["text_id"].isin(table["text_id"])].set_index("text_id")[["engine", "text"]]
    found = pd.concat([table, texts.reindex(table["text_id"]).reset_index(drop=True)], axis=1)
    own = boxes.reindex(table["text_id"]).reset_index(drop=True)
    for name in ("frame", "time_s"):
        found[name] = own[name].astype(float).where(own[name].notna(), table[name].astype(float))
    return found.assign(**{name: own[name].astype(float) for name in CORNERS})[COLUMNS]


def _first_boxes(corpus: Corpus, video_id: str, text_ids: set[str]) -> pd.DataFrame:
    """The first box of each of some texts, by text."""
    boxes = corpus.boxes(video_id)
    boxes = boxes[boxes["text_id"].isin(text_ids)].sort_values(["frame"], kind="stable")
    return boxes.drop_duplicates("text_id").set_index("text_id")
