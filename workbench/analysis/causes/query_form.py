"""Causes in the form of a query: longer than the model reads, of words that training never had, in another language."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.analysis.causes.failed import Failed, Found
from workbench.analysis.causes.material import Material
from workbench.analysis.causes.misleading import LATIN, script_of
from workbench.analysis.causes.scene_text import quoted_in, quoted_words
from workbench.analysis.causes.wording import LEAST_WORDS, stem

OFTEN = 1
"""A word that training captions have no more often is rare."""


def truncated(failed: Failed, limit: float) -> Found:
    """The caption has more words than the model reads."""
    texts = failed.captions("text", failed.right_caption)
    length = np.asarray([len(text.split()) if text else 0 for text in texts], int)
    return (length > limit) & (limit > 0), lambda i: f"the caption has {length[i]} words, the model reads {limit:g}"


def rare_words(failed: Failed, material: Material) -> Found:
    """Training has many words of the caption never or once; words that it quotes do not count."""
    rows, wording = failed.right_caption, material.wording
    texts, times = failed.captions("text", rows), wording.times_in(material.learned or [])
    rare: list[list[str]] = []
    share = np.zeros(len(rows))
    for i, (row, text) in enumerate(zip(rows, texts, strict=True)):
        quoted = quoted_in(text) if text else ()
        counted = [word for word in wording.words[row] if word not in quoted and word.isalpha()] if text else []
        rare.append([word for word in counted if times[wording.stems[stem(word)]] <= OFTEN])
        share[i] = len(rare[i]) / len(counted) if len(counted) >= LEAST_WORDS else 0
    return share >= material.thresholds.rare_words, lambda i: f"training has {quoted_words(rare[i])} never or once"


def non_english(failed: Failed, limit: float) -> Found:
    """The caption states another language; where it states none, most letters outside of quoted words are not Latin."""
    texts = failed.captions("text", failed.right_caption)
    languages = failed.captions("language", failed.right_caption)
    said = [_foreign(text, language, limit) for text, language in zip(texts, languages, strict=True)]
    return np.asarray([bool(one) for one in said], bool), lambda i: said[i]


def _foreign(text: str | None, language: str | None, limit: float) -> str:
    if not text:
        return ""
    if not pd.isna(language):
        return "" if str(language).casefold().startswith("en") else f"the caption is in {language}"
    if text.isascii():
        return ""
    quoted = quoted_in(text)
    words = [word for word in text.split() if word.casefold().strip("\"'.,;:!?“”«»") not in quoted]
    letters = [c for word in words for c in word if c.isalpha()]
    other = sum(script_of(c) != LATIN for c in letters)
    return f"{other} of its {len(letters)} letters are not Latin" if other > limit * len(letters) else ""
