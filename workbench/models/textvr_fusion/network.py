"""The network: tokens of captions, frames and read words in one space; weighted token-wise interaction.

Shapes: B captions, V videos, W caption words, F frame tokens per video, O read words per video, D dimensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional as F

from workbench.models.fusion.network import ModalityDropout
from workbench.models.towers.small.network import FrameEncoder
from workbench.models.towers.small.words import SHAPES

if TYPE_CHECKING:
    from workbench.models.towers.frames.network import Sees

Tokens = tuple[torch.Tensor, torch.Tensor]
"""Unit vectors [rows, tokens, D], and bool [rows, tokens]: which of them are there."""


class WordEncoder(nn.Module):
    """A word as the sum of its n-gram vectors; shared by captions and read words, so that equal words meet."""

    def __init__(self, buckets: int, dim: int) -> None:
        super().__init__()
        self.grams = nn.EmbeddingBag(buckets, dim, mode="mean")
        nn.init.normal_(self.grams.weight)

    def forward(self, packed: dict[str, torch.Tensor]) -> Tokens:
        """[rows, tokens, D] of words as ``words.packed`` gives them."""
        rows, longest = packed["size"].tolist()
        dim = self.grams.weight.shape[1]
        values = self.grams.weight.new_zeros(rows, longest, dim)
        there = torch.zeros(rows, longest, dtype=torch.bool, device=values.device)
        if len(packed["grams"]):
            place = (packed["row"], packed["place"])
            vectors = self.grams(packed["grams"], packed["starts"])
            values = values.index_put(place, vectors)
            there = there.index_put(place, torch.ones_like(packed["row"], dtype=torch.bool))
        return values, there


class Network(nn.Module):
    """Similarity as a sum over caption words: each looks for its best frame token and its best read word.

    s(b, v) = scale * sum_i [ g_i max_f <c_i, f> + h_i max(0, max_o <c_i, o>) ], the weights g and h together a softmax
    over words and modalities. With one modality only its term is there. A modality that is dropped in training gives 0.

    Source: weighted token-wise interaction of DRL, text side (Wang et al., arXiv 2203.07111, section 3.2).

    Args:
        modality: ``vision``, ``ocr`` or ``fusion``.
        dim: As of ``model.Options``, and so the next four.
        buckets: See there.
        width: See there.
        grid: See there.
        modality_dropout: See there.
        eyes: Who sees, one token per frame; None = the small convolution, a token per cell.
    """

    def __init__(
        self, modality: str, dim: int, buckets: int, width: int, grid: tuple[int, int], modality_dropout: float = 0.0,
        eyes: Sees | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.drop = ModalityDropout(modality_dropout)
        self.vision, self.ocr = modality in ("vision", "fusion"), modality in ("ocr", "fusion")
        self.words = WordEncoder(buckets, dim)
        self.shape = nn.Embedding(SHAPES, dim)
        self.weights = nn.Sequential(nn.Linear(2 * dim, dim), nn.GELU(), nn.Linear(dim, 2))
        self.scale = nn.Parameter(torch.tensor(3.0))
        if self.vision:
            self.frames = FrameEncoder(dim, width, grid) if eyes is None else eyes
            self.lift = None if eyes is None else nn.Linear(eyes.width, dim)
            self.to_frames = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, dim))
        if self.ocr:
            self.place = nn.Linear(6, dim)
            nn.init.zeros_(self.place.weight)
            nn.init.zeros_(self.place.bias)

    def caption(self, packed: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Words, their versions for frames, and their weights [B, W, 2] (frames, read words)."""
        values, there = self.words(packed)
        context = (values * there[..., None]).sum(1, keepdim=True) / there.sum(1)[:, None, None].clamp(min=1)
        shaped = values.index_put((packed["row"], packed["place"]), self.shape(packed["shape"]), accumulate=True)
        weights = self.weights(torch.cat([shaped, context.expand_as(values)], -1))
        allowed = torch.tensor([self.vision, self.ocr], device=values.device)
        weights = weights.masked_fill(~(there[..., None] & allowed), float("-inf"))
        weights = weights.flatten(1).softmax(1).reshape(weights.shape)
        out = {"word": F.normalize(values, dim=-1), "weight": weights}
        if self.vision:
            out["look"] = F.normalize(self.to_frames(values), dim=-1)
        return out

    def videos(
        self, frames: torch.Tensor | None, packed: dict[str, torch.Tensor], place: torch.Tensor
    ) -> dict[str, Any]:
        """Frame tokens [V, F, D], and read words [V, O, D] with their mask [V, O]."""
        out: dict[str, Any] = {}
        if self.vision and frames is not None:
            tokens = self.frames(frames) if self.lift is None else self.lift(self.frames.seen(frames))
            out["frame"] = F.normalize(tokens, dim=-1)
        if self.ocr:
            values, there = self.words(packed)
            if len(packed["row"]):
                where = self.place(place.to(values.dtype)).to(values.dtype)
                values = values.index_put((packed["row"], packed["place"]), where, accumulate=True)
            out["read"], out["there"] = F.normalize(values, dim=-1), there
        if self.drop.active:
            seen, read = self.drop(out["there"].any(1))
            out["frame"], out["there"] = out["frame"] * seen[:, None, None], out["there"] & read[:, None]
        return out

    def parts(self, caption: dict[str, torch.Tensor], videos: dict[str, Any]) -> dict[str, torch.Tensor]:
        """Similarity [B, V] by modality; their sum is the similarity."""
        found, scale = {}, self.scale.exp()
        if self.vision:
            best = _best(caption["look"], videos["frame"])
            found["vision"] = scale * (caption["weight"][:, None, :, 0] * best).sum(-1)
        if self.ocr:
            best = _best(caption["word"], videos["read"], videos["there"]).clamp(min=0)
            found["ocr"] = scale * (caption["weight"][:, None, :, 1] * best).sum(-1)
        return found


def _best(words: torch.Tensor, tokens: torch.Tensor, there: torch.Tensor | None = None) -> torch.Tensor:
    """Largest product of each caption word with the tokens of each video, [B, V, W]; 0 for a token that is not there.

    One product of two matrices: many small ones, as a batched product of the same makes them, take three times as long.
    """
    (rows, longest, dim), (videos, count, _) = words.shape, tokens.shape
    alike = (words.reshape(-1, dim) @ tokens.reshape(-1, dim).T).view(rows, longest, videos, count)
    if there is not None:
        alike = alike.masked_fill(~there, 0.0)
    return alike.max(-1).values.transpose(1, 2)  # amax shares the gradient among ties, at twice the time
