"""What torch finds on this machine: its build, the GPUs it can use, and a GPU that is there but that it cannot use."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from workbench.core.errors import StateError
from workbench.core.optional import has, need


@dataclass(frozen=True)
class TorchReport:
    """Version and build of torch (None = not installed), GPUs it can use, GPUs of the driver, and the fix."""

    version: str | None
    build: str
    usable: list[str]
    present: list[str]
    problem: str
    fix: str


INSTEAD = "See: workbench doctor; or set WORKBENCH_DEVICE=cpu to compute on the CPU."
DRIVER = Path("/proc/driver/nvidia/gpus")
"""A folder per GPU that the kernel's driver knows."""
NONE_THERE = "No devices were found"


def gpus_of_driver() -> list[str]:
    """Names of the NVIDIA GPUs of this machine, whether torch can use them or not.

    Where the driver's tool fails, which happens after a driver was updated, a GPU is taken to be there.
    """
    if (tool := shutil.which("nvidia-smi")) is not None:
        query = [tool, "--query-gpu=name", "--format=csv,noheader"]
        try:
            found = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
        except subprocess.TimeoutExpired:
            return ["A GPU (nvidia-smi does not answer)"]
        lines = [line.strip() for line in (found.stdout + found.stderr).splitlines() if line.strip()]
        if found.returncode == 0:
            return [line for line in lines if line != NONE_THERE]
        if NONE_THERE not in lines:
            return [f"A GPU (nvidia-smi: {lines[0].rstrip('.') if lines else f'exit code {found.returncode}'})"]
    return [f"A GPU ({one.name} in {DRIVER})" for one in sorted(DRIVER.iterdir())] if DRIVER.is_dir() else []


@cache
def trouble(device: str) -> str:
    """Why a small product cannot be computed on a device, by its name; "" where it can. Asked once."""
    torch = need("torch", "Computing with a model")
    try:
        torch.ones(2, 2, device=device).matmul(torch.ones(2, 2, device=device)).cpu()
    except (RuntimeError, AssertionError) as error:  # AssertionError: a torch without CUDA
        return (str(error).splitlines() or [type(error).__name__])[0].partition(". ")[0].rstrip(".")
    return ""


def torch_report() -> TorchReport:
    """Look at torch and the GPUs, computing one small product on each usable GPU to see that it works."""
    present = gpus_of_driver()
    if not has("torch"):
        return TorchReport(None, "", [], present, "", "pip install 'textvr-workbench[train]'")
    torch = need("torch", "Looking for GPUs")
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU only"
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        if said := next(filter(None, (trouble(f"cuda:{index}") for index in range(len(names)))), ""):
            fix = "Update the driver, or install a torch build for it."
            problem = f"the GPU refuses to compute ({said})"
            return TorchReport(torch.__version__, build, [], present, problem, fix)
        return TorchReport(torch.__version__, build, names, present, "", "")
    if present:
        problem = f"{present[0]} is there, but torch ({build}) cannot use it"
        fix = "Restart after an update of the driver, or install a CUDA build of torch that suits it (see nvidia-smi)."
        return TorchReport(torch.__version__, build, [], present, problem, fix)
    return TorchReport(torch.__version__, build, [], [], "", "")


def chosen_device() -> Any:
    """The torch device to compute on: the one that ``WORKBENCH_DEVICE`` names, else a GPU, else the CPU.

    Of several processes on a machine (``LOCAL_RANK``) each has a GPU of its own, unless ``WORKBENCH_DEVICE`` names one
    by number (``cuda:0``).

    Raises:
        StateError: There is a GPU that torch cannot use, and nothing says to do without it; what is named is no device,
            or cannot compute; or there are fewer GPUs than processes.
    """
    torch = need("torch", "Computing with a model")
    named = os.environ.get("WORKBENCH_DEVICE")
    if not named and not torch.cuda.is_available():
        if present := gpus_of_driver():
            raise StateError(f"{present[0]} is there, but this torch cannot use it.", INSTEAD)
        return torch.device("cpu")
    try:
        device = torch.device(named or "cuda")
    except RuntimeError as error:
        said = f"WORKBENCH_DEVICE is {named!r}, which is no device."
        raise StateError(said, "Set it to cpu, cuda or cuda:0.") from error
    if device == torch.device("cuda") and torch.cuda.is_available():
        device = _own_gpu(os.environ.get("LOCAL_RANK"))
    if device.type != "cpu" and (said := trouble(str(device))):
        raise StateError(f"Nothing can be computed on {device}: {said}.", INSTEAD)
    return device


def _own_gpu(local_rank: str | None) -> Any:
    """The GPU of this process among those of its machine; without a launcher the first one."""
    torch = need("torch", "Computing with a model")
    if local_rank is None:
        return torch.device("cuda")
    count = torch.cuda.device_count()
    if int(local_rank) >= count:
        raise StateError(
            f"This is process {int(local_rank) + 1} of a machine with {count} usable GPUs.",
            "Start one process per GPU (torchrun --nproc-per-node); or set WORKBENCH_DEVICE=cpu.",
        )
    return torch.device("cuda", int(local_rank))
