"""The browser of the tests: one on the PATH, else the system's package manager where permitted, else a clear sentence.

Run as a script it installs one if needed; the tests import ``find_browser``, and ``shots`` for what they have seen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
MESSAGE = (
    "The browser tests need Chromium or Chrome on the PATH, and it could not be installed from here. "
    "Install it with your system's package manager (Debian, Ubuntu: sudo apt-get install chromium) and run again."
)


def shots() -> Path:
    """Where screenshots are kept: the folder that WORKBENCH_SHOTS names, else ``build/screenshots`` of the checkout."""
    folder = Path(os.environ.get("WORKBENCH_SHOTS") or Path(__file__).parents[1] / "build" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def find_browser() -> str | None:
    """Path of the first Chromium-like browser on the PATH, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def install_browser() -> str | None:
    """Install Chromium through apt-get, as root or with a password-less sudo; returns its path or None."""
    apt = shutil.which("apt-get")
    if apt is None:
        return None
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (
        ["update", "-qq"],
        ["install", "-qq", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
    ):
        try:
            subprocess.run([*prefix, apt, *words], check=True, env=environment, stdout=subprocess.DEVNULL)
        except (subprocess.CalledProcessError, FileNotFoundError):
            return None
    return find_browser()


if __name__ == "__main__":
    sys.exit(None if find_browser() or install_browser() else MESSAGE)
