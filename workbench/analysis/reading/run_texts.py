"""What stands written in the videos of a run, what an engine read of it, and which of it the model was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from workbench.analysis.kept import kept
from workbench.analysis.reading.word_texts import WordTexts
from workbench.corpus import Corpus
from workbench.corpus.engines import TRUTH, first_engine
from workbench.evaluation.runs.corpora import corpus_of_run
from workbench.evaluation.runs.run import Run
from workbench.ocr.cues import spellings

Texts = Mapping[str, str]
"""All texts of a video, one after another, by video id."""


class Spelt(dict[str, Mapping[str, str]]):
    """Normalised words of texts with their spellings, by video; split when first asked for."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts

    def __missing__(self, video: str) -> Mapping[str, str]:
        self[video] = spellings(self._texts.get(video, ""))
        return self[video]


@dataclass(frozen=True)
class Readings:
    """The scene text of a run.

    Attributes:
        engine: Who read: the engine that the run names, else the corpus' own; None = nobody.
        read: What it read in each video that it looked at ("" = nothing).
        written: What is really written there (engine ``truth``), where that is known.
        given: The words that the model had; None = the run does not list them.
        reads: Whether the model reads text at all; None = the run does not say.
        missing: Why nothing is known to be read, a sentence; "" = something was.
        remedy: What to do where something is missing.
        corpus: The corpus of the run restricted to its split; None = not at hand.
        sampled: Times of the frames that the model saw, seconds by video; None = the run does not list them.
    """

    engine: str | None = None
    read: Texts = field(default_factory=dict)
    written: Texts = field(default_factory=dict)
    given: Texts | None = None
    reads: bool | None = None
    missing: str = ""
    remedy: str = ""
    corpus: Corpus | None = None
    sampled: Mapping[str, list[float]] | None = None

    @cached_property
    def word_texts(self) -> WordTexts:
        """Which texts in frames hold a word."""
        return WordTexts(self.corpus)

    @cached_property
    def read_words(self) -> Spelt:
        """Words that the engine read."""
        return Spelt(self.read)

    @cached_property
    def written_words(self) -> Spelt:
        """Words that are really written there."""
        return Spelt(self.written)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Words that the engine read in any video."""
        return frozenset().union(*(self.read_words[video] for video in self.read))

    def best_words(self, video: str) -> Mapping[str, str] | None:
        """Words that stand in a video as far as known: written there, else read; None = nobody looked."""
        if video in self.written:
            return self.written_words[video]
        return self.read_words[video] if video in self.read else None

    @cached_property
    def had_words(self) -> Spelt:
        """Words that the model had; those that were read where the run does not list them."""
        return self.read_words if self.given is None else Spelt(self.given)


def readings_of(run: Run, corpus: Corpus | str | None = None) -> Readings:
    """Everything that is known of the scene text of a run.

    Args:
        run: The run.
        corpus: Its corpus; None = find it.

    Raises:
        DataError: The given corpus is not the one that the run was made on.
    """
    found, why = corpus_of_run(run, corpus)
    stamp = (why, None if found is None else stamp_of(found))
    return kept(run, "readings", lambda: _readings(run, found, why), stamp)


def stamp_of(corpus: Corpus) -> tuple[str, int]:
    """Changes when a corpus is written again, as reading text and adding captions do."""
    return str(corpus.path), (corpus.path / "corpus.json").stat().st_mtime_ns


def _readings(run: Run, found: Corpus | None, why: str) -> Readings:
    given, engine = _given(run)
    reads = True if "ocr" in run.modalities else None
    if given is not None:
        reads = engine is not None or any(given.values())
    sampled = _sampled(run)
    if found is None:
        remedy = f"Prepare {run.corpus_name} as it was then: workbench data prepare --help"
        return Readings(engine, given=given, reads=reads, missing=why, remedy=remedy, sampled=sampled)
    in_frames = found.texts[found.texts["kind"] == "ocr"]
    engine = engine or first_engine({*in_frames["engine"], *found.text_coverage["engine"]})
    written = texts_of(found, TRUTH)
    read = {} if engine is None else texts_of(found, engine)
    if read:
        return Readings(engine, read, written, given, reads, corpus=found, sampled=sampled)
    missing, remedy = "No text was read in the videos.", f"Run: workbench ocr run {found.name}"
    return Readings(engine, read, written, given, reads, missing, remedy, found, sampled)


def _given(run: Run) -> tuple[Texts | None, str | None]:
    """The words that the model had, by video, and the engine that they are from."""
    table = run.inputs
    if table is None or not {"video_id", "words"} <= set(table.columns):
        return None, None
    lists = zip(table["video_id"], table["words"], strict=True)
    words = {video: "" if one is None else " ".join(map(str, one)) for video, one in lists}
    named = table["engine"].dropna() if "engine" in table.columns else pd.Series(dtype=object)
    return words, None if named.empty else str(named.mode()[0])


def _sampled(run: Run) -> dict[str, list[float]] | None:
    """Times of the frames that the model saw, by video; None where it saw none, or the run does not say."""
    table = run.inputs
    if table is None or not {"video_id", "times_s"} <= set(table.columns):
        return None
    pairs = zip(table["video_id"], table["times_s"], strict=True)
    times = {str(video): [] if own is None else [float(one) for one in own] for video, own in pairs}
    return times if any(times.values()) else None


def texts_of(corpus: Corpus, engine: str) -> dict[str, str]:
    """Texts of every video that an engine looked at."""
    coverage, texts = corpus.text_coverage, corpus.texts
    looked = coverage[(coverage["engine"] == engine) & coverage["state"].isin(["read", "empty"])]
    own = texts[(texts["engine"] == engine) & (texts["kind"] == "ocr") & texts["text"].notna()]
    found: dict[str, list[str]] = {video: [] for video in looked["video_id"]}
    for video, text in zip(own["video_id"], own["text"], strict=True):
        found.setdefault(video, []).append(text)
    return {video: "\n".join(texts) for video, texts in found.items()}
