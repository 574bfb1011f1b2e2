"""Causes of failed queries at the size of TextVR test, with texts and without."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.report import Report
from benchmarks.word_matching import misread, vocabulary
from workbench.analysis import failures
from workbench.core.seeds import generator
from workbench.core.workspace import elsewhere
from workbench.corpus import Corpus, save_corpus
from workbench.evaluation import Run, save_run

N_VIDEOS, N_READ, N_WORDS = 2727, 10, 20_000
ROUNDS = 3


def made_corpus(name: str, *, texts: bool) -> tuple[Corpus, pd.DataFrame]:
    """Videos with ten read words; every caption quotes two, of which an engine read about one; and a run's inputs."""
    draw = generator(0, "bench, causes")
    words = vocabulary(N_WORDS, draw)
    read_words = misread(words, N_WORDS, draw)
    read = [[read_words[i] for i in row] for row in draw.integers(0, len(read_words), (N_VIDEOS, N_READ))]
    said = [f'A sign says "{own[0]} {words[i]}".' for own, i in zip(read, draw.permutation(N_VIDEOS), strict=True)]
    ids = [f"{i}.mp4" for i in range(N_VIDEOS)]
    domains, sources = (np.char.add("g", (np.arange(N_VIDEOS) // size).astype(str)) for size in (341, 2))
    both = {"video_id": ids, "split": "test"}
    tables = {
        "videos": pd.DataFrame({**both, "status": "not_kept", "domain": domains, "source_id": sources}),
        "captions": pd.DataFrame({**both, "caption_id": ids, "role": "original", "text": said}),
    }
    if texts:
        shown = [" ".join(own) for own in read]
        row = {"video_id": ids, "kind": "ocr", "engine": "kwai"}
        tables["texts"] = pd.DataFrame({**row, "text_id": ids, "text": shown})
        tables["text_coverage"] = pd.DataFrame({"video_id": ids, "engine": "kwai", "state": "read"})
    inputs = pd.DataFrame({"video_id": ids, "words": [own[:8] for own in read], "engine": "kwai"})
    return save_corpus(name, tables).with_split("test"), inputs


def seconds(run: Run, direction: str) -> tuple[float, int]:
    """Median time of ``failures``, and how many queries failed."""
    times, n_failed = [], 0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        n_failed = len(failures(run, direction=direction))
        times.append(time.perf_counter() - start)
    return float(np.median(times)), n_failed


def failure_causes(report: Report) -> None:
    """Time ``failures`` on made data in both directions."""
    similarity = generator(0, "bench, causes, similarity").normal(size=(N_VIDEOS, N_VIDEOS)).astype(np.float32)
    report.say(
        f"## Causes of failures ({N_VIDEOS:,} queries, {N_READ} read words per video)", "",
        f"Median of {ROUNDS}; nearly every query fails.",
    )  # fmt: skip
    report.header("what", "t2v, s", "v2t, s", "failed queries")
    with tempfile.TemporaryDirectory() as folder, elsewhere(Path(folder)):
        for name, texts in (("without texts", False), ("with texts, every cause", True)):
            corpus, inputs = made_corpus("texts" if texts else "bare", texts=texts)
            run = save_run(similarity, corpus=corpus, name=corpus.name, inputs=inputs if texts else None)
            (t2v, n_failed), (v2t, _) = seconds(run, "t2v"), seconds(run, "v2t")
            report.row(name, f"{t2v:.2f}", f"{v2t:.2f}", f"{n_failed:,}")
