"""Causes of failed queries at the size of TextVR test, with texts and without, and at 42,200 x 10,500; memory too."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from benchmarks.report import Report
from benchmarks.word_matching import misread, vocabulary
from workbench.analysis import failures, ocr_funnel, oracle_gain
from workbench.core.seeds import generator
from workbench.core.workspace import elsewhere
from workbench.corpus import Corpus, save_corpus
from workbench.evaluation import Run, open_run, save_run

N_VIDEOS, N_READ, N_WORDS = 2727, 10, 20_000
LARGE = (42_200, 10_500)
"""Captions and videos of all of TextVR."""
MOST_SECONDS = (5, 60)
MOST_MEMORY = 4.0
"""Times the matrix that ``failures`` may need beside it; texts, lists and tables of every query are in it."""
PLAIN = "a man in red plays the guitar on stage while people dance in front of him and cheer loudly after that".split()


def made_corpus(name: str, n_captions: int, n_videos: int, *, texts: bool) -> tuple[Corpus, pd.DataFrame]:
    """Videos with ten read words; captions say plain words and quote two, of which one was read; and a run's inputs."""
    draw = generator(0, "bench, causes")
    words = vocabulary(N_WORDS, draw)
    read_words = misread(words, N_WORDS, draw)
    read = [[read_words[i] for i in row] for row in draw.integers(0, len(read_words), (n_videos, N_READ))]
    owner = np.concatenate([np.arange(n_videos), draw.integers(0, n_videos, n_captions - n_videos)])
    plain = [" ".join(PLAIN[i] for i in row) for row in draw.integers(0, len(PLAIN), (n_captions, 8))]
    quoted = draw.integers(0, N_WORDS, n_captions)
    said = [f'{own} while a sign says "{read[video][0]} {words[i]}".'
            for own, video, i in zip(plain, owner, quoted, strict=True)]  # fmt: skip
    ids = np.asarray([f"{i}.mp4" for i in range(n_videos)], object)
    domains, sources = (np.char.add("g", (np.arange(n_videos) // size).astype(str)) for size in (n_videos // 8 + 1, 2))
    both = {"video_id": ids, "split": "test"}
    tables = {
        "videos": pd.DataFrame({**both, "status": "not_kept", "domain": domains, "source_id": sources}),
        "captions": pd.DataFrame({"video_id": ids[owner], "caption_id": [f"c{i}" for i in range(n_captions)],
                                  "split": "test", "role": "original", "text": said}),
    }  # fmt: skip
    if texts:
        row = {"video_id": ids, "kind": "ocr", "engine": "kwai"}
        tables["texts"] = pd.DataFrame({**row, "text_id": ids, "text": [" ".join(own) for own in read]})
        tables["text_coverage"] = pd.DataFrame({"video_id": ids, "engine": "kwai", "state": "read"})
    inputs = pd.DataFrame({"video_id": ids, "words": [own[:8] for own in read], "engine": "kwai"})
    return save_corpus(name, tables).with_split("test"), inputs


def made_run(name: str, shape: tuple[int, int], *, texts: bool) -> Run:
    """A run of random scores, so that nearly every query fails."""
    corpus, inputs = made_corpus(name, *shape, texts=texts)
    draw = generator(0, "bench, causes, similarity")
    similarity = draw.standard_normal(shape, dtype=np.float32)
    return save_run(similarity, corpus=corpus, name=name, inputs=inputs if texts else None)


def measured(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds, GiB of memory that were needed meanwhile beside mapped files, and the result."""
    process, most, stop = psutil.Process(), 0, threading.Event()

    def own() -> int:
        memory = process.memory_info()
        return memory.rss - memory.shared

    def watch() -> None:
        nonlocal most
        while not stop.wait(0.05):
            most = max(most, own())

    before, watcher = own(), threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    stop.set()
    watcher.join()
    return seconds, max(most - before, 0) / 2**30, result


def failure_causes(report: Report) -> None:
    """Time ``failures`` on made data in both directions, against one pass over the matrix, and the memory it needs."""
    report.say(
        f"## Causes of failures ({N_READ} read words per video)", "",
        "Random scores, so that nearly every query fails. A pass is the sum of the memory-mapped matrix.",
    )  # fmt: skip
    report.header("matrix", "what", "s", "passes over the matrix", "GiB beside the matrix", "failed queries")
    small, cases = (N_VIDEOS, N_VIDEOS), (("without texts", False), ("with texts", True))
    for shape, kinds, most in ((small, cases, MOST_SECONDS[0]), (LARGE, cases[1:], MOST_SECONDS[1])):
        for what, texts in kinds:
            with tempfile.TemporaryDirectory() as folder, elsewhere(Path(folder)):
                _one(report, made_run("made", shape, texts=texts), what, most)


def _one(report: Report, run: Run, what: str, most: float) -> None:
    """Rows of one run; the first call of all is not counted, as it imports and maps."""
    matrix = run.similarity
    if matrix is None:
        return
    size = f"{matrix.shape[0]:,} x {matrix.shape[1]:,}"
    matrix.sum()
    single = measured(matrix.sum)[0]
    works: dict[str, Callable[[], Any]] = {
        "t2v": lambda: failures(open_run(run.path)),
        "v2t": lambda: failures(open_run(run.path), direction="v2t"),
        "t2v, then": lambda: failures(run), "v2t of the same open run": lambda: failures(run, direction="v2t"),
        "t2v again, with another threshold": lambda: failures(run, near=0.7),
        "oracle gain": lambda: oracle_gain(run, by="domain"),
    }  # fmt: skip
    if what == "with texts":
        works["OCR funnel"] = lambda: ocr_funnel(open_run(run.path)).words
    for name, work in works.items():
        seconds, memory, found = measured(work)
        report.row(
            size, f"{what}, {name}", f"{seconds:.1f}", f"{seconds / single:.0f}", f"{memory:.2f}", f"{len(found):,}"
        )
        if memory > max(MOST_MEMORY * matrix.nbytes / 2**30, 1.0):
            report.missed.append(f"{name} of {size} needed {memory:.1f} GiB")
        if name in ("t2v", "v2t") and seconds > most:
            report.say("", f"{size}: more than the {most} s that it should take; look at the load.")
