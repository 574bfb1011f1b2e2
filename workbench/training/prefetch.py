"""Batches made one step ahead, by a thread of its own, while a step runs."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from workbench.core.optional import need
from workbench.models.world import World
from workbench.training.batches import Batch, Batches


class Prefetch:
    """Batches by step; ``with`` it, and the thread ends with the block.

    A batch is a function of its step, so that it does not matter who makes it and when. For a GPU it is made in memory
    that the GPU copies from by itself.

    Args:
        batches: All of them.
        world: The processes that share each batch.
        steps: How many steps there are; nothing is made beyond them.
        device: That computes.
    """

    def __init__(self, batches: Batches, world: World, steps: int, device: Any) -> None:
        self._batches, self._world, self._steps, self._device = batches, world, steps, device
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="prefetch")
        self._coming: dict[int, Future[Batch]] = {}

    def take(self, step: int) -> Batch:
        """The batch of a step, without videos that cannot be read; the next one is begun.

        Raises:
            StateError: As of ``Batches.at`` and ``Batches.settled``.
        """
        batch = (self._coming.pop(step, None) or self._begun(step)).result()
        if step + 1 < self._steps:
            self._coming = {step + 1: self._begun(step + 1)}
        return self._batches.settled(batch, self._world)

    def _begun(self, step: int) -> Future[Batch]:
        return self._thread.submit(self._made, step)

    def _made(self, step: int) -> Batch:
        batch = self._batches.at(step, self._world)
        frames = batch.gallery.frames
        if frames is None or self._device.type != "cuda":
            return batch
        pinned = need("torch", "Training").from_numpy(frames).pin_memory().numpy()
        return replace(batch, gallery=replace(batch.gallery, frames=pinned))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)
