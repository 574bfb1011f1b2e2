"""Which filter took a read word away before the model had it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from workbench.analysis.reading.run_texts import Readings
from workbench.evaluation.runs.run import Run
from workbench.ocr.cleaning import FILTERS, PRESETS, clean, words_of
from workbench.ocr.matching import caption_words

CUT = "max_words"


def filters_of(run: Run) -> dict[str, Any] | None:
    """What ``run.json`` says of how words reach the model; None where it does not, or takes words by frame."""
    rules = run.info.get("input_rules") or {}
    known = rules.get("filters") in PRESETS and not rules.get("windows")
    return rules if known else None


def dropped_by(run: Run, readings: Readings, videos: Collection[str]) -> dict[tuple[str, str], str]:
    """The filter that dropped the last reading of each word.

    Args:
        run: States its filters.
        readings: What was read.
        videos: Those of interest.

    Returns:
        Name of the filter by (video, normalised word); ``max_words`` where the word was cut off. Empty where the run
        does not say how words reach its model.
    """
    rules, corpus = filters_of(run), readings.corpus
    if rules is None or corpus is None or not videos:
        return {}
    texts = corpus.texts
    mine = (texts["engine"] == readings.engine) & (texts["kind"] == "ocr") & texts["video_id"].isin(list(videos))
    words = words_of(texts[mine], separator=" " if rules["filters"] == "textvr" else None)
    found: dict[tuple[str, str], str] = {}
    for step in (*PRESETS[rules["filters"]], (CUT, {"maximum": int(rules.get("max_words") or len(words) + 1)})):
        kept = clean(words, [step]).words
        name = step if isinstance(step, str) else step[0]
        gone = _words(words) - _words(kept)
        found.update(dict.fromkeys(gone, name))
        words = kept
    return found


def sentence_of(name: str) -> str:
    """What a filter does, as half a sentence."""
    return f"filter {name}: {FILTERS[name].sentence}"


def _words(words: pd.DataFrame) -> set[tuple[str, str]]:
    pairs = zip(words["video_id"], words["text"], strict=True)
    return {(video, word) for video, text in pairs for word in caption_words(text)}
