"""What torch finds on this machine: its build, the GPUs it can use, and a GPU that is there but that it cannot use."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
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


def gpus_of_driver() -> list[str]:
    """Names of the NVIDIA GPUs that the driver lists, whether torch can use them or not."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, "--query-gpu=name", "--format=csv,noheader"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return []
    return [line.strip() for line in found.stdout.splitlines() if line.strip()] if found.returncode == 0 else []


def torch_report() -> TorchReport:
    """Look at torch and the GPUs, computing one small product on each usable GPU to see that it works."""
    present = gpus_of_driver()
    if not has("torch"):
        return TorchReport(None, "", [], present, "", "pip install 'textvr-workbench[train]'")
    torch = need("torch", "Looking for GPUs")
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU only"
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        try:
            for index in range(len(names)):
                torch.ones(2, 2, device=f"cuda:{index}").matmul(torch.ones(2, 2, device=f"cuda:{index}")).cpu()
        except RuntimeError as error:
            problem = f"the GPU refuses to compute ({str(error).splitlines()[0]})"
            return TorchReport(
                torch.__version__,
                build,
                [],
                present,
                problem,
                "Update the driver, or install a torch build for it.",
            )
        return TorchReport(torch.__version__, build, names, present, "", "")
    if present:
        problem = f"{present[0]} is there, but torch ({build}) cannot use it"
        fix = "Install a CUDA build of torch that suits the driver (nvidia-smi shows its CUDA version)."
        return TorchReport(torch.__version__, build, [], present, problem, fix)
    return TorchReport(torch.__version__, build, [], [], "", "")


def chosen_device() -> Any:
    """The torch device to compute on: the one that ``WORKBENCH_DEVICE`` names, else a GPU, else the CPU.

    Of several processes on a machine (``LOCAL_RANK``) each has a GPU of its own, unless ``WORKBENCH_DEVICE`` names one
    by number (``cuda:0``).

    Raises:
        StateError: There is a GPU that torch cannot use, and nothing says to do without it; or there are fewer GPUs
            than processes.
    """
    torch = need("torch", "Computing with a model")
    named = os.environ.get("WORKBENCH_DEVICE")
    if named and named != "cuda":
        return torch.device(named)
    if named or torch.cuda.is_available():
        return _own_gpu(os.environ.get("LOCAL_RANK"))
    if present := gpus_of_driver():
        raise StateError(
            f"{present[0]} is there, but this torch cannot use it.",
            "See: workbench doctor; or set WORKBENCH_DEVICE=cpu to compute on the CPU.",
        )
    return torch.device("cpu")


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
