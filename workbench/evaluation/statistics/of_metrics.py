"""Every metric of a matrix with its interval: one bootstrap over sources serves all metrics and both directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from workbench.evaluation.metrics.measures import METRICS
from workbench.evaluation.metrics.retrieval import RetrievalMetrics, retrieval_metrics
from workbench.evaluation.runs.run import Run, similarity_of
from workbench.evaluation.statistics.intervals import joint_numbers, quantiles
from workbench.evaluation.statistics.resampling import Sample, bootstrap
from workbench.evaluation.statistics.sides import RunAxes, query_clusters

LEVEL = 0.95
N_RESAMPLES = 10_000


def query_ids(axes: Any, direction: str, metrics: RetrievalMetrics) -> np.ndarray:
    """Id of every query of some metrics: captions for t2v, videos for v2t."""
    ids = axes.queries["caption_id"] if direction == "t2v" else axes.gallery["video_id"]
    return ids.to_numpy()[metrics.counts.queries]


def with_intervals(both: Mapping[str, RetrievalMetrics], axes: Any) -> dict[str, Any]:
    """The metrics of both directions by name, with the 95 % interval of each, clustered by source.

    Args:
        both: Metrics by direction.
        axes: A run, or anything with ``queries``, ``gallery`` and ``relevance`` tables.

    Returns:
        For ``t2v`` and ``v2t`` ``RetrievalMetrics.to_dict()`` and ``interval``: [low, high] by metric (None where all
        queries come from one source), ``clustered`` (False = sources unknown: each query is drawn by itself), level,
        n_resamples. For ``both`` sum_recall, the sum over both directions, whose interval draws a source (where these
        are unknown, a video) with its captions and its videos.
    """
    frames = {direction: metrics.values for direction, metrics in both.items()}
    ids = {direction: pd.Index(query_ids(axes, direction, metrics)) for direction, metrics in both.items()}
    sources = [query_clusters(axes, ids[direction], direction, "source_id") for direction in frames]
    clustered = all(one is not None and not pd.isna(one).any() for one in sources)
    videos = [query_clusters(axes, ids[direction], direction, "video_id") for direction in frames]
    numbers = joint_numbers(sources if clustered else videos)
    if clustered or all(len(np.unique(one)) == len(one) for one in numbers):  # a video with its only caption
        drawn = total = _resampled(frames, numbers)
    else:
        apart = [_resampled({one: frame}, [np.arange(len(frame))]) for one, frame in frames.items()]
        drawn = {key: values for part in apart for key, values in part.items()}
        total = _resampled(frames, numbers, ["sum_recall"])
    about = {"clustered": clustered, "level": LEVEL, "n_resamples": N_RESAMPLES}
    result: dict[str, Any] = {}
    for direction, metrics in both.items():
        spread = {name: _interval(drawn.get((direction, name)), metric.scale) for name, metric in METRICS.items()}
        result[direction] = {**metrics.to_dict(), "interval": {**spread, **about}}
    sums = np.sum([total[direction, "sum_recall"] for direction in frames], axis=0) if total else None
    spread_both = _interval(sums, METRICS["sum_recall"].scale)
    rsum = sum(result[direction]["sum_recall"] for direction in frames)
    return {**result, "both": {"sum_recall": rsum, "interval": {"sum_recall": spread_both, **about}}}


def evaluated(run: Run, relevance: Any = None, *, v2t: str = "auto", ties: str = "expected") -> dict[str, Any]:
    """``with_intervals`` of the stored similarity of a run, under another tie rule, v2t level or judgements.

    Args:
        run: The run.
        relevance: Grades [captions, videos]; None = the run's own.
        v2t: ``auto``, ``caption`` or ``video``; see ``rank_bounds``.
        ties: ``expected``, ``optimistic`` or ``pessimistic``.

    Raises:
        StateError: The run keeps no matrix.
        UnknownNameError: Unknown tie rule or level.
    """
    pairs = run.relevance_matrix if relevance is None else relevance
    both = retrieval_metrics(similarity_of(run), pairs, direction="both", v2t=v2t, ties=ties)
    cells = sp.coo_array(pairs)
    judged = pd.DataFrame({
        "caption_id": run.queries["caption_id"].to_numpy()[cells.row],
        "video_id": run.gallery["video_id"].to_numpy()[cells.col], "grade": cells.data,
    })  # fmt: skip
    return with_intervals(both, RunAxes(run.queries, run.gallery, judged))


def _resampled(
    frames: Mapping[str, pd.DataFrame], numbers: Sequence[np.ndarray], names: Sequence[str] = tuple(METRICS)
) -> dict[tuple[str, str], np.ndarray]:
    """float64 [resamples] by direction and metric, in 0..1 for recalls; empty where there is one cluster only."""
    n_clusters = int(max(number.max() for number in numbers)) + 1
    if n_clusters < 2:
        return {}
    medians = [name for name in names if METRICS[name].statistic == "median"]
    others = [name for name in names if name not in medians]
    columns = list(dict.fromkeys(column for name in others for column in METRICS[name].columns))
    samples = []
    for frame, number in zip(frames.values(), numbers, strict=True):
        samples.append(Sample(frame[columns].to_numpy(), number, "columns"))
        samples += [Sample(frame[METRICS[name].columns[0]].to_numpy(), number, "median") for name in medians]
    rows = iter(bootstrap(samples, n_clusters, N_RESAMPLES))
    found: dict[tuple[str, str], np.ndarray] = {}
    for direction in frames:
        means = {column: next(rows) for column in columns}
        found |= {(direction, name): next(rows) for name in medians}
        for name in others:
            own = np.stack([means[column] for column in METRICS[name].columns])
            geometric = METRICS[name].statistic == "geometric"
            found[direction, name] = np.cbrt(own.prod(axis=0)) if geometric else own.sum(axis=0)
    return found


def _interval(drawn: np.ndarray | None, scale: float) -> list[float] | None:
    return None if drawn is None else [scale * one for one in quantiles(drawn, LEVEL)]
