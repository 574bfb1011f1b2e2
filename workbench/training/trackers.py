"""Where curves go beside the run itself: TensorBoard by default, and one small protocol for any other tracker."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Protocol

from workbench.core.optional import has, need


class Tracker(Protocol):
    """Anything that follows a training, e.g. a wrapper of two lines around a service's client."""

    def log(self, name: str, value: float, step: int) -> None:
        """Take one number of the history; after a resume the steps since the checkpoint come again."""

    def close(self) -> None:
        """Nothing more will come."""


class TensorBoard:
    """Writes event files into ``logs/`` of a run.

    Args:
        folder: The run's folder.
        first_step: Events of an interrupted run from this step on are replaced.

    Raises:
        MissingExtraError: torch or tensorboard is not installed.
    """

    def __init__(self, folder: Path, first_step: int = 0) -> None:
        need("tensorboard", "Writing TensorBoard logs")
        writer = need("torch.utils.tensorboard", "Writing TensorBoard logs").SummaryWriter
        self._writer: Any = writer(str(folder / "logs"), purge_step=first_step or None)

    def log(self, name: str, value: float, step: int) -> None:
        """Add one scalar; a first word that names a split groups its curves."""
        self._writer.add_scalar(re.sub(r"^(\w+) (?=mrr|r\d)", r"\1/", name), value, step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


def default_trackers(folder: Path, first_step: int = 0) -> list[Tracker]:
    """TensorBoard where it is installed."""
    return [TensorBoard(folder, first_step)] if has("tensorboard") and has("torch") else []
