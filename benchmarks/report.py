"""What a benchmark reports: its part of RESULTS.md and the floors it missed; and how a part is put in its place."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

HEAD = """# Results

Each part is written by the command it names; `make bench` runs all. Ratios are worth more than times; every ratio is of
one run. Load is the mean number of processes that ran or waited, before and after: where it is high, times are longer
than they need be.
"""
PART = re.compile(r"<!-- (\w+) -->\n(.*?)(?=<!-- \w+ -->\n|\Z)", re.S)


class NoDataError(Exception):
    """The benchmark needs the folder of real data, and none was given."""


@dataclass
class Report:
    """What one benchmark found.

    Attributes:
        real: The folder of real data (``videos/clips.jsonl`` below it), or None.
        lines: Markdown; the first line is the heading.
        missed: Floors that were missed, as sentences.
    """

    real: Path | None = None
    lines: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        """The folder of real data.

        Raises:
            NoDataError: None was given.
        """
        if self.real is None:
            raise NoDataError("It needs real videos: --data FOLDER, or WORKBENCH_REAL_DATA.")
        return self.real

    def say(self, *lines: str) -> None:
        """Add lines."""
        self.lines += lines

    def header(self, *columns: str) -> None:
        """Begin a table."""
        self.say("", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|")

    def row(self, *cells: object) -> None:
        """Add a row to the table, and print it, as the next may take minutes."""
        self.say(f"| {' | '.join(map(str, cells))} |")
        print(self.lines[-1], flush=True)

    def floor(self, sentence: str, holds: bool) -> None:
        """Remember a floor that is missed; every floor is stated."""
        self.say("", f"Floor: {sentence}." if holds else f"**Floor missed: {sentence}.**")
        if not holds:
            self.missed.append(sentence)


def load() -> float:
    """Processes that run or wait, mean of the last minute; nan where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def circumstances(name: str, before: float) -> str:
    """The command, the machine and the load."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"`python -m benchmarks {name}`, {date.today()}, Python {platform.python_version()}, {platform.machine()}, "
        f"{usable} of {os.cpu_count()} cores, load {before:.1f} before and {load():.1f} after."
    )


def put(file: Path, name: str, lines: Sequence[str], order: Sequence[str]) -> None:
    """Write one part of RESULTS.md; the others stay, those of ``order`` first and in its order."""
    parts = dict(PART.findall(file.read_text("utf8"))) if file.exists() else {}
    parts[name] = "\n".join(lines)
    shown = [f"<!-- {part} -->\n{parts[part].strip()}\n" for part in dict.fromkeys([*order, *parts]) if part in parts]
    text = "\n".join([HEAD, *shown])
    temporary = file.with_suffix(".tmp")
    temporary.write_text(text, "utf8")
    temporary.replace(file)
