"""What a network is given of a batch, as tensors that a step has only to move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench.core.optional import need
from workbench.models import Gallery
from workbench.models.augment import Augment, cut_out
from workbench.models.base import COUNTS, NetworkModel, inputs_on


@dataclass(frozen=True)
class Variation:
    """How the frames of some videos are varied, on the device.

    Attributes:
        augment: The way.
        draws: Its numbers, one row per video; None = frames stay as they are.
        cut: Height and width (pixels) of what is cut out of larger frames first; None = all of them.
    """

    augment: Augment
    draws: np.ndarray | None = None
    cut: tuple[int, int] | None = None

    def take(self, rows: Sequence[int]) -> Variation:
        """Of some of the videos."""
        return self if self.draws is None else replace(self, draws=self.draws[list(rows)])

    def apply(self, frames: Any) -> Any:
        """Frames [V, T, H, W, 3] varied."""
        if self.draws is None:
            return frames
        return self.augment.apply(frames if self.cut is None else cut_out(frames, self.draws, self.cut), self.draws)


@dataclass(frozen=True)
class Chunk:
    """Captions and videos that go through the network at once.

    Attributes:
        captions: What the network's ``caption`` takes.
        videos: What its ``videos`` takes, frames not varied yet.
        variation: Of the frames.
        device: That they must be moved to; None = they lie where they belong.
    """

    captions: Any
    videos: tuple[Any, ...]
    variation: Variation
    device: Any = None

    def texts(self) -> Any:
        """The captions' inputs, on the device."""
        return self._moved(self.captions)

    def looks(self) -> tuple[Any, ...]:
        """The videos' inputs, on the device, with their frames varied."""
        frames, *others = self._moved(self.videos)
        return (frames if frames is None else self.variation.apply(frames)), *others

    def _moved(self, inputs: Any) -> Any:
        if self.device is None:
            return inputs
        return _changed(inputs, lambda one: one.to(self.device, non_blocking=True))  # from pinned memory beside work


def chunk_of(model: Any, captions: Sequence[str], gallery: Gallery, variation: Variation) -> Chunk:
    """The inputs of some captions and videos.

    Those of our families are made in the CPU's memory, so that many may wait for their step; a model from outside the
    tree puts its own where it wants them.

    Raises:
        DataError: The gallery lacks what the model needs.
    """
    torch = need("torch", "Training")
    ours = isinstance(model, NetworkModel) and bool(model.family)
    with inputs_on(torch.device("cpu")) if ours else nullcontext():
        texts, videos = model.caption_inputs(captions), tuple(model.video_inputs(_corner(gallery, variation.cut)))
        if variation.cut is not None and gallery.frames is not None:
            videos = (torch.from_numpy(gallery.frames).to(model.device), *videos[1:])
    if not ours:
        return Chunk(texts, videos, variation)
    if model.device.type == "cuda":
        texts, videos = (_changed(one, lambda tensor: tensor.pin_memory()) for one in (texts, videos))
    return Chunk(texts, videos, variation, model.device)


def _corner(gallery: Gallery, cut: tuple[int, int] | None) -> Gallery:
    """A gallery with frames of the size that the model knows, where they are larger, for a part to be cut out later."""
    if cut is None or gallery.frames is None:
        return gallery
    return replace(gallery, frames=gallery.frames[:, :, : cut[0], : cut[1]])


def _changed(inputs: Any, change: Callable[[Any], Any]) -> Any:
    """Inputs with every tensor changed, but for the plain numbers that ``COUNTS`` names."""
    if isinstance(inputs, dict):
        return {name: one if name in COUNTS else _changed(one, change) for name, one in inputs.items()}
    if isinstance(inputs, tuple):
        return tuple(_changed(one, change) for one in inputs)
    return inputs if inputs is None else change(inputs)
