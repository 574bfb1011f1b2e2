"""The network: frames of a video to one vector, by attention over time, then over space, in every block.

Letters: B videos, T frames, P patches of a frame, N = 1 + T * P tokens (CLS first, then frame by frame), D dimensions,
H heads, d = D / H.

Source: Bain et al., Frozen in Time, ICCV 2021 (arXiv 2104.00650), section 3.1; the parameters are called as in timm's
ViT, and ``timeattn``, ``norm3``, ``temporal_embed`` as in the authors' checkpoints, so that both load by name.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from workbench.core.errors import DataError
from workbench.core.lookup import pick

Axis = Literal["time", "space"]
STD = 0.02
COLOURS = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
"""Of ImageNet, as the authors' loader has them."""


class Pixels(nn.Module):
    """Frames as the tower takes them, normalised by the colours of ImageNet."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, colours in COLOURS.items():
            self.register_buffer(name, torch.tensor(colours).view(3, 1, 1), persistent=False)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """uint8 [B, T, height, width, 3] to float [B, T, 3, height, width]."""
        values = frames.permute(0, 1, 4, 2, 3).to(self.mean.dtype) / 255
        return (values - self.mean) / self.std


class DividedAttention(nn.Module):
    """Attention in groups: CLS attends to all tokens, a patch to CLS and its group.

    The group of a patch is its location in all frames (``time``) or its frame (``space``).
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: torch.Tensor, n_frames: int, axis: Axis) -> torch.Tensor:
        """[B, N, D] to [B, N, D]."""
        videos, count, width = tokens.shape
        parts = self.qkv(tokens).view(videos, count, 3, self.heads, width // self.heads)
        whole = _attend(parts, parts[:, :1])
        patches = parts[:, 1:].unflatten(1, (n_frames, -1))  # [B, T, P, 3, H, d]
        groups = patches.transpose(1, 2) if axis == "time" else patches
        n_groups = groups.shape[1]
        shared = parts[:, None, :1].expand(-1, n_groups, -1, -1, -1, -1)
        grouped = torch.cat([shared, groups], 2).flatten(0, 1)  # [B * groups, 1 + members, 3, H, d]
        out = _attend(grouped, grouped[:, 1:]).unflatten(0, (videos, n_groups))
        if axis == "time":
            out = out.transpose(1, 2)
        return self.proj(torch.cat([whole, out.flatten(1, 2)], 1))


def _attend(parts: torch.Tensor, asking: torch.Tensor) -> torch.Tensor:
    """softmax(q k^T / sqrt(d)) v: queries of ``asking`` over keys and values of ``parts``.

    Args:
        parts: Queries, keys and values of a group, [rows, tokens, 3, H, d].
        asking: Those of its tokens that ask, alike.

    Returns:
        [rows, tokens of asking, D].
    """
    query, key, value = asking[:, :, 0], parts[:, :, 1], parts[:, :, 2]
    found = F.scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2))
    return found.transpose(1, 2).flatten(2)


