"""What a model of tokens says of a pair: how well each word of a caption fits each frame and each read word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np


@dataclass(frozen=True)
class Interaction:
    """One caption against some videos.

    The score of video v is the sum over tokens of ``weights[:, 0] * frame[v].max(1)`` and of
    ``weights[:, 1] * max(word[v].max(1), 0)``.

    Attributes:
        tokens: Words of the caption as the model reads them.
        weights: float32 [tokens, 2], what a token counts for frames and for read words; over the temperature.
        frame: float32 [videos, tokens, frames]; no frames where the model looks at none.
        word: float32 [videos, tokens, words]; as many words as the longest video has, the rest is 0.
    """

    tokens: tuple[str, ...]
    weights: np.ndarray
    frame: np.ndarray
    word: np.ndarray


@runtime_checkable
class ExplainsPairs(Protocol):
    """A ``RetrievalModel`` whose score is a sum over tokens of what they find."""

    def interactions(self, captions: Sequence[str], encoded: Any) -> list[Interaction]:
        """One per caption, against all videos of ``encoded``."""
