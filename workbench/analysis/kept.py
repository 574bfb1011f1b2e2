"""What was worked out of a run, kept while the run is open: the next question to it is answered sooner."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from workbench.evaluation.runs.run import Run

MOST_RUNS = 4
"""Runs of which something is kept; of those asked for longest ago everything is forgotten."""
Result = TypeVar("Result")
_KEPT: WeakKeyDictionary[Run, dict[Hashable, tuple[Hashable, Any]]] = WeakKeyDictionary()
_LOCK = Lock()


def kept(run: Run, name: Hashable, make: Callable[[], Result], stamp: Hashable = None) -> Result:
    """A result of an open run, made once.

    Args:
        run: The run; it is gone with it.
        name: Of the result.
        make: Makes it; what it gives must not hold the run itself, which would never be let go.
        stamp: It is made again when this has changed.
    """
    with _LOCK:
        own = _KEPT.pop(run, {})
        _KEPT[run] = own  # the newest comes last
        for other in list(_KEPT)[:-MOST_RUNS]:
            del _KEPT[other]
        found = own.get(name)
    if found is None or found[0] != stamp:
        found = own[name] = (stamp, make())
    result: Result = found[1]
    return result