class Mlp(nn.Module):
    """Linear, GELU, linear."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.fc2(F.gelu(self.fc1(tokens)))


class SpaceTimeBlock(nn.Module):
    """a = TimeAttn(LN3(x)); y = x + SpaceAttn(LN1(x + a)); out = y + MLP(LN2(y)): both residuals start at x and y."""

    def __init__(self, width: int, heads: int, hidden: int, norm_eps: float) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width, eps=norm_eps) for _ in range(3))
        self.attn = DividedAttention(width, heads)
        self.timeattn = DividedAttention(width, heads)
        self.mlp = Mlp(width, hidden)

    def forward(self, tokens: torch.Tensor, n_frames: int) -> torch.Tensor:
        """[B, N, D] to [B, N, D]."""
        timed = tokens + self.timeattn(self.norm3(tokens), n_frames, "time")
        seen = tokens + self.attn(self.norm1(timed), n_frames, "space")
        return seen + self.mlp(self.norm2(seen))


class PatchEmbedding(nn.Module):
    """Square patches of each frame as tokens."""

    def __init__(self, patch_size: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch_size, patch_size)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """[B, T, 3, height, width] to [B, T, P, D]."""
        found = self.proj(frames.flatten(0, 1)).flatten(2).transpose(1, 2)
        return found.unflatten(0, frames.shape[:2])


class SpaceTimeTransformer(nn.Module):
    """A video's vector from its frames.

    There is no mask: a video with fewer frames than ``n_frames`` is given with the frames it has, and videos of one
    batch have equally many.

    Args:
        image_size: Pixels of a frame's side.
        patch_size: Pixels of a patch's side.
        width: Dimensions D of a token and of the result.
        depth: Blocks.
        heads: Attention heads.
        n_frames: Rows of the temporal table: the most frames a video may have.
        mlp_ratio: Hidden dimensions of the MLP per token dimension.
        norm_eps: Of every layer norm; 1e-6 in timm's weights, 1e-12 in Hugging Face's ``ViTModel``.
        time_init: How attention over time starts; see ``TIME_INITS``.
        checkpointing: Recompute each block in the backward pass instead of keeping its activations.

    Raises:
        DataError: The patches do not fill the frame, the heads do not divide the width, or a number is below 1.
        UnknownNameError: No such ``time_init``.
    """

    def __init__(
        self,
        *,
        image_size: int = 224,
        patch_size: int = 16,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        n_frames: int = 4,
        mlp_ratio: float = 4.0,
        norm_eps: float = 1e-6,
        time_init: str = "zeros",
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        _check_shape(image_size, patch_size, width, depth, heads, n_frames)
        self.image_size, self.patch_size, self.n_frames, self.width = image_size, patch_size, n_frames, width
        self.checkpointing = checkpointing
        n_patches = (image_size // patch_size) ** 2
        self.patch_embed = PatchEmbedding(patch_size, width)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + n_patches, width))
        self.temporal_embed = nn.Parameter(torch.zeros(1, n_frames, width))
        hidden = int(width * mlp_ratio)
        self.blocks = nn.ModuleList([SpaceTimeBlock(width, heads, hidden, norm_eps) for _ in range(depth)])
        self.norm = nn.LayerNorm(width, eps=norm_eps)
        self._start(time_init)

    def _start(self, time_init: str) -> None:
        start_time = pick(TIME_INITS, time_init, "time_init")
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=STD)
                nn.init.zeros_(module.bias)
        nn.init.trunc_normal_(self.cls_token, std=STD)
        nn.init.trunc_normal_(self.pos_embed, std=STD)
        for module in self.modules():
            if isinstance(module, SpaceTimeBlock):
                start_time(module.timeattn)

    def embed(self, frames: torch.Tensor) -> torch.Tensor:
        """Tokens before the first block: patches + spatial row + temporal row; CLS + its spatial row.

        Args:
            frames: Float [B, T, 3, image_size, image_size], normalised, T from 1 to ``n_frames``.

        Returns:
            [B, 1 + T * P, D].

        Raises:
            DataError: Frames of another shape, or more than the temporal table has rows.
        """
        side = self.image_size
        if frames.ndim != 5 or frames.shape[2:] != (3, side, side) or not 1 <= frames.shape[1] <= self.n_frames:
            raise DataError(
                f"The tower reads [videos, 1 to {self.n_frames}, 3, {side}, {side}], found {list(frames.shape)}.",
                "Prepare the frames in this size, or build the tower with other image_size or n_frames.",
            )
        patches = self.patch_embed(frames) + self.pos_embed[:, None, 1:]
        patches = patches + self.temporal_embed[:, : frames.shape[1], None]
        first = (self.cls_token + self.pos_embed[:, :1]).expand(len(frames), -1, -1)
        return torch.cat([first, patches.flatten(1, 2)], 1)

    def tokens(self, frames: torch.Tensor) -> torch.Tensor:
        """Normalised tokens of the last block, [B, 1 + T * P, D], CLS first, then frame by frame; see ``embed``."""
        return self.norm(self._run(frames))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """The normalised CLS token of the last block, [B, D]; see ``embed``."""
        return self.norm(self._run(frames)[:, 0])

    def _run(self, frames: torch.Tensor) -> torch.Tensor:
        found = self.embed(frames)
        for block in self.blocks:
            if self.checkpointing and torch.is_grad_enabled():
                found = checkpoint(block, found, frames.shape[1], use_reentrant=False)
            else:
                found = block(found, frames.shape[1])
        return found


def _zeros(attention: DividedAttention) -> None:
    nn.init.zeros_(attention.qkv.weight)
    nn.init.ones_(attention.proj.weight)


def _zero_output(attention: DividedAttention) -> None:
    nn.init.zeros_(attention.proj.weight)


def _random(attention: DividedAttention) -> None:
    """Stays as drawn."""


TIME_INITS = {"zeros": _zeros, "zero_output": _zero_output, "random": _random}
"""Attention over time at the start; biases are 0 in all.

- ``zeros`` (published): queries, keys and values 0, output weights 1. The tower starts as the image ViT. As all
  channels start equal and queries and keys are both 0, training moves values and output only, all channels alike: the
  attention stays a plain mean over the group.
- ``zero_output``: the tower also starts as the image ViT, but queries, keys and values are random and the output 0, so
  that the attention can learn where to look.
- ``random``: all random; the tower starts as no image ViT.
"""


def _check_shape(image_size: int, patch_size: int, width: int, depth: int, heads: int, n_frames: int) -> None:
    if min(image_size, patch_size, width, depth, heads, n_frames) < 1:
        raise DataError("A tower's sizes are whole numbers from 1.", "Look for a 0 or a negative number.")
    if image_size % patch_size:
        raise DataError(
            f"Patches of {patch_size} pixels do not fill {image_size} pixels.", "Choose a patch_size that divides it."
        )
    if width % heads:
        raise DataError(f"{heads} heads do not divide a width of {width}.", "Choose a number of heads that divides it.")
