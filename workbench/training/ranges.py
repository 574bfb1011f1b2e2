"""Numbers of a recipe: finite, and each in its range."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from workbench.core.errors import DataError

Rule = tuple[Callable[[float], bool], str]
ABOVE_0: Rule = (lambda value: value > 0, "greater than 0")
FROM_0: Rule = (lambda value: value >= 0, "0 or more")
BETWEEN: Rule = (lambda value: 0 < value < 1, "between 0 and 1")
ANY: Rule = (lambda value: True, "a number")
RULES: dict[str, Rule] = {
    **dict.fromkeys(("steps", "eval_every", "threads", "micro_batch", "frame_choices"), ABOVE_0),
    **dict.fromkeys(("learning_rate", "temperature", "least_temperature", "margin", "clip", "epsilon"), ABOVE_0),
    **dict.fromkeys(("keep_last", "patience"), ABOVE_0),
    **dict.fromkeys(("warmup", "weight_decay", "auxiliary", "frames_in_memory"), FROM_0),
    **dict.fromkeys(("beta2", "ema"), BETWEEN),
    "batch_videos": (lambda value: value >= 2, "2 or more: a caption needs a wrong video beside its right one"),
    "sigmoid_bias": ANY,
    "seed": (lambda value: -(2**63) <= value < 2**63, "a whole number of 64 bits"),
}
"""By key, what holds for its number, and in words."""


def check_numbers(values: Mapping[str, Any]) -> None:
    """Refuse the first number that is not finite or outside of its range; words and null are no numbers.

    Args:
        values: Of a recipe by key.

    Raises:
        DataError: There is one.
    """
    for key, (holds, said) in RULES.items():
        if _is_number(value := values[key]) and not (_is_finite(value) and holds(value)):
            raise DataError(f"Recipe: {key} is {value!r}.", f"It must be finite and {said}.")
    for name, factor in values["rates"].items():
        if not (_is_number(factor) and _is_finite(factor) and factor >= 0):
            raise DataError(f"Recipe: rates has {name}: {factor!r}.", "Give a factor of at least 0.")
    if values["warmup"] and values["warmup"] >= values["steps"]:
        raise DataError(
            f"Recipe: warmup takes {values['warmup']} of {values['steps']} steps.", "Set it lower, e.g. warmup=0."
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: float) -> bool:
    return abs(value) <= sys.float_info.max  # a whole number may be too large for math.isfinite
