"""A made corpus with domains and sources, and runs on it whose quality is known; small enough to be made in a test."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from tests.once import digest, kept
from workbench.core.seeds import generator
from workbench.core.workspace import workspace
from workbench.corpus import Corpus, open_corpus, save_corpus
from workbench.evaluation import Run, open_run, save_run

DOMAINS = ("Cooking", "Driving", "News_Movie", "Sports")
THINGS = "bus dog sign boat cook ball road shop train horse lamp river".split()
DOINGS = "passes holds opens shows leaves turns follows meets".split()


def made_corpus(n_videos: int = 160, *, name: str = "made", seed: int = 0, per_video: int = 1) -> Corpus:
    """Test videos in four domains, four clips per source; some captions stand twice, all hold markup."""
    what = ("made corpus", n_videos, name, seed, per_video)
    kept(workspace().corpora / name, what, lambda: _made_corpus(n_videos, name, seed, per_video))
    return open_corpus(name, "test")


def _made_corpus(n_videos: int, name: str, seed: int, per_video: int) -> None:
    draw = generator(seed, "made corpus")
    rows, captions = [], []
    for i in range(n_videos):
        domain = DOMAINS[i * len(DOMAINS) // n_videos]
        video = f"{domain}/clip_{i:04d}.mp4"
        rows.append(
            {
                "video_id": video,
                "domain": domain,
                "source_id": f"{domain}/{i // 4}",
                "split": "test",
                "status": "not_kept",
            }
        )
        for number in range(per_video):
            words = (
                f"a {draw.choice(THINGS)} {draw.choice(DOINGS)} the {draw.choice(THINGS)} of <b>no</b> {i} *{number}*"
            )
            text = "We see it again." if i % 40 == 1 else words
            captions.append({"caption_id": f"{video}#{number}", "video_id": video, "text": text, "language": "en",
                             "role": "original", "split": "test"})  # fmt: skip
    tables = {"videos": pd.DataFrame(rows), "captions": pd.DataFrame(captions)}
    save_corpus(name, tables, {"title": "Made corpus", "protocol": "A test."})


def made_similarity(corpus: Corpus, noise: float = 0.6, seed: int = 0) -> np.ndarray:
    """float32 [captions, videos]: captions near their videos, equal captions alike, clips of one source alike."""
    draw = generator(seed, "made similarity")
    texts = corpus.captions["text"].to_numpy()
    by_text = {text: draw.normal(size=48) for text in dict.fromkeys(texts)}
    by_source = {source: draw.normal(size=48) for source in dict.fromkeys(corpus.videos["source_id"])}
    first = corpus.captions.drop_duplicates("video_id").set_index("video_id")["text"]
    text = np.stack([by_text[one] for one in texts])
    video = np.stack([
        by_text[first[row.video_id]] + 0.7 * by_source[row.source_id] + noise * draw.normal(size=48)
        for row in corpus.videos.itertuples()
    ])  # fmt: skip
    video /= np.linalg.norm(video, axis=1, keepdims=True)
    text /= np.linalg.norm(text, axis=1, keepdims=True)
    return (text @ video.T).astype(np.float32)


def made_runs(corpus: Corpus, names: tuple[str, ...] = ("good", "fair", "poor")) -> list[Run]:
    """One run per name, each noisier than the one before."""

    def make(i: int, name: str) -> Run:
        return save_run(made_similarity(corpus, 0.5 + 2.0 * i, seed=i), corpus=corpus, name=name, notes=f"noise {i}")

    of = digest(corpus.path), corpus.split
    for i, name in enumerate(names):
        kept(workspace().runs / name, ("made run", of, i, name), partial(make, i, name))
    return [open_run(name) for name in names]
