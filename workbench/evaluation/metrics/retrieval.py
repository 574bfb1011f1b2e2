"""The metrics of text-to-video retrieval, with a stated tie rule and their values per query."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal, overload

import numpy as np
import pandas as pd

from workbench.core.lookup import pick
from workbench.evaluation.metrics.draws import average_precisions, hit_values, ndcgs, reciprocal_ranks
from workbench.evaluation.metrics.measures import METRICS, metric_value, query_values
from workbench.evaluation.ranks.blocks import check_similarity
from workbench.evaluation.ranks.bounds import DIRECTIONS, TIES, RankCounts, count_both
from workbench.evaluation.ranks.relevance import check_relevance
from workbench.evaluation.ranks.tops import SecondLooks, StoredLooks

CUTS = (1, 5, 10, 50, 100)

__all__ = ["RetrievalMetrics", "hit_values", "retrieval_metrics"]


class RetrievalMetrics:
    """Metrics of one direction. Recalls in percent, ranks from 1, mrr / map / ndcg10 in 0..1.

    What needs no more than the counts is computed at once; average precision of queries with several right items and
    the lists of best items look at the scores again when first asked for.

    Attributes:
        counts: Counts per query.
        ties: Tie rule of every number here: ``expected``, ``optimistic`` or ``pessimistic``.
    """

    def __init__(self, looks: SecondLooks, counts: RankCounts, ties: str) -> None:
        self.counts = counts
        self.ties = ties
        self._looks = looks

    def __repr__(self) -> str:
        return (
            f"RetrievalMetrics({self.direction}, R@1 {self.r1:.2f}, R@5 {self.r5:.2f}, R@10 {self.r10:.2f}, "
            f"MdR {self.median_rank:g}, MnR {self.mean_rank:.2f}, {self.n_queries} queries, ties {self.ties})"
        )

    @property
    def direction(self) -> str:
        """``t2v`` or ``v2t``."""
        return self.counts.direction

    @property
    def v2t_level(self) -> str:
        """For v2t what a video is ranked among: ``caption`` or ``video`` (captions grouped); ``""`` for t2v."""
        return self.counts.level

    @property
    def n_queries(self) -> int:
        """Captions (t2v), or videos that have a caption (v2t)."""
        return len(self.counts.n_above)

    @property
    def n_items(self) -> int:
        """Size of the gallery."""
        return self.counts.n_items

    @property
    def n_tied(self) -> int:
        """Queries whose best right item ties with a wrong one."""
        return int((self.counts.n_tied > 0).sum())

    @property
    def n_missed_unscored(self) -> int:
        """Queries none of whose right items has a finite score; they are misses everywhere."""
        return int((~self.counts.scored).sum())

    @cached_property
    def values(self) -> pd.DataFrame:
        """Per query: r1 ... r100 (0..1), rank, rr, ap, ndcg10; their means are the metrics."""
        table = pd.DataFrame({f"r{k}": hit_values(self.counts, k, self.ties) for k in CUTS})
        table["rank"] = self.counts.rank(self.ties)
        table["rr"] = reciprocal_ranks(self.counts, self.ties)
        pairs = self._looks.pair_counts(self.counts)
        table["ap"] = average_precisions(pairs, self.ties)
        table["ndcg10"] = ndcgs(pairs, 10, self.ties)
        return table

    def recall(self, k: int) -> float:
        """R@k in percent for any k."""
        return 100 * float(hit_values(self.counts, k, self.ties).sum()) / self.n_queries

    @property
    def r1(self) -> float:
        """R@1 in percent."""
        return self.recall(1)

    @property
    def r5(self) -> float:
        """R@5 in percent."""
        return self.recall(5)

    @property
    def r10(self) -> float:
        """R@10 in percent."""
        return self.recall(10)

    @property
    def r50(self) -> float:
        """R@50 in percent."""
        return self.recall(50)

    @property
    def r100(self) -> float:
        """R@100 in percent."""
        return self.recall(100)

    @property
    def median_rank(self) -> float:
        """MdR: median of the ranks under the tie rule."""
        return float(np.median(self.counts.rank(self.ties)))

    @property
    def mean_rank(self) -> float:
        """MnR: mean of the ranks under the tie rule."""
        return float(self.counts.rank(self.ties).mean())

    @property
    def sum_recall(self) -> float:
        """RSum of this direction: R@1 + R@5 + R@10."""
        return self.r1 + self.r5 + self.r10

    @property
    def geometric_mean(self) -> float:
        """Geometric mean of R@1, R@5 and R@10; 0 where one of them is 0."""
        return float(np.cbrt(self.r1 * self.r5 * self.r10))

    @property
    def mrr(self) -> float:
        """Mean of 1 / rank of the first right item, over the tie draw."""
        return float(reciprocal_ranks(self.counts, self.ties).mean())

    @property
    def map(self) -> float:
        """Mean average precision over all right items, exact under the tie draw."""
        return float(self.values["ap"].mean())

    @property
    def ndcg10(self) -> float:
        """nDCG at 10, gain = grade, exact under the tie draw."""
        return float(self.values["ndcg10"].mean())

    @cached_property
    def per_query(self) -> pd.DataFrame:
        """One row per query: row (index of the query on its axis), n_above, n_tied, n_tied_right, rank, score_right,
        top_columns (int32, positions of the best items, best first, at most 100), top_scores.

        For v2t positions are rows of captions; at level ``video`` each group stands once, by its best caption. Equal
        scores stand in order of position; -inf is never listed.
        """
        best = self._looks.best_right_scores(self.counts)
        columns, tops = self._looks.top_lists(self.counts)
        return pd.DataFrame({
            "row": self.counts.queries, "n_above": self.counts.n_above, "n_tied": self.counts.n_tied,
            "n_tied_right": self.counts.n_tied_right, "rank": self.counts.rank(self.ties), "score_right": best,
            "top_columns": columns, "top_scores": tops,
        })  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """All metrics, and under ``without_unscored`` those without the queries that were not scored (else None)."""
        scored = self.counts.scored
        rest = None
        if self.n_missed_unscored:
            rest = _summary(self.values[scored]) if scored.any() else {}
        return {
            **_summary(self.values),
            "n_items": self.n_items,
            "n_tied": self.n_tied,
            "n_missed_unscored": self.n_missed_unscored,
            "ties": self.ties,
            "direction": self.direction,
            "v2t_level": self.v2t_level or None,
            "without_unscored": rest,
        }


def _summary(values: pd.DataFrame) -> dict[str, Any]:
    """The metrics of a table of values per query, by name."""
    found: dict[str, Any] = {name: metric_value(query_values(values, name), name) for name in METRICS}
    return found | {"n_queries": len(values)}


@overload
def retrieval_metrics(
    similarity: Any,
    relevance: Any = None,
    *,
    direction: Literal["t2v", "v2t"] = "t2v",
    v2t: str = "auto",
    ties: str = "expected",
) -> RetrievalMetrics: ...
@overload
def retrieval_metrics(
    similarity: Any,
    relevance: Any = None,
    *,
    direction: Literal["both"],
    v2t: str = "auto",
    ties: str = "expected",
) -> dict[str, RetrievalMetrics]: ...
def retrieval_metrics(
    similarity: Any,
    relevance: Any = None,
    *,
    direction: str = "t2v",
    v2t: str = "auto",
    ties: str = "expected",
) -> RetrievalMetrics | dict[str, RetrievalMetrics]:
    """R@K, MdR, MnR, MRR, mAP and nDCG@10 of a similarity matrix, from one pass over it.

    Args:
        similarity: [captions, videos], higher is better; array or memory map.
        relevance: Sparse grades [captions, videos], > 0 is right; None = the diagonal of a square matrix.
        direction: ``t2v``, ``v2t`` or ``both``.
        v2t: ``auto``, ``caption`` or ``video``; see ``rank_bounds``.
        ties: ``expected`` (random order of tied items), ``optimistic`` or ``pessimistic``.

    Returns:
        The metrics, or ``{"t2v": ..., "v2t": ...}`` for ``both``.

    Raises:
        DataError: NaN or +inf scores, wrong or empty shapes, no right pair.
        UnknownNameError: Unknown direction or tie rule.
    """
    pick(DIRECTIONS, direction, "direction")
    rule = pick(TIES, ties, "tie rule")
    matrix = check_similarity(similarity, bfloat16=True)
    pairs = check_relevance(relevance, (matrix.shape[0], matrix.shape[1]))
    counts = count_both(matrix, pairs, pairs.level(v2t))
    looks = StoredLooks(matrix, pairs)
    both = {name: RetrievalMetrics(looks, counts[name], rule) for name in ("t2v", "v2t")}
    return both if direction == "both" else both[direction]
