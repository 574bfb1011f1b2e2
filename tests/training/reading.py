"""A corpus of read words alone, and a tiny recipe on it: a training of a second that decodes no video."""

from __future__ import annotations

from typing import Any

import pandas as pd

from workbench.core.seeds import generator
from workbench.corpus import Corpus, save_corpus
from workbench.training import load_recipe
from workbench.training.recipes import Recipe

NAME = "read"
WORDS = [f"word{i}" for i in range(16)]
COUNTS = {"train": 16, "val": 12, "test": 8}
TINY: dict[str, Any] = {
    "corpus": NAME, "modality": "ocr", "steps": 10, "eval_every": 4, "batch_videos": 5, "warmup": 2,
    "learning_rate": 0.02,
}  # fmt: skip
"""Three steps an epoch; looks at 4, 8 and 10, in the middle of epochs."""


def read_corpus(name: str = NAME, counts: dict[str, int] | None = None) -> Corpus:
    """Videos with two captions and three read words each, two videos per source; no files.

    Only a word in capitals is read in the video, which is there to be learned.
    """
    draw = generator(0, "read corpus")
    videos, captions, texts = [], [], []
    for split, count in (counts or COUNTS).items():
        for i in range(count):
            video, words = f"{split}/{i:02d}.mp4", [str(one) for one in draw.choice(WORDS, 3, replace=False)]
            videos.append({"video_id": video, "split": split, "source_id": f"{split}/{i // 2}", "status": "not_kept"})
            for n in range(2):
                others = " ".join(draw.choice(WORDS, 4))
                text = f"{others}: a sign says {words[n].upper()}"
                captions.append({"caption_id": f"{video}#{n}", "video_id": video, "text": text, "language": "en",
                                 "role": "original", "split": split})  # fmt: skip
            texts += [
                {"text_id": f"{video}#rapidocr#{n}", "video_id": video, "kind": "ocr", "engine": "rapidocr",
                 "text": word, "score": 0.9, "start_s": 0.0, "end_s": 1.0}
                for n, word in enumerate(words)
            ]  # fmt: skip
    coverage = [{"video_id": one["video_id"], "engine": "rapidocr", "state": "read"} for one in videos]
    tables = {"videos": videos, "captions": captions, "texts": texts, "text_coverage": coverage}
    meta = {"title": "Read words", "protocol": "A test.", "default_split": "test"}
    return save_corpus(name, {key: pd.DataFrame(rows) for key, rows in tables.items()}, meta)


def tiny(**overrides: Any) -> Recipe:
    """The self-test's recipe on that corpus."""
    return load_recipe("textvr_fusion_selftest", {**TINY, **overrides})
