"""A clip that belongs to no corpus as a query: looked at in a temporary workspace, its scores for captions are kept.

``cache/clips/<key>/`` holds the file (``clip.<suffix>``), ``clip.json`` (its facts, and the words that were read in
it), ``picture.jpg``, and ``<run>.npz`` for each run that looked at it: its score for every caption of that run. The key
is the first 16 hex digits of the file's sha256. Only the newest clips stay.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import numpy as np

from workbench.core.errors import DataError, UnknownNameError, WorkbenchError
from workbench.core.files import atomic, read_json, write_json
from workbench.core.workspace import elsewhere, workspace
from workbench.corpus import Corpus
from workbench.corpus.formats.parsed import VIDEO_SUFFIXES
from workbench.evaluation.runs.run import Run, open_run
from workbench.ocr import Settings
from workbench.pipelines.checkpoints import can_encode, model_of
from workbench.pipelines.datasets import prepare
from workbench.pipelines.encoding import look
from workbench.pipelines.ocr import run_ocr
from workbench.pipelines.search import words_read
from workbench.video.probe import UnreadableVideo, probe
from workbench.video.transcode import thumbnail

MOST_MIB = 200
"""Of a clip."""
MOST_S = 300
"""Seconds of a clip: a query is one scene or a few, and every third of a second is read."""
SETTINGS = Settings(fps=1.0)
"""How its words are read; a frame every second, as somebody waits."""
KEPT = 20
"""Clips that stay in the cache."""
KEY = re.compile(r"[0-9a-f]{16}")
PIECE = 1 << 20


@dataclass(frozen=True)
class OwnClip:
    """One clip in the cache.

    Attributes:
        key: Of its content.
        folder: Where it lies.
    """

    key: str
    folder: Path

    @cached_property
    def facts(self) -> dict[str, Any]:
        """name, file, duration_s, width, height (pixels), n_frames; ``words`` once it was looked at, ``refused``."""
        return read_json(self.folder / "clip.json", f"the description of clip {self.key}")

    @property
    def file(self) -> Path:
        return self.folder / str(self.facts["file"])

    @property
    def picture(self) -> Path:
        """Its middle frame, a JPEG."""
        return self.folder / "picture.jpg"

    @property
    def words(self) -> str | None:
        """Different words that were read in it; None = nobody has looked yet."""
        return self.facts.get("words")

    @property
    def refused(self) -> Mapping[str, str]:
        """Why runs could not look at it, by name; ``ocr`` = why no words were read."""
        return self.facts.get("refused") or {}

    def scores(self, run: Run) -> np.ndarray | None:
        """float32 [captions] of the run: its score for each; None = it has not looked, or was made again since."""
        path = self.folder / f"{run.name}.npz"
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as stored:
            made, found = str(stored["made"]), stored["scores"]
        return found if made == _made(run) and len(found) == len(run.queries) else None

    def lacks(self, runs: Sequence[Run]) -> list[str]:
        """The runs that still have to look at it."""
        return [run.name for run in runs if run.name not in self.refused and self.scores(run) is None]


def _made(run: Run) -> str:
    return f"{run.fingerprint} {run.info.get('created')}"


def sees(run: Run) -> bool:
    """Whether a run's model looks at frames and can look at a new clip."""
    shown = run.inputs
    looked = shown is not None and "frames" in shown and bool(shown["frames"].map(len).any())
    return looked and not run.info.get("ablation") and can_encode(run)


