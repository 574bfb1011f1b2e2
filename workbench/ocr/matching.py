"""Words of captions against recognised words: exact or nearly so, for one pair and for a whole corpus."""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import Literal

import numpy as np
from rapidfuzz import fuzz, process
from scipy import sparse

from workbench.core.errors import DataError
from workbench.core.progress import track
from workbench.ocr.cleaning import fold, normalise_word

SHORT = 3
"""Words of so many characters match exactly or not at all, on either side."""
BLOCK_BYTES = 16 * 2**20
"""Size of one dense block of scores; each thread holds one."""
STOP_WORDS = frozenset(
    "a an and are as at be been being but by can did do does for from had has have he her him his how i if in into is"
    " it its itself me my not of off on onto or our out over she so some such than that the their them then there"
    " these they this those to under up upon us was we were what when where which while who whose will with would you"
    " your".split()
)
"""English function words; they match, but carry no weight."""
_CONNECTORS = "-'&.,:/"
_SPLIT = re.compile(r"(?<!\d)[.,:/]|[.,:/](?!\d)")


def caption_words(text: str) -> list[str]:
    """The words of a caption, normalised, in order, repetitions kept.

    Numbers stay whole (``6-3``, ``10:30``, ``1,000``). A hyphenated word gives itself and then its parts, since an
    engine may read it either way.
    """
    return [word for token in text.split() for word in _token_words(token)]


@lru_cache(maxsize=1 << 17)
def _token_words(token: str) -> tuple[str, ...]:
    """The words between two blanks; most tokens come back."""
    spaced = "".join(
        c if c in _CONNECTORS or c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in fold(token)
    )
    pieces = (normalise_word(piece) for part in spaced.split() for piece in _SPLIT.split(part))
    return tuple(word for piece in pieces if piece for word in _with_parts(piece))


def _with_parts(word: str) -> list[str]:
    if "-" not in word or not any(c.isalpha() for c in word):
        return [word]
    return [word, *(part for part in map(normalise_word, word.split("-")) if part)]


def _fuzzy(word: str) -> bool:
    """Whether a caption's word may match a misspelt one: it is long enough, and no number, which would be another."""
    return len(word) > SHORT and not any(c.isdigit() for c in word)


@dataclass(frozen=True)
class Match:
    """A caption's word and the recognised word that is nearest to it, as they were given.

    Attributes:
        word: Of the caption.
        ocr_word: Recognised.
        score: 0..100, the normalised indel similarity of the normalised words.
        kind: Whether the normalised words are equal.
    """

    word: str
    ocr_word: str
    score: float
    kind: Literal["exact", "fuzzy"]


def match_words(caption: Sequence[str], ocr_words: Sequence[str], *, threshold: float = 80) -> list[Match]:
    """The best match of every caption word that has one, in the caption's order; of equals the first recognised.

    Words of up to three characters and words with digits match exactly or not at all.
    Source: rapidfuzz ``fuzz.ratio``, 100 * 2 * LCS / (len a + len b).

    Raises:
        DataError: The threshold is not in 0..100.
    """
    _check(threshold)
    recognised: dict[str, str] = {}
    for word in ocr_words:
        recognised.setdefault(normalise_word(word), word)
    long = [word for word in recognised if len(word) > SHORT]
    matches = []
    for word in caption:
        key = normalise_word(word)
        if key and key in recognised:
            matches.append(Match(word, recognised[key], 100.0, "exact"))
        elif _fuzzy(key) and (found := process.extractOne(key, long, scorer=fuzz.ratio, score_cutoff=threshold)):
            matches.append(Match(word, recognised[found[0]], float(found[1]), "fuzzy"))
    return matches


def _check(threshold: float) -> None:
    if not 0 < threshold <= 100:
        raise DataError(f"A match cannot need {threshold} of 100.", "Give a threshold above 0 and up to 100.")


