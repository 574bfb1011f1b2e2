"""Kinds of a recipe's values: what each may be, in words, and other ways to say the same."""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

KINDS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "tuple[str, ...]": (list, tuple),
    "int | None": (int, type(None)),
    "float | None": (int, float, type(None)),
    "str | float": (str, int, float),
    "bool | str": (bool, str),
    "str | None": (str, type(None)),
    "Mapping[str, Any]": (Mapping,),
    "Mapping[str, Any] | None": (Mapping, type(None)),
}
NAMED = {
    "bool": "yes or no (true, false)",
    "bool | str": "yes, no (true, false) or auto",
    "tuple[str, ...]": "list of names",
    "int | None": "int or null",
    "float | None": "float or null",
    "str | None": "str or null",
    "Mapping[str, Any]": "mapping of names to values",
    "Mapping[str, Any] | None": "mapping of names to values, or null",
}


def plain(value: Any) -> Any:
    """As JSON holds it: numpy's numbers and paths as Python's own, tuples as lists; mappings as dicts."""
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else str(value) if isinstance(value, Path) else value


def of_kind(value: Any, kind: str) -> Any:
    """A plain value as a field of that kind takes it: one name as a list of one, lists as tuples."""
    value = plain(value)
    if kind == "tuple[str, ...]" and isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def fits(value: Any, kind: str) -> bool:
    """Whether a value is of a field's kind; yes and no are no numbers, and lists and mappings go by names alone."""
    if isinstance(value, bool) and "bool" not in kind:
        return False
    names = not isinstance(value, list | tuple | Mapping) or all(isinstance(one, str) for one in value)
    return names and isinstance(value, KINDS[kind])


def in_words(kind: str) -> str:
    """What a value of a kind must be, after "It must be"."""
    said = NAMED.get(kind, kind.replace("|", "or"))
    return f"{'an' if said.startswith('int') else 'a'} {said}"


def frozen(value: Any) -> Any:
    """Mappings, and those in them, that cannot be changed; lists in them become tuples."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: frozen(one) for key, one in value.items()})
    return tuple(frozen(one) for one in value) if isinstance(value, list | tuple) else value


def _pickled(value: MappingProxyType[str, Any]) -> tuple[Any, ...]:
    return frozen, (dict(value),)


copyreg.pickle(MappingProxyType, _pickled)  # so that recipes can be copied and sent to other processes
