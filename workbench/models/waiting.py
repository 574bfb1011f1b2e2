"""Work of one's own, however long: the others know that it goes on, and wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from workbench.core.errors import StateError
from workbench.core.optional import need
from workbench.models.world import World

SHARE = 0.25
"""Of the time-out, after which a rank at work says that it still is."""


@contextmanager
def at_work(world: World) -> Iterator[None]:
    """See ``World.working``."""
    speaker = _Speaker(world)
    speaker.start()
    try:
        yield
    except BaseException:
        speaker.ends(False)  # the others learn of it when this process ends
        raise
    speaker.ends(True)
    speaker.join()
    if speaker.error is not None:
        raise speaker.error


class _Speaker(threading.Thread):
    """Adds up over the ranks how many are ready, from time to time, until all are.

    Ranks that are ready wait within the sum for those at work, which take part in it every quarter of the time-out.
    """

    def __init__(self, world: World) -> None:
        super().__init__(name="at work", daemon=True)
        self.error: StateError | None = StateError(
            "Waiting for the other processes failed.", "Start all of them again."
        )
        self._world, self._over, self._ready = world, threading.Event(), False

    def ends(self, ready: bool) -> None:
        """The work is done; or given up, and nothing more is said."""
        self._ready = ready
        self._over.set()

    def run(self) -> None:
        torch, distributed = need("torch", "Waiting for other processes"), need("torch.distributed", "Waiting")
        try:
            while not self._over.wait(SHARE * self._world.timeout_s) or self._ready:
                count = torch.tensor(int(self._ready))
                with self._world.together():
                    distributed.all_reduce(count)
                if int(count) == self._world.size:
                    self.error = None
                    return
        except StateError as error:
            self.error = error
