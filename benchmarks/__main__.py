"""`make bench`: speed as ratios to a floor and to named peers in one run; writes benchmarks/RESULTS.md."""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np

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


def ranks(lines: list[str]) -> float:
    """Ranks against one read of the matrix and against sorting; returns the ratio at the largest size."""
    lines += ["## Ranks, both directions in one pass", "", "| N | read once (floor), ms | rank_bounds, ms | x floor | "
              "argsort of one direction, ms | argsort / rank_bounds |", "|---|---|---|---|---|---|"]  # fmt: skip
    ratio = 0.0
    for n in SIZES:
        similarity = generator(0, "bench", n).normal(size=(n, n)).astype(np.float32)
        floor = median_ms(similarity.sum)
        ours = median_ms(lambda matrix=similarity: rank_bounds(matrix, direction="both"))
        peer = median_ms(lambda matrix=similarity: argsort_peer(matrix), 1 if n > 5000 else 3)
        ratio = ours / floor
        lines.append(f"| {n:,} | {floor:.1f} | {ours:.1f} | {ratio:.1f} | {peer:.0f} | {peer / ours:.0f} |")
    return ratio


def others(lines: list[str]) -> None:
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
    lines += [
        "",
        "## At the size of TextVR test (2,727 x 2,727)",
        "",
        "| what | ms | x one read of the matrix |",
        "|---|---|---|",
    ]
    floor = median_ms(similarity.sum)
    lines += [f"| {name} | {(ms := median_ms(run, 3)):.0f} | {ms / floor:.0f} |" for name, run in work.items()]


def main() -> None:
    """Run all, write RESULTS.md, and fail when the ratio to the floor is out of bounds."""
    machine = f"{date.today()}, Python {platform.python_version()}, {platform.machine()}"
    lines = ["# Results", "", f"`make bench`, {machine}; medians; ratios are worth more than milliseconds.", ""]
    ratio = ranks(lines)
    others(lines)
    text = "\n".join(lines) + "\n"
    with tempfile.NamedTemporaryFile("w", dir=Path(__file__).parent, delete=False, suffix=".tmp") as out:
        out.write(text)
    Path(out.name).replace(Path(__file__).with_name("RESULTS.md"))
    print(text)
    if ratio > FLOOR_LIMIT:
        raise SystemExit(f"rank_bounds takes {ratio:.1f} times the floor, more than {FLOOR_LIMIT}.")


if __name__ == "__main__":
    main()
