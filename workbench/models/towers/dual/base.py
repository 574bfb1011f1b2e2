"""What models around the two towers of one folder share: how they are opened, what they keep, frames or vectors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.optional import need
from workbench.models.base import NetworkModel
from workbench.models.device import chosen_device
from workbench.models.gallery import Gallery
from workbench.models.interactions import Apart
from workbench.models.towers.dual.opened import Opened, opened

if TYPE_CHECKING:
    from typing import Self


class TowersModel(NetworkModel):
    """A ``NetworkModel`` whose network is a ``network.DualTowers``.

    Args:
        options: A record with ``weights``, ``modality``, ``fit``, ``n_frames``, ``precision`` and ``seed``.
        checkpoint: A folder that ``save`` wrote, whose description and tokenizer are taken; its weights are set next.
            None = the folder of ``options.weights``, weights and all.

    Raises:
        StateError: The weights are not on this machine.
        DataError: They cannot be read, or do not fit the options.
        MissingExtraError: torch or transformers is not installed.
    """

    def __init__(self, options: Any, checkpoint: Path | None = None) -> None:
        torch = need("torch", f"The model {self._name()}")
        self.options = options
        self._opened = opened(options.weights, checkpoint)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            self.network = self._built(self._opened)
        self.network.to(chosen_device()).eval()

    @abstractmethod
    def _built(self, towers: Opened) -> Any:
        """The network around the towers, by ``self.options``."""

    @classmethod
    def reopened(cls, options: Any, folder: Path) -> Self:
        """As described beside the weights; the folder that training began from need not be there."""
        return cls(options, folder)

    @property
    def frozen_frames(self) -> bool:
        """Whether training changes nothing about the vectors of frames, so that they may be kept."""
        return False

    @property
    def encodes_features(self) -> bool:
        """Whether vectors of frames may stand for frames while scoring: wherever it looks at frames."""
        return bool(self.network.vision)

    def frame_features(self, frames: np.ndarray) -> np.ndarray:
        """Vectors of frames for ``Gallery.features``; video by video, so that its company changes no bit of one.

        Args:
            frames: uint8 [videos, frames, height, width, 3].

        Returns:
            float32 [videos, frames, dimensions], of length 1.
        """
        features: np.ndarray = self.network.features(frames)
        return features

    def caption_inputs(self, captions: Sequence[str]) -> dict[str, Any]:
        """Texts as tokens on the network's device, cut where the model's positions end."""
        return self._opened.tokens(captions, self.device)

    def caption_vectors(self, captions: Sequence[str]) -> np.ndarray:
        """float32 [captions, dimensions], of length 1."""
        torch = need("torch", f"The model {self._name()}")
        with torch.inference_mode():
            vectors: np.ndarray = self.network.caption(self.caption_inputs(captions))["text"].float().cpu().numpy()
        return vectors

    def apart(self, gallery: Gallery) -> list[Apart]:
        """Every video taken apart; see ``models.interactions.TakesApart``."""
        torch = need("torch", f"The model {self._name()}")
        with torch.inference_mode():
            looks = self._looks(gallery)
            seen = None if looks is None else self.network.seen(looks).float().cpu().numpy()
        found = []
        for row, texts in enumerate(self._lists(gallery)):
            read = tuple(text for text in texts if text)
            text = self.caption_vectors(read) if read else np.zeros((0, self.network.width), np.float32)
            found.append(Apart(text[:0] if seen is None else seen[row], read, text))
        return found

    @abstractmethod
    def _lists(self, gallery: Gallery) -> Sequence[Sequence[str]]:
        """Texts of every video that are encoded; none where the model does not read."""

    def files(self) -> Mapping[str, str]:
        """What describes the towers, their pictures and their tokenizer: a checkpoint needs no other file."""
        return self._opened.files

    def _looks(self, gallery: Gallery) -> Any:
        """Frames, or the vectors that stand for them, as a tensor; None where the model looks at none.

        Raises:
            DataError: The gallery has neither, or others than the model takes.
        """
        if not self.network.vision:
            return None
        n_frames, size = self.options.n_frames, self.network.size
        if gallery.features is None:
            return self._frames(gallery, (n_frames, size, size))
        if not self.encodes_features:
            raise DataError("The model needs frames; no vectors can stand for them.", "Leave features out.")
        if self.network.training and not self.frozen_frames:
            raise DataError("The vision tower is trained, so it needs frames.", "Leave features out.")
        expected = (n_frames, self.network.feature_width)
        if gallery.features.shape[1:] != expected:
            raise DataError(
                f"The model reads features {expected}, found {gallery.features.shape[1:]}.", "Make them with its tower."
            )
        return self._tensors({"features": gallery.features.astype(np.float32, copy=False)})["features"]
