"""Importing does nothing, and everything but dense encoders and .pt files works where torch is not installed."""

from __future__ import annotations

import subprocess
import sys

BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers", "accelerate", "safetensors"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Block())
import importlib, pkgutil, workbench
"""

IMPORT_ALL = (
    BLOCK
    + """
pages = "workbench.app.pages."
names = [m.name for m in pkgutil.walk_packages(workbench.__path__, "workbench.")]
late = (".network", ".collectives")  # what torch is for; functions import them
skip = ("workbench.app.pages.", "workbench.app.entry.", "workbench.__main__")
for name in names:
    if not name.startswith(skip) and not name.endswith(late):
        importlib.import_module(name)
print(len(names))
"""
)

READ_PT = (
    BLOCK
    + """
from workbench.pipelines.matrices import read_matrix
try:
    read_matrix("a.pt")
except ImportError as error:
    print(error)
"""
)


def python(code: str, **kwargs) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, **kwargs).stdout


def test_every_package_imports_without_torch():
    assert int(python(IMPORT_ALL)) > 60


def test_a_pt_file_says_what_to_install(tmp_path):
    (tmp_path / "a.pt").touch()
    assert "pip install 'textvr-workbench[train]'" in python(READ_PT, cwd=tmp_path)


def test_importing_the_package_loads_nothing_heavy():
    heavy = "import sys, workbench; print(sorted({'torch', 'pandas', 'numba', 'streamlit'} & set(sys.modules)))"
    assert python(heavy).strip() == "[]"
