"""What ``run.json`` states: the corpus, how and with which programs the run was made, and who writes it."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError
from workbench.corpus import Corpus
from workbench.evaluation.runs.run import FORMAT_VERSION

RAW = {"scoring": "raw", "sees": "nothing", "rerank": None, "candidates": None, "selected_on": None}
OWN = (
    "format_version", "state", "name", "began", "created", "versions", "threads", "git", "corpus", "command",
    "protocol", "order", "totals_only", "v2t_level", "writer",
)  # fmt: skip
"""Entries that a run writes itself."""


def check_info(info: Mapping[str, Any]) -> None:
    """Refuse entries of ``run.json`` that would be lost under those of the run itself.

    Raises:
        DataError: There is one.
    """
    if taken := [key for key in info if key in OWN]:
        raise DataError(f"A run writes the entry {taken[0]!r} of run.json itself.", "Give yours another name.")


def describe(
    name: str,
    corpus: Corpus,
    protocol: Mapping[str, Any] | None,
    order: Mapping[str, Any] | None,
    totals_only: bool,
    v2t_level: str,
    info: Mapping[str, Any],
) -> dict[str, Any]:
    """The entries of ``run.json`` of a finished run; ``info`` may add entries, and fill those that are None here."""
    commit, dirty = git_state()
    return {
        "format_version": FORMAT_VERSION,
        "state": "finished",
        "name": name,
        "notes": "", "group": None, "model": None, "recipe": None, "seed": None, "parent": None, "ablation": None,
        "fusion": None,
        **info,
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **package_versions()},
        "threads": os.cpu_count(),
        "git": {"commit": commit, "dirty": dirty},
        "corpus": {"name": corpus.name, "fingerprint": corpus.fingerprint, "split": corpus.split},
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "protocol": {**RAW, **(protocol or {})},
        "order": dict(order or {"how": "declared", "evidence": "saved in the corpus' order by the caller"}),
        "totals_only": totals_only,
        "v2t_level": v2t_level,
        "writer": {"pid": os.getpid(), "host": socket.gethostname(), "seen": time.time()},
    }  # fmt: skip


def package_versions() -> dict[str, str]:
    """Installed versions of the packages that numbers depend on."""
    packages = ("textvr-workbench", "numpy", "scipy", "pandas", "numba", "torch", "transformers", "av")
    return {package: version for package in packages if (version := _version(package)) is not None}


@cache  # each is read from the package's own file
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def git_state() -> tuple[str | None, bool | None]:
    """Commit of the current folder and whether it has uncommitted changes; (None, None) outside a checkout."""
    if shutil.which("git") is None:
        return None, None
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    if head.returncode:
        return None, None
    status = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=False)
    return head.stdout.strip(), bool(status.stdout.strip())
