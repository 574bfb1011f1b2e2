"""Keep runs: rename, note, group, compare, hand on as one file, remove. A shared run is never changed."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from workbench.core.errors import DataError, ExistsError, StateError
from workbench.core.files import atomic, building, move_to_trash, write_json
from workbench.core.locks import lock
from workbench.core.workspace import check_name, workspace
from workbench.evaluation.runs.run import Run

LIMIT_BYTES = 64 * 2**30
UNTOLD = ("name", "created", "command", "writer")


def _own(run: Run) -> Run:
    if not workspace().is_own(run.path):
        raise StateError(
            f"Run {run.name} lies in {run.path.parent}, which is only read.",
            "Copy it with: runs pack and unpack",
        )
    if run.state == "running":
        raise StateError(f"Run {run.name} is running.", "Wait until it is finished.")
    return run


def rename(run: Run, new_name: str) -> Run:
    """Give a run another name; its folder moves.

    Raises:
        ExistsError: The new name is taken.
        StateError: The run is shared or running.
    """
    target = workspace().runs / check_name(new_name, "run")
    with lock(workspace().runs / f".{_own(run).name}.lock", f"Run {run.name}"):
        if target.exists():
            raise ExistsError(f"A run called {new_name!r} exists already.", "Choose another name.")
        write_json(run.path / "run.json", {**run.info, "name": new_name})
        run.path.rename(target)
    return Run(target)


def note(run: Run, text: str) -> Run:
    """Replace the note of a run."""
    with lock(workspace().runs / f".{_own(run).name}.lock", f"Run {run.name}"):
        write_json(run.path / "run.json", {**run.info, "notes": text})
    return Run(run.path)


def regroup(run: Run, group: str) -> Run:
    """Make a run one of a group of seeds; ``""`` takes it out of its group.

    Raises:
        DataError: A name that no run could have.
        StateError: The run is shared or running.
    """
    name = check_name(group, "group") if group else None
    with lock(workspace().runs / f".{_own(run).name}.lock", f"Run {run.name}"):
        write_json(run.path / "run.json", {**run.info, "group": name})
    return Run(run.path)


def remove(run: Run) -> Path:
    """Move a run to ``runs/.trash/``; returns where it lies now."""
    with lock(workspace().runs / f".{_own(run).name}.lock", f"Run {run.name}"):
        return move_to_trash(run.path, workspace().runs / ".trash")


def difference(a: Run, b: Run) -> pd.DataFrame:
    """Entries of ``run.json`` in which two runs differ: key, a, b; nested keys are joined by dots."""
    left, right = (_flat({key: value for key, value in run.info.items() if key not in UNTOLD}) for run in (a, b))
    rows = [(key, left.get(key), right.get(key)) for key in {**left, **right} if left.get(key) != right.get(key)]
    return pd.DataFrame(rows, columns=["key", a.name, b.name], dtype=object)


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    return {k: v for key, item in value.items() for k, v in _flat(item, f"{prefix}.{key}".strip(".")).items()}


def pack(run: Run, file: Path) -> Path:
    """Write a finished run into one zip file.

    Raises:
        ExistsError: The file exists.
        StateError: The run is not finished.
    """
    if run.state != "finished":
        raise StateError(f"Run {run.name} is {run.state}.", "Only finished runs can be packed.")
    if file.exists():
        raise ExistsError(f"{file} exists already.", "Choose another file name.")
    with (
        atomic(file) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for path in sorted(run.path.rglob("*")):
            if path.is_file():
                archive.write(path, PurePosixPath(run.name, *path.relative_to(run.path).parts))
    return file


def unpack(file: Path, name: str | None = None) -> Run:
    """Take a packed run into the workspace; names inside the archive cannot lead out of the run's folder.

    Raises:
        DataError: The file is not an archive made by ``pack``.
        ExistsError: A run of that name exists.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            roots = {PurePosixPath(info.filename).parts[0] for info in members}
            safe = all(".." not in PurePosixPath(i.filename).parts and not i.filename.startswith("/") for i in members)
            if len(roots) != 1 or not safe or f"{next(iter(roots))}/run.json" not in archive.namelist():
                raise DataError(f"{file} does not hold one run.", "Make it with: workbench runs pack NAME FILE")
            if sum(info.file_size for info in members) > LIMIT_BYTES:
                raise DataError(f"{file} would unpack to more than {LIMIT_BYTES // 2**30} GiB.", "Ask who packed it.")
            new_name = check_name(name or next(iter(roots)), "run")
            folder = workspace().runs / new_name
            with building(folder) as temporary:
                for info in members:
                    target = temporary.joinpath(*PurePosixPath(info.filename).parts[1:])
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(archive.read(info))
                run = Run(temporary)
                write_json(temporary / "run.json", {**run.info, "name": new_name})
    except (zipfile.BadZipFile, FileNotFoundError) as error:
        raise DataError(f"{file} is not a zip file.", "Make it with: workbench runs pack NAME FILE") from error
    return Run(folder)
