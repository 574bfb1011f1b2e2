"""What passes between processes: rows with their gradients, and sums of gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import distributed
from torch.nn import functional as F

from workbench.models.world import Tensors, World

BUCKET = 1 << 24
"""Numbers that are summed in one message, at most, unless one weight has more."""


def joined_rows(chunks: Sequence[Tensors]) -> Tensors:
    """The rows of all chunks in one, other dimensions padded to the longest."""
    out = {}
    for name in chunks[0]:
        parts = [chunk[name] for chunk in chunks]
        widest = [max(sizes) for sizes in zip(*(one.shape for one in parts), strict=True)]
        out[name] = torch.cat([padded(one, [len(one), *widest[1:]]) for one in parts])
    return out


def padded(tensor: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """A tensor with zeros (False) behind, up to a shape."""
    behind = [wanted - there for wanted, there in zip(shape, tensor.shape, strict=True)]
    if not any(behind):
        return tensor
    return F.pad(tensor, [length for one in reversed(behind) for length in (0, one)])


def gathered(tensors: Tensors, world: World) -> Tensors:
    """See ``World.gather``."""
    own = torch.tensor([size for one in tensors.values() for size in one.shape])  # on the CPU: no GPU waits for it
    sizes = [torch.empty_like(own) for _ in range(world.size)]
    with world.together():
        distributed.all_gather(sizes, own)
    every, out, at = torch.stack(sizes), {}, 0
    for name, one in tensors.items():
        shapes = every[:, at : at + one.ndim]
        at += one.ndim
        out[name] = _Gathered.apply(padded(one, shapes.amax(0).tolist()), shapes[:, 0].tolist(), world)
    return out


class _Gathered(torch.autograd.Function):
    """Rows of all ranks; back go the sums over the ranks of the gradients of one's own rows."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, counts: list[int], world: World) -> torch.Tensor:
        ctx.counts, ctx.world, ctx.shape = counts, world, rows.shape
        parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in counts]
        with world.together():
            distributed.all_gather(parts, rows.contiguous())
        return torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (gradient,) = gradients
        exact = gradient.to(torch.promote_types(gradient.dtype, torch.float32))
        own = _summed([padded(part, ctx.shape) for part in exact.split(ctx.counts)], ctx.world)
        return own.to(gradient.dtype), None, None


def _summed(parts: list[torch.Tensor], world: World) -> torch.Tensor:
    """The sum over the ranks of the part of this one; NCCL sends each rank no more than that, gloo does not always.

    Args:
        parts: One for each rank, of equal shapes.
        world: The ranks.
    """
    if parts[0].is_cuda and "cuda:nccl" in distributed.get_backend_config():
        own = torch.empty_like(parts[0], memory_format=torch.contiguous_format)
        with world.together():
            distributed.reduce_scatter(own, [part.contiguous() for part in parts])
        return own
    total = torch.stack(parts)
    with world.together():
        distributed.all_reduce(total)
    return total[world.rank]


def add_up(weights: list[torch.Tensor], world: World) -> None:
    """See ``World.add_up``; a weight that no rank has a gradient for keeps none."""
    somewhere = torch.tensor([one.grad is not None for one in weights], dtype=torch.int64)
    with world.together():
        distributed.all_reduce(somewhere)
        for weight, count in zip(weights, somewhere.tolist(), strict=True):
            if count and weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        for bucket in _buckets([one.grad for one in weights if one.grad is not None]):
            flat = torch.cat([one.reshape(-1) for one in bucket])
            distributed.all_reduce(flat)
            for one, total in zip(bucket, flat.split([one.numel() for one in bucket]), strict=True):
                one.copy_(total.view_as(one))


def _buckets(gradients: list[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """Gradients of one type each, in their order."""
    for kind in dict.fromkeys(one.dtype for one in gradients):
        bucket: list[torch.Tensor] = []
        for one in (one for one in gradients if one.dtype == kind):
            if bucket and sum(each.numel() for each in bucket) + one.numel() > BUCKET:
                yield bucket
                bucket = []
            bucket.append(one)
        yield bucket
