"""Small models of every choice: who sees frames, who reads texts, what is read in the frames and how both meet."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
import pytest

from tests.models import small_starvr
from workbench.core.seeds import generator
from workbench.models import Gallery, Words, build_model
from workbench.models.textvr_fusion.starvr.options import SIZES_OF

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")

CAPTIONS = ["a red bus", "the sign of a shop", "stop", "nomek 42 at the airport", "a red bus"]
READ = [("nomek", "42", "taxi"), (), ("shop",), ("red", "bus", "airport", "rain", "the", "of"), ("stop", "bus")]
WINDOWS = [("red bus", "", "stop"), ("", "", ""), ("taxi", "TAXI 42", "shop"), ("airport",), ()]
FUSIONS, OCR = ("bare", "block", "score"), ("words", "windows")
IDLE = {"vid_proj.0.weight", "vid_proj.0.bias"}
"""Published weights that no loss reaches, but for the fusion ``score``."""
UNUSED = {"model.logit_bias"}
"""Of SigLIP: the temperature alone is taken over."""
FOLDERS = ("clip", "siglip", "siglip2")


class Case(NamedTuple):
    """A model and its choices; ``clip``, ``siglip`` and ``siglip2`` are folders. ``text`` of CLIP: its ``weights``."""

    model: str
    text: str
    vision: str
    ocr: str = "words"
    fusion: str = "bare"


CASES: list[Case] = [
    *(Case("clip", "clip", "own", ocr, fusion) for ocr, fusion in product(OCR, FUSIONS)),
    *(Case("starvr", "distilbert", "space_time", *of) for of in product(OCR, FUSIONS)),
    *(Case("starvr", "distilbert", "clip", *of) for of in zip((*OCR, "words"), FUSIONS, strict=True)),
    Case("starvr", "distilbert", "siglip", "windows", "bare"), Case("starvr", "distilbert", "siglip2", fusion="block"),
    Case("clip", "siglip", "own", "words", "bare"),
    Case("starvr", "clip", "space_time", "words", "bare"), Case("starvr", "siglip", "space_time", "windows", "block"),
    Case("starvr", "clip", "siglip", "words", "score"), Case("starvr", "small", "space_time", "windows", "bare"),
    Case("starvr", "distilbert", "small", "words", "score"), Case("starvr", "small", "small", "words", "block"),
    Case("clip", "clip", "space_time", "words", "bare"), Case("clip", "clip", "small", "windows", "score"),
    Case("clip", "siglip", "clip", "windows", "block"),
    Case("demo", "grams", "space_time"), Case("demo", "grams", "clip"), Case("demo", "grams", "siglip"),
]  # fmt: skip
FEWER = [one for one in CASES if one[:3] in (("clip", "clip", "own"), ("starvr", "distilbert", "space_time"))]
"""Without others who see or read, which changes nothing about what is read."""
ALONE = [Case("clip", "clip", "own", "words", "block"), Case("clip", "clip", "own", "windows", "block"),
         Case("starvr", "distilbert", "space_time", "windows", "bare"),
         Case("starvr", "distilbert", "space_time", "windows", "block"),
         Case("starvr", "clip", "space_time", "words", "bare"), Case("starvr", "small", "space_time")]  # fmt: skip
"""Those that also read without seeing."""


def made(folder, case: Case, modality: str = "fusion", **options):
    """A small model in float64; nothing that fuses starts at zero."""
    model = {"clip": _clip, "starvr": _starvr, "demo": _demo}[case.model](folder, case, modality, options)
    model.network.double()
    return model


def _named(folder, name: str) -> str:
    return str(folder / name) if name in FOLDERS else name


def _clip(folder, case: Case, modality: str, options: dict):
    given = {"ocr": case.ocr, "fusion": case.fusion, "n_frames": 3, "fusion_heads": 2}
    given |= {} if case.vision == "own" else {"vision": _named(folder, case.vision)}
    given |= {"vision_size": "tiny"} if case.vision == "space_time" else {}
    weights = str(folder / case.text)
    model = build_model("clip_ocr_window", modality=modality, preset="tiny", weights=weights, **{**given, **options})
    if modality == "fusion" and case.fusion != "score":
        with torch.no_grad():
            model.network.out.weight.normal_(std=0.3, generator=torch.Generator().manual_seed(1))
    return model


def sizes(vision: str = "space_time", text: str = "distilbert") -> dict:
    """Those of a small StarVR that its towers have, beside None for the rest."""
    chosen = {"vision": vision, "text": text}
    acts = {name for one in chosen for name in SIZES_OF[one].get(chosen[one], ())}
    every = {name for by_value in SIZES_OF.values() for names in by_value.values() for name in names}
    return {name: value if name in acts or name not in every else None for name, value in small_starvr.SIZES.items()}


def _starvr(folder, case: Case, modality: str, options: dict):
    given = {**sizes(case.vision, case.text), "n_frames": 3, "ocr": case.ocr, "fusion": case.fusion}
    if case.vision != "space_time" and modality != "ocr":
        given["vision"] = _named(folder, case.vision)
    if case.text == "distilbert":
        given["dropout"] = 0.0
    else:
        given |= {"text": _named(folder, case.text), "tokenizer": None}
    return small_starvr.small(folder / "words", modality, **{**given, **options})


def _demo(folder, case: Case, modality: str, options: dict):
    given = {"n_frames": 3, "vision": _named(folder, case.vision), "width": None, "height": None, "width_px": None}
    given |= {"vision_size": "tiny"} if case.vision == "space_time" else {}
    return build_model("textvr_fusion", preset="tiny", modality=modality, **{**given, **options})


def videos(model) -> Gallery:
    """Videos with random frames, words with places and sentences around the frames."""
    draw, n = generator(0, "combined"), len(READ)
    size = (n, model.reads["n_frames"], model.reads["height"], model.reads["width"], 3)
    numbers = 12 if "places" in model.reads or "windows" in model.reads else 6
    words = tuple(Words(one, draw.random((len(one), numbers)).astype(np.float32)) for one in READ)
    return Gallery(tuple("abcde"), draw.integers(0, 256, size, np.uint8), words, {}, tuple(WINDOWS))


def scores(model, gallery) -> np.ndarray:
    return model.similarity(CAPTIONS, model.encode(gallery))
