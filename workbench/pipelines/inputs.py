"""What a model is given of a corpus: frames of its videos (cached) and words read in them, after filters and cut."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import StateError, WorkbenchError
from workbench.core.files import atomic
from workbench.core.lookup import pick
from workbench.core.pool import over
from workbench.core.workspace import workspace
from workbench.corpus import Corpus
from workbench.corpus.engines import first_engine
from workbench.corpus.media import file_of, rendition_row
from workbench.models import Gallery, Words
from workbench.ocr.cleaning import PRESETS, clean, textvr_words, words_of
from workbench.pipelines.fitting import fitted
from workbench.pipelines.ocr_windows import sentences_of
from workbench.pipelines.places import places_of
from workbench.video import read_frames
from workbench.video.probe import VideoInfo
from workbench.video.readers import reader_version
from workbench.video.sampling import Sampler


@dataclass(frozen=True)
class InputRules:
    """How inputs are made; stored with every run.

    Attributes:
        sampler: Which frames.
        height: Pixels.
        width: Pixels.
        fit: How the frame comes to them, a name of ``pipelines.fitting.FITS``.
        windows: Words of the sentence around each frame (``pipelines.ocr_windows``); 0 = no such sentences.
        reader: Who decodes.
        engine: Whose words; None = the corpus' reader.
        filters: Preset of ``ocr.cleaning``.
        max_words: Words per video, the most confident ones.
        places: What is told of a word's place, a name of ``pipelines.places.PLACES``.
    """

    sampler: Sampler = Sampler("uniform", 4)  # noqa: RUF009  # frozen
    height: int = 48
    width: int = 64
    reader: str = "pyav"
    engine: str | None = None
    filters: str = "default"
    max_words: int = 24
    places: str = "box"
    fit: str = "squash"
    windows: int = 0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> InputRules:
        """The rules as ``run.json`` keeps them."""
        sampler = {"sampler": Sampler(**values["sampler"])} if "sampler" in values else {}
        return cls(**{**values, **sampler})


@dataclass(frozen=True)
class Inputs:
    """A gallery, and the table of what the model sees of every video (``inputs.parquet`` of a run).

    Attributes:
        gallery: For the model.
        table: video_id, frames, times_s and words (lists), n_words_read, n_words_dropped, engine, reader, reason.
    """

    gallery: Gallery
    table: pd.DataFrame


@dataclass(frozen=True)
class _Task:
    video_id: str
    path: Path
    rules: InputRules
    cache: Path


def gallery_of(
    corpus: Corpus, needs: frozenset[str] | set[str], rules: InputRules, *, workers: int | None = None
) -> Inputs:
    """Inputs of all videos of a corpus' split, in its order.

    Args:
        corpus: Restricted to the split.
        needs: ``frames``, ``ocr`` or both.
        rules: How they are made.
        workers: Processes that decode; None = all cores.

    Raises:
        StateError: The corpus lacks the texts (the sentence says the command), or none of its videos can be read.
    """
    ids = corpus.videos["video_id"].tolist()
    missing: dict[str, str] = {}
    frames = None
    seen: dict[str, tuple[list[int], list[float]]] = {}
    if "frames" in needs:
        frames, seen, missing = _frames(corpus, ids, rules, workers)
    engine = engine_of(corpus, rules.engine) if "ocr" in needs else None
    words, counts = _words(corpus, ids, engine, rules) if engine else ([Words()] * len(ids), {})
    if engine and "frames" not in needs:
        missing = _unread(corpus, engine)
    sentences = None
    if engine and rules.windows:
        times = {video: times_s for video, (_, times_s) in seen.items()}
        found = sentences_of(corpus, engine, times, filters=rules.filters, max_words=rules.windows)
        sentences = tuple(found.get(video, ()) for video in ids)
    rows = [
        {
            "video_id": video, "frames": seen.get(video, ([], []))[0], "times_s": seen.get(video, ([], []))[1],
            "words": list(words[at].text), "n_words_read": counts.get(video, 0),
            "n_words_dropped": counts.get(video, 0) - len(words[at].text), "engine": engine,
            "reader": reader_version(rules.reader) if "frames" in needs else None, "reason": missing.get(video),
        }
        for at, video in enumerate(ids)
    ]  # fmt: skip
    return Inputs(Gallery(tuple(ids), frames, tuple(words), missing, sentences), pd.DataFrame(rows))


def engine_of(corpus: Corpus, asked: str | None = None) -> str:
    """The engine whose texts are used: the asked one, else that of ``corpus.engines.first_engine``.

    Raises:
        StateError: The corpus has no such texts.
    """
    found = corpus.with_split(None).text_coverage["engine"].dropna().unique().tolist()
    chosen = first_engine(found) if asked is None else asked if asked in found else None
    if chosen is None:
        said = f"texts of the engine {asked!r}" if asked else "text read from its frames"
        raise StateError(f"Corpus {corpus.name} has no {said}.", f"Run: workbench ocr run {corpus.name}")
    return chosen


def _words(corpus: Corpus, ids: list[str], engine: str, rules: InputRules) -> tuple[list[Words], dict[str, int]]:
    """Words of every video, in the order of ``ids``, and how many were read before filters and cut."""
    texts = corpus.texts[(corpus.texts["engine"] == engine) & (corpus.texts["kind"] == "ocr")]
    every, kept = _filtered(texts, rules.filters)
    kept = (
        kept.sort_values("score", ascending=False, kind="stable").groupby("video_id", sort=False).head(rules.max_words)
    )
    place = places_of(corpus, texts, rules.places)
    rows = place.reindex(kept["text_id"]).to_numpy("float32")
    words = kept["text"].to_numpy(object)
    at = kept.groupby("video_id", sort=False).indices
    nothing = Words((), np.zeros((0, place.shape[1]), np.float32))
    found = [Words(tuple(words[at[video]]), rows[at[video]]) if video in at else nothing for video in ids]
    return found, {str(video): int(n) for video, n in every["video_id"].value_counts().items()}


def _filtered(texts: pd.DataFrame, filters: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All words, and those that a preset of filters keeps; TextVR's also splits and spells them in its own way."""
    if filters == "textvr":
        return words_of(texts, separator=" "), textvr_words(texts).words
    every = words_of(texts)
    return every, clean(every, pick(PRESETS, filters, "preset of OCR filters")).words


