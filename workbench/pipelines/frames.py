"""Frames of a corpus' videos: which file each is read from, decoded once into the cache, fitted to one size."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np

from workbench.core.errors import DataError, StateError, WorkbenchError
from workbench.core.files import atomic, sha256_file
from workbench.core.optional import has
from workbench.core.pool import over
from workbench.core.workspace import workspace
from workbench.corpus import Corpus
from workbench.corpus.media import file_of, frame_times, rendition_row
from workbench.pipelines.fitting import fitted
from workbench.pipelines.rules import InputRules
from workbench.video import read_frames
from workbench.video.probe import VideoInfo, probe
from workbench.video.readers import Frames, chosen_reader, reader_version
from workbench.video.sampling import Sampler, sample_frames, stretched


@dataclass(frozen=True)
class FrameFile:
    """The frames of one video in the cache, decoded or still to be.

    Attributes:
        video_id: The video.
        path: Its file.
        sha256: Of the file.
        rules: How frames are made; their reader is the one that decodes it.
        cache: Where they lie: ``pixels`` uint8 [n, height, width, 3], ``indices``, ``times``; fewer of a short video.
        stamp: Size (bytes) and time of change (ns) of the file.
    """

    video_id: str
    path: Path
    sha256: str
    rules: InputRules
    cache: Path
    stamp: tuple[int, int]

    def pixels(self) -> np.ndarray:
        """uint8 [n, height, width, 3], out of the cache; a video of fewer frames shows each as often as the others."""
        n = self.rules.sampler.n
        with np.load(self.cache) as stored:
            pixels: np.ndarray = stored["pixels"]
            shown = len(stored["indices"])
        return pixels if shown == n else pixels[stretched(shown, n)]

    def seen(self) -> tuple[list[int], list[float]]:
        """Indices of the frames and their times in seconds, out of the cache; no pixel is read."""
        with np.load(self.cache) as stored:
            return stored["indices"].tolist(), stored["times"].tolist()

    def read(self, frames: Sampler | Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, Frames]:
        """Decode some frames, past the cache.

        Args:
            frames: Which; a function is given the times of all (s) and returns indices.

        Returns:
            uint8 [frames, height, width, 3], and the frames as they were decoded.

        Raises:
            DataError: The file cannot be decoded, or has changed since.
            StateError: It is gone.
        """
        if not self.path.is_file():
            raise StateError(f"{self.path.name} is gone.", "Put it back.")
        if _stamp(self.path) != self.stamp:
            raise DataError(f"{self.path.name} has changed meanwhile.", "Prepare the corpus again.")
        rules = self.rules
        found = read_frames(self.path, frames, reader=rules.reader)
        return np.stack([fitted(picture, rules.height, rules.width, rules.fit) for picture in found.pixels]), found


@dataclass(frozen=True)
class Seen:
    """What is looked at of some videos.

    Attributes:
        frames: uint8 [videos, n, height, width, 3], zeros for those that are missing; None = nobody asked for pixels.
        shown: Indices of the frames and their times in seconds, by video.
        missing: Reasons, by video.
        readers: Who decodes, by video; none where nothing is looked at.
    """

    frames: np.ndarray | None
    shown: Mapping[str, tuple[list[int], list[float]]]
    missing: Mapping[str, str]
    readers: Mapping[str, str] = field(default_factory=dict)


def frame_files(
    corpus: Corpus, ids: Sequence[str], rules: InputRules, scratch: Path | None = None
) -> tuple[list[FrameFile], dict[str, str]]:
    """Where the frames of videos lie or will lie, and why some cannot be had.

    Args:
        corpus: Whose videos they are.
        ids: The videos.
        rules: How frames are made.
        scratch: Folder for frames that are not in the cache yet; None = the cache.
    """
    found, missing = [], {}
    known = corpus.videos.set_index("video_id")
    status, why = known["status"], known["reason"]
    for video in ids:
        try:
            if status[video] == "broken":
                raise StateError(why[video] if isinstance(why[video], str) else "it is broken")
            path, sha = file_of(corpus, video, rules.rendition), rendition_row(corpus, video, rules.rendition)["sha256"]
            sha = sha if isinstance(sha, str) else sha256_file(path)
            stamp = _stamp(path)
            own = replace(rules, reader=_reader(path, stamp)) if rules.reader == "auto" else rules
            place = Path("frames") / _key(own)
            kept = workspace().cache / place / f"{sha}.npz"
            if scratch is not None and not kept.exists():
                kept = scratch / place / kept.name
            found.append(FrameFile(video, path, sha, own, kept, stamp))
        except WorkbenchError as error:
            missing[video] = error.message
    return found, missing


def decode(files: Sequence[FrameFile], workers: int | None = None) -> dict[str, str]:
    """Decode what the cache lacks; returns the reasons of videos that cannot be read."""
    fresh = [one for one in files if not one.cache.exists()]
    found = over(fresh, _decode_one, label="Decoding frames", unit="videos", workers=workers)
    return {one.video_id: result.message for one, result in found if isinstance(result, WorkbenchError)}


def none_readable(corpus: Corpus, missing: Mapping[str, str]) -> StateError:
    """The error of a corpus of which no video can be read."""
    reason = next(iter(missing.values()), "it has no videos")
    return StateError(f"No video of {corpus.name}/{corpus.split} can be read: {reason}.", "Try: workbench data check")


def seen_of(
    corpus: Corpus, ids: Sequence[str], rules: InputRules, workers: int | None = None, scratch: Path | None = None
) -> Seen:
    """The frames of videos, decoded where the cache lacks them.

    Args:
        corpus: Restricted to a split.
        ids: Its videos.
        rules: How frames are made.
        workers: Processes that decode; None = all cores.
        scratch: As of ``frame_files``.

    Raises:
        StateError: None of them can be read.
    """
    seen = seen_of_some(corpus, ids, rules, workers, scratch)
    if not seen.shown:
        raise none_readable(corpus, seen.missing)
    return seen


def seen_of_some(
    corpus: Corpus, ids: Sequence[str], rules: InputRules, workers: int | None = None, scratch: Path | None = None
) -> Seen:
    """As ``seen_of``, of a part of a split, of which it may be that nothing can be read."""
    files, missing = frame_files(corpus, ids, rules, scratch)
    missing |= decode(files, workers)
    here = {one.video_id: one for one in files if one.video_id not in missing}
    pixels = np.zeros((len(ids), rules.sampler.n, rules.height, rules.width, 3), np.uint8)
    for at, video in enumerate(ids):
        if video in here:
            pixels[at] = here[video].pixels()
    return Seen(pixels, {video: one.seen() for video, one in here.items()}, missing, readers_of(files))


def undecoded(corpus: Corpus, ids: Sequence[str], rules: InputRules) -> Seen:
    """What is known of videos without decoding; which frames are shown only where ``rules.windows`` needs it.

    Raises:
        StateError: Frame times are needed, and a video was not probed.
    """
    files, missing = frame_files(corpus, ids, rules)
    shown = {}
    for one in files if rules.windows else []:
        times = frame_times(corpus, one.video_id, rules.rendition)
        chosen = sample_frames(rules.sampler, times)
        shown[one.video_id] = (chosen.tolist(), times[chosen].tolist())
    return Seen(None, shown, missing, readers_of(files))


def readers_of(files: Iterable[FrameFile]) -> dict[str, str]:
    """Who decodes, by video."""
    return {one.video_id: one.rules.reader for one in files}


@cache
def _reader(path: Path, stamp: tuple[int, int]) -> str:
    """The reader that ``auto`` takes for a file as it is; looking at it takes some milliseconds."""
    return chosen_reader("auto", probe(path)) if has("decord") else "pyav"


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _key(rules: InputRules) -> str:
    parts = {
        "sampler": {name: one for name, one in asdict(rules.sampler).items() if (name, one) != ("offset", 0.5)},
        "size": [rules.height, rules.width],
        "reader": reader_version(rules.reader),
        **({} if rules.fit == "squash" else {"fit": rules.fit}),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _decode_one(task: FrameFile) -> VideoInfo:
    """Decode into the cache."""
    pixels, found = task.read(task.rules.sampler)
    with atomic(task.cache) as temporary, open(temporary, "wb") as out:
        np.savez(out, pixels=pixels, indices=found.indices, times=found.times)
    return found.info
