"""Options of a model as a frozen record: unknown names are told the nearest one, wrong kinds what they must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from workbench.core.errors import DataError
from workbench.core.lookup import nearest, pick

T = TypeVar("T")
KINDS: dict[type, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str,), "a text"),
    tuple: ((list, tuple), "a list"),
}
"""By the type of a field's default: what may be given, and its name."""


def check_names(given: Mapping[str, Any], known: set[str], model: str) -> None:
    """Refuse the first option that a model does not have.

    Raises:
        DataError: There is one; the sentence names the nearest that there is.
    """
    if wrong := sorted(set(given) - known):
        raise DataError(f"{model} has no option {wrong[0]!r}.", nearest(wrong[0], known) if known else "It takes none.")


def names_of(kind: type[Any]) -> set[str]:
    """The options that a record holds."""
    return {one.name for one in fields(kind)}


def record_of(kind: type[T], values: Mapping[str, Any], model: str) -> T:
    """A record of these values, and of its defaults where none is given; lists become tuples.

    Args:
        kind: A frozen dataclass all of whose fields have a default.
        values: By name.
        model: Who has these options, for the sentence.

    Raises:
        DataError: An unknown option, or a value of another kind than its default.
    """
    check_names(values, names_of(kind), model)
    for one in fields(kind):  # type: ignore[arg-type]  # a dataclass, which T cannot say
        if one.name in values:
            _check_kind(one.name, values[one.name], one.default)
    return kind(**{name: tuple(one) if isinstance(one, list) else one for name, one in values.items()})


def preset_of(presets: Mapping[str, T], preset: str | None) -> T:
    """The record of a preset; None = the first.

    Raises:
        UnknownNameError: There is no such preset.
    """
    return pick(presets, preset or next(iter(presets)), "preset")


def varied(base: T, values: Mapping[str, Any], model: str) -> T:
    """A record with some values changed; one that is None stays as it is, so that a recipe's can be taken back.

    Raises:
        DataError: As of ``record_of``.
    """
    given = {name: value for name, value in values.items() if value is not None}
    return record_of(type(base), {**asdict(base), **given}, model)  # type: ignore[call-overload]  # a dataclass


def check_counts(record: Any, *names: str) -> None:
    """Refuse a record in which a count is below 1.

    Raises:
        DataError: The first of ``names`` that is.
    """
    for name in names:
        if getattr(record, name) < 1:
            raise DataError(f"{name} is {getattr(record, name)}.", "It must be at least 1.")


def _check_kind(name: str, value: Any, default: Any) -> None:
    allowed, said = KINDS.get(type(default), ((object,), ""))
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed and object not in allowed):
        raise DataError(f"{name} is {value!r}.", f"Give {said}.")
