"""Causes in scene text: the words that a caption claims to stand in the video, by where they were lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from workbench.analysis.causes.cues import Cues
from workbench.analysis.causes.failed import Failed, Found, Seen
from workbench.analysis.causes.material import Material
from workbench.analysis.reading.following import SAMPLED, Loss
from workbench.analysis.reading.run_texts import Readings
from workbench.ocr.cleaning import normalise_word

N_SHOWN, LONGEST = 3, 40
"""Words that a sentence shows, and characters of each."""
UNTOLD_USE = "; whether it used that is not told without word effects or a run without OCR"


def _lost(cause: str, failed: Failed, material: Material, cues: Cues) -> Found:
    """Words were lost in this way."""
    mine = [[loss for loss in lost if loss.cause == cause] for lost in cues.losses]
    videos, sentence = failed.videos("video_id", failed.right_video), _SENTENCES[cause]
    reader = f"the OCR ({material.readings.engine})"

    def why(i: int) -> str:
        said = sentence(mine[i], reader, failed)
        return said + failed.where_said(i, [loss.cue for loss in mine[i][:N_SHOWN]])

    return Found(
        np.asarray([bool(lost) for lost in mine], bool),
        why,
        lambda i: places_of_lost(mine[i], videos[i], material.readings),
    )


def places_of_lost(lost: Sequence[Loss], video: str, readings: Readings) -> list[Seen]:
    """Lost words in the right video: as they were read, else as they are written, where that is known."""
    read = [Seen(video, normalise_word(loss.read)) for loss in lost if loss.read]
    written = [Seen(video, loss.cue, True) for loss in lost if not loss.read and video in readings.written]
    return read + written


def quoted_words(words: Sequence[str]) -> str:
    """The first words in quotes, and how many more there are."""
    shown = ", ".join(map(quoted, words[:N_SHOWN]))
    return shown if len(words) <= N_SHOWN else f"{shown} and {len(words) - N_SHOWN} more"


def quoted(word: str) -> str:
    """A word in quotes, cut where it is very long."""
    return f'"{word if len(word) <= LONGEST else word[: LONGEST - 1] + "…"}"'


def _missed(lost: Sequence[Loss], reader: str, failed: Failed) -> str:
    return f"{reader} read no word like {_words(lost)} in {failed.called.right}"


def _misread(lost: Sequence[Loss], reader: str, _: Failed) -> str:
    return f"{reader} read " + ", ".join(f"{quoted(loss.read)} for {quoted(loss.word)}" for loss in lost[:N_SHOWN])


def _filtered(lost: Sequence[Loss], reader: str, _: Failed) -> str:
    reasons = list(dict.fromkeys(loss.detail for loss in lost if loss.detail))
    said = f"{reader} read {_words(lost)}, but the model was not given it"
    return f"{said} ({'; '.join(reasons)})" if reasons else said


def _not_sampled(lost: Sequence[Loss], _: str, __: Failed) -> str:
    return ", ".join(f"{quoted(loss.word)} {loss.detail}" for loss in lost[:N_SHOWN])


def _ignored(lost: Sequence[Loss], _: str, failed: Failed) -> str:
    items = "videos" if failed.direction == "t2v" else "captions"
    shares = [
        f"{quoted(loss.word)} ({loss.n_share} of the {loss.n_above} wrong {items} above have it too"
        + (f"; {loss.detail})" if loss.detail else ")")
        for loss in lost[:N_SHOWN]
    ]
    return f"the model had {', '.join(shares)}" + ("" if any(loss.detail for loss in lost) else UNTOLD_USE)


def _words(lost: Sequence[Loss]) -> str:
    return quoted_words([loss.word for loss in lost])


_SENTENCES: dict[str, Callable[[Sequence[Loss], str, Failed], str]] = {
    "ocr_missed": _missed, "ocr_misread": _misread, "ocr_filtered": _filtered, SAMPLED: _not_sampled,
    "ocr_ignored": _ignored,
}  # fmt: skip
LOSSES = {cause: partial(_lost, cause) for cause in _SENTENCES}
"""The criteria of lost words by cause."""
