"""Folders of small files that are listed: one damaged file is left out and told, and ends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from workbench.core.errors import DataError

Item = TypeVar("Item")
Found = TypeVar("Found")


class Readable(NamedTuple, Generic[Found]):
    """What a folder holds.

    Attributes:
        found: What could be read.
        damaged: Why each of the others could not, with its name and what to do.
    """

    found: list[Found]
    damaged: list[DataError]


def readable(items: Iterable[Item], read: Callable[[Item], Found]) -> Readable[Found]:
    """Read each of several things.

    Args:
        items: Paths, or names.
        read: Reads one; raises DataError where it is damaged.
    """
    result: Readable[Found] = Readable([], [])
    for one in items:
        try:
            result.found.append(read(one))
        except DataError as error:
            result.damaged.append(error)
    return result
