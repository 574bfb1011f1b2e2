"""What a model reads of a video, the option ``ocr``: its words one by one, or a sentence for every frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.models.gallery import Gallery, Words

OCR = {
    "words": "every read word is a text of its own, told where it stands",
    "windows": "a sentence for every frame: what is read around it (pipelines.ocr_windows), told when",
}
PLACES = {"textvr": "as published", "track": "with the displacement repaired"}
PLACE_NUMBERS = 12


@dataclass(frozen=True)
class Texts:
    """What is read of one video.

    Attributes:
        text: Words, or the sentence of each window; "" where nothing was read in it.
        where: Of words their places, float32 [n, 12]; of windows their rows in a table of times, int64 [n].
    """

    text: tuple[str, ...]
    where: np.ndarray


def check_ocr(options: Any) -> None:
    """Refuse an unknown way to read, and one without effect.

    Args:
        options: A record with ``modality``, ``ocr`` and ``places``.

    Raises:
        UnknownNameError: No such way, or no such choice of places.
        DataError: The choice changes nothing for this model.
    """
    usual = type(options)
    pick(OCR, options.ocr, "kind of read text")
    pick(PLACES, options.places, "choice of places")
    if options.modality == "vision" and options.ocr != usual.ocr:
        raise DataError(f"The modality vision reads nothing, so ocr={options.ocr} has no effect.", "Leave ocr out.")
    if options.ocr == "windows" and options.places != usual.places:
        raise DataError("Windows of text have times and no places.", "Leave places out, or read words: ocr=words.")


def rules_of(options: Any) -> dict[str, Any]:
    """Fields of ``InputRules`` for ``options.ocr``."""
    if options.ocr == "windows":
        return {"windows": options.words_per_sentence}
    return {"max_words": options.max_words, "places": options.places}


def texts_of(gallery: Gallery, options: Any) -> list[Texts]:
    """What is read of every video.

    Args:
        gallery: Of the videos.
        options: A record with ``ocr``, ``n_frames`` and ``max_words``.

    Raises:
        DataError: The gallery has no sentences, or places of another kind.
    """
    if options.ocr == "windows":
        return [_timed(one, options.n_frames) for one in windows_of(gallery)]
    return [_placed(one, options.max_words) for one in gallery.words]


def windows_of(gallery: Gallery) -> Sequence[Sequence[str]]:
    """A sentence per frame of every video.

    Raises:
        DataError: The gallery has none.
    """
    if gallery.sentences is None:
        raise DataError("The gallery holds no sentence per frame.", "Prepare its inputs by the model's rules.")
    return gallery.sentences


def nowhere(ocr: str, *counts: int) -> np.ndarray:
    """``where`` of texts that are not there, as many as the counts say: the first time, or a place of zeros."""
    return np.zeros(counts, np.int64) if ocr == "windows" else np.zeros((*counts, PLACE_NUMBERS), np.float32)


def padded(texts: Sequence[Texts], longest: int, ocr: str) -> np.ndarray:
    """``where`` of every video, [videos, longest] or [videos, longest, 12]; zeros behind the last text."""
    found = nowhere(ocr, len(texts), longest)
    for row, one in enumerate(texts):
        found[row, : len(one.where)] = one.where
    return found


def _timed(windows: Sequence[str], n_frames: int) -> Texts:
    """Windows with the row of time in the middle of each; a video of fewer windows than frames has wider ones."""
    count = len(windows)
    return Texts(tuple(windows), (2 * np.arange(count) + 1) * n_frames // (2 * max(1, count)))


def _placed(words: Words, most: int) -> Texts:
    """The first words with their places."""
    if words.text and words.place.shape[1] != PLACE_NUMBERS:
        raise DataError(
            f"The model reads {PLACE_NUMBERS} numbers of a word's place, found {words.place.shape[1]}.",
            "Prepare its inputs by its own rules, e.g. InputRules(places='textvr').",
        )
    return Texts(words.text[:most], words.place[:most] if words.text else nowhere("words", 0))
