"""BM25 over the words of documents: index once, score many queries; saved as a folder."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.files import read_json, write_json
from workbench.core.optional import need
from workbench.ocr.matching import caption_words


class LexicalIndex:
    """BM25 (Lucene's variant, k1 1.5, b 0.75) over bags of words.

    Source: Robertson & Zaragoza 2009; computed by the library bm25s (Lù, 2024).

    Args:
        documents: Words of every document, as text; normalised like captions.
        ids: Their ids, in the same order.

    Raises:
        DataError: Different lengths, or no document.
        MissingExtraError: bm25s is not installed.
    """

    kind = "lexical"

    def __init__(self, documents: Sequence[str], ids: Sequence[str]) -> None:
        if len(documents) != len(ids) or not ids:
            raise DataError(
                f"{len(documents)} documents for {len(ids)} ids.", "Give one document per id, at least one."
            )
        self.ids = list(ids)
        self.words = [caption_words(document) for document in documents]
        self._index: Any = None
        if any(self.words):
            bm25s = need("bm25s", "A lexical index")
            logging.getLogger("bm25s").setLevel(logging.WARNING)  # it says DEBUG of itself, on the user's terminal
            self._index = bm25s.BM25()
            self._index.index(self.words, show_progress=False)

    def scores(self, query: str) -> np.ndarray:
        """float32 [documents]; 0 where no word of the query stands in the document."""
        words = [word for word in caption_words(query) if self._index is not None and word in self._index.vocab_dict]
        if not words:
            return np.zeros(len(self.ids), np.float32)
        return np.asarray(self._index.get_scores(words), np.float32)

    def search(self, query: str, k: int = 10) -> list[tuple[str, float]]:
        """Ids and scores of the best documents that hold a word of the query, best first."""
        scores = self.scores(query)
        order = np.argsort(-scores, kind="stable")[:k]
        return [(self.ids[i], float(scores[i])) for i in order if scores[i] > 0]

    def save(self, folder: Path) -> None:
        """Write the documents into an existing folder; the index is made again in milliseconds per thousand of them."""
        write_json(folder / "lexical.json", {"ids": self.ids, "documents": [" ".join(words) for words in self.words]})

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """Read what ``save`` wrote."""
        content = read_json(folder / "lexical.json", "a lexical index")
        return cls(content["documents"], content["ids"])
