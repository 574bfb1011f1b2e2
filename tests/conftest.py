"""Every test has its own workspace; nothing of the user's configuration is read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import settings

from tests.browser import MESSAGE, find_browser
from tests.once import made_once
from workbench.cli import main as entry

settings.register_profile("busy machine", deadline=None)  # a slow example is no failure: timings are in benchmarks/
settings.load_profile("busy machine")
# Every core has a test process, which inherits this one's environment: more threads of BLAS and OpenMP in each make all
# of them wait, and double the work of small products. Tests that are about threads ask for a number of their own.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
DEMO = "demo-workspace"
REAL = os.environ.get("WORKBENCH_REAL_DATA")
FLAGS = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip


def needs_demo(item: pytest.Item) -> bool:
    return "demo_home" in getattr(item, "fixturenames", ())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every process begins with tests that need no demo: xdist gives each an equal share of the list, in its order."""
    n = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    kinds = [[item for item in items if needs_demo(item) == late] for late in (False, True)]
    shares = [kind[len(kind) * i // n : len(kind) * (i + 1) // n] for i in range(n) for kind in kinds]
    items[:] = [item for share in shares for item in share]


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


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Streamlit's AppTest leaves its script as ``__main__``, which processes spawned by later tests would run again."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session", autouse=True)
def no_pools() -> Iterator[None]:
    """A few files need no further processes, each of which imports for seconds; tests of pools say how many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workbench.core.pool.default_workers", lambda: 1)
        yield


def make_demo(folder: Path) -> None:
    environment = {**os.environ, "WORKBENCH_HOME": str(folder)}
    subprocess.run([sys.executable, "-m", "workbench", "demo"], check=True, env=environment)


@pytest.fixture(scope="session", autouse=True)
def demo_begun(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The first of several test processes has the demo made while all of them are busy with other tests."""
    wanted = "WORKBENCH_DEMO" not in os.environ and any(map(needs_demo, request.session.items))
    if wanted and os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
        tmp_path_factory.getbasetemp()  # made here, as two threads that make it at once fail
        Thread(target=made_once, args=(tmp_path_factory, DEMO, make_demo), daemon=True).start()


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the demo and its runs, made once for all tests (and their processes) by ``workbench demo``.

    WORKBENCH_DEMO names one that stands already, to save two minutes while working on a test.
    """
    if ready := os.environ.get("WORKBENCH_DEMO"):
        return Path(ready)
    return made_once(tmp_path_factory, DEMO, make_demo)


@pytest.fixture
def demo(demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace with the demo as the current one; tests only read it."""
    monkeypatch.setenv("WORKBENCH_HOME", str(demo_home))
    return demo_home


@pytest.fixture
def own_demo(demo_home: Path, home: Path) -> Path:
    """The test's own workspace with the demo in it, to write into; the videos stay where they are."""
    for part in ("corpora", "runs", "cache"):
        shutil.copytree(demo_home / part, home / part)
    return home


@pytest.fixture
def workbench(capfd, monkeypatch):
    """Run a command in this process; returns exit code, output, errors."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["workbench", *words])
        with pytest.raises(SystemExit) as stop:
            entry.main()
            raise SystemExit(0)
        out, error = capfd.readouterr()
        return stop.value.code or 0, out, error

    return run


@pytest.fixture(scope="module")
def browser():
    """A running Chromium, without a window."""
    path = find_browser()
    if path is None:
        pytest.fail(MESSAGE)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real matrices and annotations."""
    if not REAL:
        pytest.skip("needs WORKBENCH_REAL_DATA, the folder of real matrices and annotations")
    return Path(REAL)
