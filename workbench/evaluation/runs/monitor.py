"""What chooses a checkpoint: a metric and a direction of the split that chooses, e.g. ``t2v mrr`` or ``mean r1``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.metrics.measures import METRICS

LOOKED = ("mrr", "r1", "r5", "r10", "median_rank", "mean_rank")
"""Metrics that are measured at every look, in both directions."""
DIRECTIONS = {"t2v": ("t2v",), "v2t": ("v2t",), "mean": ("t2v", "v2t")}
"""The directions over which a metric is averaged."""
USUAL = "t2v mrr"
"""R@1 ties too often on a small split."""


def curve_name(direction: str, metric: str) -> str:
    """How a metric of a split is called in a history, behind the split: ``mrr``, ``v2t mrr``."""
    return metric if direction == "t2v" else f"{direction} {metric}"


LOOK_CURVES = {curve_name(way, metric): (way, metric) for way in ("t2v", "v2t") for metric in LOOKED}
"""Direction and metric of what stands behind a split's name in a history."""


@dataclass(frozen=True)
class Monitor:
    """A metric of one direction, or its mean over both.

    Attributes:
        direction: A name of ``DIRECTIONS``.
        metric: One of ``LOOKED``.
    """

    direction: str = "t2v"
    metric: str = "mrr"

    @classmethod
    def parse(cls, text: str) -> Monitor:
        """Of e.g. ``v2t r10``.

        Raises:
            DataError: It is not two words.
            UnknownNameError: No such direction or metric.
        """
        words = text.split()
        if len(words) != 2:
            raise DataError(f"monitor is {text!r}.", "Write direction and metric, e.g. t2v mrr, v2t r10, mean r1.")
        pick(DIRECTIONS, words[0], "direction")
        pick(dict.fromkeys(LOOKED), words[1], "metric to choose by")
        return cls(*words)

    @classmethod
    def of_run(cls, info: Mapping[str, Any]) -> Monitor:
        """That of a run, by its ``run.json``; runs that do not say were chosen by the usual one."""
        return cls.parse(info.get("monitor") or (info.get("recipe") or {}).get("monitor") or USUAL)

    def __str__(self) -> str:
        return f"{self.direction} {self.metric}"

    @property
    def label(self) -> str:
        """Its name on screens; t2v goes without saying."""
        said = METRICS[self.metric].label
        return said if self.direction == "t2v" else f"{self.direction} {said}"

    @property
    def digits(self) -> int:
        """Decimals that a reader needs."""
        return METRICS[self.metric].digits

    def value(self, metrics: Mapping[str, Any]) -> float:
        """Its value.

        Args:
            metrics: ``RetrievalMetrics`` of both directions.
        """
        own = [float(getattr(metrics[way], self.metric)) for way in DIRECTIONS[self.direction]]
        return sum(own) / len(own)

    def better(self, new: float, old: float | None) -> bool:
        """Whether a value is better than another; anything is better than none."""
        higher = METRICS[self.metric].higher_is_better
        return old is None or (new > old if higher else new < old)

    def of_history(self, history: pd.DataFrame) -> pd.Series:
        """Its values by step, rising; steps that lack a direction are left out."""
        wanted = [curve_name(way, self.metric) for way in DIRECTIONS[self.direction]]
        curve = history["name"].str.partition(" ")[2]
        told = history.assign(curve=curve)[curve.isin(wanted)].drop_duplicates(["step", "curve"], keep="last")
        return told.pivot(index="step", columns="curve", values="value").reindex(columns=wanted).dropna().mean(axis=1)

    def best_step(self, history: pd.DataFrame | None) -> int | None:
        """The step of its best value, the first of equal ones; None where there is none."""
        values = pd.Series(dtype=float) if history is None else self.of_history(history)
        if values.empty:
            return None
        place = values.argmax() if METRICS[self.metric].higher_is_better else values.argmin()
        return int(values.index[int(place)])
