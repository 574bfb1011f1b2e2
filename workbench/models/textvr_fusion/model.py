"""The demo's small family: hashed words and a convolution, trained from scratch in seconds on a CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.lookup import pick
from workbench.core.optional import need
from workbench.models.base import MODALITIES, NetworkModel
from workbench.models.fusion import check_dropout
from workbench.models.gallery import Gallery
from workbench.models.interactions import Interaction
from workbench.models.located import located
from workbench.models.towers.choices import SMALL, SPACE_TIME, Acts, beside, check_vision, sight_of
from workbench.models.towers.small.words import packed, tokens_of
from workbench.models.towers.space_time import load_weights

SIZES_OF: Acts = {
    "vision": {SMALL: ("width", "grid", "height", "width_px"), SPACE_TIME: ("vision_size", "vision_weights")}
}
"""Options and files that belong to one tower."""


@dataclass(frozen=True)
class Options:
    """Everything that decides the shape of the network and of its inputs.

    Attributes:
        modality: ``vision``, ``ocr`` or ``fusion``.
        vision: Who sees frames, as of ``towers.choices.VISION``; any but ``small`` gives one token per frame.
        vision_size: Of the space-time transformer, a name of ``towers.space_time.SIZES``.
        dim: Dimensions of a token.
        buckets: Hash buckets of character n-grams.
        width: Channels of the first convolution.
        grid: Rows and columns of tokens per frame.
        n_frames: Frames per video.
        height: Pixels of a frame; another tower than ``small`` has its own.
        width_px: Pixels of a frame, likewise.
        max_words: Read words per video; the most confident ones are kept.
        caption_words: Words read of a caption; the rest is cut.
        modality_dropout: Share of videos, 0..1, that lose their frames or their words in training; fusion only.
        seed: Of the random weights.
    """

    modality: str = "fusion"
    vision: str = SMALL
    vision_size: str = "vit_b16"
    dim: int = 128
    buckets: int = 8192
    width: int = 48
    grid: tuple[int, int] = (3, 4)
    n_frames: int = 4
    height: int = 48
    width_px: int = 64
    max_words: int = 24
    caption_words: int = 32
    modality_dropout: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        pick(MODALITIES, self.modality, "modality")
        check_dropout(self.modality_dropout, self.modality)
        check_vision(self)


class TextvrFusion(NetworkModel):
    """Token-wise interaction of caption words with frames and read words; see ``network.Network``.

    Its modalities meet in the sum of their scores, weighted per caption word: there is no joint token to fuse by other
    kinds of attention (``fusion`` of StarVR).

    Args:
        options: Sizes and choices.
        vision_weights: File of an image ViT or a space-time transformer, from which the latter starts.
        checkpoint: As of ``Starvr``.

    Raises:
        StateError: The weights of ``options.vision`` are not on this machine.
        DataError: They, or ``vision_weights``, cannot be read or do not fit.
        MissingExtraError: torch, or transformers for a folder's tower, is not installed.
    """

    family = "interaction"
    videos_per_tile = 128

    def __init__(
        self, options: Options, *, vision_weights: str | Path | None = None, checkpoint: Path | None = None
    ) -> None:
        torch = need("torch", "The model textvr_fusion")
        from workbench.models.textvr_fusion.network import Network

        self._pictures = sight_of(options.vision, checkpoint)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            eyes = self._eyes(options)
            self.network = Network(
                options.modality, options.dim, options.buckets, options.width, options.grid, options.modality_dropout,
                eyes,
            )  # fmt: skip
        if eyes is not None:
            options = replace(options, height=eyes.size, width_px=eyes.size)
        if vision_weights is not None:
            load_weights(self.network.frames.tower, located(vision_weights))
        self.options = options
        self.needs = frozenset(MODALITIES[options.modality])
        self.reads: Mapping[str, int] = {
            "n_frames": options.n_frames, "height": options.height, "width": options.width_px,
            "max_words": options.max_words, "caption_words": options.caption_words,
        }  # fmt: skip
        self.network.eval()

    def _eyes(self, options: Options) -> Any:
        """Another tower than the small convolution, whose cells are tokens; None = none."""
        if options.vision == SMALL:
            return None
        from workbench.models.towers.frames.network import who_sees

        return who_sees(
            options.vision, self._pictures, dim=options.dim, n_frames=options.n_frames, size=options.vision_size
        )

    @classmethod
    def reopened(cls, options: Options, folder: Path) -> TextvrFusion:
        """With the description of a folder's video tower that lies beside the weights."""
        return cls(options, checkpoint=folder)

    def files(self) -> Mapping[str, str]:
        """What describes a folder's video tower: a checkpoint needs no other file."""
        return beside("vision", self._pictures)

    def caption_inputs(self, captions: Sequence[str]) -> dict[str, Any]:
        """Captions as tensors on the network's device."""
        words = [tokens_of(one, self.options.caption_words) for one in captions]
        return self._tensors(packed(words, self.options.buckets))

    def video_inputs(self, gallery: Gallery) -> tuple[Any, dict[str, Any], Any]:
        """Frames, read words and their places as tensors on the network's device.

        Raises:
            DataError: The gallery lacks frames, or has frames of another size.
        """
        torch = need("torch", "The model textvr_fusion")
        frames = self._frames(gallery, (self.options.n_frames, self.options.height, self.options.width_px))
        words = [one.text[: self.options.max_words] for one in gallery.words] if "ocr" in self.needs else []
        places = [one.place[: self.options.max_words] for one in gallery.words] if "ocr" in self.needs else []
        place = np.concatenate(places).astype(np.float32) if places else np.zeros((0, 6), np.float32)
        return frames, self._tensors(packed(words, self.options.buckets)), torch.from_numpy(place).to(self.device)

    def interactions(self, captions: Sequence[str], encoded: list[dict[str, Any]]) -> list[Interaction]:
        """How well each word of the captions fits each frame and each read word; see ``ExplainsPairs``."""
        from workbench.models.textvr_fusion.interactions import interactions

        tokens = [tokens_of(one, self.options.caption_words) for one in captions]
        return interactions(self, captions, tokens, encoded)
