"""Numbers in sentences: with their nouns, and what stands for one that is not finite."""

from __future__ import annotations

from math import isfinite


def counted(n: int, one: str, many: str = "") -> str:
    """A number with its noun: ``1 caption``, ``2,000 captions``.

    Args:
        n: How many.
        one: The noun for one, with what follows it where that changes too: ``query fails``.
        many: For any other number; "" = the noun's plural by rule.
    """
    several = many or (f"{one[:-1]}ies" if one.endswith("y") else f"{one}s")
    return f"{n:,} {one if n == 1 else several}"


def number(value: float, form: str, none: str = "not defined") -> str:
    """A number as ``format`` writes it; ``none`` where it is nan or infinite."""
    return format(value, form) if isfinite(value) else none


def spread(low: float, high: float, form: str) -> str:
    """The ends of an interval, ``1.0 to 2.5``; "no interval" where one is not finite."""
    return f"{low:{form}} to {high:{form}}" if isfinite(low) and isfinite(high) else "no interval"
