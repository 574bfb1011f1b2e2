"""Frames for batches: one drawn out of several candidates per segment, held in memory or decoded when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np

from workbench.core.errors import WorkbenchError
from workbench.core.pool import default_workers
from workbench.corpus import Corpus
from workbench.pipelines.frames import FrameFile, frame_files, seen_of
from workbench.pipelines.rules import InputRules
from workbench.video.sampling import Sampler, sample_frames, stretched

GIB = 2**30


class Clips(Protocol):
    """Frames of the videos of a gallery, which stand in its order.

    Attributes:
        choices: Candidates per segment.
        n_frames: Frames that are drawn per video.
        said: What was chosen and why, by name; ``run.json`` keeps it among the choices of a training.
        missing: Reasons, by video, of those that cannot be read as far as is known by now.
        may_fail: Whether a video may turn out to be unreadable later.
        vectors: Whether they are vectors of frames by a frozen tower, in place of frames.
    """

    @property
    def choices(self) -> int: ...
    @property
    def n_frames(self) -> int: ...
    @property
    def said(self) -> Mapping[str, dict[str, str]]: ...
    @property
    def missing(self) -> Mapping[str, str]: ...
    @property
    def may_fail(self) -> bool: ...
    @property
    def vectors(self) -> bool: ...

    def read(self, rows: Sequence[int], picks: np.ndarray) -> tuple[np.ndarray, dict[str, str]]:
        """Drawn frames of some videos; the same bits whoever gives them.

        Args:
            rows: Places in the gallery.
            picks: int64 [rows, frames]: which of the candidates of each segment.

        Returns:
            uint8 [rows, frames, height, width, 3], zeros for a video that cannot be read; by video why not.
        """


@dataclass(frozen=True)
class HeldClips:
    """Clips that were decoded before and lie in memory.

    Attributes:
        frames: uint8 [videos, candidates of all segments, height, width, 3], or float32 [..., dimensions] of vectors.
        choices: As of ``Clips``.
        said: As of ``Clips``.
        missing: As of ``Clips``.
        vectors: As of ``Clips``.
    """

    frames: np.ndarray
    choices: int
    said: Mapping[str, dict[str, str]] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    vectors: bool = False
    may_fail: ClassVar[bool] = False

    @property
    def n_frames(self) -> int:
        return self.frames.shape[1] // self.choices

    def read(self, rows: Sequence[int], picks: np.ndarray) -> tuple[np.ndarray, dict[str, str]]:
        """See ``Clips``."""
        places = self.choices * np.arange(picks.shape[1]) + picks
        return self.frames[np.asarray(rows, np.int64)[:, None], places], {}


class StreamedClips:
    """Clips that are decoded when they are asked for, on some threads.

    FFmpeg lets other threads run while it decodes. Measured on the demo's clips and on 48 real ones: two threads 1.7
    times as fast as one, two processes 1.3 to 1.5 times. A file that could not be read is not tried again.
    """

    may_fail, vectors = True, False

    def __init__(
        self, ids: Sequence[str], files: Sequence[FrameFile], rules: InputRules, choices: int,
        said: Mapping[str, dict[str, str]], missing: Mapping[str, str], workers: int | None = None,
    ) -> None:  # fmt: skip
        self.said, self.missing = said, missing
        self._ids, self._rules = ids, rules
        self.choices, self.n_frames = choices, rules.sampler.n // choices
        self._files = {one.video_id: one for one in files}
        self._lost: dict[str, str] = {}
        self._threads = ThreadPoolExecutor(workers or default_workers(), thread_name_prefix="decode")

    def read(self, rows: Sequence[int], picks: np.ndarray) -> tuple[np.ndarray, dict[str, str]]:
        """See ``Clips``."""
        ids = [self._ids[row] for row in rows]
        frames = np.zeros((len(ids), picks.shape[1], self._rules.height, self._rules.width, 3), np.uint8)
        lost = list(self._threads.map(self._fill, ids, picks, frames))
        return frames, {video: reason for video, reason in zip(ids, lost, strict=True) if reason}

    def _fill(self, video: str, pick: np.ndarray, frames: np.ndarray) -> str:
        """Decode one video's frames into their place; returns why that is not possible."""
        if video not in self._lost:
            try:
                frames[:] = self._files[video].read(partial(drawn_frames, pick=pick, choices=self.choices))[0]
                return ""
            except WorkbenchError as error:
                self._lost[video] = error.message
        return self._lost[video]


