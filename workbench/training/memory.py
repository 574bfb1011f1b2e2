"""A GPU whose memory is too small for a training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from workbench.core.errors import StateError
from workbench.core.optional import need


@contextmanager
def enough_memory(device: Any) -> Iterator[None]:
    """Count the most memory of a GPU anew; where it is too small, say so, with what helps.

    Raises:
        StateError: It is.
    """
    torch = need("torch", "Training")
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise StateError(
            "The GPU's memory is too small for this training.",
            "Set micro_batch, activation_checkpointing=true, or a smaller batch_videos.",
        ) from error
