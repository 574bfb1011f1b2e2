"""Ranks of matrices on disk and of matrices that are never stored: time against one read, and memory held."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import scipy.sparse as sp

from benchmarks.rank_peers import read_once
from benchmarks.report import Report
from workbench.core.seeds import generator
from workbench.evaluation import rank_bounds, stream_ranks

TEXTVR = (42_200, 10_500)  # all captions and videos of TextVR: 1.77 GB
RESIDENT_LIMIT = 300  # MB beyond the page cache
COLD = 10_000
WIDTH = 64  # of the embeddings that are scored as they are counted
STREAMED = ((20_000, 20_000), (40_000, 20_000), (80_000, 20_000), (40_000, 40_000))
ROUNDS = 3


def anonymous_mb(process: psutil.Process | None = None) -> float:
    """Resident megabytes of a process that are not pages of files; None = this one."""
    info = (process or psutil.Process()).memory_info()
    return (info.rss - info.shared) / 1e6


def peak_mb(function: Callable[[], object]) -> tuple[float, float]:
    """Seconds of a call, and the most anonymous megabytes while it ran, looked at every 5 ms."""
    done, seen = threading.Event(), [anonymous_mb()]

    def watch() -> None:
        while not done.wait(0.005):
            seen.append(anonymous_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    function()
    taken = time.perf_counter() - start
    done.set()
    watcher.join()
    return taken, max(*seen, anonymous_mb())


def owners(n_captions: int, n_videos: int) -> sp.csr_array:
    """Captions shared out over the videos in order: int8 [captions, videos]."""
    rows = np.arange(n_captions)
    return sp.csr_array((np.ones(n_captions, np.int8), (rows, rows * n_videos // n_captions)), (n_captions, n_videos))


def write_matrix(path: Path, shape: tuple[int, int]) -> None:
    """A float32 .npy of normal scores, written in blocks and flushed to the disk."""
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    draw = generator(0, "bench, file")
    for start in range(0, shape[0], 1000):
        block = out[start : start + 1000]
        draw.standard_normal(out=block, dtype=np.float32)
    out.flush()


def forget(path: Path) -> None:
    """Drop a file's pages from the page cache."""
    with open(path, "rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def opened(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r")


def from_disk(report: Report) -> None:
    """A cold memory map against a cold read, and all of TextVR with the memory that the process holds."""
    report.say("", "### From a memory map on disk", "")
    report.say("Cold: the file's pages are dropped from the page cache before each call; floor: one read of the map in "
               "the same state. Resident: most anonymous memory of a process of its own, interpreter and compiled code "
               "included.")  # fmt: skip
    report.header("matrix", "state", "v2t", "floor, s", "rank_bounds, s", "x floor", "resident, MB")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cold.npy"
        write_matrix(path, (COLD, COLD))
        times = np.array([[_cold(read_once, path), _cold(_both, path)] for _ in range(ROUNDS)])
        floor, ours = np.median(times, axis=0)
        ratio = float(np.median(times[:, 1] / times[:, 0]))
        report.row(f"{COLD:,} x {COLD:,}", "cold", "caption", f"{floor:.2f}", f"{ours:.2f}", f"{ratio:.2f}", "")
        path.unlink()
        path = Path(folder) / "textvr.npy"
        write_matrix(path, TEXTVR)
        worst = 0.0
        for level in ("caption", "video"):
            read_once(opened(path))
            found = _in_a_process("disk", str(path), level)
            worst = max(worst, found["resident"])
            report.row(f"{TEXTVR[0]:,} x {TEXTVR[1]:,}", "warm", level, f"{found['floor']:.2f}", f"{found['ours']:.2f}",
                       f"{found['ours'] / found['floor']:.2f}", f"{found['resident']:.0f}")  # fmt: skip
    report.floor(f"less than {RESIDENT_LIMIT} MB resident beyond the page cache", worst < RESIDENT_LIMIT)


def _both(matrix: np.ndarray) -> object:
    return rank_bounds(matrix, direction="both")


def _cold(function: Callable[[np.ndarray], object], path: Path) -> float:
    function(np.zeros((8, 8), np.float32))
    forget(path)
    start = time.perf_counter()
    function(opened(path))
    return time.perf_counter() - start


def streamed(report: Report) -> None:
    """Scores that are computed, counted and forgotten: seconds per score and memory as the matrix grows."""
    report.say("", "### Streamed: scores that are never stored", "")
    report.say(f"`stream_ranks` over products of embeddings of {WIDTH} numbers, two passes; memory: what the call adds "
               "to the process beside the embeddings.")  # fmt: skip
    report.header("captions x videos", "the matrix would be, GB", "s", "ns per score", "memory, MB")
    for shape in STREAMED:
        found = _in_a_process("streamed", *map(str, shape), OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
        n = shape[0] * shape[1]
        report.row(f"{shape[0]:,} x {shape[1]:,}", f"{4 * n / 1e9:.1f}", f"{found['ours']:.1f}",
                   f"{1e9 * found['ours'] / n:.2f}", f"{found['resident']:.0f}")  # fmt: skip


def _in_a_process(*words: str, **environment: str) -> dict[str, float]:
    """What this module prints when it is run with these words, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.rank_files", *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **environment})
    return json.loads(done.stdout)


def stream_alone(shape: tuple[int, int]) -> dict[str, float]:
    """Seconds of streamed ranks, and the memory they add to the embeddings; threads share blocks, not products."""
    draw = generator(0, "bench, streamed")
    text, video = (draw.standard_normal((size, WIDTH), dtype=np.float32) for size in shape)
    stream_ranks(lambda rows: text[rows] @ video[:64].T, (64, 64), v2t="caption")  # loads the compiled code
    relevance, before = owners(*shape), anonymous_mb()
    taken, most = peak_mb(lambda: stream_ranks(lambda rows: text[rows] @ video.T, shape, relevance, v2t="caption"))
    return {"ours": taken, "resident": most - before}


def from_disk_alone(path: Path, level: str) -> dict[str, float]:
    """Seconds of one read and of the ranks, and the most memory that the process holds."""
    matrix, relevance = opened(path), owners(*TEXTVR)
    rank_bounds(matrix[:64, :64], direction="both", v2t=level)  # loads the compiled code
    read_once(matrix[:64])
    times, most = [], 0.0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        read_once(matrix)
        floor = time.perf_counter() - start
        taken, peak = peak_mb(lambda: rank_bounds(matrix, relevance, direction="both", v2t=level))
        times.append((floor, taken))
        most = max(most, peak)
    floor, ours = np.median(times, axis=0)
    return {"floor": float(floor), "ours": float(ours), "resident": most}


if __name__ == "__main__":
    what, first, second = sys.argv[1:]
    found = stream_alone((int(first), int(second))) if what == "streamed" else from_disk_alone(Path(first), second)
    print(json.dumps(found))
