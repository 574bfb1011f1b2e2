"""Long work as a detached sub-process of the command line that outlives the page or notebook that started it.

A job is a folder ``jobs/<name>/`` with ``job.json`` (command, pid, start), ``log.txt`` and, while it reports,
``progress.json``; everybody else only reads it.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from workbench.core.errors import DataError, StateError
from workbench.core.files import read_json, write_json
from workbench.core.listing import Readable, readable
from workbench.core.locks import lock
from workbench.core.lookup import nearest
from workbench.core.workspace import check_name, workspace

LONGEST = 64
"""Characters of a name, as of ``workspace.check_name``."""


@dataclass(frozen=True)
class Job:
    """One job, read from its folder."""

    name: str
    pid: int
    folder: Path

    def _process(self) -> psutil.Process | None:
        info = _described(self.folder)
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - info["started"]) < 5
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    @property
    def state(self) -> str:
        """``running``, ``finished``, ``failed`` or ``stopped``."""
        if self._process() is not None:
            return "running"
        if (self.folder / "stopped").exists():
            return "stopped"
        code = self.folder / "exit_code"
        return "finished" if code.is_file() and code.read_text().strip() == "0" else "failed"

    @property
    def progress(self) -> dict | None:
        """``{"label", "done", "total", "unit"}`` as last reported, or None; also where that cannot be read."""
        path = self.folder / "progress.json"
        try:
            found = read_json(path, f"progress of job {self.name}") if path.exists() else None
        except DataError:
            return None
        return found if isinstance(found, dict) and {"label", "done", "total", "unit"} <= found.keys() else None

    def tail(self, lines: int = 20) -> str:
        """The last lines of its log."""
        path = self.folder / "log.txt"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def stop(self, timeout: float = 10.0) -> None:
        """End its process group, and nothing else; kills what still runs after ``timeout`` seconds."""
        process = self._process()
        if process is None:
            return
        (self.folder / "stopped").touch()
        os.killpg(self.pid, signal.SIGTERM)
        try:
            process.wait(timeout)
        except psutil.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)


_RUNNER = """
import pathlib, subprocess, sys
folder = pathlib.Path(sys.argv[1])
with open(folder / "log.txt", "ab") as log:
    code = subprocess.run(sys.argv[2:], stdout=log, stderr=log, stdin=subprocess.DEVNULL).returncode
(folder / "exit_code").write_text(str(code))
"""

# A process between the two, which ends at once: the job then belongs to nobody here and leaves no zombie.
_LAUNCHER = """
import os, subprocess, sys
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(subprocess.Popen(sys.argv[1:], start_new_session=True, **quiet).pid, flush=True)
os._exit(0)
"""


OF_ONE_OF_SEVERAL = re.compile(r"(LOCAL_|GROUP_|ROLE_)?(RANK|WORLD_SIZE)|ROLE_NAME|MASTER_(ADDR|PORT)|TORCHELASTIC_.*")
"""What a launcher tells one of several processes that it starts; a job is none of them."""


def name_for(kind: str, of: str) -> str:
    """The name of a job, one per kind and thing that it is about; a long one ends in a short hash."""
    name = f"{kind}-{of}"
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}-{hashlib.sha256(of.encode()).hexdigest()[:8]}"


def start(argv: list[str], log: Path | None = None, *, name: str | None = None) -> Job:
    """Start ``workbench ARGV...`` detached; a second start of a running job attaches to the first.

    Args:
        argv: The words after ``workbench``, e.g. ``["data", "check", "textvr"]``.
        log: A file that becomes a link to the job's log; None = only ``jobs/<name>/log.txt``.
        name: The job's name, one per output; made from ``argv`` when absent.
    """
    name = check_name(name or "-".join(argv).lower().replace("/", "-").replace(" ", "-")[:LONGEST].strip("-._"), "job")
    folder = workspace().jobs / name
    with lock(workspace().jobs / f".{name}.lock", f"Job {name}"):
        if is_running(name):
            return find(name)
        folder.mkdir(parents=True, exist_ok=True)
        for stale in ("exit_code", "stopped", "progress.json", "log.txt"):
            (folder / stale).unlink(missing_ok=True)
        command = [sys.executable, "-c", _RUNNER, str(folder), sys.executable, "-m", "workbench", *argv]
        alone = {key: value for key, value in os.environ.items() if not OF_ONE_OF_SEVERAL.fullmatch(key)}
        environment = {**alone, "WORKBENCH_JOB": str(folder), "WORKBENCH_HOME": str(workspace().home)}
        launch = [sys.executable, "-c", _LAUNCHER, *command]
        pid = int(subprocess.run(launch, env=environment, capture_output=True, check=True, text=True).stdout)
        write_json(folder / "job.json", {"argv": argv, "pid": pid, "started": time.time()})
        if log is not None:
            log.unlink(missing_ok=True)
            log.symlink_to(folder / "log.txt")
    return Job(name, pid, folder)


def is_running(name: str) -> bool:
    """Whether a job of that name is at work."""
    return (workspace().jobs / name / "job.json").exists() and find(name).state == "running"


def find(name: str) -> Job:
    """The job of that name, running or ended.

    Raises:
        StateError: There is none.
        DataError: Its description is damaged.
    """
    folder = workspace().jobs / name
    if not (folder / "job.json").exists():
        known = [job.name for job in list_jobs()]
        raise StateError(f"No job is called {name!r}.", nearest(name, known))
    return _opened(folder)


def list_jobs() -> list[Job]:
    """All jobs of the workspace, by name; without damaged ones."""
    return _listed().found


def damaged_jobs() -> list[DataError]:
    """Why some cannot be read."""
    return _listed().damaged


def _listed() -> Readable[Job]:
    return readable(sorted(path.parent for path in workspace().jobs.glob("*/job.json")), _opened)


def _opened(folder: Path) -> Job:
    return Job(folder.name, _described(folder)["pid"], folder)


def _described(folder: Path) -> dict[str, Any]:
    info = read_json(folder / "job.json", f"job {folder.name}")
    numbers = [info.get(name) for name in ("pid", "started")] if isinstance(info, dict) else [None]
    if not all(isinstance(one, int | float) for one in numbers) or not isinstance(numbers[0], int):
        raise DataError(f"{folder / 'job.json'} describes no job.", f"Delete the folder {folder}.")
    return dict(info)
