"""What the captions of the train split teach of words: how often they stand there, and of what pieces they are made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from functools import cached_property

from workbench.analysis.causes.wording import Wording
from workbench.corpus import Corpus
from workbench.ocr.matching import caption_words

OFTEN = 1
"""A word that training captions have no more often is rare."""
SHARED = 5
"""A run of letters is a piece when so many different words of the training captions have it."""

ENOUGH = 1000
"""Different words of training captions from which sub-words can be told; in fewer they share too little."""


class Learned:
    """Captions that could be learned from.

    Args:
        corpus: Restricted to its train split.
        wording: That of the captions that are asked about.
    """

    def __init__(self, corpus: Corpus, wording: Wording) -> None:
        self._texts = corpus.captions["text"].to_list()
        self.times = wording.times_in(self._texts)
        """In how many captions each stem of the asked ones stands, int64 [stems]."""
        self._lengths: dict[str, int] = {}

    @cached_property
    def pieces(self) -> frozenset[str]:
        """Sub-words: runs of letters that many words share, and the words that stand there more than once.

        None where the captions have too few words to tell.
        """
        times = Counter(word for text in self._texts for word in set(caption_words(text)) if word.isalpha())
        return sub_words(times) if len(times) >= ENOUGH else frozenset()

    def n_pieces(self, word: str) -> int:
        """Of how many sub-words a word is made; 1 where that cannot be told."""
        if not self.pieces:
            return 1
        if word not in self._lengths:
            self._lengths[word] = n_pieces(word, self.pieces)
        return self._lengths[word]


def sub_words(times: Counter[str]) -> frozenset[str]:
    """A vocabulary of sub-words of words and how often each stands.

    Args:
        times: Words of letters only.
    """
    runs: Counter[str] = Counter()
    for word in times:
        runs.update({word[start:stop] for start in range(len(word)) for stop in range(start + 2, len(word) + 1)})
    shared = {run for run, count in runs.items() if count >= SHARED}
    return frozenset(shared | {word for word, count in times.items() if count > OFTEN})


def n_pieces(word: str, pieces: Collection[str]) -> int:
    """Of how many sub-words a word is made, the longest one taken first from its start; one letter always is one.

    Source: Song et al., Fast WordPiece Tokenization, EMNLP 2021, section 2: longest match first.
    """
    count = start = 0
    while start < len(word):
        stop = len(word)
        while stop > start + 1 and word[start:stop] not in pieces:
            stop -= 1
        start, count = stop, count + 1
    return count
