"""BM25 of a caption over the words read in a video: the floor that every model with OCR must beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from workbench.index.lexical import LexicalIndex
from workbench.models.gallery import Gallery


class Bm25Ocr:
    """A ``RetrievalModel`` without weights."""

    needs = frozenset({"ocr"})
    reads: Mapping[str, int] = MappingProxyType({})

    def encode(self, gallery: Gallery) -> LexicalIndex:
        """An index over the words of the videos."""
        return LexicalIndex([" ".join(words.text) for words in gallery.words], gallery.video_ids)

    def similarity(self, captions: Sequence[str], encoded: LexicalIndex) -> np.ndarray:
        """BM25, float32 [captions, videos]; 0 where they share no word, so that many pairs tie."""
        return np.stack([encoded.scores(caption) for caption in captions]).astype(np.float32)

    def parts(self, captions: Sequence[str], encoded: LexicalIndex) -> dict[str, np.ndarray]:
        """One modality only."""
        return {}


def build() -> Bm25Ocr:
    """The model; it has no options."""
    return Bm25Ocr()
