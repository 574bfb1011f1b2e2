"""Look at this machine: what is installed, what works, what is missing and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
import time
import uuid
from importlib import metadata
from pathlib import Path

import pandas as pd

from workbench.core.optional import has
from workbench.core.workspace import workspace
from workbench.models.device import torch_report

OK, NOTE, PROBLEM = "ok", "note", "problem"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PROBE_HOST = ("github.com", 443)
Row = tuple[str, str, str, str]


def examine() -> pd.DataFrame:
    """One row per part: part, state (ok, note, problem), found, remedy; writes 64 MiB and removes them."""
    rows = [_python(), *_torch(), *_packages(), _program("ffmpeg", ("ffmpeg",), "proxies and compression"),
            _program("Browser", BROWSERS, "browser tests"), *_workspace(), _network()]  # fmt: skip
    return pd.DataFrame(rows, columns=["part", "state", "found", "remedy"])


def _python() -> Row:
    state = OK if sys.version_info >= (3, 11) else PROBLEM
    found = f"{platform.python_version()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    return "Python", state, found, "" if state == OK else "Install Python 3.11 or newer."


def _torch() -> list[Row]:
    report = torch_report()
    if report.version is None:
        return [("torch", NOTE, "not installed: no training, no dense encoders, no .pt files", report.fix)]
    rows = [("torch", OK, f"{report.version} ({report.build})", "")]
    if report.problem:
        rows.append(("GPU", PROBLEM, report.problem, report.fix))
    elif report.usable:
        rows.append(("GPU", OK, ", ".join(report.usable), ""))
    else:
        rows.append(("GPU", NOTE, "none: training runs on the CPU", ""))
    if has("torchvision"):
        rows.append(_torchvision())
    return rows


def _torchvision() -> Row:
    probe = subprocess.run([sys.executable, "-c", "import torchvision"], capture_output=True, text=True, check=False)
    if probe.returncode == 0:
        return "torchvision", NOTE, "installed; not used", ""
    return (
        "torchvision",
        PROBLEM,
        "installed but broken, and transformers fails with it",
        "pip uninstall torchvision",
    )


def _packages() -> list[Row]:
    parts = [
        ("Decoder PyAV", "av", "av", "reading videos", "pip install av"),
        (
            "Decoder decord",
            "decord",
            "decord",
            "repeating old papers only",
            "pip install 'textvr-workbench[train]'",
        ),
        (
            "faiss",
            "faiss",
            "faiss-cpu",
            "search in large galleries",
            "pip install 'textvr-workbench[search]'",
        ),
        (
            "OCR engine",
            "rapidocr",
            "rapidocr",
            "reading text in frames",
            "pip install 'textvr-workbench[ocr]'",
        ),
        (
            "OCR runtime",
            "onnxruntime",
            "onnxruntime",
            "reading text in frames",
            "pip install 'textvr-workbench[ocr]'",
        ),
        ("App", "streamlit", "streamlit", "the app", "pip install 'textvr-workbench[app]'"),
    ]
    return [_package(*part) for part in parts]


def _package(part: str, module: str, distribution: str, use: str, remedy: str) -> Row:
    if not has(module):
        return part, NOTE, f"not installed ({use})", remedy
    for name in (distribution, f"{distribution.removesuffix('-cpu')}-gpu"):
        try:
            return part, OK, metadata.version(name), ""
        except metadata.PackageNotFoundError:
            continue
    return part, OK, "installed, version not stated", ""


def _program(part: str, names: tuple[str, ...], use: str) -> Row:
    path = next(filter(None, map(shutil.which, names)), None)
    if path:
        return part, OK, path, ""
    return part, NOTE, f"not on the PATH ({use})", f"Install {names[0]} with the system's package manager."


def _workspace() -> list[Row]:
    space = workspace()
    free = shutil.disk_usage(space.home).free / 2**30
    speed = write_speed(space.home)
    rows: list[Row] = [
        ("Workspace", OK, f"{space.home} ({space.reason})", ""),
        (
            "Free space",
            OK if free > 5 else PROBLEM,
            f"{free:.0f} GiB",
            "" if free > 5 else "Free some space, or: workbench home PATH",
        ),
        (
            "Write speed",
            OK if speed > 30 else NOTE,
            f"{speed:.0f} MiB/s",
            "" if speed > 30 else "Slow disk: keep caches elsewhere.",
        ),
    ]
    if space.shared:
        rows.append(("Shared workspace", OK, f"{space.shared} (read-only)", ""))
    return rows


def write_speed(folder: Path, n_mib: int = 64) -> float:
    """MiB per second of writing ``n_mib`` MiB to a new file with a final sync; the file is removed."""
    path = folder / f".speed-{uuid.uuid4().hex}"
    block = os.urandom(2**20)
    try:
        start = time.perf_counter()
        with open(path, "wb") as stream:
            for _ in range(n_mib):
                stream.write(block)
            stream.flush()
            os.fsync(stream.fileno())
        return n_mib / (time.perf_counter() - start)
    finally:
        path.unlink(missing_ok=True)


def _network() -> Row:
    try:
        with socket.create_connection(PROBE_HOST, timeout=2):
            return "Network", OK, "online", ""
    except OSError:
        return "Network", NOTE, "offline: everything but `workbench data fetch` works", ""
