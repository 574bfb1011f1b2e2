"""The space-time transformer's attention in groups, forth and back, by each of torch's kernels: which one suits."""

from __future__ import annotations

from benchmarks.gpu_measuring import Machine, attempted, median_seconds
from benchmarks.report import Report
from workbench.core.optional import need

KERNELS = ("FLASH_ATTENTION", "EFFICIENT_ATTENTION", "CUDNN_ATTENTION", "MATH")
VIDEOS = 32
SHAPES = {"ViT-B/16 x 4 frames": (4, 196, 12, 64), "ViT-L/14 x 12 frames": (12, 256, 16, 64)}
"""Frames, patches of a frame, heads, dimensions of a head."""


def attention(report: Report, machine: Machine) -> None:
    """Append a table: milliseconds of one layer's attention over time and over space, by kernel.

    Args:
        report: Gets it.
        machine: Where.
    """
    videos = 1 if machine.tiny else VIDEOS
    report.say("", f"### Attention of one layer, {videos} videos", "", "bf16, ms forth and back, by torch's kernel.")
    report.header("model", "over", "groups x tokens", *(name.split("_")[0].lower() for name in KERNELS))
    for model, (frames, patches, heads, width) in SHAPES.items():
        patches, heads = (9, 2) if machine.tiny else (patches, heads)
        for over, groups, members in (("time", patches, frames), ("space", frames, patches)):
            shape = (videos * groups, heads, 1 + members, width)
            cells = [_cell(machine, shape, kernel) for kernel in KERNELS]
            report.row(model, over, f"{videos * groups:,} x {1 + members}", *cells)


def _cell(machine: Machine, shape: tuple[int, ...], kernel: str) -> str:
    torch = need("torch", "The GPU benchmark")
    kernels = need("torch.nn.attention", "The GPU benchmark")
    taken: list[float] = []

    def part() -> None:
        made = torch.Generator(machine.device).manual_seed(0)
        options = {"generator": made, "device": machine.device, "dtype": torch.bfloat16}
        inputs = [torch.randn(shape, **options).requires_grad_() for _ in range(3)]

        def step() -> None:
            with kernels.sdpa_kernel(getattr(kernels.SDPBackend, kernel)):
                out = torch.nn.functional.scaled_dot_product_attention(*inputs)
            out.backward(out.detach())

        timing = {"warm": 1, "least": 1, "seconds": 0.0} if machine.tiny else {"warm": 2, "least": 5, "seconds": 0.2}
        taken.append(1000 * median_seconds(machine, step, **timing))

    said = attempted(machine, part)
    if "No viable backend" in said:
        return "cannot"
    return said or f"{taken[0]:.2f}"