class WordMatcher:
    """Every caption against every video: unique words are compared once, the rest are sparse products.

    Args:
        videos: Recognised words of each video.
        threshold: Fuzzy score 0..100 from which two words match, as in ``match_words``.
        workers: Threads; None = all cores.

    Attributes:
        vocabulary: The unique normalised recognised words; columns of ``match``.
        incidence: float32 CSR [n_vocabulary, n_videos], 1 where the video has the word.

    Raises:
        DataError: The threshold is not in 0..100.
    """

    def __init__(self, videos: Sequence[Iterable[str]], *, threshold: float = 80, workers: int | None = None) -> None:
        _check(threshold)
        self.threshold, self.n_videos = threshold, len(videos)
        self.workers = workers or os.cpu_count() or 1
        normal = _Normal()
        of_video = [sorted({word for word in map(normal.__getitem__, words) if word}) for words in videos]
        self.vocabulary = list(dict.fromkeys(chain.from_iterable(of_video)))
        self._column = {word: i for i, word in enumerate(self.vocabulary)}
        self.incidence = _indicator(of_video, self._column).T.tocsr()
        self._row: dict[str, int] = {}
        self._scores = sparse.csr_array((0, len(self.vocabulary)), dtype=np.uint8)

    def caption_vocabulary(self, captions: Iterable[Iterable[str]]) -> list[str]:
        """The unique words of captions in order of appearance; rows of ``match``."""
        return list(dict.fromkeys(chain.from_iterable(captions)))

    def match(self, captions: Sequence[Sequence[str]]) -> sparse.csr_array:
        """Scores of unique caption words x unique recognised words, uint8 CSR; pairs below the threshold are absent.

        Args:
            captions: Normalised words of each caption, from ``caption_words``. Words compared before are remembered.
        """
        self._learn(captions)
        return self._scores[[self._row[word] for word in self.caption_vocabulary(captions)]]

    def _learn(self, captions: Iterable[Iterable[str]]) -> None:
        """Compare the caption words that were not compared before."""
        if new := set().union(*captions) - self._row.keys():
            words = sorted(new)
            self._scores = sparse.csr_array(sparse.vstack([self._scores, self._compare(words)], format="csr"))
            self._row.update((word, i) for i, word in enumerate(words, start=len(self._row)))
            self.__dict__.pop("_hits", None)

    def _compare(self, words: list[str]) -> sparse.csr_array:
        """Scores of new caption words; equal pairs are looked up, so that their score is certain to be 100."""
        fuzzy = sorted((i for i, word in enumerate(words) if _fuzzy(word)), key=lambda i: len(words[i]))
        columns = np.asarray(sorted(range(len(self.vocabulary)), key=lambda j: len(self.vocabulary[j])), np.int64)
        lengths = np.asarray([len(self.vocabulary[j]) for j in columns], np.int64)
        own = np.asarray([self._column.get(word, -1) for word in words], np.int64)

        def compare(block: tuple[slice, slice]) -> np.ndarray:
            mine, theirs = np.asarray(fuzzy[block[0]], np.int64), columns[block[1]]
            scores = process.cdist(
                [words[i] for i in mine], [self.vocabulary[j] for j in theirs], scorer=fuzz.ratio,
                score_cutoff=self.threshold, dtype=np.uint8, workers=1,
            )  # fmt: skip
            flat = np.flatnonzero(scores)
            row, column = np.divmod(flat, len(theirs))
            row, column = mine[row], theirs[column]
            return np.stack([row, column, scores.ravel()[flat]], axis=1)[own[row] != column]

        exact = np.flatnonzero(own >= 0)
        found = [np.stack([exact, own[exact], np.full(len(exact), 100)], axis=1)]
        blocks = list(_blocks([len(words[i]) for i in fuzzy], lengths, self.threshold))
        with ThreadPoolExecutor(self.workers) as pool:  # cdist lets go of the interpreter; its own workers gain nothing
            found += track(pool.map(compare, blocks), "Comparing words", len(blocks), "blocks")
        row, column, score = np.concatenate(found).T
        shape = (len(words), len(self.vocabulary))
        return sparse.csr_array((score.astype(np.uint8), (row, column)), shape=shape)

    @cached_property
    def _hits(self) -> sparse.csr_array:
        """float32 CSR [n_words, n_videos]: 1 where the video has a match of the caption word."""
        hits = sparse.csr_array(self._scores.astype(bool).astype(np.float32) @ self.incidence)
        hits.data[:] = 1.0
        return hits

    def idf(self, words: Sequence[str]) -> np.ndarray:
        """Weights of caption words by the number of videos that match them, float32 [n_words]; stop words weigh 0.

        Source: Robertson & Zaragoza 2009, log(1 + (N - n + 0.5) / (n + 0.5)), the form that is never negative.
        """
        self._learn([words])
        n = np.diff(self._hits.indptr)[[self._row[word] for word in words]]
        weights = np.log1p((self.n_videos - n + 0.5) / (n + 0.5)).astype(np.float32)
        return np.where([word in STOP_WORDS for word in words], np.float32(0), weights)

    def counts(
        self,
        captions: Sequence[Sequence[str]],
        rows: slice = slice(None),
        weights: Mapping[str, float] | Literal["idf"] | None = None,
    ) -> np.ndarray:
        """How many different words of each caption each video shows, float32 [captions of ``rows``, n_videos].

        Args:
            captions: As for ``match``.
            rows: The captions that are wanted; all of a large corpus at once fill gigabytes.
            weights: What each word counts: ``"idf"``, or weights by word (absent ones 0); None = 1. Stop words count 0.
        """
        self._learn(captions)
        words = list(self._row)
        if weights == "idf":
            weight = self.idf(words)
        else:
            given = weights if isinstance(weights, Mapping) else dict.fromkeys(words, 1.0)
            weight = np.asarray([0.0 if w in STOP_WORDS else given.get(w, 0.0) for w in words], np.float32)
        asked = _indicator(captions[rows], self._row) * weight[None, :]
        return (sparse.csr_array(asked) @ self._hits).toarray()


