"""The network: captions, frames and read sentences as vectors of one space.

Letters: B captions, V videos, T frames, S sentences of a video, U different sentences, L tokens, D dimensions.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from workbench.models.towers.dual.opened import Opened, Pictured, width_of
from workbench.models.towers.dual.pixels import as_patches, prepared, square_of

Ids = dict[str, torch.Tensor]
"""``ids`` int64 [rows, L] and ``mask`` int64 [rows, L]: which of them are no padding."""


VIDEOS_AT_ONCE = 1024
"""Videos whose sentences are compared at once: 256 captions x 1,024 videos x 12 sentences are 12 MiB."""


class PictureTower(nn.Module):
    """The tower for pictures of a transformers dual encoder."""

    here: torch.Tensor

    def __init__(self, opened: Opened | Pictured, fit: str, precision: str) -> None:
        """Around a model of transformers.

        Args:
            opened: What lay in its folder.
            fit: A name of ``pixels.FITS``.
            precision: A name of ``model.PRECISIONS``.
        """
        super().__init__()
        model, family = opened.model, opened.family
        self.model, self.family, self.looks, self.fit, self.precision = model, family, opened.looks, fit, precision
        vision, config = model.config.vision_config, model.config
        self.patch = int(vision.patch_size)
        self.size = square_of(self.patch, vision.num_patches) if family.patches else int(vision.image_size)
        self.width = width_of(config)
        self.register_buffer("here", torch.zeros(()), persistent=False)  # tells device and kind of numbers

    def frames(self, frames: torch.Tensor) -> torch.Tensor:
        """uint8 [n, H, W, 3] to unit vectors [n, D], float32."""
        pictures = prepared(frames.to(self.here.device), self.size, self.fit, self.looks)
        values = as_patches(pictures, self.patch) if self.family.patches else {"pixel_values": pictures}
        with self._computing():
            return _unit(self.model.get_image_features(**values))

    def seen(self, frames: torch.Tensor) -> torch.Tensor:
        """Unit vectors [V, T, D] of frames uint8 [V, T, H, W, 3], or as they were given."""
        if frames.ndim == 3:
            return frames.to(self.here.dtype)
        return self.frames(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])

    @property
    def feature_width(self) -> int:
        """Dimensions of the vectors that may stand for frames."""
        return self.width

    def _computing(self) -> AbstractContextManager[Any]:
        """bf16 through autocast, so that weights keep their bits; how training computes is said by its recipe."""
        device = self.here.device.type
        half = self.precision == "bf16" or (self.precision == "auto" and device == "cuda")
        return torch.autocast(device, torch.bfloat16) if half and not self.model.training else nullcontext()

    def features(self, frames: np.ndarray) -> np.ndarray:
        """uint8 [V, T, H, W, 3] to float32 [V, T, D]; video by video, so that its company changes no bit of one."""
        with torch.inference_mode():
            return np.stack([self.frames(torch.from_numpy(video)).float().cpu().numpy() for video in frames])

    def mean_of_frames(self, frames: torch.Tensor) -> torch.Tensor:
        """uint8 [V, T, H, W, 3], or their vectors [V, T, D], to unit vectors [V, D], float32."""
        return F.normalize(self.seen(frames).mean(1), dim=-1)


class DualTowers(PictureTower):
    """The two towers of a transformers dual encoder, and its temperature; what becomes of their vectors is not said."""

    def __init__(self, opened: Opened, options: Any) -> None:
        """``options`` say ``fit``, ``modality`` and ``precision``."""
        super().__init__(opened, options.fit, options.precision)
        self.scale = nn.Parameter(self.model.logit_scale.detach().reshape(()).clone())
        del self.model.logit_scale  # one temperature, under the name that training looks for
        self.vision, self.ocr = (options.modality in (name, "fusion") for name in ("vision", "ocr"))

    def text(self, tokens: Ids) -> torch.Tensor:
        """Unit vectors [rows, D], float32."""
        mask = {"attention_mask": tokens["mask"]} if self.family.masked else {}
        with self._computing():
            return unit_texts(self.model, tokens["ids"], **mask)

    def caption(self, tokens: Ids) -> dict[str, torch.Tensor]:
        """``text``: unit vectors [B, D]."""
        return {"text": self.text(tokens)}


class DualNetwork(DualTowers):
    """The similarity of captions with the mean of the frames and with read sentences.

    vision(b, v) = scale * <c_b, mean_t f_vt>, each f and the mean of length 1, as CLIP4Clip's mean pooling (Luo et al.
    2022, arXiv 2104.08860, section 3.3); ocr(b, v) = scale * max_s <c_b, o_vs>, 0 for a video without sentences.
    """

    def videos(self, frames: torch.Tensor | None, sentences: Ids, place: torch.Tensor) -> dict[str, Any]:
        """What a video is compared by.

        Args:
            frames: uint8 [V, T, H, W, 3], or their vectors [V, T, D]; None where it looks at none.
            sentences: Different sentences [U, L].
            place: int64 [V, S], which sentence stands there; -1 = none.

        Returns:
            ``frame`` [V, D]; ``read`` [V, S, D] and ``there`` bool [V, S].
        """
        out: dict[str, Any] = {}
        if self.vision and frames is not None:
            out["frame"] = self.mean_of_frames(frames)
        if self.ocr:
            out |= {"read": self.text(sentences)[place.clamp(min=0)], "there": place >= 0}
        return out

    def parts(self, caption: dict[str, torch.Tensor], videos: dict[str, Any]) -> dict[str, torch.Tensor]:
        """Similarity [B, V] by modality; their sum is the similarity."""
        found, text = {}, caption["text"]
        if self.vision:
            found["vision"] = self.vision_part(text, videos["frame"])
        if self.ocr:
            there = videos["there"]
            place = torch.arange(there.numel(), device=there.device).view(there.shape).masked_fill(~there, -1)
            found["ocr"] = self.ocr_part(text, videos["read"].flatten(0, 1), place)
        return found

    def vision_part(self, text: torch.Tensor, frame: torch.Tensor) -> torch.Tensor:
        """[B, V] of captions [B, D] and videos [V, D]."""
        return self.scale.exp() * (text @ frame.T)

    def ocr_part(self, text: torch.Tensor, sentences: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
        """[B, V] of captions [B, D] and sentences [U, D], of which ``place`` [V, S] says where they stand.

        Equal sentences have one cosine, so that videos with the same text tie exactly.
        """
        alike = F.pad(text @ sentences.T, (0, 1), value=float("-inf"))  # -1 is the last column
        best = torch.cat([alike[:, part].amax(-1) for part in place.split(VIDEOS_AT_ONCE)], 1)
        return self.scale.exp() * best.masked_fill((place < 0).all(1), 0.0)


def unit_texts(model: Any, ids: torch.Tensor, **mask: torch.Tensor) -> torch.Tensor:
    """Unit vectors [rows, D], float32 at least, of texts int64 [rows, L] by a model of transformers."""
    return _unit(model.get_text_features(input_ids=ids, **mask))


def _unit(features: Any) -> torch.Tensor:
    """Vectors of length 1, float32 at least; transformers 5 wraps features in an output, 4 does not."""
    vectors = features if isinstance(features, torch.Tensor) else features.pooler_output
    return F.normalize(vectors.to(torch.promote_types(vectors.dtype, torch.float32)), dim=-1)
