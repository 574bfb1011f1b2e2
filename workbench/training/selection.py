"""Which checkpoint is chosen: the one with the best score on a split that is not reported, by type and by check."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import StateError
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation import RetrievalMetrics, retrieval_metrics
from workbench.evaluation.runs.monitor import LOOK_CURVES, Monitor
from workbench.evaluation.runs.tables import run_axes
from workbench.evaluation.statistics.of_metrics import query_ids
from workbench.pipelines.datasets import split
from workbench.training.splits import is_test

SHARE, MOST, SEED = 0.1, 2000, 0
"""Of the val split that is made where a corpus has none: share of the train videos, how many at most, and seed."""

log = logging.getLogger(__name__)


class SelectSplit:
    """The split that chooses the checkpoint; there is none of a test split, so that no test score can choose.

    Args:
        corpus: Restricted to it.
        report: The same corpus restricted to the split that is reported.

    Raises:
        StateError: It is a test split or the reported one, or shares videos with that.
    """

    def __init__(self, corpus: Corpus, report: Corpus) -> None:
        if is_test(corpus.split) and corpus.split != report.split:
            raise StateError(
                f"Checkpoints cannot be chosen on {corpus.name}/{corpus.split}: a test split is only reported on.",
                f"Choose them on another split: workbench data split {corpus.name} makes a val split.",
            )
        shared = set(corpus.videos["video_id"]) & set(report.videos["video_id"])
        if corpus.split == report.split or shared:
            said = f"{len(shared)} of its videos are" if corpus.split != report.split else "it is"
            raise StateError(
                f"Checkpoints cannot be chosen on {corpus.name}/{corpus.split}: {said} reported.",
                f"Choose them on another split: workbench data split {corpus.name} makes a val split.",
            )
        self.corpus = corpus
        self._relevance = corpus.relevance_matrix()
        self._axes = run_axes(corpus, {}, False)

    @property
    def name(self) -> str:
        return self.corpus.split or ""

    @property
    def said(self) -> str:
        """Its name, and how it was made where ``workbench data split`` or a training made it out of train."""
        made = self.corpus.meta.get("split")
        if not made or self.name != "val":
            return self.name
        return f"val (made out of train by source: share {made['share']:.3g}, seed {made['seed']})"

    def score(self, similarity: np.ndarray) -> SelectionScore:
        """Measure a similarity [captions, videos] of this split; videos without a score are columns of -inf.

        Raises:
            DataError: It has another shape, or holds NaN.
        """
        return SelectionScore(self, retrieval_metrics(similarity, self._relevance, direction="both"))

    def ranks(self, metrics: Mapping[str, RetrievalMetrics]) -> pd.DataFrame:
        """Counts per query of both directions: direction, id, n_above, n_tied, n_tied_right."""
        parts = []
        for direction, found in metrics.items():
            counts = {key: getattr(found.counts, key) for key in ("n_above", "n_tied", "n_tied_right")}
            ids = query_ids(self._axes, direction, found)
            parts.append(pd.DataFrame({"direction": direction, "id": ids, **counts}))
        return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class SelectionScore:
    """How good weights are on the split that chooses. Only ``SelectSplit.score`` makes one.

    Attributes:
        by: The split; there is none for the reported one.
        metrics: Of both directions.
    """

    by: SelectSplit
    metrics: Mapping[str, RetrievalMetrics]

    def curves(self) -> dict[str, float]:
        """Every metric of both directions, by its name in a history."""
        return {
            f"{self.by.name} {name}": float(getattr(self.metrics[way], metric))
            for name, (way, metric) in LOOK_CURVES.items()
        }


@dataclass
class Selection:
    """The best score so far, and how long there was none.

    Attributes:
        patience: Looks without a gain after which training ends; None = never.
        monitor: What is compared.
        best: Its best value; None before the first look.
        best_step: Its step; None before the first look.
        waited: Looks since then.
    """

    patience: int | None = None
    monitor: Monitor = Monitor()
    best: float | None = None
    best_step: int | None = None
    waited: int = 0

    def take(self, score: SelectionScore, step: int) -> bool:
        """Whether this score is better than all before.

        Raises:
            StateError: It is no score of the split that chooses.
        """
        if not isinstance(score, SelectionScore):
            raise StateError(
                f"{type(score).__name__} is no score of the split that chooses.",
                "Measure the select split: SelectSplit(corpus, report).score(similarity).",
            )
        value = self.monitor.value(score.metrics)
        better = self.monitor.better(value, self.best)
        self.waited = 0 if better else self.waited + 1
        if better:
            self.best, self.best_step = value, step
        return better

    @property
    def exhausted(self) -> bool:
        """Whether training should end now."""
        return self.patience is not None and self.waited >= self.patience

    def state(self) -> dict[str, Any]:
        """What a resume needs, as JSON."""
        return {"best": self.best, "selected_step": self.best_step, "waited": self.waited}

    def go_on(self, told: Mapping[str, Any]) -> None:
        """Put back what ``state`` gave."""
        self.best_step, self.waited = told["selected_step"], told["waited"]
        self.best = None if self.best_step is None else told["best"]


def select_corpus(name: str, select: str, train: str) -> Corpus:
    """A corpus restricted to the split that chooses; an absent val split is made out of train, whole sources together.

    It has no more than ``MOST`` videos, as each look compares all of its captions with all of its videos.

    Raises:
        DataError: The corpus has no such split, and none can be made.
        StateError: It is only read.
    """
    corpus = open_corpus(name)
    if (share := share_to_make(corpus, select, train)) is not None:
        made = split(corpus, share=share, seed=SEED).with_split("val")
        log.warning(
            "%s had no val split: %d of its train videos, whole sources together, are its val split now.",
            name, len(made.videos),
        )  # fmt: skip
    return open_corpus(name, select)


def share_to_make(corpus: Corpus, select: str, train: str) -> float | None:
    """The share of the train videos that becomes the val split; None where nothing is to be made.

    Args:
        corpus: In any state.
        select: The split that chooses.
        train: The split that is trained on.
    """
    if select in corpus.splits or (select, train) != ("val", "train") or train not in corpus.splits:
        return None
    return min(SHARE, MOST / max(1, len(corpus.with_split(train).videos)))
