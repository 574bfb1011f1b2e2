"""What was read in the videos of a corpus."""

from __future__ import annotations

from workbench.corpus import Corpus
from workbench.ocr.matching import STOP_WORDS, caption_words

SHORTEST = 4


def frequent_words(corpus: Corpus, engine: str, n: int = 12) -> list[str]:
    """Words that stand in most videos, for a first search: of four letters or more, no function words, no numbers.

    Args:
        corpus: The corpus, whole or one split.
        engine: Whose readings.
        n: How many at most.
    """
    texts = corpus.texts[corpus.texts["engine"] == engine]
    words = texts["text"].map(caption_words).rename("word").to_frame().assign(video=texts["video_id"]).explode("word")
    words = words.dropna().drop_duplicates()
    telling = words["word"].map(lambda word: len(word) >= SHORTEST and word.isalpha() and word not in STOP_WORDS)
    counts = words.loc[telling.astype(bool), "word"].value_counts()
    best = counts.reset_index().sort_values(["count", "word"], ascending=[False, True])
    return best["word"].head(n).to_list()
