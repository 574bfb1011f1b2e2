"""Where corpora, runs, caches, jobs and notes lie: a private workspace, and a shared read-only one below it."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workbench.core.errors import DataError, StateError

KINDS = ("corpora", "runs")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workspace:
    """A workspace folder, and a shared one that is only read.

    Attributes:
        home: The user's own folder; everything is written here.
        shared: A read-only workspace below it, or None; own names win.
        reason: Why this folder was taken, for ``workbench home`` and ``doctor``.
    """

    home: Path
    shared: Path | None = None
    reason: str = ""

    @property
    def corpora(self) -> Path:
        return self.home / "corpora"

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def jobs(self) -> Path:
        return self.home / "jobs"

    @property
    def notes(self) -> Path:
        return self.home / "notes"

    def names(self, kind: str) -> dict[str, Path]:
        """Folder of every corpus or run, by name; an own one hides the shared one of the same name."""
        found: dict[str, Path] = {}
        for home in (self.home, self.shared):
            if home is None or not (home / kind).is_dir():
                continue
            for name in os.listdir(home / kind):
                if NAME.fullmatch(name) and os.path.isdir(f"{home}/{kind}/{name}"):
                    found.setdefault(name, home / kind / name)
        return dict(sorted(found.items()))

    def find(self, kind: str, name: str) -> Path | None:
        """The folder of that corpus or run, own before shared, or None."""
        return self.names(kind).get(name)

    def is_own(self, folder: Path) -> bool:
        """Whether a folder lies in the private part, so that it may be changed."""
        return folder.resolve().is_relative_to(self.home.resolve())


def check_name(name: str, what: str) -> str:
    """The name, if it may be used for a corpus or run.

    Raises:
        DataError: It has other characters than ``a-z 0-9 . _ -``, more than 64, or a sign first.
    """
    if NAME.fullmatch(name):
        return name
    better = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("._-")[:64]
    remedy = f"Try {better!r}." if better else "Choose a name such as 'my-model-1'."
    rule = "names have 1 to 64 of the characters a-z 0-9 . _ - and start with a letter or digit"
    raise DataError(f"{name!r} cannot name a {what}: {rule}.", remedy)


def config_file() -> Path:
    """The file in which ``workbench home PATH`` keeps its path."""
    import platformdirs

    return Path(os.environ.get("WORKBENCH_CONFIG") or platformdirs.user_config_path("textvr-workbench") / "home.txt")


def set_home(path: Path) -> Path:
    """Remember ``path`` as the workspace of every folder that has none of its own; returns it resolved."""
    from workbench.core.files import atomic

    path = path.expanduser().resolve()
    path.mkdir(parents=True, exist_ok=True)
    with atomic(config_file()) as temporary:
        temporary.write_text(str(path), encoding="utf-8")
    return path


def _locate() -> tuple[Path, str]:
    if given := os.environ.get("WORKBENCH_HOME"):
        return Path(given).expanduser(), "WORKBENCH_HOME"
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "workspace").is_dir():
            return folder / "workspace", f"nearest workspace/ above {here}"
    if config_file().is_file():
        return Path(config_file().read_text(encoding="utf-8").strip()), "set by `workbench home`"
    return here / "workspace", "created in the current folder"


@contextmanager
def elsewhere(home: Path) -> Iterator[Path]:
    """Use another workspace inside the block, also in the processes that are started there."""
    names = ("WORKBENCH_HOME", "WORKBENCH_SHARED")
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ["WORKBENCH_HOME"] = str(home)
    try:
        yield home
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def workspace() -> Workspace:
    """The workspace of this process, created with one logged line when there is none.

    It is ``WORKBENCH_HOME``; else the nearest ``workspace/`` in this folder or its parents; else the one set by
    ``workbench home PATH``; else ``./workspace``. ``WORKBENCH_SHARED`` is the read-only one below it.

    Raises:
        StateError: The workspace cannot be created, or the shared one does not exist.
    """
    home, reason = _locate()
    if not home.is_dir():
        try:
            home.mkdir(parents=True)
        except OSError as error:
            raise StateError(
                f"The workspace {home} cannot be created ({error.strerror}).",
                "Set WORKBENCH_HOME to a folder you may write.",
            ) from error
        log.warning("Created the workspace %s (%s).", home, reason)
    shared = os.environ.get("WORKBENCH_SHARED")
    if shared and not Path(shared).is_dir():
        raise StateError(f"WORKBENCH_SHARED names {shared}, which is not a folder.", "Correct or unset it.")
    return Workspace(home.resolve(), Path(shared).resolve() if shared else None, reason)
