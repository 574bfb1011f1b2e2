"""Texts to numbers for a tower that reads, each different text once, sorted by length so that none needs padding."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from workbench.models.towers.choices import beside
from workbench.models.towers.dual.opened import Opened
from workbench.models.towers.small.words import grams_of, tokens_of

PIECES_PER_FORWARD = 4096
"""Of texts that go through a tower together: enough to fill a GPU, few enough to stay in a CPU's cache."""


class Pieces(ABC):
    """What makes numbers of texts.

    Attributes:
        caption_words: Words above which a caption is cut for certain: each is one piece or more.
    """

    caption_words: int

    @abstractmethod
    def ids(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Numbers of the pieces of every text, one at least."""

    def files(self) -> Mapping[str, str]:
        """Text files, by name, that a checkpoint needs to make the same numbers; none by default."""
        return {}

    def packed(self, lists: Sequence[Sequence[str]]) -> dict[str, np.ndarray]:
        """Lists of texts as arrays for the network.

        Returns:
            ``ids`` int64 [different texts, longest], shortest first, ``groups`` int64 [groups, 2]: how many rows of it
            follow each other with how many pieces; ``text`` int64 [texts]: row of ``ids`` of each text; ``row`` and
            ``place`` int64 [texts]: which list and which position; ``size``: lists, longest list.
        """
        flat = [text for one in lists for text in one]
        pieces = self.ids(flat)
        different = sorted(dict.fromkeys(pieces), key=len)
        number = {one: at for at, one in enumerate(different)}
        lengths = np.asarray([len(one) for one in different], np.int64)
        ids = np.zeros((len(different), int(lengths.max(initial=1))), np.int64)
        for at, one in enumerate(different):
            ids[at, : len(one)] = one
        counts = np.asarray([len(one) for one in lists], np.int64)
        starts = np.repeat(np.cumsum(counts) - counts, counts)
        return {
            "ids": ids,
            "groups": _groups(lengths),
            "text": np.asarray([number[one] for one in pieces], np.int64),
            "row": np.repeat(np.arange(len(lists)), counts),
            "place": np.arange(len(flat)) - starts,
            "size": np.asarray([len(lists), counts.max(initial=1)], np.int64),
        }


class FolderPieces(Pieces):
    """Those of a CLIP or SigLIP; with the padding that it also looks at, where it was trained so."""

    def __init__(self, opened: Opened) -> None:
        self._opened, self.caption_words = opened, opened.caption_words

    def ids(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Numbers of the pieces of every text, in lower case, cut where the model's positions end."""
        return self._opened.lines(texts)

    def files(self) -> Mapping[str, str]:
        """The description of the tower and of its tokenizer."""
        return beside("text", self._opened)


class Grams(Pieces):
    """Buckets of the n-grams of a text's words, one word after the other.

    Args:
        buckets: Rows of the table of n-grams.
        words: The most words of a text; the rest is cut.
    """

    def __init__(self, buckets: int, words: int) -> None:
        self.caption_words, self._buckets = words, buckets

    def ids(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Buckets from 1 of every text; of one without words those of a question mark."""
        return [
            tuple(gram for word in tokens_of(text, self.caption_words) for gram in grams_of(word, self._buckets))
            for text in texts
        ]


def rows_of(packed: dict[str, np.ndarray], start: int, stop: int) -> dict[str, np.ndarray]:
    """The lists from ``start`` to ``stop`` of what ``Pieces.packed`` gave; ``text`` still counts all of its ids."""
    chosen = (packed["row"] >= start) & (packed["row"] < stop)
    place = packed["place"][chosen]
    return {
        "text": packed["text"][chosen],
        "row": packed["row"][chosen] - start,
        "place": place,
        "size": np.asarray([stop - start, place.max(initial=0) + 1], np.int64),
    }


def _groups(lengths: np.ndarray) -> np.ndarray:
    """[groups, 2]: rows of equal length, at most ``PIECES_PER_FORWARD`` pieces at once; of ascending lengths."""
    found = []
    for length, count in zip(*np.unique(lengths, return_counts=True), strict=True):
        most = max(1, PIECES_PER_FORWARD // int(length))
        found += [(min(most, int(count) - at), int(length)) for at in range(0, int(count), most)]
    return np.asarray(found, np.int64).reshape(-1, 2)
