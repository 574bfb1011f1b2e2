"""Where weights of others lie: nothing is downloaded, so they are found by their path or in one folder."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "WORKBENCH_WEIGHTS"
"""Environment variable: a folder that holds folders and files of weights by their bare names."""


def located(given: str | Path) -> Path:
    """A file or folder of weights as it was given, or below the folder that ``WORKBENCH_WEIGHTS`` names.

    It need not be there: where it is in neither place, what was given comes back, for the sentence that says so.
    """
    path, root = Path(given).expanduser(), os.environ.get(VARIABLE)
    below = Path(root).expanduser() / path if root else path
    return below if not path.exists() and below.exists() else path
