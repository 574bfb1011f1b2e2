"""A small corpus of real videos with texts and boxes, one of them hostile."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests.clips import write_clip
from workbench.corpus import Corpus
from workbench.corpus.store import replace_texts
from workbench.corpus.tables import CORNERS
from workbench.pipelines.datasets import prepare

HOSTILE = "</script><img src=x onerror=alert(1)> [a](javascript:alert(1)) **b**"
FAST = {"preset": "veryfast", "crf": "23"}


def quad(left: float = 0.2, top: float = 0.6, right: float = 0.5, bottom: float = 0.8) -> dict[str, float]:
    """Corners of an upright rectangle as columns of the table ``boxes``."""
    return dict(zip(CORNERS, (left, top, right, top, right, bottom, left, bottom), strict=True))


def filmed_corpus(folder: Path, name: str = "mine") -> Corpus:
    """Five clips: ``a.mp4`` (offset, uneven times), ``Sub/b.webm``, ``c.mkv``, ``old.avi`` (MPEG-4), ``bad.mp4``."""
    (folder / "Sub").mkdir(parents=True)
    write_clip(folder / "a.mp4", 24, variable=True, offset=320, options=FAST)
    write_clip(folder / "Sub" / "b.webm", 6, "libvpx", options={"deadline": "realtime", "cpu-used": "8"})
    write_clip(folder / "c.mkv", 6, options=FAST)
    write_clip(folder / "old.avi", 12, "mpeg4", options={"b": "1M"})
    (folder / "bad.mp4").write_bytes(b"no video at all " * 50)
    return prepare("folder", annotations=[], roots={"original": folder}, rename=name, workers=1)


def with_text(
    corpus: Corpus, video_id: str, engine: str, words: list[str], *, frames: tuple[int, ...] = (2, 6),
    last: int | None = None, **coverage: object,
) -> Corpus:  # fmt: skip
    """Add an engine's reading of one video: every word stands in a box on each of these frames."""
    ids = [f"{video_id}#{engine}#{n}" for n in range(len(words))]
    texts = [
        {
            "text_id": one, "video_id": video_id, "kind": "ocr", "engine": engine, "text": word, "score": 0.9,
            "start_s": frames[0] / 24, "end_s": (frames[-1] if last is None else last) / 24,
            "first_frame": frames[0], "last_frame": frames[-1] if last is None else last, "n_boxes": len(frames),
        }
        for one, word in zip(ids, words, strict=True)
    ]  # fmt: skip
    boxes = [{"text_id": one, "frame": frame, "time_s": frame / 24, **quad()} for one in ids for frame in frames]
    row = {"video_id": video_id, "engine": engine, "state": "read" if words else "empty", "rendition": "original"}
    found = {video_id: pd.DataFrame(boxes)} if boxes else {}
    return replace_texts(corpus, engine, pd.DataFrame(texts), pd.DataFrame([{**row, **coverage}]), found)
