"""Read text as one sentence per frame: what stands in the video around that frame, 12 sentences for 12 frames.

Every moment of a video belongs to its nearest sampled frame, so no text is lost between two of them. A text that stays
on screen through several windows is in the sentence of each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.corpus import Corpus
from workbench.ocr.cleaning import PRESETS, clean, words_of
from workbench.pipelines.places import places_of

LINES = 20
"""Lines that a frame's height is cut into: boxes whose centres share one are read from left to right."""


def sentences_of(
    corpus: Corpus,
    engine: str,
    times_s: Mapping[str, Sequence[float]],
    *,
    filters: str = "default",
    max_words: int = 16,
) -> dict[str, tuple[str, ...]]:
    """``window_sentences`` of what an engine read in a corpus, in reading order."""
    texts = corpus.texts[(corpus.texts["engine"] == engine) & (corpus.texts["kind"] == "ocr")]
    places = places_of(corpus, texts, "box")
    return window_sentences(texts, times_s, filters=filters, max_words=max_words, places=places)


def window_sentences(
    texts: pd.DataFrame,
    times_s: Mapping[str, Sequence[float]],
    *,
    filters: str = "default",
    max_words: int = 16,
    places: pd.DataFrame | None = None,
) -> dict[str, tuple[str, ...]]:
    """One sentence for every frame of some videos.

    Args:
        texts: Rows of the corpus' ``texts``: text_id, video_id, text, score, start_s, end_s (s). A text without times
            stands in every window of its video.
        times_s: Times of the sampled frames (s) by video, rising.
        filters: A preset of ``ocr.cleaning``, applied within each window.
        max_words: Words per sentence, the most confident ones.
        places: x and y (mean centre of the box, 0..1 of the frame) by text_id: words are then in reading order, else in
            the order in which they appear.

    Returns:
        By video of ``times_s``, as many sentences as it has frames; empty where nothing was read. They do not depend
        on the order of ``texts``.

    Raises:
        UnknownNameError: No such preset.
        DataError: Times that do not rise, or no word allowed.
    """
    steps = [*pick(PRESETS, filters, "preset of OCR filters"), ("max_words", {"maximum": max_words})]
    if max_words < 1:
        raise DataError(f"max_words is {max_words}.", "A sentence needs at least 1.")
    first = dict(zip(times_s, np.cumsum([0, *map(len, times_s.values())]).tolist(), strict=False))
    own = texts[texts["video_id"].isin(list(times_s))].sort_values("text_id", kind="stable")
    spans = _windows_of(own, times_s, first)
    words = words_of(own).merge(spans, on="text_id").assign(video_id=lambda table: table["window"])
    kept = clean(words, steps).words
    line, across = _order(own, places)
    kept = kept.assign(line=kept["text_id"].map(line), across=kept["text_id"].map(across))
    kept = kept.sort_values(["window", "line", "across", "text_id", "position"], kind="stable")
    sentences = kept.groupby("window")["text"].agg(" ".join).to_dict()
    return {
        video: tuple(sentences.get(first[video] + at, "") for at in range(len(times)))
        for video, times in times_s.items()
    }


def _windows_of(texts: pd.DataFrame, times_s: Mapping[str, Sequence[float]], first: Mapping[str, int]) -> pd.DataFrame:
    """text_id and window (a number over all videos), one row for each window that a text stands in."""
    begin, end = np.zeros(len(texts), int), np.zeros(len(texts), int)
    start_s = texts["start_s"].to_numpy(float)
    end_s = np.fmax(texts["end_s"].to_numpy(float), start_s)  # an end that is not known is the start
    for video, rows in texts.groupby("video_id").indices.items():
        times = np.asarray(times_s[str(video)], float)
        if (np.diff(times) <= 0).any():
            raise DataError(f"The frame times of {video} do not rise.", "Give them in order, each once.")
        middles = (times[1:] + times[:-1]) / 2
        begin[rows] = np.searchsorted(middles, start_s[rows], side="right")
        end[rows] = np.searchsorted(middles, end_s[rows], side="left") + 1
        timeless = rows[np.isnan(start_s[rows])]
        begin[timeless], end[timeless] = 0, len(times)
        end[rows] = np.maximum(end[rows], np.minimum(begin[rows] + 1, len(times)))
        begin[rows] += first[str(video)]
        end[rows] += first[str(video)]
    counts = end - begin
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    ids = texts["text_id"].to_numpy()
    return pd.DataFrame({"text_id": np.repeat(ids, counts), "window": np.repeat(begin, counts) + within})


def _order(texts: pd.DataFrame, places: pd.DataFrame | None) -> tuple[pd.Series, pd.Series]:
    """By text_id, what words are sorted by: line and place in it; without places the start (s), and nothing."""
    if places is None:
        starts = pd.Series(texts["start_s"].to_numpy(float), index=texts["text_id"])
        return starts, starts * 0.0
    found = places.reindex(texts["text_id"])
    return np.floor(found["y"] * LINES), found["x"]
