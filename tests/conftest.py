"""Every test has its own workspace; nothing of the user's configuration is read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("busy machine", deadline=None)  # a slow example is no failure: timings are in benchmarks/
settings.load_profile("busy machine")
REAL = os.environ.get("WORKBENCH_REAL_DATA")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh workspace for each test."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    monkeypatch.setenv("WORKBENCH_HOME", str(folder))
    monkeypatch.setenv("WORKBENCH_CONFIG", str(tmp_path / "config" / "home.txt"))
    monkeypatch.delenv("WORKBENCH_SHARED", raising=False)
    monkeypatch.delenv("WORKBENCH_JOB", raising=False)
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real matrices and annotations."""
    if not REAL:
        pytest.skip("needs WORKBENCH_REAL_DATA, the folder of real matrices and annotations")
    return Path(REAL)
