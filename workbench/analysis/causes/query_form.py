"""Causes in the form of a query: longer than the model reads, of words that training never had, in another language."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.analysis.causes.cues import Cues
from workbench.analysis.causes.failed import Failed, Found
from workbench.analysis.causes.learned import OFTEN
from workbench.analysis.causes.losses import quoted_in
from workbench.analysis.causes.material import Material
from workbench.analysis.causes.misleading import LATIN, script_of
from workbench.analysis.causes.scene_text import quoted_words
from workbench.analysis.causes.wording import LEAST_WORDS, stem
from workbench.core.words import counted


def truncated(failed: Failed, material: Material, _: Cues) -> Found:
    """The caption has more words than the model reads."""
    limit = material.caption_words
    texts = failed.captions("text", failed.right_caption)
    length = np.asarray([len(text.split()) if text else 0 for text in texts], int)
    return Found(
        (length > limit) & (limit > 0),
        lambda i: f"the caption has {counted(int(length[i]), 'word')}, the model reads {limit}",
    )


def rare_words(failed: Failed, material: Material, _: Cues) -> Found:
    """Training has many words of the caption never or once, or they are made of many sub-words; quoted words do not
    count.
    """  # fmt: skip
    limits, learned = material.thresholds, material.learned
    texts = failed.captions("text", failed.right_caption)
    if learned is None:
        return Found(np.zeros(len(texts), bool), lambda i: "")
    words = [_unquoted(material, row, text) for row, text in zip(failed.right_caption, texts, strict=True)]
    stems, enough = material.said.wording.stems, np.asarray([len(own) >= LEAST_WORDS for own in words], bool)
    rare = [[word for word in own if learned.times[stems[stem(word)]] <= OFTEN] for own in words]
    n_words = np.asarray([max(len(own), 1) for own in words])
    share = np.asarray([len(own) for own in rare]) / n_words
    pieces = np.asarray([sum(map(learned.n_pieces, own)) for own in words]) / n_words
    many, cut = enough & (share >= limits.rare_words), enough & (pieces >= limits.subwords)

    def why(i: int) -> str:
        said = [f"training has {quoted_words(rare[i])} never or once"] if many[i] else []
        return ", ".join(said + [f"its words are made of {pieces[i]:.1f} sub-words on average"] * bool(cut[i]))

    return Found(many | cut, why)


def _unquoted(material: Material, row: int, text: str | None) -> list[str]:
    """Telling words of a caption that are of letters and that it does not quote."""
    if row < 0 or not text:
        return []
    quoted = quoted_in(text)
    return [word for word in material.said.wording.words[row] if word not in quoted and word.isalpha()]


def non_english(failed: Failed, material: Material, _: Cues) -> Found:
    """The caption states another language; where it states none, most letters outside of quoted words are not Latin."""
    texts = failed.captions("text", failed.right_caption)
    languages = failed.captions("language", failed.right_caption)
    said = [
        _language(text, language, material.thresholds.foreign) for text, language in zip(texts, languages, strict=True)
    ]
    return Found(np.asarray([bool(one) for one in said], bool), lambda i: said[i])


def _language(text: str | None, language: str | None, limit: float) -> str:
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
