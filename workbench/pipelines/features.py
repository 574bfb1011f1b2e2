"""What a model keeps of each video, on disk: addressed by what it was made of, so a hit equals a recompute bit by bit.

``cache/features/<model and rules>/<video>.npz``. Two processes that make the same file write the same bytes, and a file
appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import StateError
from workbench.core.files import atomic
from workbench.core.progress import meter
from workbench.core.workspace import workspace
from workbench.corpus import Corpus
from workbench.models import Gallery, Words
from workbench.models.encoding import VECTORS, encode_one, fingerprint_of, kept_of, one_thread_each
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.frames import FrameFile, Seen, decode, frame_files, none_readable, readers_of
from workbench.pipelines.inputs import Inputs, gallery_of
from workbench.pipelines.rules import InputRules

FORMAT = 2  # 1: of a short video its last frame was repeated
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """What is kept of one video.

    Attributes:
        tensors: As ``models.encoding.encode_one`` gives them.
        indices: Frames that were looked at.
        times_s: Their times in seconds.
        found: Whether it stood in the cache already.
        n_bytes: Of its file.
    """

    tensors: Mapping[str, np.ndarray]
    indices: list[int]
    times_s: list[float]
    found: bool
    n_bytes: int


@dataclass(frozen=True)
class Part:
    """Some videos of a gallery, encoded one by one.

    Attributes:
        inputs: What the model was given of them, frames aside.
        kept: What is kept of each; None where it is missing.
    """

    inputs: Inputs
    kept: tuple[Kept | None, ...]

    @property
    def video_ids(self) -> tuple[str, ...]:
        return self.inputs.gallery.video_ids

    @property
    def here(self) -> list[Kept]:
        """Those that are not missing."""
        return [one for one in self.kept if one is not None]


def part_of(
    model: Any,
    corpus: Corpus,
    rules: InputRules,
    *,
    change: Change | None = None,
    videos: Sequence[str] | None = None,
    workers: int | None = None,
) -> Part:
    """Encode videos one by one, or take them out of the cache.

    Args:
        model: One that encodes videos by themselves (``models.encoding.kept_of``).
        corpus: Restricted to the split.
        rules: How inputs are made.
        change: What is done to the inputs first. Vectors of frames are kept as they were before.
        videos: Some of its videos, in this order; None = all.
        workers: Processes that decode; None = all cores.

    Raises:
        StateError: The model looks at all videos together, or the corpus lacks an input that it needs.
    """
    if kept_of(model) is None:
        raise StateError("This model looks at all videos together, so nothing is kept of each.", "Score with it.")
    change = change or Change()
    ids = corpus.videos["video_id"].tolist() if videos is None else list(videos)
    cache = _Cache(model)
    files: dict[str, FrameFile] = {}
    missing: dict[str, str] = {}
    if "frames" in model.needs:
        found, missing = frame_files(corpus, ids, rules)
        files = {one.video_id: one for one in found}
    readers = readers_of(files.values())
    if kept_of(model) == VECTORS:
        kept, unread = _vectors(model, cache, files, workers)
        shown = {video: (one.indices, one.times_s) for video, one in kept.items()}
        inputs = gallery_of(corpus, model.needs, rules, videos=ids, seen=Seen(None, shown, missing | unread, readers))
        inputs = change.apply(inputs, rules.sampler.n)
    else:
        missing |= decode(list(files.values()), workers)
        files = {video: one for video, one in files.items() if video not in missing}
        seen = Seen(None, {video: one.seen() for video, one in files.items()}, missing, readers)
        inputs = change.apply(gallery_of(corpus, model.needs, rules, videos=ids, seen=seen), rules.sampler.n)
        kept = _whole(model, cache, inputs.gallery, files, change)
    return Part(inputs, tuple(kept.get(video) for video in ids))


def stacked(part: Part, corpus: Corpus) -> np.ndarray:
    """Vectors of frames for ``Gallery.features``, float32 [videos, frames, dimensions]; zeros where one is missing.

    Raises:
        StateError: No video can be read.
    """
    check_some(part, corpus)
    empty = np.zeros_like(part.here[0].tensors["features"])
    return np.concatenate([empty if one is None else one.tensors["features"] for one in part.kept])


def check_some(part: Part, corpus: Corpus) -> None:
    """Raise where no video at all is there.

    Raises:
        StateError: None can be read.
    """
    if not part.here:
        raise none_readable(corpus, part.inputs.gallery.missing)


class _Cache:
    """The files that one model keeps."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.folder = workspace().cache / "features" / fingerprint_of(model)[:32]

    def path(self, *made_of: Any) -> Path:
        """Where that lies which is made of this, as JSON."""
        digest = hashlib.sha256(json.dumps([FORMAT, *made_of], sort_keys=True).encode())
        return self.folder / f"{digest.hexdigest()[:32]}.npz"

    def read(self, path: Path) -> Kept | None:
        """What lies there; None where nothing does, or something damaged, which is said and made again."""
        try:
            with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as stored:
                tensors = {name.removeprefix("tensor."): stored[name] for name in stored.files if "." in name}
                indices, times = stored["indices"].tolist(), stored["times"].tolist()
            return Kept(tensors, indices, times, True, path.stat().st_size)
        except FileNotFoundError:
            return None
        except (zipfile.BadZipFile, ValueError, EOFError, KeyError):
            log.warning("%s was damaged and is made again.", path)
            return None

    def write(self, path: Path, tensors: Mapping[str, np.ndarray], seen: tuple[list[int], list[float]]) -> Kept:
        arrays: dict[str, Any] = {f"tensor.{name}": one for name, one in tensors.items()}
        arrays |= {"indices": np.asarray(seen[0], np.int64), "times": np.asarray(seen[1], np.float64)}
        with atomic(path) as temporary, open(temporary, "wb") as out:
            np.savez(out, **arrays)
        return Kept(tensors, *seen, False, path.stat().st_size)


