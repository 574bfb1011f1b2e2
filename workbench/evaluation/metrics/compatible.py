"""What other projects' code prints for the same matrix: their tie, median and multi-caption rules, to match old tables.

None of it is a metric to report; ``retrieval_metrics`` is. Each mode says what is wrong about it. Every number follows
from the counts of one pass over the matrix; only ties that a mode ranks by position read it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.ranks.blocks import check_similarity
from workbench.evaluation.ranks.bounds import RankCounts, count_both
from workbench.evaluation.ranks.relevance import Relevance, check_relevance
from workbench.evaluation.ranks.tops import right_places

__all__ = ["MODES", "CompatibleMetrics", "Mode", "compatible_metrics"]


@dataclass(frozen=True)
class CompatibleMetrics:
    """What a mode prints for one direction.

    Attributes:
        mode: A name of ``MODES``.
        direction: ``t2v`` or ``v2t``.
        values: Recalls in percent (``R@1`` ...), ``MdR`` and ``MnR`` from 1, in the order in which they are printed.
        n_queries: Queries that were asked.
        n_entries: What the mode divides by; differs from ``n_queries`` where ties add entries or queries are dropped.
    """

    mode: str
    direction: str
    values: dict[str, float]
    n_queries: int
    n_entries: int

    @property
    def wrong(self) -> str:
        """What is wrong about these numbers, in one sentence."""
        return MODES[self.mode].wrong


@dataclass(frozen=True)
class _Seen:
    """One direction of a similarity matrix, and how the code of the mode looks at it.

    Attributes:
        matrix: [captions, videos].
        pairs: One right video per caption; every video has a caption.
        counts: Of this direction.
        several: Whether some video has several captions.
    """

    matrix: np.ndarray
    pairs: Relevance
    counts: RankCounts
    several: bool


Numbers = tuple[dict[str, float], int]


@dataclass(frozen=True)
class Mode:
    """How one project computes its numbers.

    Attributes:
        label: The project.
        wrong: What is wrong about its numbers, in one sentence.
        source: Where its code computes them.
        compute: The rule: numbers and what they were divided by.
        v2t: What a video is ranked among: ``caption`` or ``video`` (groups of captions).
        several: Whether its code can read several captions per video.
    """

    label: str
    wrong: str
    source: str
    compute: Callable[[_Seen], Numbers]
    v2t: str = "caption"
    several: bool = True


def compatible_metrics(similarity: Any, relevance: Any = None, *, mode: str) -> dict[str, CompatibleMetrics]:
    """The numbers that the code of another project prints for this matrix, in both directions.

    Args:
        similarity: [captions, videos], higher is better; array or memory map.
        relevance: Sparse grades [captions, videos], > 0 is right; None = the diagonal of a square matrix.
        mode: A name of ``MODES``: clip4clip, internvideo, drl, hbi, frozen, textvr, nrccr.

    Returns:
        ``{"t2v": ..., "v2t": ...}``.

    Raises:
        DataError: What that code cannot read: several right videos per caption, a caption or video without a right
            one, several captions per video (drl, hbi), right pairs that were not scored (frozen, textvr); and
            everything that ``retrieval_metrics`` refuses.
        UnknownNameError: Unknown mode.
    """
    chosen = pick(MODES, mode, "compatibility mode")
    matrix = check_similarity(similarity, bfloat16=True)
    pairs = check_relevance(relevance, (matrix.shape[0], matrix.shape[1]))
    several = _check(pairs, chosen)
    found = {}
    for direction, counts in count_both(matrix, pairs, chosen.v2t).items():
        values, n_entries = chosen.compute(_Seen(matrix, pairs, counts, several))
        found[direction] = CompatibleMetrics(mode, direction, values, len(counts.n_above), n_entries)
    return found


def _check(pairs: Relevance, mode: Mode) -> bool:
    """Whether some video has several captions; an error where the code of the mode cannot read these pairs."""
    odd = int((pairs.videos_of.sizes != 1).sum())
    bare = int((pairs.captions_of.sizes == 0).sum())
    several = bool((pairs.captions_of.sizes > 1).any())
    problem = ""
    if odd:
        problem = f"{odd} captions do not have exactly one right video"
    elif bare:
        problem = f"{bare} videos have no caption"
    elif several and not mode.several:
        problem = "videos have several captions"
    if problem:
        raise DataError(f"{problem.capitalize()}, which the code of {mode.label} cannot read.", WITHOUT)
    return several


WITHOUT = "Evaluate without a compatibility mode."


def _recalls(hits: Callable[[int], float], cuts: tuple[int, ...]) -> dict[str, float]:
    return {f"R@{k}": hits(k) for k in cuts}


def _sort_and_find(seen: _Seen, cuts: tuple[int, ...]) -> Numbers:
    """Places at which a sorted row equals the right score, collected over all rows, each one entry.

    A query with g items above and m beside has the entries g ... g + m; one that was not scored has none. They are
    counted in a histogram of places, as there may be N x N of them.
    """
    counts = seen.counts
    first = counts.n_above[counts.scored].astype(np.int64)
    last = first + counts.n_tied[counts.scored]
    steps = np.bincount(first, minlength=counts.n_items + 1) - np.bincount(last + 1, minlength=counts.n_items + 1)
    below = np.concatenate([[0], np.cumsum(np.cumsum(steps))])  # entries at places before k
    n = int(below[-1])
    if not n:
        raise DataError("No right pair was scored.", WITHOUT)
    middle = [int(np.searchsorted(below, place, side="right")) - 1 for place in ((n - 1) // 2, n // 2)]
    total = int(((first + last) * (last - first + 1) // 2).sum())
    values = _recalls(lambda k: 100 * int(below[min(k, counts.n_items)]) / n, cuts)
    return values | {"MdR": sum(middle) / 2 + 1, "MnR": total / n + 1}, n


def _double_argsort(seen: _Seen, cuts: tuple[int, ...]) -> Numbers:
    """Place of each caption's video in its sorted row, equal scores by column; median = the lower of two middle ones.

    Captions whose right pair was not scored are left out.
    """
    lists, place = right_places(seen.matrix, seen.pairs, seen.counts)
    places = np.sort(place[seen.counts.scored[lists.owner]])
    n = len(places)
    if not n:
        raise DataError("No right pair was scored.", WITHOUT)
    values = _recalls(lambda k: 100 * int((places <= k).sum()) / n, cuts)
    return values | {"MdR": float(places[(n - 1) // 2]), "MnR": float(places.mean())}, n


def _clip4clip(cuts: tuple[int, ...] = (1, 5, 10)) -> Callable[[_Seen], Numbers]:
    def compute(seen: _Seen) -> Numbers:
        by_caption = seen.several and seen.counts.direction == "t2v"
        return _double_argsort(seen, cuts) if by_caption else _sort_and_find(seen, cuts)

    return compute


def _frozen(t2v_ties: float) -> Callable[[_Seen], Numbers]:
    """Ranks from 0; ``t2v_ties`` is the share of tied videos that stand before the right one.

    v2t: the least over a video's captions of their mean rank among all captions; other captions of the video are
    counted as wrong ones, which matters only where they tie with its best.
    """

    def compute(seen: _Seen) -> Numbers:
        counts = seen.counts
        if not counts.scored.all():
            raise DataError(f"{int((~counts.scored).sum())} queries have no scored right pair.", WITHOUT)
        share = t2v_ties if counts.direction == "t2v" else 0.5
        ranks = counts.n_above + share * (counts.n_tied + counts.n_tied_right - 1.0)
        values = _recalls(lambda k: 100 * float((ranks <= 0 if k == 1 else ranks < k).mean()), (1, 5, 10, 50))
        values |= {"MdR": float(np.median(ranks)) + 1, "MnR": float(ranks.mean()) + 1}
        return values | {"geometric mean": float(np.cbrt(values["R@1"] * values["R@5"] * values["R@10"]))}, len(ranks)

    return compute


def _nrccr(seen: _Seen) -> Numbers:
    """Place of the first right item in the sorted row, equal scores by position; precision over all right ones."""
    lists, place = right_places(seen.matrix, seen.pairs, seen.counts)
    order = np.lexsort((place, lists.owner))
    nth = np.arange(len(place)) - lists.indptr[lists.owner] + 1
    precisions = np.bincount(lists.owner, nth / place[order]) / lists.sizes
    ranks = np.minimum.reduceat(place, lists.indptr[:-1])
    values = _recalls(lambda k: 100 * float((ranks <= k).mean()), (1, 5, 10))
    values |= {"MdR": float(np.median(ranks)), "MnR": float(ranks.mean()), "mAP": float(precisions.mean())}
    return values, len(ranks)


_ENTRIES = (
    "Every item that ties with the right one adds an entry of its own, unscored right pairs are left out, and recalls "
    "are divided by the number of entries instead of queries"
)
_SEVERAL = (
    "; with several captions per video, t2v ranks ties by position and takes the lower median, and v2t ranks among "
    "groups of captions"
)

MODES = {
    "clip4clip": Mode(
        "CLIP4Clip", f"{_ENTRIES}{_SEVERAL}.",
        "ArrowLuo/CLIP4Clip, metrics.py: compute_metrics, tensor_text_to_video_metrics, tensor_video_to_text_sim",
        _clip4clip(), v2t="video",
    ),
    "internvideo": Mode(
        "InternVideo", f"{_ENTRIES}{_SEVERAL}; its README shows numbers after dual softmax over the test queries.",
        "OpenGVLab/InternVideo, InternVideo1/Downstream/Video-Text-Retrieval: the functions of CLIP4Clip",
        _clip4clip(), v2t="video",
    ),
    "drl": Mode(
        "DRL", f"{_ENTRIES}.", "foolwood/DRL, tvr/utils/metrics.py: compute_metrics", _clip4clip(), several=False
    ),
    "hbi": Mode(
        "HBI", f"{_ENTRIES}.", "jpthu17/HBI, tvr/utils/metrics.py: compute_metrics", _clip4clip((1, 5, 10, 50)),
        several=False,
    ),
    "frozen": Mode(
        "Frozen in Time",
        "Ties count for the model in t2v and half in v2t, where a shared first place is a miss at 1 but a hit at 5; "
        "captions of the same video count as wrong when they tie with its best.",
        "m-bain/frozen-in-time, model/metric.py: t2v_metrics, v2t_metrics", _frozen(0.0),
    ),
    "textvr": Mode(
        "TextVR",
        "Ties take their mean rank, so that a shared first place is a miss at 1 but a hit at 5; captions of the same "
        "video count as wrong when they tie with its best.",
        "callsys/TextVR, model/metric.py: t2v_metrics, v2t_metrics", _frozen(0.5),
    ),
    "nrccr": Mode(
        "NRCCR",
        "Ties stand in the order that the sort leaves them in (here by position), so that a model that gives all items "
        "the same score gets ranks that mean nothing.",
        "LiJiaBei-7/nrccr, validation metrics: rank and average precision per query", _nrccr,
    ),
}  # fmt: skip
