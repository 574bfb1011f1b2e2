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
    shapes: list[Any] = [None] * world.size
    with world.together():
        distributed.all_gather_object(shapes, {name: tuple(one.shape) for name, one in tensors.items()})
    out = {}
    for name, one in tensors.items():
        own = [shape[name] for shape in shapes]
        longest = [max(sizes) for sizes in zip(*own, strict=True)]
        out[name] = _Gathered.apply(padded(one, longest), [shape[0] for shape in own], world)
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
        total = gradient.to(torch.promote_types(gradient.dtype, torch.float32), copy=True).contiguous()
        with ctx.world.together():
            distributed.all_reduce(total)
        own = total.split(ctx.counts)[ctx.world.rank].to(gradient.dtype)
        return padded(own, ctx.shape), None, None


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
