"""The network: a caption against the frames of a video, against what is read around them, and against both together.

Letters: B captions, V videos, T frames, S read texts (windows or words), U different texts, D dimensions. Vectors of
the towers have length 1, |.| brings one to length 1.

    f = |mean_t f_t|                           frames
    o = |mean_s o_s|                           sentences of the windows in which something was read; 0 without any
    X = [f_1 + k_F + w_1 ... f_T + k_F + w_T; o_1 + k_O + w_1 ... o_S + k_O + w_S]      kind and time
    m = |mean(f, o) + W mean(Blocks(X)) + b|   W = 0, b = 0 at the start: m = |f + o|; of f alone without any text
    s = exp(scale) * (<c, f> + <c, o> + <c, m>) / 3

With one modality only its term is there, not divided. A video in which nothing was read gives 0 for <c, o> and is still
divided by three: text that is not there neither helps nor moves the other two. Other choices:

    ocr words      o_s is a word; in X it has its place, W_p p_s + b_p, instead of w_s
    fusion bare    q + Attn([q; X])[0] with a learned query q, instead of mean(Blocks(X))
    fusion score   no m;  s = exp(scale) * (a <c, f> + (1 - a) <c, o>), a learned, one half at the start
    vision         f_t = |W_v g_t + b_v|, g_t the vector of a frame by another tower than the folder's own
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from workbench.models.clip_ocr_window.options import ClipOcrWindowOptions
from workbench.models.fusion.network import ModalityDropout, fusion_of, gathered, shares_of
from workbench.models.reading import PLACE_NUMBERS
from workbench.models.towers.choices import OWN
from workbench.models.towers.dual.network import DualTowers, PictureTower
from workbench.models.towers.dual.opened import Opened, Pictured, without
from workbench.models.towers.frames.network import Sees, who_sees

FRAME, TEXT = 0, 1  # rows of the table of kinds
STD = 0.02
"""Spread of the tables of kinds and times at the start, as of CLIP's own position tables."""


