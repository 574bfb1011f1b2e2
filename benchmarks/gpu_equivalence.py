"""The tests that need a GPU, run on it: what they found, one line each."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.gpu_measuring import Machine
from benchmarks.report import Report

TESTS = Path(__file__).parents[1] / "tests"
LIMIT_S = 150.0
STATES = {"failure": "FAILED", "error": "FAILED", "skipped": "skipped"}


def equivalence(report: Report, machine: Machine, tests: Path = TESTS) -> None:
    """Run what is marked ``gpu`` below a folder and append a row per file.

    Args:
        report: Gets the rows; on a GPU a failed or skipped test is a floor missed.
        machine: Where.
        tests: The folder.
    """
    report.say("", "### Tests on the GPU", "", "`pytest -m gpu`: the same answers as on the CPU, in chunks, compiled.")
    files = [path for path in sorted(tests.rglob("test_*.py")) if "mark.gpu" in path.read_text(encoding="utf-8")]
    if not files:
        report.floor(f"tests on the GPU: there are none below {tests.name}", holds=False)
        return
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.xml"
        words = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-m",
            "gpu",
            "-p",
            "no:cacheprovider",
            "-W",
            "default",
            f"--junitxml={told}",
        ]
        try:
            done = subprocess.run(
                [*words, *map(str, files)], cwd=tests.parent, capture_output=True, text=True, check=False,
                timeout=max(1.0, min(machine.left, LIMIT_S)),
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            report.floor("tests on the GPU: they did not end in time", holds=False)
            return
        found = outcomes(told) if told.is_file() else {}
    report.header("file", "passed", "FAILED", "skipped")
    for name, states in found.items():
        report.row(name, *(list(states.values()).count(state) for state in ("passed", "FAILED", "skipped")))
    every = [state for states in found.values() for state in states.values()]
    failed = [name for states in found.values() for name, state in states.items() if state == "FAILED"]
    if failed:
        report.say("", "Failed: " + ", ".join(f"`{name}`" for name in failed))
    if not every:
        last = (done.stdout + done.stderr).strip().splitlines()[-1:] or ["pytest said nothing"]
        report.floor(f"tests on the GPU: none ran ({last[0]})", holds=False)
    elif machine.device.type == "cuda":
        report.floor(f"all {len(every)} tests pass on the GPU", every.count("passed") == len(every))


def outcomes(file: Path) -> dict[str, dict[str, str]]:
    """``passed``, ``FAILED`` or ``skipped`` of every test in a JUnit file, by the test file's name and the test's."""
    found: dict[str, dict[str, str]] = {}
    for case in ElementTree.parse(file).iter("testcase"):
        state = next((STATES[one.tag] for one in case if one.tag in STATES), "passed")
        found.setdefault(case.get("classname", ""), {})[case.get("name", "")] = state
    return found
