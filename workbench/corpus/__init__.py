"""Layer 1: what is searched. Tables, formats, the store, and the manifest of data sets."""

from workbench.corpus.corpus import Corpus, list_corpora, open_corpus, relevance_csr, video_key
from workbench.corpus.store import save_corpus
from workbench.corpus.text import domain_label, normalise_caption

__all__ = [
    "Corpus",
    "domain_label",
    "list_corpora",
    "normalise_caption",
    "open_corpus",
    "relevance_csr",
    "save_corpus",
    "video_key",
]
