"""Frames as a dual encoder wants them, made on the device where they lie: scaled, cropped or padded, normalised."""

from __future__ import annotations

import math
from typing import Any

from workbench.core.lookup import pick
from workbench.core.optional import need
from workbench.models.towers.dual.weights import Looks

FITS = {
    "squash": "scaled to the model's square, whatever their shape (as Frozen in Time and StarVR do)",
    "crop": "the short side scaled to the square, the middle kept (as CLIP does); text at the sides is lost",
    "letterbox": "the whole frame in its own shape, the rest of the square is of the mean colour; text keeps its shape",
}


def prepared(frames: Any, size: int, fit: str, looks: Looks) -> Any:
    """Pictures for the model.

    Args:
        frames: uint8 tensor [n, height, width, 3] on any device.
        size: Pixels of the square.
        fit: A name of ``FITS``.
        looks: Filter, mean and standard deviation.

    Returns:
        float32 [n, 3, size, size] on the same device.

    Raises:
        UnknownNameError: No such fit.
    """
    torch = need("torch", "Scaling frames")
    pick(FITS, fit, "fit")
    pictures = frames.permute(0, 3, 1, 2).float() / 255
    height, width = pictures.shape[-2:]
    pictures = _scaled(pictures, scaled_size(height, width, size, fit), looks.mode)
    top, left = ((side - size) // 2 for side in pictures.shape[-2:])
    if fit == "crop":
        pictures = pictures[..., top : top + size, left : left + size]
    mean, std = (torch.tensor(of, device=frames.device).view(3, 1, 1) for of in (looks.mean, looks.std))
    pictures = (pictures - mean) / std
    if fit != "letterbox":
        return pictures
    down, right = size - pictures.shape[-2], size - pictures.shape[-1]
    return torch.nn.functional.pad(pictures, (right // 2, right - right // 2, down // 2, down - down // 2))


def scaled_size(height: int, width: int, size: int, fit: str) -> tuple[int, int]:
    """Height and width of a frame after scaling, before it is cropped or padded to the square, in pixels."""
    if fit == "squash":
        return size, size
    side = min(height, width) if fit == "crop" else max(height, width)
    return max(1, height * size // side), max(1, width * size // side)


def as_patches(pictures: Any, patch: int) -> dict[str, Any]:
    """Pictures as SigLIP 2 (NaFlex) takes them: patches row by row, all of them there.

    Args:
        pictures: float [n, 3, height, width], both whole numbers of patches.
        patch: Pixels of a patch.

    Returns:
        ``pixel_values`` [n, patches, patch * patch * 3], ``pixel_attention_mask`` [n, patches], ``spatial_shapes``
        [n, 2]: patches down and across.
    """
    torch = need("torch", "Scaling frames")
    n, _, height, width = pictures.shape
    down, across = height // patch, width // patch
    cells = pictures.view(n, 3, down, patch, across, patch).permute(0, 2, 4, 3, 5, 1)
    shape = torch.tensor([down, across])  # stays on the CPU: the model reads the numbers one by one
    return {
        "pixel_values": cells.reshape(n, down * across, patch * patch * 3),
        "pixel_attention_mask": torch.ones(n, down * across, dtype=torch.int64, device=pictures.device),
        "spatial_shapes": shape.expand(n, 2).contiguous(),
    }


def square_of(patch: int, patches: int) -> int:
    """Pixels of the largest square of at most so many patches."""
    return patch * math.isqrt(patches)


def _scaled(pictures: Any, to: tuple[int, int], mode: str) -> Any:
    """Scaled with the filter widened for shrinking, as Pillow does it; values stay colours."""
    torch = need("torch", "Scaling frames")
    if tuple(pictures.shape[-2:]) == to:
        return pictures
    return torch.nn.functional.interpolate(pictures, to, mode=mode, antialias=True).clamp(0, 1)
