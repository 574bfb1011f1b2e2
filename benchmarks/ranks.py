"""Ranks and metrics of a similarity matrix against one read of it and against the methods of the field."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from benchmarks import rank_peers as peers
from benchmarks.rank_files import from_disk, streamed
from benchmarks.report import Report
from workbench.core.seeds import generator
from workbench.evaluation import check_order, rank_bounds, retrieval_metrics
from workbench.evaluation.ranks.blocks import n_threads
from workbench.evaluation.statistics.paired import clustered_interval

ROUNDS = 25
SIZES = (1000, 2727, 10_000, 20_000)
FLOOR_LIMIT = 1.3  # both directions may cost so many times one read of the matrix, from GOAL_SIZE on
GOAL_SIZE = 10_000
PEER_LIMIT = 100  # times faster than CLIP4Clip's sort-and-find, from GOAL_SIZE on
MEMORY_LIMIT = 1.0  # percent of the matrix
PEERS: dict[str, tuple[Callable[[np.ndarray], peers.Ranks], int]] = {  # method, largest size it is run at
    "sort-and-find (CLIP4Clip)": (peers.sort_and_find, 20_000),
    "full argsort": (peers.full_argsort, 10_000),
    "argsort on all cores (method of ranx)": (peers.sorted_lists, 10_000),
    "flat tensors (method of torchmetrics)": (peers.flat_predictions, 2727),
    "pytrec_eval": (peers.trec_dictionaries, 1000),
}


def seconds(function: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def median_ms(function: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median wall-clock milliseconds after one warm-up call."""
    function()
    return 1000 * float(np.median([seconds(function) for _ in range(rounds)]))


def side_by_side(one: Callable[[], object], other: Callable[[], object], rounds: int = ROUNDS) -> np.ndarray:
    """Seconds [rounds, 2] of two functions in turn, after one warm-up call each: other load falls on both."""
    one(), other()
    return np.array([[seconds(one), seconds(other)] for _ in range(rounds)])


def extra_percent(function: Callable[[], object], matrix: np.ndarray) -> float:
    """Most memory that a call holds beside the matrix, in percent of it (what NumPy and Python allocate)."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return 100 * peak / matrix.nbytes


def square(n: int) -> np.ndarray:
    """float32 [n, n] of normal scores, of which none equals a right one: peers that disagree under ties agree here."""
    matrix = generator(0, "bench", n).standard_normal((n, n), dtype=np.float32)
    bits = matrix.view(np.uint32)
    bits &= ~np.uint32(1)
    bits[np.arange(n), np.arange(n)] |= np.uint32(1)
    return matrix


def ranks(report: Report) -> None:
    """R@K, MdR and MnR in both directions: against the floor, the peers, from disk and streamed."""
    report.say("## Ranks, both directions in one pass", "")
    report.say(
        f"Floor: one read of the matrix by the {n_threads()} cores that the run may use. {ROUNDS} calls, ours and the "
        "floor in turn, as other processes run beside: medians, and the fastest of each against the other; memory is "
        "what is held beside the matrix."
    )
    report.header(
        "N", "floor, ms", "rank_bounds, ms", "x floor, medians", "x floor, fastest", "memory, % of the matrix"
    )
    ratios, memory = {}, {}
    for n in SIZES:
        matrix = square(n)
        times = side_by_side(lambda m=matrix: peers.read_once(m), lambda m=matrix: rank_bounds(m, direction="both"))
        memory[n] = extra_percent(lambda m=matrix: rank_bounds(m, direction="both"), matrix)
        (floor, ours), fastest = 1000 * np.median(times, axis=0), times.min(axis=0)
        ratios[n] = fastest[1] / fastest[0]
        report.row(
            f"{n:,}", f"{floor:.1f}", f"{ours:.1f}", f"{ours / floor:.2f}", f"{ratios[n]:.2f}", f"{memory[n]:.2f}"
        )
    large = [n for n in SIZES if n >= GOAL_SIZE]
    report.floor(f"at most {FLOOR_LIMIT:g} times one read (fastest of each) at {GOAL_SIZE:,} and beyond",
                 all(ratios[n] <= FLOOR_LIMIT for n in large))  # fmt: skip
    report.floor(f"less than {MEMORY_LIMIT:g} % of the matrix as extra memory at {GOAL_SIZE:,} and beyond",
                 all(memory[n] < MEMORY_LIMIT for n in large))  # fmt: skip
    against_peers(report)
    from_disk(report)
    streamed(report)


def against_peers(report: Report) -> None:
    """The methods of the field, run once each; their ranks must be ours."""
    report.say("", "### Against the methods of the field", "")
    report.say(
        "Both directions, one run each, ours (fastest of 5) just before; their ranks are compared with ours. What lies "
        "in no package here is written from its specification. No cell: too slow or too large at that size."
    )
    report.header("method", *(f"N = {n:,}: s (times ours)" for n in SIZES), "memory, % of the matrix")
    cells: dict[str, list[str]] = {name: [] for name in PEERS}
    faster: list[float] = []
    extra = dict.fromkeys(PEERS, "")
    for n in SIZES:
        matrix = square(n)
        ours = rank_bounds(matrix, direction="both")
        expected = [ours["t2v"].expected, ours["v2t"].expected]
        for name, (method, most) in PEERS.items():
            if n > most:
                cells[name].append("")
                continue
            own = min(seconds(lambda m=matrix: rank_bounds(m, direction="both")) for _ in range(5))
            start = time.perf_counter()
            found = method(matrix)
            taken = time.perf_counter() - start
            if not all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True)):
                raise RuntimeError(f"{name} finds other ranks at N = {n}.")
            cells[name].append(f"{taken:.2f} ({taken / own:.0f})")
            if n >= GOAL_SIZE and method is peers.sort_and_find:
                faster.append(taken / own)
            if n == SIZES[0]:
                extra[name] = f"{extra_percent(lambda f=method, m=matrix: f(m), matrix):.0f}"
    for name, found_cells in cells.items():
        report.row(name, *found_cells, extra[name])
    report.floor(f"at least {PEER_LIMIT} times faster than sort-and-find at {GOAL_SIZE:,} and beyond",
                 min(faster) >= PEER_LIMIT)  # fmt: skip


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
    floor = median_ms(lambda: peers.read_once(similarity))
    for name, function in work.items():
        ms = median_ms(function, 3)
        report.row(name, f"{ms:.0f}", f"{ms / floor:.0f}")
