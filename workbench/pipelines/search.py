"""Search any corpus by words: an index over what is read or said in its videos, or a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.corpus import Corpus
from workbench.evaluation import open_run
from workbench.index import DenseIndex, LexicalIndex
from workbench.ocr.matched import matched_texts
from workbench.pipelines.checkpoints import can_encode, model_of
from workbench.pipelines.encoding import look
from workbench.pipelines.indexes import described_index, documents, list_indexes, open_index


@dataclass(frozen=True)
class Found:
    """What a search gave.

    Attributes:
        videos: video_id, score, matched (read words that match one of the query), text_ids (their texts); best first.
        query: The query.
        scored_by: The index or run.
    """

    videos: pd.DataFrame
    query: str
    scored_by: str


class Searcher:
    """A corpus and something that can score its videos for a text; encoded once, asked many times.

    Args:
        corpus: The corpus, whole or one split.
        by: ``bm25`` (over the words read in it), the name of an index, or of a run whose checkpoint can encode.

    Raises:
        StateError: No such index or run, or the run has no checkpoint that can encode.
    """

    def __init__(self, corpus: Corpus, by: str = "bm25") -> None:
        self.corpus, self.by = corpus, by
        self._scores = self._scorer()

    def search(self, query: str, k: int = 12) -> Found:
        """The best videos for a query, with the read words that match it.

        Raises:
            DataError: An empty query, or k below 1.
        """
        if not query.strip():
            raise DataError("The query is empty.", "Type some words.")
        if k < 1:
            raise DataError(f"k is {k}.", "Give 1 or more.")
        found = self._scores(query, k)
        texts = self.corpus.texts
        own = dict(tuple(texts[texts["video_id"].isin([video for video, _ in found])].groupby("video_id")))
        rows = [
            {"video_id": video, "score": score, **matched_texts(own.get(video, texts.iloc[:0]), query)}
            for video, score in found
        ]
        return Found(pd.DataFrame(rows, columns=["video_id", "score", "matched", "text_ids"]), query, self.by)

    def _scorer(self) -> Any:
        ids = self.corpus.videos["video_id"].tolist()
        if self.by == "bm25":
            index = LexicalIndex(documents(self.corpus, "ocr"), ids)
            return index.search
        if self.by in list_indexes(self.corpus.name):
            opened, info = open_index(self.by)
            if isinstance(opened, DenseIndex):
                raise StateError(
                    f"The index {self.by} holds vectors; words need its encoder.",
                    "Search by a run, or a lexical index.",
                )
            allowed = set(ids)
            return lambda query, k: [pair for pair in opened.search(query, len(opened.ids)) if pair[0] in allowed][:k]
        run = open_run(self.by)
        model, rules = model_of(run)
        found = look(model, self.corpus, rules)
        missing = [at for at, video in enumerate(ids) if video in found.inputs.gallery.missing]

        def by_model(query: str, k: int) -> list[tuple[str, float]]:
            scores = model.similarity([query], found.encoded)[0]
            scores[missing] = -np.inf
            best = np.argsort(-scores, kind="stable")[:k]
            return [(ids[at], float(scores[at])) for at in best if np.isfinite(scores[at])]

        return by_model


def matched(corpus: Corpus, video_id: str, query: str, engine: str | None = None) -> dict[str, list[str]]:
    """Read words of a video that match words of a query, and the texts that hold them.

    Args:
        corpus: The corpus.
        video_id: The video.
        query: A caption or query; function words ("the", "of") count only where it has no others.
        engine: Whose texts; None = all but the truth.

    Returns:
        ``matched``: words as read, ``text_ids``: their texts, ``words``: the words of the query that they match.
    """
    return matched_texts(corpus.texts[corpus.texts["video_id"] == video_id], query, engine)


def searchers_of(corpus: str, runs: Sequence[str]) -> list[str]:
    """What can answer words over a corpus: BM25, its lexical indexes, and the runs of a list that can encode."""
    indexes = [name for name in list_indexes(corpus) if described_index(name)["kind"] == "lexical"]
    return ["bm25", *indexes, *(name for name in runs if can_encode(open_run(name)))]
