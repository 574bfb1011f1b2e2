"""Frames varied in training, on the device where they lie; all frames of a video alike, text never mirrored.

Random numbers are drawn on the CPU, one row per video, from (seed, epoch, video); what is done with them is the same
for any batch, chunk or process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.optional import need

SHIFT = 4
"""Pixels by which ``shift`` moves frames at most."""
GREY = 127.0
"""Of what ``text`` moves into the frame; as ``pipelines.fitting`` pads."""
MOVE, SCALE = 0.04, 0.1
"""Of ``text``: the most that frames are moved, in parts of their sides, and grown or shrunk."""
READ, CROPPED = 242, 224
"""Of ``parity``: pixels that frames are scaled to, and that are cut out of them. Source: spec/textvr.md 2."""
JITTER_CHANCE, GREY_CHANCE = 0.8, 0.3
STRENGTH, HUE = 0.5, 0.1
"""Of ``parity``: brightness, contrast and saturation times 1 - STRENGTH .. 1 + STRENGTH; hue moved by up to HUE turns.
Source: spec/textvr.md 2 (torchvision's ColorJitter(0.5, 0.5, 0.5, 0.1), then RandomGrayscale(0.3))."""
LUMA = (0.2989, 0.587, 0.114)
"""Of red, green and blue in a grey picture, as torchvision weighs them."""
Draw = Callable[[np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Augment:
    """A way to vary frames.

    Attributes:
        sentence: What it does.
        draw: Draws the numbers of one video, float64 [k]; the first two place the cut where ``read`` is above 1.
        apply: From frames uint8 [V, T, H, W, 3] on any device, and numbers [V, k], to frames 0..255 of the same shape.
        read: Size that frames are read in, over the size that the model sees; a random part of it is cut out.
        fit: How frames come to their size, in training and afterwards; None = as the model says.
    """

    sentence: str
    draw: Draw
    apply: Callable[[Any, np.ndarray], Any]
    read: float = 1.0
    fit: str | None = None

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width in which frames of a model are read, in pixels."""
        return round(self.read * height), round(self.read * width)


def cut_out(frames: Any, numbers: np.ndarray, size: tuple[int, int]) -> Any:
    """A part of each video's frames; the first two numbers, 0..1, say where it lies.

    Args:
        frames: [V, T, H, W, 3] on any device.
        numbers: [V, k].
        size: Its height and width in pixels.
    """
    torch = need("torch", "Varying frames")
    room = np.asarray(frames.shape[2:4]) - size
    places = np.minimum((numbers[:, :2] * (room + 1)).astype(int), room).tolist()
    pairs = zip(frames, places, strict=True)
    return torch.stack([one[:, down : down + size[0], across : across + size[1]] for one, (down, across) in pairs])


def shifted(frames: Any, numbers: np.ndarray) -> Any:
    """Moved by whole pixels; what comes in repeats the edge. Numbers: rows and columns, 0 .. 2 SHIFT, SHIFT = none."""
    torch = need("torch", "Varying frames")
    height, width = frames.shape[2:4]
    wider = _edged(_edged(frames, 2), 3)
    places = numbers.astype(int).tolist()
    pairs = zip(wider, places, strict=True)
    return torch.stack([one[:, down : down + height, right : right + width] for one, (down, right) in pairs])


def _edged(frames: Any, dim: int) -> Any:
    """With the first and the last of a dimension repeated SHIFT times."""
    torch = need("torch", "Varying frames")
    shape = [SHIFT if at == dim else -1 for at in range(frames.ndim)]
    first, last = frames.narrow(dim, 0, 1), frames.narrow(dim, frames.shape[dim] - 1, 1)
    return torch.cat([first.expand(shape), frames, last.expand(shape)], dim)


def moved_and_scaled(frames: Any, numbers: np.ndarray) -> Any:
    """Moved by up to MOVE of their sides and scaled by up to SCALE. Numbers: 0..1 down, across, scale."""
    torch = need("torch", "Varying frames")
    videos, count, height, width, _ = frames.shape
    draws = torch.from_numpy(numbers).to(frames.device)
    moves = (2 * draws[:, :2].float() - 1) * 2 * MOVE  # a frame is 2 long in the units of a grid
    scale = 1 + (2 * draws[:, 2].float() - 1) * SCALE
    down, across = (
        ((2 * torch.arange(side, device=frames.device) + 1) / side - 1 - move[:, None]) / scale[:, None]
        for side, move in ((height, moves[:, 0]), (width, moves[:, 1]))
    )
    shape = (videos, height, width)
    grid = torch.stack([across[:, None, :].expand(shape), down[:, :, None].expand(shape)], -1)
    pictures = frames.permute(0, 1, 4, 2, 3).flatten(1, 2).float() - GREY
    pictures = torch.nn.functional.grid_sample(pictures, grid, align_corners=False) + GREY
    return pictures.unflatten(1, (count, 3)).permute(0, 1, 3, 4, 2)


def coloured(frames: Any, numbers: np.ndarray) -> Any:
    """Colours as StarVR's release varies them, in an order of its own for each video, then grey for some.

    Numbers, 0..1: two that place the cut, whether colours change, four strengths, four that order, whether it is grey.
    """
    torch = need("torch", "Varying frames")
    values, strengths = frames.float() / 255, torch.from_numpy(numbers).float().to(frames.device)
    order = numbers[:, 7:11].argsort(1)
    for turn in range(4):
        for number, change in enumerate((_brighter, _contrasted, _saturated, _hued)):
            chosen = (numbers[:, 2] < JITTER_CHANCE) & (order[:, turn] == number)
            rows = torch.from_numpy(np.flatnonzero(chosen)).to(frames.device)
            values[rows] = change(values[rows], strengths[rows, 3 + number].view(-1, 1, 1, 1, 1))
    rows = torch.from_numpy(np.flatnonzero(numbers[:, 11] < GREY_CHANCE)).to(frames.device)
    values[rows] = _grey(values[rows]).expand_as(values[rows])
    return values * 255


def _factor(strength: Any) -> Any:
    return 1 + (2 * strength - 1) * STRENGTH


def _grey(values: Any) -> Any:
    torch = need("torch", "Varying frames")
    return (values * torch.tensor(LUMA, device=values.device)).sum(-1, keepdim=True)


def _blend(values: Any, other: Any, factor: Any) -> Any:
    return (factor * values + (1 - factor) * other).clamp(0, 1)


def _brighter(values: Any, strength: Any) -> Any:
    return _blend(values, 0.0, _factor(strength))


def _contrasted(values: Any, strength: Any) -> Any:
    return _blend(values, _grey(values).mean((2, 3, 4), keepdim=True), _factor(strength))


def _saturated(values: Any, strength: Any) -> Any:
    return _blend(values, _grey(values), _factor(strength))


def _hued(values: Any, strength: Any) -> Any:
    """Hue turned, saturation and value kept. Source: the usual hexagonal HSV (Smith 1978), as Python's colorsys."""
    torch = need("torch", "Varying frames")
    value, chroma = values.amax(-1), values.amax(-1) - values.amin(-1)
    red, green, blue = values.unbind(-1)
    safe = chroma.clamp(min=1e-12)
    past_green = torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe)
    hue = torch.where(value == red, (green - blue) / safe, past_green)
    hue = hue + 6 * (2 * strength[..., 0] - 1) * HUE
    place = (hue[..., None] + torch.tensor([5.0, 3.0, 1.0], device=values.device)) % 6
    return value[..., None] - chroma[..., None] * torch.minimum(place, 4 - place).clamp(0, 1)


AUGMENTS = {
    "none": Augment("frames as they are", lambda draw: np.zeros(0), lambda frames, draws: frames),
    "shift": Augment(
        f"moved by up to {SHIFT} pixels", lambda draw: draw.integers(0, 2 * SHIFT + 1, 2).astype(float), shifted
    ),
    "parity": Augment(
        f"as StarVR's release: squashed to {READ}/{CROPPED} of the size, a random cut, colours varied, some grey; never"
        " mirrored", lambda draw: draw.random(12), coloured, READ / CROPPED, "squash",
    ),
    "text": Augment(
        f"the frame's shape kept and padded, moved by up to {MOVE:.0%} and scaled by up to {SCALE:.0%}, never mirrored",
        lambda draw: draw.random(3), moved_and_scaled, fit="letterbox",
    ),
}  # fmt: skip
