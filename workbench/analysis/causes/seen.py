"""Where the words of the evidence stand: texts with their first frame, and their boxes for a few queries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis.causes.failed import Seen
from workbench.analysis.reading.run_texts import Readings
from workbench.corpus import Corpus
from workbench.corpus.engines import TRUTH

MOST_TEXTS = 3
"""Texts of a video that are kept of each word, the first ones; a ticker says the same word again and again."""
CORNERS = [f"{axis}{i}" for i in range(1, 5) for axis in "xy"]
KNOWN = {"texts": ["engine", "text"], "boxes": ["frame", "time_s", *CORNERS]}
"""What is taken of each table."""
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
    videos, asked = dict.fromkeys(row["video_id"] for row in rows), {row["text_id"] for row in rows}
    texts, boxes = (_by_text(corpus.of_videos(name, videos), asked, of) for name, of in KNOWN.items())
    empty = dict.fromkeys([name for of in KNOWN.values() for name in of], np.nan)
    found = []
    for row in rows:
        box = boxes.get(row["text_id"], {})
        stands = {name: row[name] if pd.isna(box.get(name)) else box[name] for name in ("frame", "time_s")}
        found.append({**empty, **row, **texts.get(row["text_id"], {}), **box, **stands})
    table = pd.DataFrame(found, columns=COLUMNS)
    return table.astype(dict.fromkeys(["frame", "time_s", *CORNERS], float))


def _by_text(rows: pd.DataFrame, text_ids: set[str], names: list[str]) -> dict[Any, dict[Any, Any]]:
    """Columns of the first row (of the lowest frame, where rows have one) of each of some texts, by text."""
    own = rows[rows["text_id"].isin(text_ids)]
    own = own.sort_values("frame", kind="stable") if "frame" in own else own
    return own.drop_duplicates("text_id").set_index("text_id")[names].to_dict("index")
