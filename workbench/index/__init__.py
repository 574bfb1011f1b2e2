"""Layer 2: search. BM25 over words, faiss over vectors; documents and vectors in, ids and scores out.

``build_index`` joins them with a corpus and lies in ``pipelines.indexes``.
"""

from workbench.index.dense import DenseIndex
from workbench.index.lexical import LexicalIndex

__all__ = ["DenseIndex", "LexicalIndex"]
