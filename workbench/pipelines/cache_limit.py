"""The limit of a workspace's cache: stated in ``settings.json`` of the workspace, kept after what fills the cache."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from workbench.core.caches import bytes_of, prune_cache
from workbench.core.errors import DataError, WorkbenchError
from workbench.core.files import read_json, write_json
from workbench.core.jobs import list_jobs
from workbench.core.workspace import workspace
from workbench.evaluation.runs.run import Run

SETTINGS, KEY = "settings.json", "cache_gb"
log = logging.getLogger(__name__)


def cache_limit() -> int | None:
    """Bytes that the cache of this workspace may have; None = any.

    Raises:
        DataError: The file is damaged, or states no such number.
    """
    gigabytes = _settings().get(KEY)
    if gigabytes is None:
        return None
    if isinstance(gigabytes, bool) or not isinstance(gigabytes, int | float) or not gigabytes > 0:
        raise DataError(f"{_file()} has {KEY} {gigabytes!r}.", "Set it anew: workbench cache limit 50")
    return int(gigabytes * 1e9)


def set_cache_limit(gigabytes: float | None) -> None:
    """State how many gigabytes the cache may have; None = any number.

    Raises:
        DataError: It is not greater than 0.
    """
    if gigabytes is not None and not 0 < gigabytes < 1e9:
        raise DataError(f"The limit is {gigabytes:g} GB.", "Give a number greater than 0.")
    write_json(_file(), {**_settings(), KEY: gigabytes})


def keep_cache_limit() -> int:
    """Remove what was not used for longest until the cache keeps its limit; returns bytes freed.

    Nothing is removed while another job or training of this workspace runs: it may need what lies there. The last one
    to end makes room. A limit that cannot be read is said and not kept: what was just made stands.
    """
    try:
        limit = cache_limit()
    except DataError as error:
        log.warning("%s", error)
        return 0
    if limit is None or bytes_of(workspace().cache) <= limit or _busy():
        return 0
    freed = prune_cache(workspace().cache, max_bytes=limit)
    log.warning("The cache was over its limit of %g GB: %.1f MiB of it were removed.", limit / 1e9, freed / 2**20)
    return freed


def _busy() -> bool:
    """Whether another job runs, or another process makes a run."""
    own = Path(os.environ.get("WORKBENCH_JOB") or ".").name
    if any(job.state == "running" and job.name != own for job in list_jobs()):
        return True
    runs = workspace().runs
    return runs.is_dir() and any(_is_made(one.parent) for one in runs.glob("[a-z0-9]*/run.json"))


def _is_made(folder: Path) -> bool:
    """Whether a process makes this run; a broken one is none."""
    try:
        return Run(folder).state == "running"
    except WorkbenchError:
        return False


def _file() -> Path:
    return workspace().home / SETTINGS


def _settings() -> dict[str, object]:
    if not _file().is_file():
        return {}
    found = read_json(_file(), "the settings of the workspace")
    if not isinstance(found, dict):
        raise DataError(f"{_file()} holds no settings.", "Remove it, or write {} into it.")
    return found
