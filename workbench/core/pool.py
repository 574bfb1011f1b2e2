"""One task per file over processes: results as they come, errors beside their item, a crash of native code named."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import ForkServerContext, ForkServerProcess
from types import ModuleType
from typing import Any, TypeVar

from workbench.core.errors import StateError, WorkbenchError
from workbench.core.progress import meter

Item = TypeVar("Item")
Result = TypeVar("Result")


def default_workers() -> int:
    """Cores that this process may use; those of a machine are shared among as many as a launcher started there."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


def over(
    items: Iterable[Item],
    function: Callable[[Item], Result],
    *,
    label: str,
    unit: str = "files",
    workers: int | None = None,
    setup: Callable[..., None] | None = None,
    setup_args: tuple[Any, ...] = (),
) -> Iterator[tuple[Item, Result | WorkbenchError]]:
    """Call ``function`` for every item, in this process (one worker) or in a pool, and yield as results come.

    Args:
        items: What to work on; picklable.
        function: Importable from its module; raises ``WorkbenchError`` for what is wrong with the item.
        label: For the progress bar.
        unit: Unit of the bar.
        workers: Processes; None = the cores of this process, 1 = no further process.
        setup: Called once in every process before its first item.
        setup_args: Its arguments.

    Yields:
        The item, and its result or its error. An item that kills its process yields a StateError.
    """
    todo = list(items)
    workers = min(workers or default_workers(), max(1, len(todo)))
    with meter(label, len(todo), unit) as bar:
        pairs = _here(todo, function, setup, setup_args) if workers == 1 else None
        for pair in pairs or _pooled(todo, function, workers, setup, setup_args):
            bar.advance()
            yield pair


def _attempt(function: Callable[[Item], Result], item: Item) -> Result | WorkbenchError:
    try:
        return function(item)
    except WorkbenchError as error:
        return error


def _here(todo: list[Any], function: Any, setup: Any, setup_args: tuple[Any, ...]) -> Iterator[tuple[Any, Any]]:
    if setup is not None:
        setup(*setup_args)
    for item in todo:
        yield item, _attempt(function, item)


def _pooled(
    todo: list[Any], function: Any, workers: int, setup: Any, setup_args: tuple[Any, ...]
) -> Iterator[tuple[Any, Any]]:
    """Never more tasks in flight than processes, so that after a crash only those few are suspects."""
    waiting = list(reversed(todo))
    while waiting:
        flying: dict[Future[Any], Any] = {}
        with _executor(workers, function, setup, setup_args) as pool:
            while waiting or flying:
                try:
                    while waiting and len(flying) < workers:
                        flying[pool.submit(_attempt, function, waiting[-1])] = waiting[-1]
                        waiting.pop()  # only now: a pool that has just broken takes nothing
                    done, _ = wait(flying, return_when=FIRST_COMPLETED)
                    for future in done:
                        result = future.result()
                        yield flying.pop(future), result
                except BrokenProcessPool:
                    break
        for item in flying.values():
            yield item, _alone(function, item, setup, setup_args)


def _alone(function: Any, item: Any, setup: Any, setup_args: tuple[Any, ...]) -> Any:
    with _executor(1, function, setup, setup_args) as pool:
        try:
            return pool.submit(_attempt, function, item).result()
        except BrokenProcessPool:
            return StateError("The process that worked on it crashed.", "Replace the file, or leave it out.")


def _executor(workers: int, function: Any, setup: Any, setup_args: tuple[Any, ...]) -> ProcessPoolExecutor:
    """Processes forked from a server that has imported what they need: seconds of imports are paid once."""
    context = _Context()
    context.set_forkserver_preload([function.__module__])  # counts for the first pool of a process only
    given = (dict(os.environ), os.getcwd(), setup, setup_args)
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=given)
    # All processes start with the first task. Added one by one they may come while the executor's thread counts
    # them after a crash, and that thread dies of it (Python 3.11: "dictionary changed size during iteration").
    executor._safe_to_dynamically_spawn_children = False  # type: ignore[attr-defined]
    return executor


def _begin(environment: dict[str, str], folder: str, setup: Any, setup_args: tuple[Any, ...]) -> None:
    """Give a process what the server was started without: the caller's variables and folder of this moment."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    if setup is not None:
        setup(*setup_args)


class _Process(ForkServerProcess):
    """A process that does not run the caller's script again, so that pages and scripts without a guard may start it."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        script = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            return ForkServerProcess._Popen(process_obj)  # type: ignore[attr-defined]  # not in the stubs
        finally:
            sys.modules["__main__"] = script


class _Context(ForkServerContext):
    Process = _Process
