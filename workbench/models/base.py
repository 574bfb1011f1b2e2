"""What models around a network share: captions and galleries in, numpy similarities out; weights as safetensors."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.core.errors import DataError
from workbench.core.files import atomic
from workbench.core.optional import need
from workbench.models.families import FAMILIES, WEIGHTS
from workbench.models.gallery import Gallery

if TYPE_CHECKING:
    from typing import Self

    from workbench.models.lora import Lora

MODALITIES = {"vision": {"frames"}, "ocr": {"ocr"}, "fusion": {"frames", "ocr"}}
CAPTIONS_PER_TILE = 64
COUNTS = ("size", "groups")
"""Inputs that a network reads as plain numbers: they stay on the CPU, so that nothing waits for the GPU."""


_inputs_device: ContextVar[Any] = ContextVar("inputs_device", default=None)


@contextmanager
def inputs_on(device: Any) -> Iterator[None]:
    """Inside, and in this thread alone, models make their inputs on another device than their network's."""
    token = _inputs_device.set(device)
    try:
        yield
    finally:
        _inputs_device.reset(token)


class NetworkModel(ABC):
    """A ``RetrievalModel`` around a network; training calls ``caption_inputs``, ``video_inputs`` and the network.

    The network has ``caption(packed)`` and ``videos(*inputs)``, dicts of tensors with rows first, and
    ``parts(caption, videos)``, the similarities [captions, videos] by modality, divided by the temperature.

    Attributes:
        family: Its name in ``FAMILIES``; "" for a model from outside the tree, which its builder makes again.
        videos_per_tile: Videos that are encoded at once.
        options: A frozen record: everything that decides the shape of the network and of its inputs. None for a model
            from outside the tree, whose run keeps its builder's options.
        needs: As of ``RetrievalModel``.
        reads: As of ``RetrievalModel``.
        network: A torch module.
        lora: Adapters among its weights (``models.lora``); None = none.
    """

    family: ClassVar[str] = ""
    videos_per_tile: ClassVar[int] = 128
    options: Any = None
    needs: frozenset[str]
    reads: Mapping[str, Any]
    network: Any
    lora: Lora | None = None

    @abstractmethod
    def caption_inputs(self, captions: Sequence[str]) -> dict[str, Any]:
        """Captions as tensors on the network's device."""

    @abstractmethod
    def video_inputs(self, gallery: Gallery) -> tuple[Any, ...]:
        """What the network's ``videos`` takes, e.g. frames, read words and places, as tensors on its device.

        Raises:
            DataError: The gallery lacks frames, or has frames or places of another shape.
        """

    def tile_inputs(self, gallery: Gallery, tiles: Sequence[range]) -> Iterator[tuple[Any, ...]]:
        """``video_inputs`` of the videos of each tile; a family may compute once what tiles share."""
        return (self.video_inputs(gallery.take(tile)) for tile in tiles)

    def compare(self, captions: dict[str, Any], videos: dict[str, Any]) -> dict[str, Any]:
        """Encoded captions against encoded videos: similarities [captions, videos] by modality, as runs store them.

        As in training, unless a family says otherwise.
        """
        parts: dict[str, Any] = self.network.parts(captions, videos)
        return parts

    def files(self) -> Mapping[str, str]:
        """Text files, by name, that belong beside the weights; none, unless a family says otherwise."""
        return {}

    @classmethod
    def reopened(cls, options: Any, folder: Path) -> Self:
        """A network of these options for weights that are set next, with what ``files`` put into the folder.

        Args:
            options: As ``self.options`` was when it was saved.
            folder: The checkpoint's; models that need none of its files leave this as it is.
        """
        return cls(options)  # type: ignore[call-arg]  # every family is built from its options

    def fitted(self, weights: Mapping[str, Any]) -> Mapping[str, Any]:
        """Weights of a network for another number of frames as this one can take them.

        A space-time tower's table of times is cut, or gets zeros behind; all else is as it is by default.

        Args:
            weights: Tensors by name.
        """
        from workbench.models.towers.space_time.weights import fit_temporal

        own = self.network.state_dict()
        tables = {name: own[name].shape[1] for name in weights if name.endswith("temporal_embed") and name in own}
        return {**weights, **{name: fit_temporal(weights[name], rows, "zeros") for name, rows in tables.items()}}

    def encode(self, gallery: Gallery) -> list[dict[str, Any]]:
        """The videos in the network's own form, in tiles."""
        torch = need("torch", f"The model {self._name()}")
        count, size = len(gallery.video_ids), self.videos_per_tile
        tiles = [range(at, min(at + size, count)) for at in range(0, count, size)]
        with torch.inference_mode():
            return [self.network.videos(*inputs) for inputs in self.tile_inputs(gallery, tiles)]

    def parts(self, captions: Sequence[str], encoded: list[dict[str, Any]]) -> dict[str, np.ndarray]:
        """Similarity by modality, float32 [captions, videos]; computed tile by tile."""
        rows: dict[str, list[np.ndarray]] = {}
        for tile in self._tiles(captions, encoded):
            for name, part in tile.items():
                rows.setdefault(name, []).append(part.cpu().numpy())
        return {name: np.concatenate(found) for name, found in rows.items()}

    def similarity(self, captions: Sequence[str], encoded: list[dict[str, Any]]) -> np.ndarray:
        """Sum of the parts, float32 [captions, videos]."""
        return np.asarray(sum(self.parts(captions, encoded).values()), np.float32)

    def device_similarity(self, captions: Sequence[str], encoded: list[dict[str, Any]]) -> Any:
        """As ``similarity``, a tensor on the network's device."""
        torch = need("torch", f"The model {self._name()}")
        with torch.inference_mode():
            return torch.cat([sum(tile.values()) for tile in self._tiles(captions, encoded)])

    def save(self, folder: Path) -> None:
        """Write ``model.safetensors`` with family and options in its header, and what belongs beside it."""
        tensors = need("safetensors.torch", "Saving weights")
        state = {name: value.contiguous() for name, value in self.network.state_dict().items()}
        options = {} if self.options is None else asdict(self.options)
        header = {"model": self._name(), "family": self.family, "options": json.dumps(options)}
        if self.lora is not None:
            header["lora"] = json.dumps(asdict(self.lora))
        for name, text in self.files().items():
            with atomic(folder / name) as temporary:
                temporary.write_text(text, encoding="utf-8")
        with atomic(folder / WEIGHTS) as temporary:
            tensors.save_file(state, temporary, metadata=header)

    def _name(self) -> str:
        """The model's name in ``MODELS``; of a family from outside the tree its class."""
        if self.family in FAMILIES:
            return FAMILIES[self.family].model
        return f"{type(self).__module__}:{type(self).__qualname__}"

    @property
    def device(self) -> Any:
        """Where the network lies; of inputs inside ``inputs_on`` the device that it names."""
        named = _inputs_device.get()
        return named if named is not None else next(self.network.parameters()).device

    def _tiles(self, captions: Sequence[str], encoded: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Tensors by modality, some captions against all videos."""
        torch = need("torch", f"The model {self._name()}")
        for at in range(0, len(captions), CAPTIONS_PER_TILE):
            with torch.inference_mode():
                tokens = self.network.caption(self.caption_inputs(captions[at : at + CAPTIONS_PER_TILE]))
                tiles = [self.compare(tokens, tile) for tile in encoded]
                yield {name: torch.cat([tile[name] for tile in tiles], 1) for name in tiles[0]}

    def _frames(self, gallery: Gallery, shape: tuple[int, int, int]) -> Any:
        """The gallery's frames as a uint8 tensor, or None where the model reads none.

        Args:
            gallery: Of the videos.
            shape: Frames per video, height and width in pixels.

        Raises:
            DataError: The gallery has no frames, or has others.
        """
        if "frames" not in self.needs:
            return None
        torch = need("torch", f"The model {self._name()}")
        expected = (*shape, 3)
        if gallery.frames is None or gallery.frames.shape[1:] != expected:
            found = None if gallery.frames is None else gallery.frames.shape[1:]
            raise DataError(f"The model reads frames {expected}, found {found}.", "Prepare them with its options.")
        # From pinned memory (training/prefetch) the copy runs beside the work; from any other it waits.
        return torch.from_numpy(gallery.frames).to(self.device, non_blocking=True)

    def _tensors(self, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
        torch = need("torch", f"The model {self._name()}")
        made = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
        return {name: one if name in COUNTS else one.to(self.device) for name, one in made.items()}
