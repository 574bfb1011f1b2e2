"""The fingerprint of a split: equal exactly where the questions, the right answers and the gallery are equal."""

from __future__ import annotations

import hashlib

import pandas as pd

US = "\x1f"


def split_fingerprint(captions: pd.DataFrame, relevance: pd.DataFrame, video_ids: pd.Series) -> str:
    """Hexadecimal sha256 of one split.

    It covers the UTF-8 lines ``caption_id US video_id US grade US start_s US end_s US text`` (US = 0x1f), one per right
    pair, text as in the file, sorted bytewise, then the sorted gallery ids, each line ended by a newline. Whole-video
    spans have empty start and end. Files, OCR, probe results and tags are not in it.

    Args:
        captions: The split's captions.
        relevance: Its right pairs.
        video_ids: Its gallery.
    """
    text = dict(zip(captions["caption_id"], captions["text"], strict=True))
    pairs = zip(*(relevance[c] for c in ("caption_id", "video_id", "grade", "start_s", "end_s")), strict=True)
    lines = [
        US.join([caption, video, str(int(grade)), _seconds(start), _seconds(end), text[caption]]).encode()
        for caption, video, grade, start, end in pairs
    ]
    gallery = sorted(video.encode() for video in video_ids)
    return hashlib.sha256(b"".join(line + b"\n" for line in [*sorted(lines), *gallery])).hexdigest()


def corpus_fingerprint(splits: dict[str, str]) -> str:
    """The fingerprint of a whole corpus: sha256 of its splits' fingerprints in the order of their names."""
    return hashlib.sha256("".join(splits[name] for name in sorted(splits)).encode()).hexdigest()


def _seconds(value: float) -> str:
    return "" if pd.isna(value) else repr(float(value))