def keep_clip(source: BinaryIO, name: str) -> OwnClip:
    """Take a clip into the cache.

    Args:
        source: Its bytes.
        name: Its file name, shown and read for the suffix.

    Raises:
        DataError: No video file by its name, too large, too long, or nothing in it can be decoded.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix not in VIDEO_SUFFIXES:
        known = ", ".join(one.lstrip(".") for one in VIDEO_SUFFIXES)
        raise DataError(f"{PurePath(name).name} is no video file.", f"Files that can be read: {known}.")
    root = workspace().cache / "clips"
    root.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=root, prefix=".") as temporary:
        file = Path(temporary, f"clip{suffix}")
        key = _copied(source, file)
        if not all((root / key / one).is_file() for one in ("clip.json", "picture.jpg", file.name)):
            write_json(file.with_name("clip.json"), _facts(file, PurePath(name).name))
            file.with_name("picture.jpg").write_bytes(thumbnail(file))
            shutil.rmtree(root / key, ignore_errors=True)
            shutil.copytree(temporary, root / key)
    _prune(root, key)
    return OwnClip(key, root / key)


def _copied(source: BinaryIO, file: Path) -> str:
    """Copy a clip; gives its key.

    Raises:
        DataError: It is too large.
    """
    digest, size = hashlib.sha256(), 0
    with open(file, "wb") as out:
        while piece := source.read(PIECE):
            size += len(piece)
            if size > MOST_MIB << 20:
                raise DataError(f"The clip is larger than {MOST_MIB} MiB.", "Cut a scene out of it, or compress it.")
            digest.update(piece)
            out.write(piece)
    return digest.hexdigest()[:16]


def _facts(file: Path, name: str) -> dict[str, Any]:
    """What ``clip.json`` says before anybody has looked.

    Raises:
        DataError: Nothing in it can be decoded, or it is too long.
    """
    try:
        info = probe(file)
    except UnreadableVideo as error:
        raise DataError(error.message.replace(file.name, name), "Give another file, e.g. an mp4.") from error
    if info.duration_s > MOST_S:
        raise DataError(f"{name} lasts {info.duration_s:.0f} s, more than {MOST_S} s.", "Cut a scene out of it.")
    size = {"width": info.width, "height": info.height, "n_frames": info.n_frames}
    return {"name": name, "file": file.name, "duration_s": info.duration_s, **size}


def _prune(root: Path, stays: str) -> None:
    """Take the oldest clips away."""
    known = [one for one in root.iterdir() if KEY.fullmatch(one.name) and one.name != stays]
    for one in sorted(known, key=lambda one: one.stat().st_mtime, reverse=True)[KEPT - 1 :]:
        shutil.rmtree(one, ignore_errors=True)


def open_clip(key: str) -> OwnClip:
    """A clip of the cache.

    Raises:
        UnknownNameError: It is not there, or no longer.
    """
    clip = OwnClip(key, workspace().cache / "clips" / key)
    known = KEY.fullmatch(key) and (clip.folder / "clip.json").is_file()
    if not known or not (clip.file.is_file() and clip.picture.is_file()):
        raise UnknownNameError("This clip is not kept here any more.", "Choose its file again.")
    return clip


def look_at(clip: OwnClip, runs: Sequence[Run | str], *, read: bool = True) -> OwnClip:
    """Read a clip and let runs look at it; what was done before is not done again.

    The clip is a corpus of one video in a temporary workspace, so that it is read and encoded as any other video, and
    nothing else remains of it. Its words are read by the workbench's own OCR, whoever read those of the corpus.

    Args:
        clip: The clip.
        runs: Runs that ``sees`` holds for; why one cannot look is kept in ``refused``.
        read: Read its words also where none of these runs needs them.

    Raises:
        StateError: A run has no model that can look at anything.
    """
    facts, refused = dict(clip.facts), dict(clip.refused)
    asked = [open_run(run) for run in runs]
    missing = set(clip.lacks(asked))
    models = [(run, *model_of(run)) for run in asked if run.name in missing]
    with TemporaryDirectory(prefix="workbench-clip-") as folder, elsewhere(Path(folder)):
        corpus = prepare("folder", annotations=[], roots={"original": clip.folder}, rename="clip", workers=1)
        if read or any("ocr" in model.needs for _, model, _ in models):
            try:
                corpus = run_ocr(corpus, SETTINGS, workers=1).corpus
                facts["words"] = words_read(corpus, clip.file.name)
            except WorkbenchError as error:
                facts["words"], refused["ocr"] = "", str(error)
        for run, model, rules in models:
            plain = replace(rules, engine=None, rendition="original")
            try:
                _keep(clip, run, _scores(model, corpus, plain, run))
            except WorkbenchError as error:
                refused[run.name] = str(error)
    write_json(clip.folder / "clip.json", {**facts, "refused": refused})
    return OwnClip(clip.key, clip.folder)


def _scores(model: Any, corpus: Corpus, rules: Any, run: Run) -> np.ndarray:
    """float32 [captions]: the model's score of the one video for each caption of a run.

    Raises:
        StateError: The clip lacks what the model needs.
    """
    found = look(model, corpus.with_split(corpus.splits[0]), rules, workers=1)
    return np.asarray(model.similarity(run.queries["text"].to_list(), found.encoded)[:, 0], np.float32)


def _keep(clip: OwnClip, run: Run, scores: np.ndarray) -> None:
    with atomic(clip.folder / f"{run.name}.npz") as temporary, open(temporary, "wb") as out:
        np.savez(out, scores=scores, made=np.asarray(_made(run)))
