"""What a model is given of a corpus: frames of its videos (cached) and words read in them, after filters and cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.core.errors import StateError
from workbench.core.lookup import nearest, pick
from workbench.corpus import Corpus
from workbench.corpus.engines import first_engine
from workbench.models import Gallery, Words
from workbench.ocr.cleaning import PRESETS, clean, textvr_words, words_of
from workbench.pipelines.frames import Seen, seen_of
from workbench.pipelines.ocr_windows import sentences_of
from workbench.pipelines.places import places_of
from workbench.pipelines.rules import InputRules
from workbench.video.readers import reader_version

__all__ = ["InputRules", "Inputs", "engine_of", "gallery_of"]


@dataclass(frozen=True)
class Inputs:
    """A gallery, and the table of what the model sees of every video (``inputs.parquet`` of a run).

    Attributes:
        gallery: For the model.
        table: video_id, frames, times_s and words (lists), n_words_read, n_words_dropped, engine, reader, reason.
    """

    gallery: Gallery
    table: pd.DataFrame


def gallery_of(
    corpus: Corpus,
    needs: frozenset[str] | set[str],
    rules: InputRules,
    *,
    workers: int | None = None,
    videos: Sequence[str] | None = None,
    seen: Seen | None = None,
) -> Inputs:
    """Inputs of videos of a corpus' split, in its order.

    Args:
        corpus: Restricted to the split.
        needs: ``frames``, ``ocr`` or both.
        rules: How they are made.
        workers: Processes that decode; None = all cores.
        videos: Some of its videos, in this order; None = all.
        seen: What is known of their frames already; None = they are decoded.

    Raises:
        StateError: The corpus lacks the texts (the sentence says the command), or none of its videos can be read.
    """
    ids = corpus.videos["video_id"].tolist() if videos is None else list(videos)
    looked = (seen or seen_of(corpus, ids, rules, workers)) if "frames" in needs else Seen(None, {}, {})
    shown, missing = looked.shown, dict(looked.missing)
    engine = engine_of(corpus, rules.engine) if "ocr" in needs else None
    words, counts = _words(corpus, ids, engine, rules) if engine else ([Words()] * len(ids), {})
    if engine and "frames" not in needs:
        unread = _unread(corpus, engine)
        missing = {video: unread[video] for video in ids if video in unread}
    sentences = None
    if engine and rules.windows:
        times = {video: times_s for video, (_, times_s) in shown.items()}
        found = sentences_of(corpus, engine, times, filters=rules.filters, max_words=rules.windows)
        sentences = tuple(found.get(video, ()) for video in ids)
    readers = {video: reader_version(name) for video, name in looked.readers.items()}
    rows = [
        {
            "video_id": video, "frames": shown.get(video, ([], []))[0], "times_s": shown.get(video, ([], []))[1],
            "words": list(words[at].text), "n_words_read": counts.get(video, 0),
            "n_words_dropped": counts.get(video, 0) - len(words[at].text), "engine": engine,
            "reader": readers.get(video), "reason": missing.get(video),
        }
        for at, video in enumerate(ids)
    ]  # fmt: skip
    return Inputs(Gallery(tuple(ids), looked.frames, tuple(words), missing, sentences), pd.DataFrame(rows))


def engine_of(corpus: Corpus, asked: str | None = None) -> str:
    """The engine whose texts are used: the asked one, else that of ``corpus.engines.first_engine``.

    Raises:
        StateError: The corpus has no such texts.
    """
    found = corpus.with_split(None).text_coverage["engine"].dropna().unique().tolist()
    chosen = first_engine(found) if asked is None else asked if asked in found else None
    if chosen is None:
        said = f"texts of the engine {asked!r}" if asked else "text read from its frames"
        remedy = nearest(asked, found) if asked and found else f"Run: workbench ocr run {corpus.name}"
        raise StateError(f"Corpus {corpus.name} has no {said}.", remedy)
    return chosen


def _words(corpus: Corpus, ids: list[str], engine: str, rules: InputRules) -> tuple[list[Words], dict[str, int]]:
    """Words of every video, in the order of ``ids``, and how many were read before filters and cut."""
    texts = corpus.texts[(corpus.texts["engine"] == engine) & (corpus.texts["kind"] == "ocr")]
    texts = texts[texts["video_id"].isin(ids)]
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
