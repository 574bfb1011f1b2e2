"""Words of captions as sparse tables: what a caption says, how rare its words are, how much of it another one says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import scipy.sparse as sp

from workbench.ocr.matching import STOP_WORDS, caption_words

LEAST_WORDS = 3
"""Captions of fewer telling words are not compared with others: they would fit nearly everything."""
_ENDINGS = ("ing", "ed", "es", "s")
_VOWEL = re.compile("[aeiouy]")


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """A word without the ending of its form, so that "plays", "played" and "playing" are one; a rough rule for English.

    One of the endings -ing, -ed, -es, -s goes where three letters and a vowel stay, then a doubled last letter and a
    final e.
    """
    if not (word.isascii() and word.isalpha()):
        return word
    for ending in _ENDINGS:
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= 3 and _VOWEL.search(rest) and not word.endswith("ss"):
            word = rest
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def telling_words(text: str) -> list[str]:
    """The words of a caption without function words, each once, in its order."""
    return [word for word in dict.fromkeys(caption_words(text)) if word not in STOP_WORDS]


class Wording:
    """What captions say, by the stems of their telling words.

    Args:
        texts: Captions; None = no text.

    Attributes:
        words: Telling words of every caption as they stand there.
        stems: Column of every stem.
        said: float32 CSR [captions, stems], 1 where the caption has the stem.
        weight: float64 [stems], how rare each is: log((N + 1) / (n + 0.5)) with n of N captions that have it.
        n_words: int [captions], stems of each.
    """

    def __init__(self, texts: Sequence[str | None]) -> None:
        self.words = [telling_words(text) if text else [] for text in texts]
        own = [dict.fromkeys(map(stem, words)) for words in self.words]
        self.stems: dict[str, int] = {}
        for stems in own:
            for one in stems:
                self.stems.setdefault(one, len(self.stems))
        self.said = incidence(own, self.stems)
        times = np.bincount(self.said.indices, minlength=len(self.stems))
        self.weight = np.maximum(np.log((len(own) + 1) / (times + 0.5)), 0)
        self.n_words = np.diff(self.said.indptr)

    def times_in(self, texts: Iterable[str]) -> np.ndarray:
        """In how many other texts each stem stands, int64 [stems]."""
        known = [{one for one in map(stem, telling_words(text)) if one in self.stems} for text in texts]
        return np.bincount(incidence(known, self.stems).indices, minlength=len(self.stems))

    def information(self) -> np.ndarray:
        """Sum of the weights of every caption's words, float64 [captions]."""
        return self.said @ self.weight

    def share_said(self, rows: np.ndarray, others: sp.csr_array, *, least: int = LEAST_WORDS) -> np.ndarray:
        """How much of some captions other texts say, by weight, 0..1; 0 where a caption has too few telling words.

        Args:
            rows: Captions, int [pairs].
            others: The stems of what each is compared with, CSR [pairs, stems], more than 0 where they are there.
            least: Telling words that a caption must have; with 0, all is said of a caption that has none.
        """
        mine = self.said[rows].multiply(self.weight[None, :]).tocsr()
        there = others.copy()
        there.data = np.ones_like(there.data)
        total = np.asarray(mine.sum(axis=1)).ravel()
        both = np.asarray(mine.multiply(there).sum(axis=1)).ravel()
        enough = (self.n_words[rows] >= least) & (total > 0)
        none = np.where((total > 0) | (least > 0), 0.0, 1.0)
        return np.divide(both, total, out=none, where=enough)


def incidence(lists: Sequence[Iterable[str]], column: dict[str, int]) -> sp.csr_array:
    """float32 CSR [lists, columns]: 1 where a list has the word; words of a list stand once and are all known."""
    of_list = [sorted(column[word] for word in words) for words in lists]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in of_list])]).astype(np.int64)
    columns = np.fromiter((one for own in of_list for one in own), np.int64, int(starts[-1]))
    return sp.csr_array((np.ones(len(columns), np.float32), columns, starts), shape=(len(of_list), len(column)))
