"""Commands run in this process."""

from __future__ import annotations

import sys

import pytest

from workbench.cli import main as entry


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
