"""Words as sums of their character n-grams, so that a word that was never seen still has a vector of its own.

Source: Bojanowski et al., Enriching Word Vectors with Subword Information, TACL 2017 (hashed n-grams with boundaries).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from workbench.ocr.cleaning import normalise_word

TOKEN = re.compile(r"[^\W_]+(?:[-'.:][^\W_]+)*")
SHAPES = 4
"""Shape of a word as written: lower case, capitals only, with a digit, other."""


def tokens_of(text: str, limit: int) -> list[str]:
    """The words of a text as written, at most ``limit``; never empty."""
    return TOKEN.findall(text)[:limit] or ["?"]


@lru_cache(maxsize=200_000)
def grams_of(word: str, buckets: int) -> tuple[int, ...]:
    """Buckets of the word itself and of its n-grams of 2 to 4 characters, boundaries included; from 1."""
    bounded = f"<{normalise_word(word)}>"
    grams = {bounded} | {bounded[i : i + n] for n in (2, 3, 4) for i in range(max(0, len(bounded) - n + 1))}
    return tuple(sorted(1 + zlib.crc32(gram.encode()) % (buckets - 1) for gram in grams))


@lru_cache(maxsize=200_000)
def shape_of(word: str) -> int:
    """0 lower case, 1 capitals only, 2 with a digit, 3 other."""
    if any(sign.isdigit() for sign in word):
        return 2
    if word.isupper() and len(word) > 1:
        return 1
    return 0 if word.islower() else 3


def packed(words: Sequence[Sequence[str]], buckets: int) -> dict[str, np.ndarray]:
    """Lists of words as arrays for the network.

    Returns:
        ``grams`` int64 [grams] and ``starts`` int64 [words] (for an embedding bag), ``shape`` int64 [words],
        ``row`` and ``place`` int64 [words]: which list and which position, ``size``: [lists, longest].
    """
    flat = [(row, place, word) for row, line in enumerate(words) for place, word in enumerate(line)]
    grams = [grams_of(word, buckets) for _, _, word in flat]
    lengths = np.asarray([len(one) for one in grams], np.int64)
    return {
        "grams": np.asarray([gram for one in grams for gram in one], np.int64),
        "starts": np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64) if flat else np.zeros(0, np.int64),
        "shape": np.asarray([shape_of(word) for _, _, word in flat], np.int64),
        "row": np.asarray([row for row, _, _ in flat], np.int64),
        "place": np.asarray([place for _, place, _ in flat], np.int64),
        "size": np.asarray([len(words), max([1, *map(len, words)])], np.int64),
    }
