"""One writer per output name: a lock file that names the process holding it."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from workbench.core.errors import BusyError


def holder(path: Path) -> dict | None:
    """Who wrote the lock file last: ``{"pid", "host", "since", "what"}``, or None when it says nothing readable."""
    try:
        return json.loads(_note(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".holder")


@contextmanager
def lock(path: Path, what: str, patience: float = 0.0) -> Iterator[None]:
    """Hold ``path`` as a lock while the block runs; a lock left by a dead process is free.

    Args:
        path: The lock file; the operating system frees it when its process ends.
        what: What is being written, for the sentence of the one who comes second.
        patience: Seconds to wait for the one who holds it.

    Raises:
        BusyError: A living process holds it; the sentence names process, host and since when.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    guard = filelock.FileLock(path)
    try:
        guard.acquire(timeout=patience)
    except filelock.Timeout as error:
        who = holder(path) or {}
        place = f"process {who.get('pid', '?')} on {who.get('host', '?')}, since {who.get('since', '?')}"
        raise BusyError(
            f"{what} is being written by {place}.", "Wait for it to end, or choose another name."
        ) from error
    try:
        who = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": time.strftime("%H:%M:%S"),
            "what": what,
        }
        _note(path).write_text(json.dumps(who), encoding="utf-8")
        yield
    finally:
        _note(path).unlink(missing_ok=True)
        guard.release()
