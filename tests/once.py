"""What takes long to make is made once for all test processes."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Hashable
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that the first of all test processes makes and the others wait for; tests only read it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(f"{folder}.lock"):
        if not (folder / "made").exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            (folder / "made").touch()
    return folder


KEPT: dict[Hashable, Path] = {}


def kept(folder: Path, key: Hashable, make: Callable[[], object]) -> None:
    """Make a folder, or copy what this process made under this key before; one that is there is left to ``make``."""
    if key in KEPT and not folder.exists():
        shutil.copytree(KEPT[key], folder, copy_function=shutil.copyfile)
        return
    make()
    KEPT[key] = _store() / str(len(KEPT))
    shutil.copytree(folder, KEPT[key])


@cache
def _store() -> Path:
    folder = tempfile.mkdtemp(prefix="workbench-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def digest(folder: Path) -> str:
    """Of the names and bytes of all files in a folder."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(folder)} {path.stat().st_size} ".encode() + path.read_bytes())
    return found.hexdigest()
