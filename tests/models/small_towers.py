"""Small towers, frames and image ViTs with random weights."""

from __future__ import annotations

import pytest

from workbench.models.towers.space_time import build_tower

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
SMALL = {"image_size": 8, "patch_size": 4, "width": 8, "depth": 2, "heads": 2, "n_frames": 3}


def made(seed: int = 0, **options):
    """A small tower in float64 and evaluation mode; every weight random, also those that start at a constant."""
    shape = {**SMALL, "time_init": "random", **options}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tower = build_tower(**shape).double().eval()
        if shape["time_init"] == "random":
            for value in tower.parameters():
                value.data += 0.2 * torch.randn_like(value)
    return tower


def frames(videos: int = 2, count: int = 3, side: int = 8, seed: int = 1):
    return torch.randn(videos, count, 3, side, side, generator=torch.Generator().manual_seed(seed)).double()


def image_vit(seed: int = 0):
    transformers = pytest.importorskip("transformers", reason="needs transformers, which make setup installs")
    config = transformers.ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128, image_size=32, patch_size=8
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = transformers.ViTModel(config).double().eval()
        for value in model.parameters():
            value.data += 0.1 * torch.randn_like(value)
    return model
