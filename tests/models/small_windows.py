"""A small CLIP with windows of read text, and videos with sentences around their frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.models.dual_folders import write_dual
from workbench.core.seeds import generator
from workbench.models import Gallery, Words
from workbench.models.clip_ocr_window import ClipOcrWindow, build

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")

CAPTIONS = ["a red bus", "the sign of a shop", "stop", "a dog at the airport in the rain", "a red bus"]
READ = [("red bus", "", "stop"), ("", "", ""), ("taxi", "TAXI 42", "shop"), ("airport",), ()]
"""Sentences of every video: one per frame, none at all, one for three frames, and a video that could not be read."""


def small(folder: Path, modality: str = "fusion", family: str = "clip", **options) -> ClipOcrWindow:
    """A small model in evaluation mode, in float64; what starts at zero is random here."""
    if not (folder / family).is_dir():
        write_dual(folder / family, family)
    model = build(modality, folder / family, "tiny", **{"n_frames": 3, **options})
    if modality == "fusion":
        shaken = torch.Generator().manual_seed(1)
        with torch.no_grad():
            model.network.out.weight.normal_(std=0.3, generator=shaken)
    model.network.to("cpu", torch.float64)
    return model


def videos(read=READ, n_frames: int = 3) -> Gallery:
    """Videos with random frames of 16 pixels."""
    n = len(read)
    frames = generator(0, "windows").integers(0, 256, (n, n_frames, 16, 16, 3), np.uint8)
    return Gallery(tuple(f"v{i}" for i in range(n)), frames, (Words(),) * n, {}, tuple(read))
