"""The best that any model can reach which cannot tell identical captions apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.corpus.text import normalise_caption
from workbench.evaluation.metrics.draws import hit_values
from workbench.evaluation.ranks.bounds import TIES
from workbench.evaluation.ranks.relevance import Relevance, check_relevance

CUTS = (1, 5, 10)


def ceiling(
    relevance: Any, captions: Sequence[str], *, v2t: str = "auto", ties: str = "expected", cuts: Sequence[int] = CUTS
) -> dict[str, dict[str, float]]:
    """Highest reachable R@K where equal captions get equal scores.

    t2v: captions of one text share one ranking, so at most K different right videos per text stand among the first K
    (exact where each caption has one right video, else an upper bound). v2t: captions of one text tie; the rule for
    ties decides what that costs. Under ``expected`` a video whose text stands twice counts half; under ``pessimistic``
    it is a miss, as it is where tied ranks are averaged and a rank of 1.5 is no hit.

    Args:
        relevance: Grades [captions, videos], > 0 is right; None = caption i belongs to video i.
        captions: Text of every caption; compared normalised.
        v2t: ``auto``, ``caption`` or ``video``; see ``rank_bounds``.
        ties: Rule of the metric that the ceiling stands beside.
        cuts: Every K.

    Returns:
        ``{"t2v": {"r1", "r5", "r10"}, "v2t": {...}}`` in percent.

    Raises:
        DataError: As many captions as rows are needed.
    """
    pick(TIES, ties, "tie rule")
    shape = (len(captions), len(captions)) if relevance is None else tuple(relevance.shape)
    pairs = check_relevance(relevance, (shape[0], shape[1]))
    if len(captions) != shape[0]:
        raise DataError(f"{len(captions)} captions for {shape[0]} rows of relevance.", "Give one caption per row.")
    text = pd.factorize(pd.Series([normalise_caption(one) for one in captions]))[0]
    return {
        "t2v": _text_to_video(pairs, text, cuts),
        "v2t": _video_to_text(pairs, text, pairs.level(v2t), ties, cuts),
    }


def _text_to_video(pairs: Relevance, text: np.ndarray, cuts: Sequence[int]) -> dict[str, float]:
    """Per text, the K videos that are right for most of its captions come first."""
    lists = pairs.videos_of
    table = pd.DataFrame({"text": text[lists.owner], "video": lists.indices})
    counts = (
        table.value_counts(sort=False).rename("n").reset_index().sort_values(["text", "n"], ascending=[True, False])
    )
    place = counts.groupby("text").cumcount()
    answered = pd.Series(text[lists.sizes > 0]).value_counts()
    found = {}
    for k in cuts:
        hits = counts.loc[place < k].groupby("text")["n"].sum()
        found[f"r{k}"] = 100 * float(np.minimum(hits, answered.reindex(hits.index)).sum()) / len(text)
    return found


def _video_to_text(pairs: Relevance, text: np.ndarray, level: str, ties: str, cuts: Sequence[int]) -> dict[str, float]:
    """Per video, the own text that fewest wrong items share comes first and ties with them."""
    item = np.arange(len(text)) if level == "caption" else pairs.groups
    n_items, n_texts = int(item.max()) + 1, int(text.max()) + 1
    holds = sp.coo_array((np.ones(len(text), np.int64), (text, item)), shape=(n_texts, n_items)).tocsr()
    holders = np.diff(holds.indptr)  # items that hold each text; an item that holds it twice counts once
    lists = pairs.captions_of
    own = pd.DataFrame({"video": lists.owner, "text": text[lists.indices], "item": item[lists.indices]})
    own = own.drop_duplicates()
    right_items = own[["video", "item"]].drop_duplicates()
    wrong = own.groupby(["video", "text"], as_index=False).agg(right=("item", "size"))
    wrong["tied"] = holders[wrong["text"]] - _right_holders(right_items, holds, wrong, n_items)
    counts = {"n_above": np.zeros(len(wrong)), "n_tied": wrong["tied"], "n_tied_right": wrong["right"]}
    found = {}
    for k in cuts:
        wrong["hit"] = hit_values(counts, k, ties)
        found[f"r{k}"] = 100 * float(wrong.groupby("video")["hit"].max().mean())
    return found


def _right_holders(right: pd.DataFrame, holds: sp.csr_array, wanted: pd.DataFrame, n_items: int) -> np.ndarray:
    """How many right items of each (video, text) row hold that text, by a right caption or another one."""
    n_videos = int(right["video"].max()) + 1
    by_video = sp.coo_array(
        (np.ones(len(right), np.int64), (right["video"], right["item"])), shape=(n_videos, n_items)
    ).tocsr()
    once = holds.copy()
    once.data[:] = 1
    shared = (by_video @ once.T).tocsr()
    return np.asarray(shared[wanted["video"].to_numpy(), wanted["text"].to_numpy()]).ravel()
