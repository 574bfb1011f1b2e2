"""What the families share: captions and galleries in, numpy similarities out, tile by tile; weights as safetensors."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from workbench.core.errors import DataError
from workbench.core.files import atomic
from workbench.core.optional import need
from workbench.models.gallery import Gallery

MODALITIES = {"vision": {"frames"}, "ocr": {"ocr"}, "fusion": {"frames", "ocr"}}
CAPTIONS_PER_TILE = 64


class NetworkModel(ABC):
    """A ``RetrievalModel`` around a network; training calls ``caption_inputs``, ``video_inputs`` and the network.

    The network has ``caption(packed)`` and ``videos(frames, packed, place)``, dicts of tensors with rows first, and
    ``parts(caption, videos)``, the similarities [captions, videos] by modality, divided by the temperature.

    Attributes:
        family: Its name in the header of a checkpoint.
        videos_per_tile: Videos that are encoded at once.
        options: A frozen record: everything that decides the shape of the network and of its inputs.
        needs: As of ``RetrievalModel``.
        reads: As of ``RetrievalModel``.
        network: A torch module.
    """

    family: ClassVar[str]
    videos_per_tile: ClassVar[int]
    options: Any
    needs: frozenset[str]
    reads: Mapping[str, Any]
    network: Any

    @abstractmethod
    def caption_inputs(self, captions: Sequence[str]) -> dict[str, Any]:
        """Captions as tensors on the network's device."""

    @abstractmethod
    def video_inputs(self, gallery: Gallery) -> tuple[Any, dict[str, Any], Any]:
        """Frames (None where the model reads none), read words and their places as tensors on the network's device.

        Raises:
            DataError: The gallery lacks frames, or has frames or places of another shape.
        """

    @abstractmethod
    def tile_inputs(self, gallery: Gallery, tiles: Sequence[range]) -> Iterator[tuple[Any, dict[str, Any], Any]]:
        """``video_inputs`` of the videos of each tile; what tiles share may be computed once."""

    @abstractmethod
    def compare(self, captions: dict[str, Any], videos: dict[str, Any]) -> dict[str, Any]:
        """Encoded captions against encoded videos: similarities [captions, videos] by modality, as runs store them."""

    @abstractmethod
    def files(self) -> Mapping[str, str]:
        """Text files, by name, that belong beside the weights."""

    def encode(self, gallery: Gallery) -> list[dict[str, Any]]:
        """The videos in the network's own form, in tiles."""
        torch = need("torch", f"The model {self.family}")
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
        torch = need("torch", f"The model {self.family}")
        with torch.inference_mode():
            return torch.cat([sum(tile.values()) for tile in self._tiles(captions, encoded)])

    def save(self, folder: Path) -> None:
        """Write ``model.safetensors`` with family and options in its header, and what belongs beside it."""
        tensors = need("safetensors.torch", "Saving weights")
        state = {name: value.contiguous() for name, value in self.network.state_dict().items()}
        header = {"model": "textvr_fusion", "family": self.family, "options": json.dumps(asdict(self.options))}
        for name, text in self.files().items():
            with atomic(folder / name) as temporary:
                temporary.write_text(text, encoding="utf-8")
        with atomic(folder / "model.safetensors") as temporary:
            tensors.save_file(state, temporary, metadata=header)

    @property
    def device(self) -> Any:
        return next(self.network.parameters()).device

    def _tiles(self, captions: Sequence[str], encoded: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Tensors by modality, some captions against all videos."""
        torch = need("torch", f"The model {self.family}")
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
        torch = need("torch", f"The model {self.family}")
        expected = (*shape, 3)
        if gallery.frames is None or gallery.frames.shape[1:] != expected:
            found = None if gallery.frames is None else gallery.frames.shape[1:]
            raise DataError(f"The model reads frames {expected}, found {found}.", "Prepare them with its options.")
        return torch.from_numpy(gallery.frames).to(self.device)

    def _tensors(self, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
        torch = need("torch", f"The model {self.family}")
        return {name: torch.from_numpy(np.ascontiguousarray(value)).to(self.device) for name, value in arrays.items()}