class Network(DualTowers):
    """Captions and videos in one space, compared by the mean of up to three cosines.

    Args:
        opened: What lay in the folder that reads.
        options: Sizes and choices.
        pictures: What lay in the folder ``options.vision``; None = it is none.
    """

    def __init__(self, opened: Opened, options: ClipOcrWindowOptions, pictures: Pictured | None = None) -> None:
        super().__init__(opened, options)
        self.eyes = None if options.vision == OWN else self._look_by(options, pictures)
        self.drop, self.frozen = ModalityDropout(options.modality_dropout), options.freeze_towers
        if self.frozen:
            for tower in self._towers():
                tower.requires_grad_(False)
        self.fusion = options.fusion if self.vision and self.ocr else None
        if self.fusion == "score":
            self.balance = nn.Parameter(torch.zeros(2))
        elif self.fusion is not None:
            self._join(options)

    def _look_by(self, options: ClipOcrWindowOptions, pictures: Pictured | None) -> Sees:
        """Another tower for frames than the folder's own, which is left out."""
        without(self.model, "pictures")
        eyes = who_sees(
            options.vision, pictures, dim=self.width, n_frames=options.n_frames, size=options.vision_size,
            fit=options.fit, precision=options.precision,
        )  # fmt: skip
        self.lift, self.size = nn.Linear(eyes.width, self.width), eyes.size or self.size
        return eyes

    def _towers(self) -> list[nn.Module]:
        return [self.model] if self.eyes is None else [self.model, self.eyes]

    def seen(self, frames: torch.Tensor) -> torch.Tensor:
        """Unit vectors [V, T, D] of frames uint8 [V, T, H, W, 3], or of vectors [V, T, ...] as ``features`` gives."""
        if self.eyes is None:
            return super().seen(frames)
        return F.normalize(self.lift(self.eyes.seen(frames)), dim=-1)

    def features(self, frames: np.ndarray) -> np.ndarray:
        """Vectors that stand for frames, by the tower that sees and before they are brought into another space."""
        return self.eyes.features(frames) if isinstance(self.eyes, PictureTower) else super().features(frames)

    @property
    def feature_width(self) -> int:
        """Dimensions of the vectors that may stand for frames."""
        return self.width if self.eyes is None else self.eyes.width

    def _join(self, options: ClipOcrWindowOptions) -> None:
        """What makes a vector of frames and texts together."""
        self.kind, self.time = nn.Embedding(2, self.width), nn.Embedding(options.n_frames, self.width)
        self.blocks = fusion_of(options.fusion, self.width, options.fusion_heads, options.fusion_depth)
        self.out = nn.Linear(self.width, self.width)
        for table in (self.kind, self.time):
            nn.init.normal_(table.weight, std=STD)
        for zeros in (self.out.weight, self.out.bias):
            nn.init.zeros_(zeros)
        self.place = nn.Linear(PLACE_NUMBERS, self.width) if options.ocr == "words" else None
        self.query = nn.Parameter(STD * torch.randn(1, self.width)) if options.fusion == "bare" else None

    def train(self, mode: bool = True) -> Network:
        """As torch has it, but frozen towers compute in training as while scoring."""
        super().train(mode)
        if self.frozen:
            for tower in self._towers():
                tower.eval()
        return self

    def videos(
        self, frames: torch.Tensor | None, texts: dict[str, torch.Tensor], place: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """``vision``, ``ocr`` and ``fusion`` [V, D], as far as the modality has them.

        Args:
            frames: [V, T, H, W, 3], colours from 0 to 255, or their vectors [V, T, D]; None for modality ``ocr``.
            texts: Tokens of the different texts [U, ...], and ``where``: of windows the row of time of each, int64
                [V, S], of words their places, float [V, S, 12].
            place: int64 [V, S], which text stands there; -1 = nothing was read.
        """
        found: dict[str, torch.Tensor] = {}
        seen = self.seen(frames) if self.vision and frames is not None else place.new_zeros(len(place), 0, self.width)
        shown, there = seen.new_ones(seen.shape[:2], dtype=torch.bool), place >= 0
        if self.drop.active:
            sees, reads = self.drop(there.any(1))
            shown, there = shown & sees[:, None], there & reads[:, None]
        if self.vision:
            found["vision"] = F.normalize(_mean(seen, shown), dim=-1)
        if self.ocr:
            read = self.text(texts)[place.clamp(min=0)]
            found["ocr"] = F.normalize(_mean(read, there), dim=-1)
        if self.fusion in ("bare", "block"):
            more = self._joined(seen, shown, read, there, texts["where"])
            several = shown.any(1).to(seen.dtype) + there.any(1)
            both = (found["vision"] + found["ocr"]) / several[:, None]
            found["fusion"] = F.normalize(both + self.out(more), dim=-1)
        return found

    def _joined(
        self, seen: torch.Tensor, shown: torch.Tensor, read: torch.Tensor, there: torch.Tensor, where: torch.Tensor
    ) -> torch.Tensor:
        """What frames and texts make together, [V, D]."""
        times = torch.arange(seen.shape[1], device=seen.device)
        told = self.time(where) if self.place is None else self.place(where.to(self.scale.dtype))
        kinds = self.kind.weight
        tokens = torch.cat([seen + kinds[FRAME] + self.time(times), read + kinds[TEXT] + told], 1)
        mask = torch.cat([shown, there], 1)
        if self.query is None:
            return _mean(self.blocks(tokens, mask), mask)
        first = self.query.expand(len(tokens), 1, -1)
        return gathered(self.blocks, self.query, torch.cat([first, tokens], 1), F.pad(mask, (1, 0), value=True))

    def shares(self) -> dict[str, torch.Tensor]:
        """What the cosine of each modality counts for in the similarity; equal unless the fusion is ``score``."""
        scale = self.scale.exp()
        if self.fusion == "score":
            return {name: scale * share for name, share in shares_of(self.balance).items()}
        names = [name for name, has in (("vision", self.vision), ("ocr", self.ocr)) if has]
        names += ["fusion"] * (self.fusion is not None)
        return dict.fromkeys(names, scale / len(names))

    def parts(self, caption: dict[str, torch.Tensor], videos: dict[str, torch.Tensor]) -> dict[str, Any]:
        """Similarity [B, V] by modality, each times its share; in float32 at least, as they are multiplied."""
        text, scales = caption["text"], self.shares()
        with torch.autocast(text.device.type, enabled=False):
            return {name: scales[name] * (text @ vectors.to(text.dtype).T) for name, vectors in videos.items()}


def _mean(tokens: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """Mean of the tokens that are there, [V, D] of [V, N, D] and bool [V, N]; 0 where none is."""
    count = there.sum(1, keepdim=True).clamp(min=1)
    return (tokens * there[..., None]).sum(1) / count