def _unread(corpus: Corpus, engine: str) -> dict[str, str]:
    """Videos whose text was not read, with the reason: a model that only reads cannot score them."""
    own = corpus.text_coverage[corpus.text_coverage["engine"] == engine].set_index("video_id")
    found = {}
    for video in corpus.videos["video_id"]:
        state = str(own["state"].get(video, "absent"))
        if state in ("failed", "absent"):
            found[video] = str(own["reason"].get(video) or f"its text was not read by {engine}")
    return found


def _frames(
    corpus: Corpus, ids: Sequence[str], rules: InputRules, workers: int | None
) -> tuple[np.ndarray, dict[str, tuple[list[int], list[float]]], dict[str, str]]:
    tasks, missing = [], {}
    folder = workspace().cache / "frames" / _key(rules)
    known = corpus.videos.set_index("video_id")
    status, why = known["status"], known["reason"]
    for video in ids:
        try:
            if status[video] == "broken":
                raise StateError(why[video] if isinstance(why[video], str) else "it is broken")
            sha = rendition_row(corpus, video)["sha256"]
            path = file_of(corpus, video)
            tasks.append(_Task(video, path, rules, folder / f"{sha}.npz"))
        except WorkbenchError as error:
            missing[video] = error.message
    pixels: dict[str, np.ndarray] = {}
    seen: dict[str, tuple[list[int], list[float]]] = {}
    fresh = [task for task in tasks if not task.cache.exists()]
    for task, result in over(fresh, _decode_one, label="Decoding frames", unit="videos", workers=workers):
        if isinstance(result, WorkbenchError):
            missing[task.video_id] = result.message
    for task in tasks:
        if task.video_id not in missing:
            with np.load(task.cache) as stored:
                pixels[task.video_id] = stored["pixels"]
                seen[task.video_id] = (stored["indices"].tolist(), stored["times"].tolist())
    if not pixels:
        reason = next(iter(missing.values()), "it has no videos")
        raise StateError(
            f"No video of {corpus.name}/{corpus.split} can be read: {reason}.", "Try: workbench data check"
        )
    empty = np.zeros((rules.sampler.n, rules.height, rules.width, 3), np.uint8)
    return np.stack([pixels.get(video, empty) for video in ids]), seen, missing


def _key(rules: InputRules) -> str:
    parts = {
        "sampler": asdict(rules.sampler),
        "size": [rules.height, rules.width],
        "reader": reader_version(rules.reader),
        **({} if rules.fit == "squash" else {"fit": rules.fit}),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _decode_one(task: _Task) -> VideoInfo:
    """Decode into the cache; a video of fewer frames repeats its last one, so that all have the same shape."""
    rules = task.rules
    found = read_frames(task.path, rules.sampler, reader=rules.reader)
    pixels = np.stack([fitted(picture, rules.height, rules.width, rules.fit) for picture in found.pixels])
    pixels = np.concatenate([pixels, np.repeat(pixels[-1:], rules.sampler.n - len(pixels), axis=0)])
    with atomic(task.cache) as temporary, open(temporary, "wb") as out:
        np.savez(out, pixels=pixels, indices=found.indices, times=found.times)
    return found.info
