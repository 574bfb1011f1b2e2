"""A second device on a machine without one: tensors that say they are elsewhere, hold real numbers, and refuse company.

A GPU lets a tensor of the CPU meet its own only as a single number, as an index, or to be copied; so does this. What is
read back (``item``, ``tolist``, ``cpu``) makes the program wait for the device: it is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

FAR = torch.device("meta")
HERE = torch.device("cpu")
MAY_MIX = ("_to_copy", "copy_", "index", "index_put", "index_put_", "_unsafe_index_put", "_index_put_impl_")


class MixedDevicesError(Exception):
    """A tensor of the CPU met one of the far device."""


class Far(torch.Tensor):
    """A tensor on the far device; ``near`` has its numbers."""

    near: torch.Tensor

    @staticmethod
    def __new__(cls, near: torch.Tensor) -> Far:
        return torch.Tensor._make_wrapper_subclass(
            cls, near.size(), strides=near.stride(), storage_offset=near.storage_offset(), dtype=near.dtype, device=FAR
        )

    def __init__(self, near: torch.Tensor) -> None:
        self.near = near

    def __repr__(self) -> str:
        return f"Far({self.near!r})"

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _called(function, args, kwargs or {})


class _Dispatch(TorchDispatchMode):
    """Sends every operation through ``_called`` and counts what is read back."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        far = any(isinstance(one, Far) for one in tree_leaves((args, kwargs)))
        name = function.overloadpacket.__name__
        home = name == "_to_copy" and kwargs.get("device") == HERE
        if far and (home or name in ("_local_scalar_dense", "nonzero", "equal")):
            self.waits.append(name)
        return _called(function, args, kwargs)


class _Numbers(TorchFunctionMode):
    """``torch.tensor(numbers, device=FAR)`` would be made without its numbers, and ``tolist`` refuses."""

    def __init__(self, waits: list[str]) -> None:
        super().__init__()
        self.waits = waits

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if function is torch.tensor and torch.device(kwargs.get("device") or HERE) == FAR:
            kwargs.pop("device")
            return torch.tensor(*args, **kwargs).to(FAR)
        if function is torch.Tensor.tolist and isinstance(args[0], Far):
            self.waits.append("tolist")
            return args[0].near.tolist()
        return function(*args, **kwargs)


def _called(function: Any, args: Any, kwargs: Any) -> Any:
    tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
    far = [one for one in tensors if isinstance(one, Far)]
    strangers = [one for one in tensors if not isinstance(one, Far) and one.ndim]
    name = function.overloadpacket.__name__
    if far and strangers and name not in MAY_MIX:
        shapes = [list(one.shape) for one in strangers]
        raise MixedDevicesError(f"{name}: {shapes} of the CPU with {[list(one.shape) for one in far]} of the device")
    known = {id(one.near): one for one in far}
    out = function(*tree_map(_near, args), **tree_map(_near, kwargs))
    to = kwargs.get("device")
    if not (far if to is None else to == FAR):
        return out

    def sent(one: Any) -> Any:
        if not isinstance(one, torch.Tensor):
            return one
        return known[id(one)] if id(one) in known else Far(one)

    return tree_map(sent, out)


def _near(value: Any) -> Any:
    if isinstance(value, Far):
        return value.near
    return HERE if isinstance(value, torch.device) and value == FAR else value


def send_away(network: torch.nn.Module) -> None:
    """Move weights and buffers to the far device."""
    for module in network.modules():
        for name, value in module._parameters.items():
            if value is not None:
                module._parameters[name] = torch.nn.Parameter(Far(value.detach()), value.requires_grad)
        for name, value in module._buffers.items():
            if value is not None:
                module._buffers[name] = Far(value)


@contextmanager
def far_device() -> Iterator[list[str]]:
    """Inside, ``FAR`` computes, in full precision; gives the operations that made the program wait for it, so far."""
    dispatch, autocast = _Dispatch(), torch.autocast

    def near_autocast(kind: str, *words: Any, **options: Any) -> AbstractContextManager[Any]:
        return nullcontext() if kind == FAR.type else autocast(kind, *words, **options)

    with (
        dispatch, _Numbers(dispatch.waits), patch.object(torch, "inference_mode", torch.no_grad),
        patch.object(torch, "autocast", near_autocast),
    ):  # fmt: skip
        yield dispatch.waits
