"""Look a name up in a closed list, and name the nearest ones when it is not there."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from workbench.core.errors import UnknownNameError

T = TypeVar("T")
NONE = "There is none yet."
FIRST = {
    "run": "There is none yet: bring one (workbench import FILE --corpus NAME), or make the demo's (workbench demo).",
    "corpus": "There is none yet: make one (workbench data prepare --help), or the demo's (workbench demo).",
}
"""What to do where nothing of a kind is there."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A half-sentence that helps after a wrong name: the nearest names, or all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"Known: {', '.join(known)}." if known else NONE


def pick(table: Mapping[str, T], name: str, kind: str) -> T:
    """The entry of that name.

    Raises:
        UnknownNameError: No entry is called so; the sentence names the nearest ones.
    """
    if name in table:
        return table[name]
    raise UnknownNameError(f"No {kind} is called {name!r}.", nearest(name, table) if table else FIRST.get(kind, NONE))


WRITE = {"model": "package.module:builder", "format": "package.module:function"}


def imported(spec: str, kind: str) -> Any:
    """What ``package.module:name`` stands for; a package that is not installed is looked for in the current folder.

    Args:
        spec: The words.
        kind: What it shall be, a name of ``WRITE``.

    Raises:
        UnknownNameError: No such module, or nothing of that name in it.
    """
    module, _, name = spec.partition(":")
    try:
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            sys.path.append(os.getcwd())
        return getattr(importlib.import_module(module), name)
    except (ModuleNotFoundError, AttributeError, ValueError) as error:
        raise UnknownNameError(f"The {kind} {spec!r} cannot be imported: {error}.", f"Write {WRITE[kind]}.") from error
