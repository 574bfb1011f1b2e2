"""A small corpus of real videos in domains, with captions, read words and runs; much of its text is hostile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.clips import write_clip
from tests.filmed import FAST, HOSTILE, with_text
from workbench.corpus import Corpus
from workbench.evaluation import Run, save_run
from workbench.pipelines.datasets import prepare

EVIL = "<script>alert(1)</script> [a](javascript:alert(1)) $x$ :red[r]"
STRANGE = "Ünï 日本/‏<b>ب $x$.mp4"
VIDEOS = {  # video: domain, captions, words that the engine read
    "one.mp4": ("Sports", ["A runner in a shirt that says MIRA.", "The number 42 is seen."], ["MIRA 42"]),
    "two.mp4": ("Sports", ["A runner beside the bank.", "long " * 1000 + HOSTILE], ["BANK"]),
    "three.mp4": (EVIL, [f"{HOSTILE} beside a café called MIRA.", "مرحبا MIRA"], ["MIRA", HOSTILE]),
    STRANGE: (EVIL, ["A scoreboard that reads GOAL."], ["GOAL"]),
    "broken.mp4": ("Sports", ["A clip that nobody can open."], []),
}


def captioned_corpus(folder: Path, name: str = "shown", longer: int = 0) -> Corpus:
    """Five clips in two domains, one broken, one with a name that is hard to write; restricted to its split.

    Args:
        folder: Where the clips are written.
        name: Of the corpus.
        longer: Frames by which each clip is longer than the one before; of one length all show the same.
    """
    for number, video in enumerate(VIDEOS):
        path = folder / video
        path.parent.mkdir(parents=True, exist_ok=True)
        if video == "broken.mp4":
            path.write_bytes(b"no video at all " * 50)
        else:
            write_clip(path, 12 + number * longer, options=FAST)
    rows = [
        {"video": video, "caption": caption, "domain": domain, "source": f"source of {video}"}
        for video, (domain, captions, _) in VIDEOS.items()
        for caption in captions
    ]
    table = folder.parent / "captions.jsonl"
    pd.DataFrame(rows).to_json(table, orient="records", lines=True)
    corpus = prepare("folder", annotations=[table], roots={"original": folder}, rename=name, workers=1)
    for video, (_, _, words) in VIDEOS.items():
        if words:
            corpus = with_text(corpus, video, "rapidocr", words)
    return corpus.with_split("test")


def captioned_runs(corpus: Corpus, before: str = "") -> list[Run]:
    """``right`` finds every video; ``wrong`` finds each caption's video last, and states what frames it saw.

    Args:
        corpus: The corpus.
        before: What the names of the runs begin with.
    """
    near = corpus.relevance_matrix().toarray().astype(np.float32)
    noise = np.linspace(0, 0.1, near.size, dtype=np.float32).reshape(near.shape)
    seen = pd.DataFrame({"video_id": corpus.videos["video_id"], "frames": [[1, 5]] * len(corpus.videos)})
    return [
        save_run(near + noise, corpus=corpus, name=f"{before}right"),
        save_run(noise - near, corpus=corpus, name=f"{before}wrong", inputs=seen),
    ]
