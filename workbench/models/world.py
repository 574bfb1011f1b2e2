"""The processes that share one piece of work: who this one is, its share, and what they tell each other.

In training every process computes the loss of the whole batch from rows that all have gathered, and sends back 1 / size
of it. What is gathered gives the sum of all ranks' gradients back to the rank that made it, and the gradients of the
weights are added up at the end: together exactly the gradient of one process on the whole batch, for every weight,
wherever in the network it is used (the temperature after the gathering, the towers before it).
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from workbench.core.errors import StateError
from workbench.core.optional import need
from workbench.models.device import chosen_device

Tensors = dict[str, Any]
"""Tensors by name, rows first; what pads the other dimensions is 0 or False."""

TIMEOUT_S = 7200.0
"""How long the others may be silent outside of ``World.working``. One that has ended is mostly noticed at once."""

NEEDED = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class World:
    """One process among those that work together; alone by default.

    Attributes:
        rank: Which one this is, from 0.
        size: How many there are.
        device: The torch device this one computes on; None = wherever the model lies.
        timeout_s: Seconds after which one that does not answer counts as ended.
    """

    rank: int = 0
    size: int = 1
    device: Any = None
    timeout_s: float = TIMEOUT_S

    @property
    def first(self) -> bool:
        """Whether this process writes the run; the others write nothing."""
        return self.rank == 0

    def share(self, n: int) -> slice:
        """The rows of a batch of n that this process encodes; sizes differ by one at most.

        Raises:
            StateError: There are more processes than rows.
        """
        if n < self.size:
            raise StateError(
                f"{self.size} processes cannot share a batch of {n}.", f"Start {n} at most, or raise batch_videos."
            )
        return slice(self.rank * n // self.size, (self.rank + 1) * n // self.size)

    def gather(self, tensors: Tensors) -> Tensors:
        """The rows of all ranks in their order, with gradients; other dimensions are padded to the longest.

        Raises:
            StateError: Another process ended.
        """
        if self.size == 1:
            return tensors
        from workbench.models.collectives import gathered

        return gathered(tensors, self)

    def add_up(self, weights: Iterable[Any]) -> None:
        """Replace the gradient of every weight by its sum over the ranks.

        Raises:
            StateError: Another process ended.
        """
        if self.size == 1:
            return
        from workbench.models.collectives import add_up

        add_up([one for one in weights if one.requires_grad], self)

    def copy_first(self, tensors: Iterable[Any]) -> None:
        """Fill tensors with the values of the first rank's.

        Raises:
            StateError: Another process ended.
        """
        if self.size == 1:
            return
        distributed = need("torch.distributed", "Working on several processes")
        with self.together():
            for one in tensors:
                distributed.broadcast(one.detach(), 0)

    def told(self, value: Any = None) -> Any:
        """The first rank's value, on every rank; the others' are not looked at.

        Raises:
            StateError: Another process ended.
        """
        if self.size == 1:
            return value
        distributed = need("torch.distributed", "Working on several processes")
        holder = [value if self.first else None]
        with self.together():
            distributed.broadcast_object_list(holder, 0)
        return holder[0]

    def collected(self, value: Any) -> list[Any]:
        """The value of every rank in order, on the first one; an empty list on the others. Values are pickled.

        Raises:
            StateError: Another process ended.
        """
        if self.size == 1:
            return [value]
        distributed = need("torch.distributed", "Working on several processes")
        holder = [None] * self.size if self.first else None
        with self.together():
            distributed.gather_object(value, holder, 0)
        return holder or []

    @contextmanager
    def working(self) -> Iterator[None]:
        """Around work without the others that may take longer than ``timeout_s``; every rank enters it, and none leaves
        before all have done theirs. Inside, nothing may pass between the ranks.

        Raises:
            StateError: Another process ended.
        """
        if self.size == 1:
            yield
            return
        from workbench.models.waiting import at_work

        with at_work(self):
            yield

    @contextmanager
    def together(self) -> Iterator[None]:
        """Around whatever waits for the others: a sentence where they do not come.

        Raises:
            StateError: Another process ended, or was silent for ``timeout_s``.
        """
        torch = need("torch", "Working on several processes")
        try:
            yield
        except torch.cuda.OutOfMemoryError:  # a RuntimeError too
            raise
        except RuntimeError as error:
            raise StateError(
                f"Process {self.rank + 1} of {self.size} lost the others: one has ended, or did not answer for "
                f"{self.timeout_s:g} seconds.",
                "Look for the first error in the log, then start all of them again (a training with --resume).",
            ) from error


@contextmanager
def joined(timeout_s: float = TIMEOUT_S) -> Iterator[World]:
    """The world that ``torchrun`` or ``accelerate launch`` has started this process in; else this process alone.

    Between GPUs tensors go through NCCL and what the processes say about them through gloo, where a process that has
    ended is noticed at once. On CPUs, and where ``WORKBENCH_DEVICE`` names one GPU for all, everything is gloo.

    The processes stay together until they end, so that one piece of work may follow another.

    Args:
        timeout_s: How long one process waits for another; the first call decides.

    Raises:
        StateError: The launcher's variables are incomplete, the others do not come, there is a GPU that torch cannot
            use, or there are more processes than GPUs.
    """
    device, size = chosen_device(), int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(device=device, timeout_s=timeout_s)
        return
    if absent := [name for name in NEEDED if name not in os.environ]:
        raise StateError(
            f"WORLD_SIZE is {size}, but {absent[0]} is not set.",
            "Start with torchrun or accelerate launch; or unset WORLD_SIZE to use one process.",
        )
    state = _started(World(int(os.environ["RANK"]), size, device, timeout_s))
    yield World(state.process_index, state.num_processes, device, timeout_s)
    atexit.register(state.destroy_process_group)  # not after an error, where it might wait for those that have ended


def _started(world: World) -> Any:
    """accelerate's state of this process, with its process group."""
    state = need("accelerate.state", "Working on several processes")
    own_gpu = world.device.type == "cuda" and ":" not in os.environ.get("WORKBENCH_DEVICE", "")
    backend = "cpu:gloo,cuda:nccl" if own_gpu else "gloo"
    with world.together():
        return state.PartialState(
            cpu=world.device.type == "cpu", backend=backend, timeout=timedelta(seconds=world.timeout_s)
        )