def _filled(model: Any, known: Mapping[str, Kept | None], make: Callable[[str], Kept]) -> dict[str, Kept]:
    """What is known, and the rest, made by as many threads as there are cores."""
    found = {video: one for video, one in known.items() if one is not None}
    todo = [video for video, one in known.items() if one is None]
    if not todo:
        return found
    with meter("Encoding videos", len(todo), "videos") as bar, one_thread_each(model) as threads:
        with ThreadPoolExecutor(min(threads, len(todo))) as pool:
            for video, kept in zip(todo, pool.map(make, todo), strict=True):
                found[video] = kept
                bar.advance()
    return found


def _vectors(
    model: Any, cache: _Cache, files: Mapping[str, FrameFile], workers: int | None
) -> tuple[dict[str, Kept], dict[str, str]]:
    """Vectors of frames by video; only what the cache lacks is decoded. And the reasons of what cannot be read."""
    paths = {video: cache.path(one.cache.parent.name, one.sha256) for video, one in files.items()}
    known = {video: cache.read(path) for video, path in paths.items()}
    missing = decode([files[video] for video, one in known.items() if one is None], workers)

    def make(video: str) -> Kept:
        gallery = Gallery((video,), files[video].pixels()[None], (Words(),))
        return cache.write(paths[video], encode_one(model, gallery), files[video].seen())

    return _filled(model, {video: one for video, one in known.items() if video not in missing}, make), missing


def _whole(
    model: Any, cache: _Cache, gallery: Gallery, files: Mapping[str, FrameFile], change: Change
) -> dict[str, Kept]:
    """Whole videos by id, out of their frames and words."""
    rows = {video: gallery.take([at]) for at, video in enumerate(gallery.video_ids) if video not in gallery.missing}
    paths = {video: cache.path(_content(row, files.get(video), change)) for video, row in rows.items()}

    def make(video: str) -> Kept:
        if video not in files:
            return cache.write(paths[video], encode_one(model, rows[video]), ([], []))
        frames = change.turned(video, files[video].pixels())[None]
        return cache.write(paths[video], encode_one(model, replace(rows[video], frames=frames)), files[video].seen())

    return _filled(model, {video: cache.read(path) for video, path in paths.items()}, make)


def _content(row: Gallery, file: FrameFile | None, change: Change) -> dict[str, Any]:
    """What one video is made of, as JSON."""
    (words,) = row.words
    return {
        "file": None if file is None else [file.cache.parent.name, file.sha256],
        "order": None if file is None or change.frames is None else change.order(file.video_id, file.rules.sampler.n),
        "words": list(words.text),
        "places": [list(words.place.shape), hashlib.sha256(np.ascontiguousarray(words.place).tobytes()).hexdigest()],
        "sentences": None if row.sentences is None else list(row.sentences[0]),
    }
