"""Progress of long work: a bar on a terminal, a line in a notebook's cell, lines in a log, a call-back for the app.

Code reports through ``track`` or ``meter`` and never knows who listens; the command line, the app and trainings choose
a sink. Where nobody does, as in tests and libraries, there is silence.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar

from workbench.core.files import write_json

T = TypeVar("T")
LINES_S = 30.0
"""Seconds between two lines in a log."""
UPDATE_S = 0.5
"""Seconds between two states of a notebook's line and of a job's file."""


@dataclass
class Work:
    """Work that is under way.

    Attributes:
        label: What it is.
        total: How many units there are; None = not known.
        unit: Of what it counts.
        done: Units that are done.
        note: In words, how it goes.
        first: Units that were done before it began here.
        began: When that was, on the clock of ``time.monotonic`` (s).
    """

    label: str
    total: float | None = None
    unit: str = "items"
    done: float = 0.0
    note: str = ""
    first: float = field(init=False)
    began: float = field(init=False, default_factory=lambda: time.monotonic())

    def __post_init__(self) -> None:
        self.first = self.done

    def advance(self, n: float = 1, note: str = "") -> None:
        """Count; a note stays until there is another one."""
        self.done += n
        self.note = note or self.note

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None where none is known."""
        made = self.done - self.first
        if self.total is None or made <= 0:
            return None
        return max(0.0, self.total - self.done) * (time.monotonic() - self.began) / made

    @property
    def sentence(self) -> str:
        """One line."""
        of = "" if self.total is None else f" of {self.total:,.0f}"
        ended = self.total is not None and self.done >= self.total
        left = None if ended else self.seconds_left
        parts = [f"{self.label}: {self.done:,.0f}{of} {self.unit}", *([self.note] if self.note else [])]
        return ", ".join(parts + ([] if left is None else [f"{spoken(left)} left"]))


def spoken(seconds: float) -> str:
    """A time in its two largest units, e.g. ``2 h 5 min``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Meter(Protocol):
    """What running work tells: that ``n`` more of its units are done, and how it goes."""

    def advance(self, n: float = 1, note: str = "") -> None: ...


class Sink(Protocol):
    """Who shows it."""

    def open(self, work: Work) -> AbstractContextManager[Meter]: ...


@dataclass
class _Telling:
    """A meter that says how work stands: at its begin, at its end, and in between not oftener than asked."""

    work: Work
    tell: Callable[[Work], None]
    every_s: float = 0.0
    told: float = field(init=False, default_factory=lambda: time.monotonic())

    def advance(self, n: float = 1, note: str = "") -> None:
        self.work.advance(n, note)
        if (now := time.monotonic()) - self.told >= self.every_s:
            self.told = now
            self.tell(self.work)


class CallbackSink:
    """Calls ``report(label, done, total, unit)`` after every step; for the app's bar."""

    def __init__(self, report: Callable[[str, float, float | None, str], None]) -> None:
        self.report = report

    @contextmanager
    def open(self, work: Work) -> Iterator[Meter]:
        def tell(work: Work) -> None:
            self.report(work.label, work.done, work.total, work.unit)

        tell(work)
        yield _Telling(work, tell)


class FileSink:
    """Keeps the state of the work in a JSON file, which others read while it runs: label, done, total, unit, note."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def open(self, work: Work) -> Iterator[Meter]:
        def tell(work: Work) -> None:
            names = ("label", "done", "total", "unit", "note")
            write_json(self.path, {name: getattr(work, name) for name in names})

        tell(work)
        try:
            yield _Telling(work, tell, UPDATE_S)
        finally:
            tell(work)


class LineSink:
    """A line on the error stream every so many seconds, for logs; none of what is done sooner."""

    def __init__(self, every_s: float = LINES_S) -> None:
        self.every_s = every_s

    @contextmanager
    def open(self, work: Work) -> Iterator[Meter]:
        said = ""

        def tell(work: Work) -> None:
            nonlocal said
            said = work.sentence
            sys.stderr.write(f"{said}\n")
            sys.stderr.flush()

        yield _Telling(work, tell, self.every_s)
        if said and said != work.sentence:
            tell(work)


class NotebookSink:
    """A line below a notebook's cell, which is written anew as the work goes on."""

    @contextmanager
    def open(self, work: Work) -> Iterator[Meter]:
        handle = import_module("IPython.display").display(_text(work), raw=True, display_id=True)
        try:
            yield _Telling(work, lambda work: handle.update(_text(work), raw=True), UPDATE_S)
        finally:
            handle.update(_text(work), raw=True)


def _text(work: Work) -> dict[str, str]:
    return {"text/plain": work.sentence}


class RichSink:
    """A bar with time left and note on the terminal's error stream; it vanishes when the work is done."""

    @contextmanager
    def open(self, work: Work) -> Iterator[Meter]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        of = "" if work.total is None else f" of {work.total:.0f}"
        counts = TextColumn(f"{{task.completed:.0f}}{of} {{task.fields[unit]}}")
        rest = Column(ratio=1, no_wrap=True, overflow="ellipsis")  # on a narrow terminal the note is cut, nothing else
        note = TextColumn("{task.fields[note]}", markup=False, table_column=rest)
        columns = ("{task.description}", BarColumn(12), counts, TimeRemainingColumn(), note)
        with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as bar:
            task = bar.add_task(work.label, total=work.total, completed=int(work.done), unit=work.unit, note=work.note)

            class _Bar:
                def advance(self, n: float = 1, note: str = "") -> None:
                    told: dict[str, Any] = {"note": note} if note else {}
                    bar.update(task, advance=n, **told)

            yield _Bar()


_sink: ContextVar[Sink | None] = ContextVar("progress_sink", default=None)


@contextmanager
def use_sink(sink: Sink) -> Iterator[None]:
    """Send the progress of everything inside the block to ``sink``."""
    token = _sink.set(sink)
    try:
        yield
    finally:
        _sink.reset(token)


def fitting_sink() -> Sink:
    """The sink for the place where this process writes: a notebook's cell, a terminal, or a log."""
    if _in_notebook():
        return NotebookSink()
    return RichSink() if sys.stderr.isatty() else LineSink()


def shown() -> AbstractContextManager[None]:
    """Inside, progress is shown in this process' place, unless somebody listens already."""
    return nullcontext() if _sink.get() else use_sink(fitting_sink())


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    shell: Any = import_module("IPython").get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


def meter(
    label: str, total: float | None = None, unit: str = "items", *, done: float = 0.0
) -> AbstractContextManager[Meter]:
    """A meter for work that counts itself: ``with meter("Reading", n_bytes, "bytes") as m: m.advance(k)``.

    Args:
        label: What is done.
        total: How many units there are; None = not known.
        unit: What is counted.
        done: Units that were done before.
    """
    work, sink = Work(label, total, unit, done), _sink.get()
    return nullcontext(work) if sink is None or total == 0 else sink.open(work)


def track(iterable: Iterable[T], label: str, total: float | None = None, unit: str = "items") -> Iterator[T]:
    """Pass the items through and count them; the total is taken from ``len`` where there is one."""
    if total is None and hasattr(iterable, "__len__"):
        total = len(iterable)  # type: ignore[arg-type]  # the line above asked for it
    with meter(label, total, unit) as m:
        for item in iterable:
            yield item
            m.advance()
