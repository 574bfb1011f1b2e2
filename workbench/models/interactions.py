"""What a model says of a pair: how well a caption, word by word or as a whole, fits each frame and each read text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from workbench.models.gallery import Gallery


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


@dataclass(frozen=True)
class Apart:
    """One video taken apart: the vectors that it is compared by where it has but this frame, or but this read text.

    Attributes:
        frame: float32 [frames, dimensions], of length 1; no rows where the model looks at none.
        texts: Read words, or sentences, as the model reads them.
        text: float32 [texts, dimensions], likewise.
    """

    frame: np.ndarray
    texts: tuple[str, ...]
    text: np.ndarray


@runtime_checkable
class TakesApart(Protocol):
    """A ``RetrievalModel`` that compares a whole caption with a whole video by cosines."""

    def shares(self) -> tuple[float, float]:
        """What the cosines with frames and with read texts count for in the score; 0 for what it does not look at."""

    def caption_vectors(self, captions: Sequence[str]) -> np.ndarray:
        """float32 [captions, dimensions], of length 1."""

    def apart(self, gallery: Gallery) -> list[Apart]:
        """Every video taken apart."""


def whole_interaction(model: TakesApart, caption: str, videos: Sequence[Apart]) -> Interaction:
    """A whole caption as the one token: its cosines with each frame and each read text.

    The score is no sum of the best of them, as such a model compares the caption with all frames and texts together.

    Args:
        model: The model.
        caption: The text.
        videos: From ``TakesApart.apart``, of equally many frames.
    """
    asked = model.caption_vectors([caption])
    most = max(len(one.texts) for one in videos)
    fits = [asked @ one.text.T if len(one.texts) else np.zeros((1, 0), np.float32) for one in videos]
    word = np.stack([np.pad(one, ((0, 0), (0, most - one.shape[1]))) for one in fits])
    frame = np.stack([asked @ one.frame.T if len(one.frame) else np.zeros((1, 0), np.float32) for one in videos])
    return Interaction((caption,), np.array([model.shares()], np.float32), frame, word)
