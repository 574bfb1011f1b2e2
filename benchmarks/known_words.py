"""What is known to stand in the real clips (``videos/clips.jsonl``), and how much of it was recognised."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.ocr.matching import caption_words, match_words

DESCRIPTIONS = ("single letters ", "keys such as ", "part of ", "digit")  # what is to be seen, in words of its own


def read_clips(data: Path) -> list[dict[str, Any]]:
    """One entry per clip: file, caption, texts, domain, probe, ..."""
    return [json.loads(line) for line in (data / "videos/clips.jsonl").read_text("utf8").splitlines()]


def listed_words(texts: Sequence[str]) -> list[str]:
    """The words that can be read: not what stands in parentheses, no running counter, no description; each once."""
    stable = [text for text in texts if "running)" not in text and not text.startswith(DESCRIPTIONS)]
    words = (word for text in stable for word in caption_words(re.sub(r"\(.*?\)", " ", text)))
    return list(dict.fromkeys(words))


def agreement(listed: Sequence[str], texts: Sequence[str]) -> dict[str, int]:
    """Listed words among the words of recognised texts, exactly or nearly, and the reverse.

    Returns:
        listed, hits (listed words that were found), words (recognised), right (recognised words that are listed).
    """
    words = list(dict.fromkeys(word for text in texts for word in caption_words(text)))
    found = {"hits": len(match_words(listed, words)), "right": len(match_words(words, listed))}
    return {"listed": len(listed), "words": len(words), **found}
