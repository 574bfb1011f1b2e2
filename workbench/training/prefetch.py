"""Batches made some steps ahead, tensors and all, by a thread of its own while a step runs."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Self

from workbench.models.world import World
from workbench.training.batches import Batch, Batches

DEPTH = 2
"""Batches that are made ahead."""


class Prefetch:
    """Batches by step; ``with`` it, and the thread ends with the block.

    A batch is a function of its step, so that it does not matter who makes it and when. Captions and words are packed
    here too, so that a step has only tensors to move.

    Args:
        batches: All of them.
        world: The processes that share each batch.
        steps: How many steps there are; nothing is made beyond them.
        model: Makes the inputs of its network.
        micro_batch: Videos per chunk; None = a batch goes through at once.
    """

    def __init__(self, batches: Batches, world: World, steps: int, model: Any, micro_batch: int | None = None) -> None:
        self._batches, self._world, self._steps = batches, world, steps
        self._model, self._micro_batch = model, micro_batch
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="prefetch")
        self._coming: dict[int, Future[Batch]] = {}

    def take(self, step: int) -> Batch:
        """The batch of a step, without videos that cannot be read; the next ones are begun.

        Raises:
            StateError: As of ``Batches.at`` and ``Batches.settled``.
        """
        wanted = [step, *range(step + 1, min(step + 1 + DEPTH, self._steps))]
        for late in self._coming.keys() - set(wanted):
            self._coming.pop(late).cancel()
        for one in wanted:
            if one not in self._coming:
                self._coming[one] = self._thread.submit(self._made, one)
        return self._packed(self._batches.settled(self._coming.pop(step).result(), self._world))

    def rest(self) -> None:
        """Wait until nothing is being made, so that nobody else uses the model's tokenizer while the caller does."""
        wait(self._coming.values())

    def _made(self, step: int) -> Batch:
        return self._packed(self._batches.at(step, self._world))

    def _packed(self, batch: Batch) -> Batch:
        return batch.packed(self._model, self._micro_batch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)
