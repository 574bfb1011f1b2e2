"""Ranks and metrics of a similarity matrix against one read of it and against sorting."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks.report import Report
from workbench.core.seeds import generator
from workbench.evaluation import check_order, rank_bounds, retrieval_metrics
from workbench.evaluation.statistics import clustered_interval

ROUNDS = 7
SIZES = (1000, 2727, 10000)
FLOOR_LIMIT = 12.0  # both directions may cost so many times the reading of the matrix, at 10,000 x 10,000


def median_ms(function: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median wall-clock milliseconds after one warm-up call."""
    function()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times))


def argsort_peer(similarity: np.ndarray) -> np.ndarray:
    """What most published code does: sort every row, look for the diagonal."""
    order = np.argsort(-similarity, axis=1)
    return np.where(order == np.arange(len(similarity))[:, None])[1]


def ranks(report: Report) -> None:
    """Ranks against one read of the matrix and against sorting."""
    report.say("## Ranks, both directions in one pass", "", "Medians.")
    report.header("N", "read once (floor), ms", "rank_bounds, ms", "x floor", "argsort of one direction, ms",
                  "argsort / rank_bounds")  # fmt: skip
    ratio = 0.0
    for n in SIZES:
        similarity = generator(0, "bench", n).normal(size=(n, n)).astype(np.float32)
        floor = median_ms(similarity.sum)
        ours = median_ms(lambda matrix=similarity: rank_bounds(matrix, direction="both"))
        peer = median_ms(lambda matrix=similarity: argsort_peer(matrix), 1 if n > 5000 else 3)
        ratio = ours / floor
        report.row(f"{n:,}", f"{floor:.1f}", f"{ours:.1f}", f"{ratio:.1f}", f"{peer:.0f}", f"{peer / ours:.0f}")
    report.floor(f"at most {FLOOR_LIMIT:g} times one read at {SIZES[-1]:,}", ratio <= FLOOR_LIMIT)


def at_textvr_size(report: Report) -> None:
    """Metrics with per-query lists, the order check and a clustered interval at the size of TextVR test."""
    draw = generator(0, "bench, others")
    similarity = draw.normal(size=(2727, 2727)).astype(np.float32)
    hits, sources = draw.random(2727) < 0.3, draw.integers(0, 1412, 2727)
    captions = [f"caption {i % 2454} of something {i % 97}" for i in range(2727)]
    work = {
        "retrieval_metrics, all metrics": lambda: retrieval_metrics(similarity, direction="both")["v2t"].to_dict(),
        "per_query with top 100, both directions": lambda: [
            m.per_query for m in retrieval_metrics(similarity, direction="both").values()
        ],
        "check_order": lambda: check_order(similarity, captions),
        "clustered_interval, 10,000 resamples": lambda: clustered_interval(hits, sources),
    }
    report.say("## Metrics at the size of TextVR test (2,727 x 2,727)", "", "Medians.")
    report.header("what", "ms", "x one read of the matrix")
    floor = median_ms(similarity.sum)
    for name, function in work.items():
        ms = median_ms(function, 3)
        report.row(name, f"{ms:.0f}", f"{ms / floor:.0f}")
