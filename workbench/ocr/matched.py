"""Which texts of a video hold words of a query."""

from __future__ import annotations

import pandas as pd

from workbench.ocr.matching import STOP_WORDS, caption_words, match_words


def matched_texts(texts: pd.DataFrame, query: str, engine: str | None = None) -> dict[str, list[str]]:
    """Read words that match words of a query, and the texts that hold them.

    Args:
        texts: Rows of the table ``texts`` of one video.
        query: A caption or query; function words ("the", "of") count only where it has no others.
        engine: Whose texts; None = all but the truth.

    Returns:
        ``matched``: words as read, ``text_ids``: their texts, ``words``: the words of the query that they match.
    """
    texts = texts[texts["engine"] == engine if engine else texts["engine"] != "truth"]
    read = {text_id: set(caption_words(text)) for text_id, text in zip(texts["text_id"], texts["text"], strict=True)}
    asked = caption_words(query)
    telling = [word for word in asked if word not in STOP_WORDS] or asked
    pairs = match_words(telling, sorted(set().union(*read.values())))
    found = dict.fromkeys(pair.ocr_word for pair in pairs)
    ids = [text_id for text_id, words in read.items() if words & found.keys()]
    return {"matched": list(found), "text_ids": ids, "words": list(dict.fromkeys(pair.word for pair in pairs))}
