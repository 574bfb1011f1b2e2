"""Search any corpus by words: an index over what is read or said in its videos, or a trained model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.core.lookup import pick
from workbench.corpus import Corpus
from workbench.corpus.engines import TRUTH
from workbench.evaluation import open_run
from workbench.index import DenseIndex, LexicalIndex
from workbench.ocr.cleaning import clean, words_of
from workbench.ocr.matched import matched_texts
from workbench.ocr.matching import STOP_WORDS, caption_words
from workbench.pipelines.checkpoints import can_encode, model_of
from workbench.pipelines.encoding import look
from workbench.pipelines.indexes import described_index, documents, list_indexes, open_index

MOST_WORDS = 24
"""Of a query that are taken out one by one."""


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


@dataclass(frozen=True)
class Why:
    """Why a video got its score.

    Attributes:
        words: What each word of the query adds, in its order: the score less the score without the word; empty where
            the query is one word and the scores are a model's.
        parts: The score by modality; empty where there is one only.
    """

    words: list[tuple[str, float]]
    parts: dict[str, float]


@dataclass(frozen=True)
class _Scores:
    """What scores the videos of a corpus.

    Attributes:
        of: float32 [queries, videos] of queries; -inf = not scored.
        parts: The scores of one query by modality, [videos].
        least: Only videos with more than this are found.
    """

    of: Callable[[Sequence[str]], np.ndarray]
    parts: Callable[[str], Mapping[str, np.ndarray]]
    least: float


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
        self.ids = corpus.videos["video_id"].tolist()
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
        scores = self._scores.of([query])[0]
        best = [at for at in np.argsort(-scores, kind="stable")[:k] if scores[at] > self._scores.least]
        texts = self.corpus.texts
        own = dict(tuple(texts[texts["video_id"].isin([self.ids[at] for at in best])].groupby("video_id")))
        rows = [
            {"video_id": (video := self.ids[at]), "score": float(scores[at]),
             **matched_texts(own.get(video, texts.iloc[:0]), query)}
            for at in best
        ]  # fmt: skip
        return Found(pd.DataFrame(rows, columns=["video_id", "score", "matched", "text_ids"]), query, self.by)

    def why(self, query: str, video_id: str) -> Why:
        """What a video's score for a query is made of.

        Args:
            query: The query; of a longer one the first ``MOST_WORDS`` words are looked at.
            video_id: A video of the corpus that has a score.

        Raises:
            UnknownNameError: The corpus has no such video.
        """
        at = pick({video: i for i, video in enumerate(self.ids)}, video_id, "video")
        words = query.split()
        parts = {name: float(part[at]) for name, part in self._scores.parts(query).items()}
        if len(words) < 2 and self._scores.least < 0:
            return Why([], parts)
        without = [" ".join(words[:i] + words[i + 1 :]) for i in range(min(len(words), MOST_WORDS))]
        scores = self._scores.of([query, *without])[:, at].astype(float)
        return Why([(word, float(scores[0] - one)) for word, one in zip(words, scores[1:], strict=False)], parts)

    def _scorer(self) -> _Scores:
        if self.by == "bm25":
            return _lexical(LexicalIndex(documents(self.corpus, "ocr"), self.ids), self.ids)
        if self.by in list_indexes(self.corpus.name):
            opened, _ = open_index(self.by)
            if isinstance(opened, DenseIndex):
                raise StateError(
                    f"The index {self.by} holds vectors; words need its encoder.",
                    "Search by a run, or a lexical index.",
                )
            return _lexical(opened, self.ids)
        model, rules = model_of(open_run(self.by))
        found = look(model, self.corpus, rules)
        missing = [at for at, video in enumerate(self.ids) if video in found.inputs.gallery.missing]

        def of(queries: Sequence[str]) -> np.ndarray:
            scores = model.similarity(queries, found.encoded)
            scores[:, missing] = -np.inf
            return scores

        return _Scores(of, lambda query: {n: one[0] for n, one in model.parts([query], found.encoded).items()}, -np.inf)


def _lexical(index: LexicalIndex, ids: Sequence[str]) -> _Scores:
    """BM25 of videos that an index holds; others have no word."""
    place = {video: at for at, video in enumerate(index.ids)}
    known = [at for at, video in enumerate(ids) if video in place]
    columns = [place[ids[at]] for at in known]

    def of(queries: Sequence[str]) -> np.ndarray:
        scores = np.zeros((len(queries), len(ids)), np.float32)
        scores[:, known] = [index.scores(query)[columns] for query in queries]
        return scores

    return _Scores(of, lambda query: {}, 0.0)


def words_read(corpus: Corpus, video_id: str, most: int = 30) -> str:
    """Different words that were read in a video (not the truth), as a query that finds videos with the same words.

    Args:
        corpus: The corpus.
        video_id: The video.
        most: How many; function words, and what models do not read either (``ocr.cleaning``), are left out.
    """
    texts = corpus.texts
    own = clean(words_of(texts[(texts["video_id"] == video_id) & (texts["engine"] != TRUTH)])).words["text"]
    words = dict.fromkeys(word for text in own for word in caption_words(str(text)) if word not in STOP_WORDS)
    return " ".join(list(words)[:most])


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
    return matched_texts(corpus.of_video("texts", video_id), query, engine)


def searchers_of(corpus: str, runs: Sequence[str]) -> list[str]:
    """What can answer words over a corpus: BM25, its lexical indexes, and the runs of a list that can encode."""
    indexes = [name for name in list_indexes(corpus) if described_index(name)["kind"] == "lexical"]
    return ["bm25", *indexes, *(name for name in runs if can_encode(open_run(name)))]
