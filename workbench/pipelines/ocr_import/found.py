"""What a format of foreign texts finds in its source, and what is known of the videos that it speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import StateError
from workbench.corpus import Corpus
from workbench.corpus.media import frame_times


@dataclass
class Found:
    """What a format found in its source.

    Attributes:
        engine: The name under which the texts are stored.
        rows: By video, a row of ``text_coverage`` with the further column n_texts.
        texts: Rows of the table ``texts``, of each video that has some.
        boxes: Rows of the table ``boxes``, by video.
        census: How often each form and each oddity occurs, per file or line.
        notes: What a user should know, in sentences.
    """

    engine: str
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: list[pd.DataFrame] = field(default_factory=list)
    boxes: dict[str, pd.DataFrame] = field(default_factory=dict)
    census: list[Mapping[str, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, video_id: str, texts: pd.DataFrame, boxes: pd.DataFrame, **facts: Any) -> None:
        """Take the texts of a video; ``facts`` are further columns of its row."""
        self.rows[video_id] = {"state": "read" if len(texts) else "empty", "n_texts": len(texts), **facts}
        if len(texts):
            self.texts.append(texts)
        self.boxes[video_id] = boxes

    def leave(self, video_id: str, state: str, reason: str) -> None:
        """Say why a video has none: ``failed`` or ``absent``."""
        self.rows[video_id] = {"state": state, "reason": reason, "n_texts": 0}


def media_of(corpus: Corpus) -> dict[str, dict[str, dict[str, Any]]]:
    """Video -> rendition -> width, height, n_frames, fps of the files that were probed."""
    probed = corpus.renditions[corpus.renditions["width"].notna() & corpus.renditions["height"].notna()]
    media: dict[str, dict[str, dict[str, Any]]] = {}
    for row in probed.to_dict("records"):
        facts = {column: None if pd.isna(row[column]) else row[column] for column in ("width", "height", "n_frames")}
        facts |= {"rendition": row["rendition"], "fps": row["fps"]}
        media.setdefault(row["video_id"], {})[row["rendition"]] = facts
    return media


def times_of(corpus: Corpus, video_id: str, rendition: str | None) -> np.ndarray | None:
    """Seconds of every frame [n_frames]; None where no rendition is asked for, or it was not probed."""
    try:
        return frame_times(corpus, video_id, rendition) if rendition else None
    except StateError:
        return None