class _Normal(dict[str, str]):
    """Normalised words by word, computed once."""

    def __missing__(self, word: str) -> str:
        self[word] = normalise_word(word)
        return self[word]


def _indicator(lists: Sequence[Iterable[str]], column: Mapping[str, int]) -> sparse.csr_array:
    """float32 CSR [n_lists, n_columns]: 1 where the list has the word."""
    of_list = [sorted({column[word] for word in words}) for words in lists]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in of_list])]).astype(np.int64)
    columns = np.fromiter(chain.from_iterable(of_list), np.int64, int(starts[-1]))
    shape = (len(of_list), len(column))
    return sparse.csr_array((np.ones(len(columns), np.float32), columns, starts), shape=shape)


def _blocks(mine: Sequence[int], theirs: np.ndarray, threshold: float) -> Iterable[tuple[slice, slice]]:
    """Blocks of two vocabularies sorted by length that can hold matches.

    2 * min(a, b) / (a + b) bounds the similarity, so b lies in a * t / (2 - t) .. a * (2 - t) / t with t of 0..1.
    """
    ratio = threshold / (200 - threshold)
    start = 0
    while start < len(mine):
        length = mine[start]
        stop = int(np.searchsorted(mine, length, side="right"))
        low = int(np.searchsorted(theirs, max(SHORT + 1, math.ceil(length * ratio - 1e-9)), side="left"))
        high = int(np.searchsorted(theirs, math.floor(length / ratio + 1e-9), side="right"))
        if high > low:
            step = max(1, BLOCK_BYTES // (high - low))
            for first in range(start, stop, step):
                yield slice(first, min(first + step, stop)), slice(low, high)
        start = stop
