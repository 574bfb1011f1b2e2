"""What an audit says: one finding per check, with its severity, one sentence, the rows concerned and the fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.lookup import pick

SEVERITIES = ("wrong", "warning", "note", "ok")
"""Worst first: numbers that cannot be used; numbers that need a word beside them; facts to know; nothing found."""
MOST_ROWS = 20
COLUMNS = ["about", "severity", "check", "sentence", "n_rows", "rows", "fix", "numbers"]


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        check: What was looked at, e.g. ``duplicate captions``.
        severity: One of ``SEVERITIES``.
        sentence: What was found.
        rows: Ids of captions, videos or runs concerned, at most ``MOST_ROWS``.
        n_rows: How many are concerned in all.
        fix: What to do; empty where nothing is to be done.
        numbers: The evidence by name.
    """

    check: str
    severity: str
    sentence: str
    rows: tuple[str, ...] = ()
    n_rows: int = 0
    fix: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)


def finding(
    check: str,
    severity: str,
    sentence: str,
    *,
    rows: Sequence[Any] | np.ndarray = (),
    fix: str = "",
    numbers: Mapping[str, Any] | None = None,
) -> Finding:
    """A finding; of many rows the first ``MOST_ROWS`` are kept."""
    pick(dict.fromkeys(SEVERITIES), severity, "severity")
    return Finding(check, severity, sentence, tuple(map(str, rows[:MOST_ROWS])), len(rows), fix, numbers or {})


class Findings:
    """Everything that an audit found.

    Attributes:
        table: One row per check, worst first: about, severity, check, sentence, n_rows, rows, fix, numbers.
    """

    def __init__(self, parts: Iterable[tuple[str, Finding]]) -> None:
        rows = [
            {"about": about, **{name: getattr(one, name) for name in COLUMNS[1:]}, "rows": list(one.rows),
             "numbers": dict(one.numbers)}
            for about, one in parts
        ]  # fmt: skip
        rows.sort(key=lambda row: SEVERITIES.index(str(row["severity"])))
        self.table = pd.DataFrame(rows, columns=COLUMNS)

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.count(name)} {name}" for name in SEVERITIES)
        lines = [f"  {row.severity}: {row.check}: {row.sentence}" for row in self if row.severity != "ok"]
        return "\n".join([f"Findings({counts})", *lines])

    def __iter__(self) -> Iterator[Any]:
        """Rows of the table as named tuples."""
        return iter(self.table.itertuples(index=False))

    def __len__(self) -> int:
        return len(self.table)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; warnings and notes may be there."""
        return self.count("wrong") == 0

    def count(self, severity: str) -> int:
        """How many checks ended so."""
        pick(dict.fromkeys(SEVERITIES), severity, "severity")
        return int((self.table["severity"] == severity).sum())

    def of(self, check: str) -> Any:
        """The worst finding of a check, as a named tuple.

        Raises:
            UnknownNameError: The check was not made.
        """
        rows = {row.check: row for row in reversed(list(self))}
        return pick(rows, check, "check")
