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
LISTS_KEPT = 20_000
"""Lists of words, of videos and captions, whose buckets are kept: about 5 KB each."""
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


@lru_cache(maxsize=LISTS_KEPT)
def _line(words: tuple[str, ...], buckets: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of a list of words: all their buckets one after the other, how many each word has, and their shapes."""
    grams = [grams_of(word, buckets) for word in words]
    flat = np.asarray([gram for one in grams for gram in one], np.int64)
    counts, shapes = [len(one) for one in grams], [shape_of(word) for word in words]
    return flat, np.asarray(counts, np.int64), np.asarray(shapes, np.int64)


def packed(words: Sequence[Sequence[str]], buckets: int) -> dict[str, np.ndarray]:
    """Lists of words as arrays for the network; what a list is made of is computed once for many batches.

    Returns:
        ``grams`` int64 [grams] and ``starts`` int64 [words] (for an embedding bag), ``shape`` int64 [words],
        ``row`` and ``place`` int64 [words]: which list and which position, ``size``: [lists, longest].
    """
    lines = [_line((), buckets), *(_line(tuple(line), buckets) for line in words)]
    grams, counts, shapes = (np.concatenate(parts) for parts in zip(*lines, strict=True))
    lengths = np.asarray([len(line) for line in words], np.int64)
    return {
        "grams": grams,
        "starts": np.cumsum(counts) - counts,
        "shape": shapes,
        "row": np.repeat(np.arange(len(words)), lengths),
        "place": np.arange(len(shapes)) - np.repeat(np.cumsum(lengths) - lengths, lengths),
        "size": np.asarray([len(words), lengths.max(initial=1)], np.int64),
    }
