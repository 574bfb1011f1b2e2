"""Captions that cannot be told apart: equal texts, texts that differ by one word, and what both cost."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from workbench.core.errors import DataError
from workbench.corpus.text import normalise_caption
from workbench.evaluation.metrics.retrieval import RetrievalMetrics, retrieval_metrics
from workbench.evaluation.ranks.relevance import check_relevance

LEAST_WORDS = 4
"""Captions of fewer words say too little to be called near duplicates."""


def text_numbers(captions: Sequence[str]) -> np.ndarray:
    """int64 [captions]: equal numbers for equal normalised texts, numbered by first appearance."""
    return pd.factorize(pd.Series([normalise_caption(one) for one in captions]))[0].astype(np.int64)


def answers(relevance: sp.csr_array) -> np.ndarray:
    """int64 [captions]: equal numbers for captions with the same right videos."""
    lists = check_relevance(relevance, (relevance.shape[0], relevance.shape[1])).videos_of
    sets = [tuple(lists.indices[a:b]) for a, b in zip(lists.indptr[:-1], lists.indptr[1:], strict=True)]
    return pd.factorize(pd.Series(sets, dtype=object))[0].astype(np.int64)


def duplicates(captions: Sequence[str], answer: np.ndarray) -> np.ndarray:
    """bool [captions]: another caption has the same text and other right videos.

    Args:
        captions: Their texts; compared normalised.
        answer: From ``answers``.
    """
    table = pd.DataFrame({"text": text_numbers(captions), "answer": answer})
    return (table.groupby("text")["answer"].transform("nunique") > 1).to_numpy()


def near_duplicates(captions: Sequence[str], answer: np.ndarray) -> dict[int, int]:
    """Captions that another caption with other right videos equals but for punctuation or one word.

    One word may be changed, added or left out (a distance of one in words); captions of fewer than ``LEAST_WORDS``
    words and captions of equal normalised text are not compared. Linear in the number of words: captions at a distance
    of one agree after the same word is left out, or one equals the other with a word left out.

    Args:
        captions: Their texts.
        answer: From ``answers``.

    Returns:
        For each such caption one that it is near to, by row.
    """
    normal = [normalise_caption(one) for one in captions]
    words = [tuple(re.findall(r"\w+", one)) for one in normal]
    buckets: dict[Any, list[int]] = defaultdict(list)
    for row, own in enumerate(words):
        if len(own) >= LEAST_WORDS:
            buckets[own].append(row)
            for place in range(len(own)):
                buckets[place, (*own[:place], *own[place + 1 :])].append(row)
    found: dict[int, int] = {}
    for key, rows in buckets.items():
        _join(found, rows, rows, normal, answer)
        if isinstance(key[0], int) and key[1] in buckets:  # these captions have one word more than those
            _join(found, rows, buckets[key[1]], normal, answer)
            _join(found, buckets[key[1]], rows, normal, answer)
    return found


def _join(found: dict[int, int], rows: list[int], others: list[int], normal: list[str], answer: np.ndarray) -> None:
    """Note for each row one of the others that has another text and another answer."""
    for row in rows:
        if row not in found:
            other = next((o for o in others if answer[o] != answer[row] and normal[o] != normal[row]), None)
            if other is not None:
                found[row] = other


def shared_relevance(relevance: Any, captions: Sequence[str]) -> sp.csr_array:
    """Relevance in which captions of equal text share their right videos, with the best grade.

    Args:
        relevance: Grades [captions, videos]; None = the diagonal.
        captions: Text of every caption; compared normalised.

    Raises:
        DataError: As many captions as rows are needed.
    """
    pairs = check_relevance(relevance, _shape(relevance, captions))
    text, lists = text_numbers(captions), pairs.videos_of
    right = pd.DataFrame({"text": text[lists.owner], "video": lists.indices, "grade": lists.grades})
    best = right.groupby(["text", "video"], sort=True)["grade"].max().reset_index()
    shape = (int(text.max()) + 1, pairs.shape[1])
    by_text = sp.csr_array(
        (best["grade"].to_numpy(np.int8), (best["text"].to_numpy(), best["video"].to_numpy())), shape=shape
    )
    return sp.csr_array(by_text[text])


def best_case(
    relevance: Any, captions: Sequence[str], *, v2t: str = "auto", ties: str = "expected"
) -> dict[str, RetrievalMetrics]:
    """Every metric of the best scores in which equal texts have equal rows.

    Videos that are right for more captions of a text stand higher, and a video ranks texts higher that fewer wrong
    captions hold. Where every caption has one right video, R@K equals ``ceilings.ceiling``; elsewhere the best may be a
    little higher.

    Args:
        relevance: Grades [captions, videos]; None = the diagonal.
        captions: Text of every caption; compared normalised.
        v2t: ``auto``, ``caption`` or ``video``; see ``rank_bounds``.
        ties: Tie rule.

    Returns:
        ``{"t2v": ..., "v2t": ...}``.

    Raises:
        DataError: As many captions as rows are needed.
    """
    pairs = check_relevance(relevance, _shape(relevance, captions))
    text, lists = text_numbers(captions), pairs.videos_of
    held = np.bincount(text)
    shape = (len(held), pairs.shape[1])
    ones = np.ones(len(lists.indices))
    times = sp.coo_array((ones, (text[lists.owner], lists.indices)), shape=shape).toarray()
    place = np.arange(shape[1]) / (shape[1] + 1.0)  # no two videos of a text tie
    worth = np.where(times > 0, 1 + held.max() - held[:, None] + times - place, 0.0)
    return retrieval_metrics(worth[text], relevance, direction="both", v2t=v2t, ties=ties)


def _shape(relevance: Any, captions: Sequence[str]) -> tuple[int, int]:
    shape = (len(captions), len(captions)) if relevance is None else tuple(relevance.shape)
    if shape[0] != len(captions):
        raise DataError(f"{len(captions)} captions for {shape[0]} rows of relevance.", "Give one caption per row.")
    return shape[0], shape[1]
