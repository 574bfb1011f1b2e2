"""A small StarVR with random weights, a small vocabulary, and videos with words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench.core.seeds import generator
from workbench.models import Gallery, Words, build_model

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
pytest.importorskip("transformers", reason="needs transformers, which make setup installs")

PIECES = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] a red bus the sign says crumb house ##s ##e ##o ##42 tea n no ##mek 4 2 ' - shop"
)
SIZES = {
    "dim": 16, "depth": 1, "heads": 2, "image_size": 8, "patch_size": 4, "n_frames": 2, "time_init": "random",
    "text_depth": 2, "text_heads": 2, "vocabulary": 40, "positions": 12, "fusion_heads": 4, "projection": 6,
    "max_words": 5,
}  # fmt: skip
CAPTIONS = ["A red bus", "the sign says NOMEK 42", "", "tea " * 40, "A red bus", "«ΦΩΣ» 雨"]
READ = [("nomek", "42", "crumb"), (), ("tea",), ("red", "bus", "houses", "shop", "the", "no", "a"), ("crumb", "tea")]


def vocabulary(folder: Path, pieces: str = PIECES) -> Path:
    """A folder with ``vocab.txt``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(pieces.split()) + "\n", encoding="utf-8")
    return folder


def small(folder: Path, modality: str = "fusion", **options):
    """A small model in evaluation mode, every weight random, also those that start at a constant."""
    given = {"tokenizer": vocabulary(folder), **SIZES, **options}
    model = build_model("textvr_fusion", preset="starvr", modality=modality, **given)
    shaken = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in model.network.named_parameters():
            if name != "scale":
                value += 0.3 * torch.randn(value.shape, generator=shaken).to(value)
    return model


def videos(model, read=READ) -> Gallery:
    """Videos with random frames and places."""
    draw, options = generator(0, "starvr"), model.options
    shape = (len(read), options.n_frames, options.image_size, options.image_size, 3)
    words = tuple(Words(one, draw.random((len(one), 12)).astype(np.float32)) for one in read)
    return Gallery(tuple(f"v{i}" for i in range(len(read))), draw.integers(0, 256, shape, np.uint8), words)
