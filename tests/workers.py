"""What the tests of the process pool run in other processes; importable by name, so that a spawned process finds it."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.core.errors import DataError

_started = 0


def begin(value: int) -> None:
    """The set-up of a process."""
    global _started  # noqa: PLW0603  # a process' own state is what is tested
    _started = value


def work(item: int) -> int:
    """Its square plus what the set-up left; multiples of 5 are refused."""
    if item % 5 == 0:
        raise DataError(f"{item} is a multiple of 5.", "Leave it out.")
    return item * item + _started


def die(item: int) -> int:
    """Multiples of 4 kill the process without a word, as native code does."""
    if item % 4 == 0:
        os._exit(11)
    return item


def die_once(path: Path) -> str:
    """Kills the process when it sees a file for the first time."""
    if not path.exists():
        path.touch()
        os._exit(11)
    return path.name


def stumble(item: int) -> int:
    """An error that is no user's."""
    return 1 // item
