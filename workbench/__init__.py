"""The TextVR workbench: train, evaluate and look into text-to-video retrieval models.

    import workbench as wb
    corpus = wb.open_corpus("msrvtt-1ka", split="test")
    run = wb.import_run("sim_matrix.npy", corpus=corpus, name="theirs")

Importing it is cheap: every public name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME_OF = {
    "audit": "workbench.pipelines.audit",
    "open_corpus": "workbench.corpus",
    "list_corpora": "workbench.corpus",
    "open_run": "workbench.evaluation",
    "list_runs": "workbench.evaluation",
    "save_run": "workbench.evaluation",
    "import_run": "workbench.pipelines.imports",
    "show": "workbench.notebook",
}

__all__ = ["audit", "import_run", "list_corpora", "list_runs", "open_corpus", "open_run", "save_run", "show"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(importlib.import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'workbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF])
