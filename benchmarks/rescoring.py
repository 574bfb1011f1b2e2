"""Re-scoring against the same formulas written with whole matrices: time, and memory beside the scores."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.ranks import extra_percent, seconds
from benchmarks.report import Report
from workbench import evaluation
from workbench.core.seeds import generator
from workbench.evaluation import Rescored

SIZE, BANK, ROUNDS = 10_000, 2_000, 3
TEMPERATURE, BETA, NEIGHBOURS, DAMPING = 0.05, 20.0, 10, 60
MEMORY_LIMIT = 110.0  # percent of one matrix: the result, and blocks
ON_DISK_LIMIT = 10.0  # percent, where the result is a file


def share(scores: np.ndarray, axis: int) -> np.ndarray:
    """Scores times their softmax over an axis."""
    power = np.exp((scores - scores.max(axis=axis, keepdims=True)) / np.float32(TEMPERATURE))
    return scores * (power / power.sum(axis=axis, keepdims=True))


def naive_dual_softmax(scores: np.ndarray) -> list[np.ndarray]:
    """One matrix per direction."""
    return [share(scores, 0), share(scores, 1)]


def naive_csls(scores: np.ndarray) -> np.ndarray:
    """Neighbourhoods by partial sorting of both axes."""
    rows = np.partition(scores, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:].mean(axis=1, keepdims=True)
    columns = np.partition(scores, -NEIGHBOURS, axis=0)[-NEIGHBOURS:].mean(axis=0, keepdims=True)
    return 2 * scores - rows - columns


def naive_querybank(scores: np.ndarray, bank: np.ndarray) -> np.ndarray:
    """Exponentials of both matrices; the rows whose best video some bank query retrieves are divided."""
    made = scores.copy()
    chosen = np.isin(scores.argmax(axis=1), np.unique(bank.argmax(axis=1)))
    sums = np.exp(np.float32(BETA) * bank).sum(axis=0)
    made[chosen] = np.exp(np.float32(BETA) * scores)[chosen] / sums
    return made


def naive_fusion(scores: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Z-scores of every row, weighted."""
    parts = [(one - one.mean(axis=1, keepdims=True)) / one.std(axis=1, keepdims=True) for one in (scores, other)]
    return np.float32(0.4) * parts[0] + np.float32(0.6) * parts[1]


def naive_rank_fusion(scores: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Ranks by sorting twice."""
    ranks = [np.argsort(np.argsort(-one, axis=1), axis=1) + 1 for one in (scores, other)]
    return 1 / (DAMPING + ranks[0]) + 1 / (DAMPING + ranks[1])


def rescoring(report: Report) -> None:
    """Time and memory at 10,000 x 10,000, results in memory and on disk."""
    draw = generator(0, "bench, rescoring")
    scores, other, bank = (
        draw.uniform(0.01, 1, (rows, SIZE)).astype(np.float32) for rows in (SIZE, SIZE, BANK)
    )  # fmt: skip
    fused = {"vision": scores, "ocr": other}
    weights = {"vision": 0.4, "ocr": 0.6}
    work: dict[str, tuple[Callable[[np.ndarray | None], Rescored], Callable[[], object]]] = {
        "dual softmax, both directions": (
            lambda out: evaluation.dual_softmax(scores, temperature=TEMPERATURE, out=out),
            lambda: naive_dual_softmax(scores),
        ),
        f"QB-Norm, bank of {BANK:,}": (
            lambda out: evaluation.querybank_norm(scores, bank, beta=BETA, out=out),
            lambda: naive_querybank(scores, bank),
        ),
        "CSLS": (lambda out: evaluation.csls(scores, k=NEIGHBOURS, out=out), lambda: naive_csls(scores)),
        "weighted sum of z-scores": (
            lambda out: evaluation.fuse_scores(fused, weights, scale="query", out=out),
            lambda: naive_fusion(scores, other),
        ),
        "reciprocal rank fusion": (
            lambda out: evaluation.reciprocal_rank_fusion(fused, k=DAMPING, out=out),
            lambda: naive_rank_fusion(scores, other),
        ),
    }
    report.say(
        f"## Re-scoring of {SIZE:,} x {SIZE:,}", "",
        f"Fastest of {ROUNDS} after one to warm up, NumPy with whole matrices once. Only ours looks for NaN and +inf."
        " Memory: most that is held beside the scores, in percent of one matrix, the result (100) included; on disk:"
        " where the result is a memory map.",
    )  # fmt: skip
    report.header("what", "s", "NumPy, s", "NumPy / ours", "memory, %", "NumPy, memory, %", "on disk, memory, %")
    memory, on_disk = [], []
    for name, (ours, naive) in work.items():
        ours(None)
        fastest = min(seconds(lambda one=ours: one(None)) for _ in range(ROUNDS))
        slow = seconds(naive)
        memory.append(extra_percent(lambda one=ours: one(None), scores))
        on_disk.append(_to_disk(ours, scores))
        report.row(
            name, f"{fastest:.2f}", f"{slow:.2f}", f"{slow / fastest:.1f}", f"{memory[-1]:.0f}",
            f"{extra_percent(naive, scores):.0f}", f"{on_disk[-1]:.1f}",
        )  # fmt: skip
    report.floor(f"at most one extra matrix ({MEMORY_LIMIT:g} % with all blocks)", max(memory) <= MEMORY_LIMIT)
    report.floor(f"at most {ON_DISK_LIMIT:g} % in memory where the result is on disk", max(on_disk) <= ON_DISK_LIMIT)


def _to_disk(ours: Callable[[np.ndarray | None], Rescored], scores: np.ndarray) -> float:
    with tempfile.TemporaryDirectory() as folder:
        out = np.lib.format.open_memmap(Path(folder) / "out.npy", mode="w+", dtype=np.float32, shape=scores.shape)
        return extra_percent(lambda: ours(out), scores)