def drawn_frames(times: np.ndarray, pick: np.ndarray, choices: int) -> np.ndarray:
    """Indices of drawn frames, one per segment; a video of fewer candidates repeats each.

    Args:
        times: Of all frames (s).
        pick: int64 [frames]: which of the candidates of each segment.
        choices: Candidates per segment: the middle frames of as many equal parts of it.
    """
    found = sample_frames(_candidates(len(pick), choices), times)
    wanted = choices * len(pick)
    return found[stretched(len(found), wanted)[choices * np.arange(len(pick)) + pick]]


def _candidates(n_frames: int, choices: int) -> Sampler:
    return Sampler("uniform", n_frames * choices)


def candidate_rules(rules: InputRules, choices: int, rendition: str) -> InputRules:
    """How all candidates of a video are read, where a model draws one of ``choices`` per segment."""
    return replace(rules, rendition=rendition, sampler=_candidates(rules.sampler.n, choices))


def gib_of(rules: InputRules, videos: int) -> float:
    """What decoded frames of so many videos take (GiB)."""
    return videos * rules.sampler.n * rules.height * rules.width * 3 / GIB


def clips_of(
    corpus: Corpus, rules: InputRules, choices: int, limit_gib: float, *, videos: Sequence[str] | None = None,
    workers: int | None = None, scratch: Path | None = None,
) -> Clips:  # fmt: skip
    """The clips of a corpus' split, in its order: held where they fit, else decoded batch by batch.

    Both are read from the files made for training (rendition ``small``) where all videos have one.

    Args:
        corpus: Restricted to the split.
        rules: Size, fit and reader; their sampler says how many frames are drawn.
        choices: Candidates per segment.
        limit_gib: The most that may be held (GiB).
        videos: Videos that are asked for; None = all. The others are never read.
        workers: That decode; None = all cores.
        scratch: Folder for decoded frames that are not in the cache yet; None = the cache.

    Raises:
        StateError: No video can be read.
    """
    ids = corpus.videos["video_id"].tolist()
    wanted = ids if videos is None else list(videos)
    rendition, why = rendition_for(corpus)
    rules = candidate_rules(rules, choices, rendition)
    size = gib_of(rules, len(ids))
    said = {"rendition": {"value": rendition, "reason": why}}
    reason = f"all candidates take {size:.2g} GiB, frames_in_memory is {limit_gib:g} GiB"
    if size > limit_gib:
        files, missing = frame_files(corpus, wanted, rules)
        said |= {"frames": {"value": "decoded for each batch", "reason": reason}}
        return StreamedClips(ids, files, rules, choices, said, missing, workers)
    seen = seen_of(corpus, wanted, rules, workers, scratch)
    said |= {"frames": {"value": "held in memory", "reason": reason}}
    return HeldClips(_placed(np.asarray(seen.frames), wanted, ids), choices, said, seen.missing)


def _placed(frames: np.ndarray, wanted: Sequence[str], ids: Sequence[str]) -> np.ndarray:
    """Frames of some videos at their places among all."""
    if wanted == ids:
        return frames
    place = {video: at for at, video in enumerate(ids)}
    found = np.zeros((len(ids), *frames.shape[1:]), np.uint8)
    found[[place[video] for video in wanted]] = frames
    return found


def rendition_for(corpus: Corpus) -> tuple[str, str]:
    """The rendition that training reads, and why.

    Args:
        corpus: Restricted to the train split.
    """
    readable = set(corpus.videos.loc[corpus.videos["status"] == "ok", "video_id"])
    made = set(corpus.renditions.loc[corpus.renditions["rendition"] == "small", "video_id"])
    if readable and readable <= made:
        return "small", "made for training, and there for every video"
    if not made & readable:
        return "original", f"{corpus.name} has no small files: workbench video compress makes them"
    return "original", f"{len(readable - made)} of {len(readable)} videos have no small file"
