"""Progress of long work: rich bars on a terminal, a call-back for the app, silence in tests and libraries.

Code reports through ``track`` or ``meter`` and never knows who listens; the command line and the app choose a sink.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeVar

T = TypeVar("T")


class Meter(Protocol):
    """What running work tells: that ``n`` more of its units are done."""

    def advance(self, n: float = 1) -> None: ...


class Sink(Protocol):
    """Who shows it."""

    def open(self, label: str, total: float | None, unit: str) -> AbstractContextManager[Meter]: ...


class _Silent:
    def advance(self, n: float = 1) -> None:
        """Nothing is shown."""

    @contextmanager
    def open(self, label: str, total: float | None, unit: str) -> Iterator[Meter]:
        yield self


class CallbackSink:
    """Calls ``report(label, done, total, unit)`` after every step; for the app's bar and for job states."""

    def __init__(self, report: Callable[[str, float, float | None, str], None]) -> None:
        self.report = report

    @contextmanager
    def open(self, label: str, total: float | None, unit: str) -> Iterator[Meter]:
        report = self.report

        class _Meter:
            done = 0.0

            def advance(self, n: float = 1) -> None:
                self.done += n
                report(label, self.done, total, unit)

        report(label, 0.0, total, unit)
        yield _Meter()


class RichSink:
    """A bar with time left on the terminal's error stream; it vanishes when the work is done."""

    @contextmanager
    def open(self, label: str, total: float | None, unit: str) -> Iterator[Meter]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = ("{task.description}", BarColumn(), TextColumn("{task.completed:.0f} {task.fields[unit]}"))
        console = Console(stderr=True)
        with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
            task = bar.add_task(label, total=total, unit=unit)

            class _Meter:
                def advance(self, n: float = 1) -> None:
                    bar.advance(task, n)

            yield _Meter()


_SILENT = _Silent()
_sink: ContextVar[Sink | None] = ContextVar("progress_sink", default=None)


@contextmanager
def use_sink(sink: Sink) -> Iterator[None]:
    """Send the progress of everything inside the block to ``sink``."""
    token = _sink.set(sink)
    try:
        yield
    finally:
        _sink.reset(token)


def meter(label: str, total: float | None = None, unit: str = "items") -> AbstractContextManager[Meter]:
    """A meter for work that counts itself: ``with meter("Reading", n_bytes, "bytes") as m: m.advance(k)``."""
    return (_sink.get() or _SILENT).open(label, total, unit)


def track(iterable: Iterable[T], label: str, total: float | None = None, unit: str = "items") -> Iterator[T]:
    """Pass the items through and count them; the total is taken from ``len`` where there is one."""
    if total is None and hasattr(iterable, "__len__"):
        total = len(iterable)  # type: ignore[arg-type]  # the line above asked for it
    with meter(label, total, unit) as m:
        for item in iterable:
            yield item
            m.advance()
