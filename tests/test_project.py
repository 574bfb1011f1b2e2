"""The rules of the project itself: lint, format, types, import contracts, what the tree may not hold."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "types": ["mypy", "--no-error-summary"],
    "import contracts": ["lint-imports", "--no-cache"],
}
FORBIDDEN = {
    "a path of somebody's machine": r"(^|[^A-Za-z0-9_.])/(home/[a-z]|root/|Users/[A-Z]|mnt/)",
    "a package registry's host": r"(py" + r"pi|python" + r"hosted|npm" + r"js|deb" + r"ian)\.(org|com)",
    "a left-over": r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b",
}


def tracked() -> list[Path]:
    """Text files that git tracks; all files where this is no checkout."""
    found = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = found.stdout.splitlines() if found.returncode == 0 else []
    return [ROOT / name for name in names if (ROOT / name).is_file() and not (ROOT / name).is_symlink()]


@pytest.mark.parametrize("tool", TOOLS)
def test_tool_is_content(tool: str) -> None:
    command = [str(Path(sys.executable).parent / TOOLS[tool][0]), *TOOLS[tool][1:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    kinds = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".ipynb", ".js", ".css", ".html", ""}
    hits = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        if path.suffix in kinds
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert hits == []


def test_no_large_file() -> None:
    assert [path.name for path in tracked() if path.stat().st_size > 600 * 1024] == []


def test_every_folder_of_the_package_has_an_init() -> None:
    """A folder without one is skipped by the import contracts without a word."""
    folders = {path.parent for path in (ROOT / "workbench").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
