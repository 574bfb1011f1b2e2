"""Runs of made scores at the sizes of TextVR, which several benchmarks share: made once, removed when Python ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks.made_videos import tables_of_videos, write_times
from benchmarks.word_matching import misread, vocabulary
from workbench.core.seeds import generator
from workbench.core.workspace import elsewhere, workspace
from workbench.corpus import Corpus, save_corpus
from workbench.evaluation import Run, save_run

Sizes = tuple[tuple[str, tuple[int, int]], ...]
"""Captions and videos, by title."""
SIZES: Sizes = (("2,727 x 2,727", (2_727, 2_727)), ("42,200 x 10,500", (42_200, 10_500)))
N_DOMAINS, VECTOR = 8, 64
NOISES, NOISES_OF_APP = (0.15, 0.3), (0.3, 0.45)
"""Of the captions of both runs; with the second ones most queries of 2,727 fail, as of real models."""
N_WORDS, N_READ = 20_000, 10
"""Words of a language, and how many are read in a video."""


@dataclass(frozen=True)
class Amount:
    """How much is done.

    Attributes:
        sizes: Of the matrices.
        clicks: Interactions after which the server's memory is looked at, and again after as many more.
        pans: Drags of the matrix.
        naive: Clicks on the naive page.
        frames: Presented frames of each video that plays.
    """

    sizes: Sizes = SIZES
    clicks: int = 200
    pans: int = 60
    naive: int = 20
    frames: int = 400


FULL = Amount()
QUICK = Amount((("240 x 120", (240, 120)),), clicks=2, pans=2, naive=1, frames=40)
"""To see that everything still runs."""


@dataclass(frozen=True)
class Made:
    """Two runs for each size, in a workspace of their own.

    Attributes:
        folder: The workspace; it goes away with this.
        runs: By title of the size; called NAME-a and NAME-b.
        names: Of the corpora, by title.
    """

    folder: TemporaryDirectory[str]
    runs: Mapping[str, list[Run]]
    names: Mapping[str, str]

    @property
    def home(self) -> Path:
        return Path(self.folder.name)


@cache
def made(sizes: Sizes, *, filmed: bool = False) -> Made:
    """Runs of these sizes; the same ones when asked again.

    Args:
        sizes: Of their matrices.
        filmed: Whether every video has a small file that plays, and read words with boxes.
    """
    folder = TemporaryDirectory()
    names = {title: f"s{shape[0]}" for title, shape in sizes}
    with elsewhere(Path(folder.name)):
        runs = {title: made_runs(names[title], shape, filmed=filmed) for title, shape in sizes}
    return Made(folder, runs, names)


def made_corpus(name: str, n_captions: int, n_videos: int, *, filmed: bool = False) -> tuple[Corpus, np.ndarray]:
    """A split with domains and sources of two clips; and the source of every video."""
    draw = generator(0, "bench, matrix view")
    source = draw.permutation(n_videos) // 2
    owner = np.arange(n_captions) % n_videos
    videos = [f"{i}.mp4" for i in range(n_videos)]
    tables = {
        "videos": pd.DataFrame({
            "video_id": videos, "domain": [f"domain {i % N_DOMAINS}" for i in source], "source_id": source.astype(str),
            "split": "test", "status": "ok" if filmed else "not_kept",
        }),
        "captions": pd.DataFrame({
            "caption_id": [f"{i}#{at}" for i, at in enumerate(owner)], "video_id": [videos[i] for i in owner],
            "text": [f"caption {i} of a street" for i in range(n_captions)], "role": "original", "split": "test",
        }),
    }  # fmt: skip
    if not filmed:
        return save_corpus(name, tables).with_split("test"), source
    words = vocabulary(N_WORDS, draw)
    seen = misread(words, N_WORDS, draw)
    read = [[seen[i] for i in row] for row in draw.integers(0, len(seen), (n_videos, N_READ))]
    tables["captions"]["text"] += [
        f' whose sign says "{read[i][0]} {words[at % N_WORDS]}"' for at, i in enumerate(owner)
    ]
    more, meta = tables_of_videos(workspace().home / "clips" / name, videos, read)
    corpus = save_corpus(name, {**tables, **more}, meta)
    write_times(corpus, videos)
    return corpus.with_split("test"), source


def made_runs(name: str, shape: tuple[int, int], *, filmed: bool = False) -> list[Run]:
    """Two runs whose scores know domains, sources and right pairs, one better than the other."""
    corpus, source = made_corpus(name, *shape, filmed=filmed)
    draw = generator(1, "bench, matrix view")
    of_domain, of_source = (draw.normal(size=(n, VECTOR)) for n in (N_DOMAINS, source.max() + 1))
    own = draw.normal(size=(shape[1], VECTOR))
    video = (0.5 * of_domain[source % N_DOMAINS] + 0.6 * of_source[source] + own).astype(np.float32)
    video /= np.linalg.norm(video, axis=1, keepdims=True)
    runs = []
    for at, noise in enumerate(NOISES_OF_APP if filmed else NOISES):
        caption = video[np.arange(shape[0]) % shape[1]] + noise * draw.normal(size=(shape[0], VECTOR))
        runs.append(save_run(caption.astype(np.float32) @ video.T, corpus=corpus, name=f"{name}-{'ab'[at]}"))
    return runs
