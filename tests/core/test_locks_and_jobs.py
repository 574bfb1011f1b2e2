from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench.core import jobs
from workbench.core.errors import BusyError, StateError
from workbench.core.locks import lock

HOLD = """
import sys, time, pathlib
from workbench.core.locks import lock
with lock(pathlib.Path(sys.argv[1]), "Run x"):
    print("held", flush=True)
    time.sleep(60)
"""


def wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_a_second_process_is_told_who_writes_and_a_dead_one_frees_the_lock(tmp_path):
    path = tmp_path / ".x.lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match=f"Run x is being written by process {process.pid} on "):
            with lock(path, "Run x"):
                pass
        process.kill()
    with lock(path, "Run x"):
        pass


@pytest.fixture
def fake_cli(monkeypatch, tmp_path):
    """Jobs run `python -m workbench`; here a small package of that name takes its place."""
    package = tmp_path / "fake" / "workbench"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "import sys, time\n"
        "print('started', *sys.argv[1:], flush=True)\n"
        "time.sleep(60) if sys.argv[1] == 'sleep' else sys.exit(int(sys.argv[2]))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.chdir(package.parent)


@pytest.mark.usefixtures("fake_cli")
def test_job_ends_with_its_exit_code():
    good, bad = jobs.start(["exit", "0"]), jobs.start(["exit", "3"])
    wait_for(lambda: good.state != "running" and bad.state != "running")
    assert (good.state, bad.state) == ("finished", "failed")
    assert good.tail() == "started exit 0"
    assert [job.name for job in jobs.list_jobs()] == ["exit-0", "exit-3"]
    with pytest.raises(StateError, match="No job is called 'exit-9'. Did you mean exit-3 or exit-0"):
        jobs.find("exit-9")


@pytest.mark.usefixtures("fake_cli")
def test_second_start_attaches_and_stop_ends_the_group():
    first = jobs.start(["sleep"], name="train-x")
    second = jobs.start(["sleep"], name="train-x")
    assert first.pid == second.pid
    assert first.state == "running"
    wait_for(lambda: "started" in first.tail())
    first.stop()
    wait_for(lambda: first.state != "running")
    assert first.state == "stopped"


@pytest.mark.usefixtures("fake_cli")
def test_a_job_is_none_of_the_processes_of_its_launcher(monkeypatch):
    told = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "GROUP_RANK",
            "ROLE_RANK", "ROLE_NAME", "TORCHELASTIC_RUN_ID")  # fmt: skip
    for name in (*told, "NAME"):
        monkeypatch.setenv(name, "1")
    Path("workbench/__main__.py").write_text("import os\nprint(*sorted(os.environ), flush=True)\n")
    job = jobs.start(["environment"])
    wait_for(lambda: job.state != "running")
    assert not set(told) & set(job.tail().split()) and {"NAME", "WORKBENCH_JOB"} <= set(job.tail().split())


def test_names_of_jobs_fit_and_differ():
    long = "a" * 64
    assert jobs.name_for("train", "x") == "train-x"
    assert len(jobs.name_for("train", long)) == 64 and jobs.name_for("train", long) != jobs.name_for("train", long[:-1])
