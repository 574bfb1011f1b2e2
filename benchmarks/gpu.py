"""What a GPU does with the training engine, in one call of under ten minutes; writes its part of RESULTS.md.

    python -m benchmarks.gpu [--out FILE] [--minutes 9] [--parts training gradcache ...]
    python -m benchmarks.gpu --device cpu --tiny --out FILE      shows that it runs; nothing is compiled

A part that is done is written before the next begins; what does not fit into memory or time says so and falls out.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

from benchmarks.gpu_attention import attention
from benchmarks.gpu_equivalence import equivalence
from benchmarks.gpu_features import features
from benchmarks.gpu_gradcache import gradcache
from benchmarks.gpu_measuring import Machine, ceiling
from benchmarks.gpu_training import training
from benchmarks.gpu_workloads import WORKLOADS
from benchmarks.report import Report, put
from workbench.core.errors import WorkbenchError
from workbench.core.optional import need
from workbench.models.device import chosen_device

NO_GPU = 3
"""Exit code on a machine without a GPU."""
PARTS = ("attention", "gradcache", "features", "equivalence", "training")
RESULTS = Path(__file__).with_name("RESULTS.md")


def measured(machine: Machine, parts: list[str], out: Path) -> list[str]:
    """Run the parts one after the other; returns the floors that they missed."""
    torch = need("torch", "The GPU benchmark")
    report = Report()
    report.say(
        "## Training on a GPU", "",
        f"`python -m benchmarks.gpu`, {date.today()}, {machine.name}, torch {torch.__version__}, Python"
        f" {platform.python_version()}.",
    )  # fmt: skip
    shapes = {one.name: ((64, 32, 128) if machine.tiny else _of_batch(one.shape)) for one in WORKLOADS[:2]}
    most = ceiling(report, machine, shapes)
    steps: dict[str, Callable[[], None]] = {
        "attention": lambda: attention(report, machine),
        "gradcache": lambda: gradcache(report, machine, most),
        "features": lambda: features(report, machine),
        "equivalence": lambda: equivalence(report, machine),
        "training": lambda: training(report, machine, most),
    }
    for name, step in steps.items():
        if name in parts:
            step()
            put(out, "gpu", report.lines, ["gpu"])
    return report.missed


def _of_batch(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """The product of a batch of eight videos."""
    tokens, width, hidden = shape
    return 8 * tokens, width, hidden


def main() -> None:
    """Measure, or say in a sentence why not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description="Measure training on a GPU.")
    parser.add_argument("--device", default="cuda", help="cuda; cpu shows that everything runs")
    parser.add_argument("--tiny", action="store_true", help="sizes that show that everything runs")
    parser.add_argument("--minutes", type=float, default=9.0, help="for everything; what is left then falls out")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--out", type=Path, default=RESULTS, help="a file like RESULTS.md, whose part is replaced")
    asked = parser.parse_args()
    if asked.tiny and asked.out == RESULTS:
        parser.error("Tiny sizes are no results: name another file with --out.")
    torch = need("torch", "The GPU benchmark")
    if asked.device.startswith("cuda") and not torch.cuda.is_available():
        print("This machine has no GPU that torch can use; --device cpu --tiny shows that it runs.", file=sys.stderr)
        sys.exit(NO_GPU)
    os.environ["WORKBENCH_DEVICE"] = asked.device
    try:
        with tempfile.TemporaryDirectory() as folder:
            machine = Machine(chosen_device(), Path(folder), asked.tiny, 60 * asked.minutes)
            missed = measured(machine, list(asked.parts), asked.out)
    except WorkbenchError as error:
        sys.exit(str(error))
    if missed:
        sys.exit("Floors missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
