"""What every part of the GPU benchmark needs: the device, a clock that waits for it, memory, time that is left."""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Report
from workbench.core.errors import WorkbenchError
from workbench.core.optional import need

LARGE = (8192, 8192, 8192)
TINY = (64, 64, 64)
PRODUCTS = 20
"""Products that are timed together."""


class NoTimeError(BaseException):
    """A part took longer than what was left of the benchmark's time; no library may take it for an error of its own."""


@dataclass
class Machine:
    """Where it is measured.

    Attributes:
        device: torch's.
        folder: For files of models; goes away at the end.
        tiny: Sizes that show that everything runs, and nothing else.
        seconds: For everything together.
        began: On the clock of ``time.perf_counter``.
    """

    device: Any
    folder: Path
    tiny: bool = False
    seconds: float = 540.0
    began: float = field(default_factory=time.perf_counter)

    @property
    def name(self) -> str:
        """Of the device."""
        torch = need("torch", "The GPU benchmark")
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "the CPU"

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (time.perf_counter() - self.began)

    def wait(self) -> None:
        """Until the device has done all that it was given."""
        if self.device.type == "cuda":
            need("torch", "The GPU benchmark").cuda.synchronize(self.device)

    def peak(self, *, anew: bool = False) -> float | None:
        """Most GiB that tensors took on the GPU since the last time that this was asked ``anew``; None on a CPU."""
        if self.device.type != "cuda":
            return None
        torch = need("torch", "The GPU benchmark")
        found = float(torch.cuda.max_memory_allocated(self.device)) / 2**30
        if anew:
            torch.cuda.reset_peak_memory_stats(self.device)
        return found

    def tidy(self) -> None:
        """Give back what the last part held."""
        torch = need("torch", "The GPU benchmark")
        if "torch._dynamo" in sys.modules:
            torch.compiler.reset()
        if self.device.type == "cuda":
            gc.collect()
            torch.cuda.empty_cache()

    @contextmanager
    def limit(self) -> Iterator[None]:
        """Around a part: it ends when no time is left.

        Raises:
            NoTimeError: It did.
        """

        def ended(*_: object) -> None:
            raise NoTimeError

        if self.left <= 0:
            raise NoTimeError
        before = signal.signal(signal.SIGALRM, ended)
        signal.setitimer(signal.ITIMER_REAL, self.left)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def attempted(machine: Machine, part: Callable[[], None]) -> str:
    """Run a part; ``""``, or one sentence why it fell out."""
    torch = need("torch", "The GPU benchmark")
    try:
        with machine.limit():
            part()
    except NoTimeError:
        return f"no time left ({machine.seconds / 60:.0f} minutes for everything)"
    except torch.cuda.OutOfMemoryError:
        return "does not fit into the GPU's memory"
    except WorkbenchError as error:
        return str(error)
    except (RuntimeError, ImportError) as error:
        first = (str(error).strip().splitlines() or [""])[0]
        return f"fails: {type(error).__name__}: {first[:160]}"
    finally:
        machine.tidy()
    return ""


def median_seconds(machine: Machine, step: Callable[[], object], *, warm: int, least: int, seconds: float) -> float:
    """Median time of a step, the device's work included.

    Args:
        machine: Where.
        step: What is timed.
        warm: Calls before.
        least: Timed calls at least; more while fewer than ``seconds`` have gone by.
        seconds: See ``least``.
    """
    for _ in range(warm):
        step()
    machine.wait()
    machine.peak(anew=True)
    taken: list[float] = []
    while len(taken) < least or sum(taken) < seconds:
        start = time.perf_counter()
        step()
        machine.wait()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def ceiling(report: Report, machine: Machine, shapes: dict[str, tuple[int, int, int]]) -> float:
    """Time bf16 products, append a table, and return the most that any reached, in FLOP/s.

    Args:
        report: Gets the table.
        machine: Where.
        shapes: Rows, inner dimension and columns by what has them.
    """
    report.say("", "### The ceiling: bf16 products of random matrices")
    report.header("product", "rows x inner x columns", "TFLOP/s")
    found = []
    for name, shape in {"square": TINY if machine.tiny else LARGE, **shapes}.items():
        found.append(_of_product(machine, shape))
        report.row(name, " x ".join(f"{one:,}" for one in shape), f"{found[-1] / 1e12:.4g}")
    return max(found)


def _of_product(machine: Machine, shape: tuple[int, int, int]) -> float:
    torch = need("torch", "The GPU benchmark")
    rows, inner, columns = shape
    made = torch.Generator(machine.device).manual_seed(0)
    options = {"device": machine.device, "dtype": torch.bfloat16, "generator": made}
    one, two = torch.randn(rows, inner, **options), torch.randn(inner, columns, **options)
    out = torch.empty(rows, columns, device=machine.device, dtype=torch.bfloat16)

    def some() -> None:
        for _ in range(PRODUCTS):
            torch.mm(one, two, out=out)

    seconds = median_seconds(machine, some, warm=1, least=3, seconds=0.0 if machine.tiny else 0.5)
    return PRODUCTS * 2.0 * rows * inner * columns / seconds
