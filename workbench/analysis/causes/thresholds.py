"""The numbers that decide when a cause holds: one list, with default, unit, range and what each means."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

from workbench.analysis.structure.hubness import HUB_SD, HUB_SIZE
from workbench.core.errors import DataError
from workbench.core.lookup import pick


@dataclass(frozen=True)
class Threshold:
    """One number.

    Attributes:
        name: The keyword of ``failures``.
        default: Its value where none is given.
        unit: ``share`` (of 1), ``correlation``, ``times``, ``sd``, ``words``, ``sub-words``, ``queries``, ``seconds``,
            ``runs``.
        sentence: What it decides.
        low: Smallest value.
        high: Greatest value; inf = no limit.
        causes: The causes that it belongs to.
        above: Whether ``low`` itself is refused.
    """

    name: str
    default: float
    unit: str
    sentence: str
    low: float
    high: float
    causes: tuple[str, ...]
    above: bool = False

    @property
    def range(self) -> str:
        """Its range in words."""
        start = f"above {self.low:g}" if self.above else f"of {self.low:g} or more"
        if math.isinf(self.high):
            return start
        return f"{start} and up to {self.high:g}" if self.above else f"from {self.low:g} to {self.high:g}"

    def check(self, value: float) -> None:
        """Raise where a value is no number or out of the range.

        Raises:
            DataError: It is.
        """
        number = isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)
        if not number or value < self.low or value > self.high or (self.above and value == self.low):
            raise DataError(f"{self.name} is {value}.", f"Give a number {self.range}.")


def _number(default: float, unit: str, sentence: str, causes: str, high: float = math.inf, low: float = 0.0,
            above: bool = False) -> Any:  # fmt: skip
    told = {
        "unit": unit, "sentence": sentence, "low": low, "high": high, "causes": tuple(causes.split()), "above": above,
    }  # fmt: skip
    return field(default=default, metadata=told)


def _share(default: float, sentence: str, causes: str, unit: str = "share") -> Any:
    return _number(default, unit, sentence, causes, high=1.0, above=True)


@dataclass(frozen=True)
class Thresholds:
    """All thresholds of ``failures``; ``THRESHOLDS`` lists what each means.

    Raises:
        DataError: A value is out of its range.
    """

    near_duplicate: float = _share(
        0.95, "Two videos are near duplicates when their scores for all queries correlate at least so much.",
        "near_duplicate_video", "correlation",
    )  # fmt: skip
    fits: float = _share(
        0.9, "The top-1 fits a caption when its own captions say at least so much of it (words weighted by rarity).",
        "false_negative underspecified",
    )  # fmt: skip
    models_agree: float = _number(
        2, "runs", "Or when at least so many other models prefer it and more of the caption was read in it.",
        "false_negative", low=1,
    )  # fmt: skip
    vague: float = _share(
        0.05, "A caption is underspecified when it says less than all but this share of the captions.",
        "underspecified",
    )  # fmt: skip
    vague_back: float = _share(
        0.5, "The same for a caption that opens by pointing back (he, they, the man) and quotes no text.",
        "underspecified",
    )  # fmt: skip
    flat: float = _share(
        0.05, "The same where its scores are flatter than those of all but this share, in the run and every given one.",
        "underspecified",
    )  # fmt: skip
    flat_temperature: float = _number(
        0.25, "sd", "Temperature of the softmax whose entropy is the flatness, in the spread of a caption's scores.",
        "underspecified", above=True,
    )  # fmt: skip
    suspect: float = _share(
        0.5, "A label is suspect when the right item stands behind this share of the items in every run.",
        "label_suspect",
    )  # fmt: skip
    near: float = _share(
        0.67, "A read word is a misreading of a caption's word when they are at least so similar.",
        "ocr_missed ocr_misread",
    )  # fmt: skip
    sampled_within: float = _number(
        0.5, "seconds", "A text was sampled when a sampled frame lies no further from where it was read.",
        "ocr_not_sampled",
    )  # fmt: skip
    shared: float = _share(
        0.5, "A word that the model had was ignored when a smaller share of the wrong items above has it too.",
        "ocr_ignored",
    )  # fmt: skip
    flood_words: float = _number(
        100, "words", "There is too much text when the model had more words of the video than this ...",
        "ocr_flood", low=1,
    )  # fmt: skip
    flood_share: float = _share(0.02, "... or when a smaller share of them stands in the caption.", "ocr_flood")
    hub_sd: float = _number(
        HUB_SD, "sd",
        "A hub stands among the first 10 of more queries than the mean and so many standard deviations ...", "hub",
    )  # fmt: skip
    hub_share: float = _number(HUB_SIZE, "times", "... or of so many times the mean, or more.", "hub")
    coin_flip: float = _number(
        1.0, "sd", "A margin is a coin flip when it is smaller than so many standard deviations between seeds.",
        "coin_flip",
    )  # fmt: skip
    alike: float = _share(
        0.6, "The top-1 differs in a detail when a caption of it says at least so much of this one.",
        "fine_grained temporal negation_counting",
    )  # fmt: skip
    order_noise: float = _number(
        0.1, "share", "The order of frames is ignored when shuffling them moves the rank by no more than this share.",
        "temporal", high=1.0,
    )  # fmt: skip
    caption_words: float = _number(
        0, "words", "Words of a caption that the model reads; 0 = as many as the run states.",
        "truncated",
    )  # fmt: skip
    rare_words: float = _share(
        0.5, "A caption hangs on rare words when training has so large a share of its words never or once.",
        "rare_words",
    )  # fmt: skip
    subwords: float = _number(
        3, "sub-words", "Or when its words are made of so many pieces on average that training words share.",
        "rare_words", low=1,
    )  # fmt: skip
    foreign: float = _share(
        0.5, "A caption whose language is not stated is not English when more of its letters are not Latin.",
        "non_english",
    )  # fmt: skip

    def __post_init__(self) -> None:
        for name, threshold in THRESHOLDS.items():
            threshold.check(getattr(self, name))

    @property
    def changed(self) -> dict[str, float]:
        """Those that are not at their default."""
        return {name: getattr(self, name) for name, one in THRESHOLDS.items() if getattr(self, name) != one.default}


THRESHOLDS: dict[str, Threshold] = {
    one.name: Threshold(one.name, float(one.default), **one.metadata)  # type: ignore[arg-type]  # always has one
    for one in dataclasses.fields(Thresholds)
}


def thresholds_of(values: dict[str, float]) -> Thresholds:
    """The thresholds with some changed.

    Raises:
        UnknownNameError: No threshold is called so; the sentence names the nearest ones.
        DataError: A value is out of its range.
    """
    for name in values:
        pick(THRESHOLDS, name, "threshold")
    return Thresholds(**values)
