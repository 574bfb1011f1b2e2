"""Look a name up in a closed list, and name the nearest ones when it is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

from workbench.core.errors import UnknownNameError

T = TypeVar("T")


def nearest(name: str, known: Iterable[str]) -> str:
    """A half-sentence that helps after a wrong name: the nearest names, or all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"Known: {', '.join(known)}." if known else "There is none yet."


def pick(table: Mapping[str, T], name: str, kind: str) -> T:
    """The entry of that name.

    Raises:
        UnknownNameError: No entry is called so; the sentence names the nearest ones.
    """
    if name in table:
        return table[name]
    raise UnknownNameError(f"No {kind} is called {name!r}.", nearest(name, table))
