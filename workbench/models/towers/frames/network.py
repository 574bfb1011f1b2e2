"""Who sees: towers with one way to use them, ``seen``, which gives a vector for each frame of a video.

Letters: V videos, T frames, H x W pixels, D dimensions.
"""

from __future__ import annotations

import torch
from torch import nn

from workbench.models.towers.choices import SPACE_TIME
from workbench.models.towers.dual.network import PictureTower
from workbench.models.towers.dual.opened import Pictured
from workbench.models.towers.small.network import FrameEncoder
from workbench.models.towers.space_time import build_tower
from workbench.models.towers.space_time.network import Pixels

CHANNELS, GRID = 48, (3, 4)
"""Of the small convolution where a model has no options of its own for them."""


class SpaceTimeFrames(nn.Module):
    """The space-time transformer frame by frame: the mean of the last block's tokens of each.

    Args:
        size: A name of ``towers.space_time.SIZES``.
        n_frames: The most frames of a video.
    """

    def __init__(self, size: str, n_frames: int) -> None:
        super().__init__()
        self.tower, self.pixels = build_tower(size, n_frames=n_frames), Pixels()
        self.width, self.size = self.tower.width, self.tower.image_size

    def seen(self, frames: torch.Tensor) -> torch.Tensor:
        """uint8 [V, T, H, W, 3] to [V, T, D]; what is in one frame depends on the others."""
        patches = self.tower.tokens(self.pixels(frames))[:, 1:]
        return patches.unflatten(1, (frames.shape[1], -1)).mean(2)


Sees = PictureTower | SpaceTimeFrames | FrameEncoder
"""``seen``, the ``width`` of its vectors, and the ``size`` of a frame's side in pixels, None = any."""


def who_sees(
    vision: str,
    pictures: Pictured | None,
    *,
    dim: int,
    n_frames: int,
    size: str = "vit_b16",
    fit: str = "squash",
    precision: str = "float32",
) -> Sees:
    """The tower that an option ``vision`` names, other than ``own``; weights are random where no folder has them.

    Args:
        vision: As the option.
        pictures: From ``choices.sight_of``.
        dim: Dimensions of the small convolution.
        n_frames: The most frames of a video.
        size: Of the space-time transformer, a name of ``towers.space_time.SIZES``.
        fit: A name of ``towers.dual.FITS``, for a folder's tower.
        precision: A name of ``towers.dual.model.PRECISIONS``, of a folder's tower while scoring.

    Raises:
        UnknownNameError: No such size.
    """
    if pictures is not None:
        return PictureTower(pictures, fit, precision)
    return SpaceTimeFrames(size, n_frames) if vision == SPACE_TIME else FrameEncoder(dim, CHANNELS, GRID)
