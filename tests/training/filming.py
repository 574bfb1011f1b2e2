"""A corpus of a few real clips with splits, captions and read words, and a tiny recipe on it that looks at frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from tests.clips import write_clip
from tests.filmed import FAST
from workbench.corpus import Corpus, save_corpus
from workbench.pipelines.videos import probe_corpus

NAME = "clips"
COUNTS = {"train": 6, "val": 2, "test": 2}
SHORT = "train/3.mp4"
"""Three frames: fewer than there are candidates."""
TINY: dict[str, Any] = {
    "corpus": NAME, "steps": 6, "eval_every": 6, "batch_videos": 3, "warmup": 1, "modality": "vision",
}  # fmt: skip


def clips_corpus(folder: Path, name: str = NAME, small: Path | None = None) -> Corpus:
    """Clips of 160 x 96 pixels whose frames show their index; two groups of pictures each; probed.

    Args:
        folder: For the files.
        name: The corpus' name.
        small: Folder of the rendition ``small``, of the videos that lie in it; None = there is none.
    """
    videos, captions, texts = [], [], []
    for split, count in COUNTS.items():
        for i in range(count):
            video = f"{split}/{i}.mp4"
            (folder / split).mkdir(parents=True, exist_ok=True)
            write_clip(folder / video, 3 if video == SHORT else 10 + len(videos), options=FAST, gop=6)
            videos.append({"video_id": video, "split": split, "source_id": f"{split}/{i}", "status": "ok"})
            captions += [
                {"caption_id": f"{video}#{n}", "video_id": video, "text": f"clip {i} seen {n} times", "language": "en",
                 "role": "original", "split": split} for n in range(2)
            ]  # fmt: skip
            texts.append({"text_id": f"{video}#rapidocr#0", "video_id": video, "kind": "ocr", "engine": "rapidocr",
                          "text": f"WORD {i}", "score": 0.9, "start_s": 0.0, "end_s": 0.2})  # fmt: skip
    renditions = [{"video_id": one["video_id"], "rendition": "original", "path": one["video_id"]} for one in videos]
    roots = {"original": str(folder)} | ({} if small is None else {"small": str(small)})
    renditions += [{**one, "rendition": "small"} for one in renditions if small and (small / one["path"]).exists()]
    coverage = [{"video_id": one["video_id"], "engine": "rapidocr", "state": "read"} for one in videos]
    tables = {"videos": videos, "captions": captions, "renditions": renditions, "texts": texts,
              "text_coverage": coverage}  # fmt: skip
    meta = {
        "title": "Clips",
        "protocol": "A test.",
        "default_split": "test",
        "roots": {kind: str(root) for kind, root in roots.items()},
    }
    return probe_corpus(save_corpus(name, {key: pd.DataFrame(rows) for key, rows in tables.items()}, meta), workers=1)


def truncate(path: Path) -> None:
    """Cut a file in the middle, as a disk or a copy does that breaks off."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
