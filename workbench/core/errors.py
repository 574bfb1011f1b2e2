"""Every error that a user can meet, in one tree.

WorkbenchError            one sentence and one remedy; commands end with exit code 2, pages show a red box
├── UnknownNameError      a name that nothing has (says the nearest ones)
├── MissingExtraError     a package that is not installed (says how to install it)
├── DataError             a file, table or array that breaks its contract (names file, row, column)
│   ├── FormatVersionError   written by a newer workbench
│   └── OrderError           a similarity matrix that contradicts the captions of its corpus
├── StateError            something that must exist first (says the command that makes it)
├── ExistsError           an output that is already there (says --overwrite)
└── BusyError             an output that another living process is writing
"""

from __future__ import annotations


class WorkbenchError(Exception):
    """One sentence that says what is wrong, and one that says what to do.

    Args:
        message: What is wrong: file, place, value and rule.
        remedy: What the user can do now; empty only when the message says it already.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class UnknownNameError(WorkbenchError, KeyError):
    """A name that is not in a closed list."""

    __str__ = WorkbenchError.__str__


class MissingExtraError(WorkbenchError, ImportError):
    """An optional package that is not installed."""


class DataError(WorkbenchError, ValueError):
    """A file, table or array that breaks its contract."""


class FormatVersionError(DataError):
    """A folder that a newer workbench wrote."""


class OrderError(DataError):
    """A similarity matrix whose rows or columns do not follow the captions of the corpus."""


class StateError(WorkbenchError):
    """Something that must exist before this can be done."""


class ExistsError(WorkbenchError, FileExistsError):
    """An output of that name exists; nothing was changed."""


class BusyError(WorkbenchError):
    """Another living process writes the same output."""
