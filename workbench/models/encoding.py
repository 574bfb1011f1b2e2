"""Videos encoded one at a time, so that what is kept of one has the same bits in whatever company; and put together.

A product of matrices may round otherwise when it has other rows beside, or runs on another number of threads. So each
video goes through the network by itself, on one thread, and several videos at a time on as many.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Protocol, runtime_checkable

import numpy as np

from workbench.core.optional import need
from workbench.core.pool import default_workers
from workbench.models.base import NetworkModel
from workbench.models.gallery import Gallery
from workbench.models.registry import RetrievalModel

VECTORS = "frame vectors"
VIDEOS = "videos"
AT_ONCE_ON_GPU = 2
"""Videos under way on a GPU: one is computed while the next one is read."""


@runtime_checkable
class SeesFrameByFrame(Protocol):
    """A ``RetrievalModel`` that can take vectors of frames (``Gallery.features``) in place of the frames.

    Attributes:
        encodes_features: Whether ``encode`` takes them.
        frozen_frames: Whether they stay as they are while the rest of the model is trained, so that training takes them
            too; weights without gradient then make them.
        network: A torch module.
        options: A frozen record.
    """

    @property
    def encodes_features(self) -> bool: ...

    @property
    def frozen_frames(self) -> bool: ...

    @property
    def network(self) -> Any: ...

    @property
    def options(self) -> Any: ...

    def frame_features(self, frames: np.ndarray) -> np.ndarray:
        """float32 [n, frames, dimensions] of frames uint8 [n, frames, height, width, 3]."""


def kept_of(model: RetrievalModel) -> str | None:
    """What can be kept of each video for a model: ``VECTORS``, ``VIDEOS``, or nothing.

    Nothing of a model from outside the tree: its code may change, and what was kept would not show it.
    """
    if isinstance(model, NetworkModel) and not model.family:
        return None
    if isinstance(model, SeesFrameByFrame) and model.encodes_features:
        return VECTORS
    if not isinstance(model, NetworkModel) or type(model).encode is not NetworkModel.encode:
        return None  # its videos are encoded together
    return None if model.options is None else VIDEOS  # what decides its numbers is not known


def encode_one(model: Any, gallery: Gallery) -> dict[str, np.ndarray]:
    """What a model keeps of one video.

    Args:
        model: One of which something can be kept (``kept_of``).
        gallery: This video alone.

    Returns:
        ``VECTORS``: ``features`` [1, frames, dimensions]. ``VIDEOS``: what the network's ``videos`` gives, of one row.
    """
    if kept_of(model) == VECTORS:
        return {"features": np.asarray(model.frame_features(gallery.frames), np.float32)}
    torch = need("torch", "Encoding videos")
    with torch.inference_mode():
        found = model.network.videos(*model.video_inputs(gallery))
        return {name: _as_array(one) for name, one in found.items()}


def in_tiles(model: Any, videos: Sequence[Mapping[str, np.ndarray] | None]) -> list[dict[str, Any]]:
    """Videos as ``NetworkModel.encode`` gives them: tiles of tensors on the model's device.

    Args:
        model: A network that encodes videos by themselves.
        videos: From ``encode_one``; None where a video is missing, which becomes zeros.
    """
    torch = need("torch", "Comparing videos")
    from workbench.models.collectives import joined_rows

    first = next(one for one in videos if one is not None)
    nothing = {name: np.zeros_like(value) for name, value in first.items()}
    size = model.videos_per_tile
    tiles = []
    for at in range(0, len(videos), size):
        rows = [
            {name: torch.from_numpy(one) for name, one in (video or nothing).items()}
            for video in videos[at : at + size]
        ]
        tiles.append({name: one.to(model.device) for name, one in joined_rows(rows).items()})
    return tiles


def fingerprint_of(model: Any) -> str:
    """sha256 of whatever decides what ``encode_one`` gives for an input: weights, options, device, version of torch."""
    torch = need("torch", "Encoding videos")
    kind, options = kept_of(model), asdict(model.options)
    if kind == VECTORS:  # the same tower serves many models
        options = {name: one for name, one in options.items() if name in ("fit", "precision")}
    device = next(model.network.parameters()).device
    stated = {
        "kind": kind, "class": f"{type(model).__module__}.{type(model).__qualname__}", "options": options,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "torch": torch.__version__, "products": torch.get_float32_matmul_precision(),
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps(stated, sort_keys=True, default=str).encode())
    trained = set()
    if kind == VECTORS and model.frozen_frames:
        trained = {name for name, one in model.network.named_parameters() if one.requires_grad}
    for name, value in sorted(model.network.state_dict().items()):
        if name not in trained:
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


@contextmanager
def one_thread_each(model: Any) -> Iterator[int]:
    """Inside, torch computes on one thread per caller on a CPU; gives how many callers there should be."""
    torch = need("torch", "Encoding videos")
    if next(model.network.parameters()).device.type != "cpu":
        yield AT_ONCE_ON_GPU
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield default_workers()
    finally:
        torch.set_num_threads(before)


def _as_array(value: Any) -> np.ndarray:
    torch = need("torch", "Encoding videos")
    exact = value.float() if value.dtype is torch.bfloat16 else value  # every bfloat16 is a float32
    array: np.ndarray = exact.cpu().numpy()
    return array
