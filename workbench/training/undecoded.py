"""What a training must decode before its first step, and how long that takes, by decoding some of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from workbench.core.pool import default_workers
from workbench.corpus import Corpus
from workbench.pipelines.clips import GIB, gib_of
from workbench.pipelines.frames import FrameFile, decode, frame_files
from workbench.pipelines.rules import InputRules

SAMPLE = 8
"""Videos of one kind of frames that are decoded for their time."""


def undecoded_files(wanted: Sequence[tuple[Corpus, InputRules]]) -> list[FrameFile]:
    """Files whose frames are not in the cache yet, each once.

    Args:
        wanted: Corpora, restricted to a split, and how their frames are made.
    """
    asked = [(corpus, corpus.videos["video_id"].tolist(), rules) for corpus, rules in wanted]
    files = [one for each in asked for one in frame_files(*each)[0]]
    return list({one.cache: one for one in files if not one.cache.exists()}.values())


def frame_bytes(files: Sequence[FrameFile]) -> int:
    """What their frames take in the cache."""
    return sum(round(gib_of(one.rules, 1) * GIB) for one in files)


def decode_seconds(files: Sequence[FrameFile], scratch: Path) -> float:
    """Time to decode files on all cores (s), out of that for some on one core, the videos evenly spread.

    Args:
        files: From ``undecoded_files``.
        scratch: Folder for frames, which nobody reads.
    """
    total = 0.0
    for number, rules in enumerate(dict.fromkeys(one.rules for one in files)):
        same = [one for one in files if one.rules == rules]
        some = same[:: max(1, len(same) // SAMPLE)][:SAMPLE]
        began = time.perf_counter()
        decode([replace(one, cache=scratch / f"timed{number}" / one.cache.name) for one in some], workers=1)
        total += (time.perf_counter() - began) / len(some) * len(same)
    return total / default_workers()
