"""Tokens against frames and read words in the demo's family, before the best ones are taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.optional import need
from workbench.models.interactions import Interaction


def interactions(
    model: Any, captions: Sequence[str], tokens: Sequence[Sequence[str]], encoded: Any
) -> list[Interaction]:
    """See ``ExplainsPairs.interactions``.

    Args:
        model: A ``TextvrFusion``.
        captions: The texts.
        tokens: Their words as the model reads them.
        encoded: Of the videos.
    """
    torch = need("torch", "Explaining pairs")
    with torch.inference_mode():
        asked = model.network.caption(model.caption_inputs(captions))
        weights = (model.network.scale.exp() * asked["weight"]).cpu().numpy()
        tiles = [_alike(model.network, asked, tile, model.options.n_frames) for tile in encoded]
    frame, word = (_joined([tile[at] for tile in tiles]) for at in (0, 1))
    return [
        Interaction(tuple(own), weights[row, : len(own)], frame[row, :, : len(own)], word[row, :, : len(own)])
        for row, own in enumerate(tokens)
    ]


def _alike(network: Any, asked: dict[str, Any], videos: dict[str, Any], n_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """[captions, videos, tokens, frames], of each frame its best cell; and [captions, videos, tokens, words]."""
    torch = need("torch", "Explaining pairs")
    captions, longest = asked["word"].shape[:2]
    count = len(next(iter(videos.values())))
    frame, word = (torch.zeros(captions, count, longest, 0) for _ in range(2))
    if network.vision:
        cells = torch.einsum("bwd,vfd->bvwf", asked["look"], videos["frame"])
        frame = cells.unflatten(-1, (n_frames, -1)).amax(-1)
    if network.ocr:
        fits = torch.einsum("bwd,vod->bvwo", asked["word"], videos["read"])
        word = fits.masked_fill(~videos["there"][None, :, None], 0.0)
    return frame.cpu().numpy(), word.cpu().numpy()


def _joined(tiles: Sequence[np.ndarray]) -> np.ndarray:
    """The videos of all tiles, filled up with zeros to the most words."""
    most = max(one.shape[-1] for one in tiles)
    return np.concatenate([np.pad(one, [(0, 0)] * 3 + [(0, most - one.shape[-1])]) for one in tiles], 1)
