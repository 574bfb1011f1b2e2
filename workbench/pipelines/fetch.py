"""Download what has a public address: resumed where it broke off, checked against its sum, with progress."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.core.files import sha256_file
from workbench.core.locks import lock
from workbench.core.progress import meter
from workbench.core.workspace import workspace
from workbench.corpus.manifest import File, entry

TIMEOUT = httpx.Timeout(30.0)
REMEDY = "Check the connection and run the command again: it goes on where it stopped."


@dataclass(frozen=True)
class FetchReport:
    """What was fetched.

    Attributes:
        files: name, state (fetched, already there), MiB, path.
        manual: What must be got by hand, a sentence each.
    """

    files: pd.DataFrame
    manual: list[str]


def fetch(name: str, *, folder: Path | None = None, files: Sequence[File] | None = None) -> FetchReport:
    """Fetch the files of a data set that have a public address.

    Args:
        name: A data set of the manifest.
        folder: Where they go; None = ``cache/downloads/<name>`` of the workspace.
        files: Fetch these instead of the manifest's.

    Raises:
        UnknownNameError: No data set has that name.
        StateError: No connection, or the server refuses; what was received is kept for the next try.
        DataError: The checksum differs; the file is kept as ``NAME.bad``.
    """
    wanted = entry(name).files if files is None else tuple(files)
    target = folder or workspace().cache / "downloads" / name
    rows = []
    with lock(target / ".lock", f"The download of {name}"):
        for one in (file for file in wanted if file.url):
            path = target / Path(one.name).name
            state = "already there" if path.exists() else "fetched"
            if not path.exists():
                download(str(one.url), path, one.sha256)
            rows.append((one.name, state, path.stat().st_size / 2**20, str(path)))
    table = pd.DataFrame(rows, columns=["name", "state", "MiB", "path"])
    return FetchReport(table, [f"{one.name}: {one.how}" for one in wanted if not one.url])


def download(url: str, path: Path, sha256: str | None = None) -> Path:
    """One file, through ``NAME.part`` beside it, from which a later call goes on.

    Args:
        url: Its address.
        path: Where it goes.
        sha256: Its checksum; None = not known, not checked.

    Raises:
        StateError: No connection, an error of the server, or a transfer that broke off.
        DataError: The checksum differs.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        _receive(url, part)
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        raise StateError(f"The server answers {code} for {url}.", "Get the file by hand, see the manifest.") from error
    except httpx.HTTPError as error:
        raise StateError(f"{url} could not be fetched ({type(error).__name__}).", REMEDY) from error
    if sha256 is not None and (found := sha256_file(part)) != sha256:
        bad = path.with_name(path.name + ".bad")
        os.replace(part, bad)
        raise DataError(
            f"{path.name} has the checksum {found[:16]}…, expected {sha256[:16]}….",
            f"It is kept as {bad.name}; the file may have changed at its origin.",
        )
    os.replace(part, path)
    return path


def _receive(url: str, part: Path) -> None:
    """Append what is missing to ``part``; start again where the server cannot continue."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=TIMEOUT) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # everything was received already
        answer.raise_for_status()
        goes_on = answer.status_code == httpx.codes.PARTIAL_CONTENT
        length = int(answer.headers.get("Content-Length", 0)) or None
        with open(part, "ab" if goes_on else "wb") as out, meter(f"Fetching {part.stem}", length, "bytes") as m:
            for block in answer.iter_raw():  # as it comes in, so that nothing is lost when it breaks off
                out.write(block)
                m.advance(len(block))
