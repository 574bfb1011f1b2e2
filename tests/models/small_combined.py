"""Small models of every combination of who reads captions, who sees frames, what is read and how both meet."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tests.models import small_starvr
from workbench.core.seeds import generator
from workbench.models import Gallery, Words, build_model

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")

CAPTIONS = ["a red bus", "the sign of a shop", "stop", "nomek 42 at the airport", "a red bus"]
READ = [("nomek", "42", "taxi"), (), ("shop",), ("red", "bus", "airport", "rain", "the", "of"), ("stop", "bus")]
WINDOWS = [("red bus", "", "stop"), ("", "", ""), ("taxi", "TAXI 42", "shop"), ("airport",), ()]
FUSIONS, OCR = ("bare", "block", "score"), ("words", "windows")
IDLE = {"vid_proj.0.weight", "vid_proj.0.bias"}
"""Published weights that no loss reaches, but for the fusion ``score``."""
UNUSED = {"model.logit_bias"}
"""Of SigLIP: the temperature alone is taken over."""

Case = tuple[str, str, str, str]
CASES: list[Case] = [
    *(("clip_text", "clip", ocr, fusion) for ocr, fusion in product(OCR, FUSIONS)),
    *(("bert_text", vision, ocr, fusion) for vision, ocr, fusion in product(("space_time", "clip"), OCR, FUSIONS)),
    ("bert_text", "siglip", "windows", "bare"), ("bert_text", "siglip2", "words", "block"),
    ("clip_text", "siglip", "words", "bare"),
]  # fmt: skip
"""Who reads captions, who sees frames, what is read in them, and how both meet."""
FEWER = [one for one in CASES if one[:2] in (("clip_text", "clip"), ("bert_text", "space_time"))]
"""Without others who see, which changes nothing about reading."""
ALONE = [("clip_text", "clip", "words", "block"), ("clip_text", "clip", "windows", "block"),
         ("bert_text", "space_time", "windows", "bare"), ("bert_text", "space_time", "windows", "block")]  # fmt: skip


def made(folder, case: Case, modality: str = "fusion", **options):
    """A small model in float64; nothing that fuses starts at zero."""
    text, vision, ocr, fusion = case
    given = {"ocr": ocr, "fusion": fusion, "n_frames": 3, **options}
    if text == "clip_text":
        given["fusion_heads"] = 2
        model = build_model("clip_ocr_window", modality=modality, preset="tiny", weights=str(folder / vision), **given)
        model.network.double()
        if modality == "fusion" and fusion != "score":
            with torch.no_grad():
                model.network.out.weight.normal_(std=0.3, generator=torch.Generator().manual_seed(1))
        return model
    if vision != "space_time":
        given["vision"] = str(folder / vision)
    model = small_starvr.small(folder / "words", modality, dropout=0.0, **given)
    model.network.double()
    return model


def videos(model) -> Gallery:
    """Videos with random frames, words with places and sentences around the frames."""
    draw, n = generator(0, "combined"), len(READ)
    size = (n, model.reads["n_frames"], model.reads["height"], model.reads["width"], 3)
    words = tuple(Words(one, draw.random((len(one), 12)).astype(np.float32)) for one in READ)
    return Gallery(tuple("abcde"), draw.integers(0, 256, size, np.uint8), words, {}, tuple(WINDOWS))


def scores(model, gallery) -> np.ndarray:
    return model.similarity(CAPTIONS, model.encode(gallery))
