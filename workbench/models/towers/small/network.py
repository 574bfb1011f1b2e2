"""Frames by a small convolution.

Letters: V videos, T frames of a video, F tokens of all of them, D dimensions.
"""

from __future__ import annotations

import torch
from torch import nn


class FrameEncoder(nn.Module):
    """A small convolutional network from scratch: patches of 4 x 4 pixels, then a grid of tokens per frame.

    Args:
        dim: Dimensions of a token.
        width: Channels of the first convolution.
        grid: Rows and columns of tokens per frame.
    """

    size: int | None = None
    """Pixels of a frame's side: any."""

    def __init__(self, dim: int, width: int, grid: tuple[int, int]) -> None:
        super().__init__()
        patches = [nn.Conv2d(3, width, 4, 4), nn.GroupNorm(4, width), nn.SiLU(inplace=True)]
        cells = [nn.Conv2d(width, 2 * width, 3, 2, 1), nn.GroupNorm(4, 2 * width), nn.SiLU(inplace=True)]
        self.layers = nn.Sequential(*patches, *cells)
        self.pool = nn.AdaptiveAvgPool2d(grid)
        self.out = nn.Linear(4 * width, dim)
        self.width = dim

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """uint8 [V, frames, H, W, 3] to [V, F, D]; every cell also sees the mean of its frame."""
        videos, count = frames.shape[:2]
        pixels = frames.flatten(0, 1).permute(0, 3, 1, 2).to(self.out.weight.dtype) / 127.5 - 1
        cells = self.pool(self.layers(pixels)).flatten(2).transpose(1, 2)
        whole = cells.mean(1, keepdim=True).expand_as(cells)
        return self.out(torch.cat([cells, whole], -1)).reshape(videos, count * cells.shape[1], -1)

    def seen(self, frames: torch.Tensor) -> torch.Tensor:
        """uint8 [V, T, H, W, 3] to [V, T, D], the mean of the tokens of each frame."""
        return self(frames).unflatten(1, (frames.shape[1], -1)).mean(2)
