"""Tiny dual encoders with random weights and a tokenizer, in folders as Hugging Face lays them out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

WORDS = "a red bus dog sign taxi stop 42 the of cat nomek airport shop runner rain".split()
MEAN, STD = [0.48, 0.46, 0.41], [0.27, 0.26, 0.28]
SIDE = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
TOKENS = {"vocab_size": len(WORDS) + 4, "max_position_embeddings": 12, "pad_token_id": 0, "bos_token_id": 2,
          "eos_token_id": 3}  # fmt: skip


OTHERS = {"metaclip_2": "MetaClip2", "chinese_clip": "ChineseCLIP", "altclip": "AltCLIP"}
"""Of the same parts as CLIP, by what transformers calls them."""


def write_dual(folder: Path, family: str = "clip", *, seed: int = 0) -> Path:
    """A folder of a tiny model of a family of ``towers.dual.weights``; frames of 16 pixels, patches of 8 (4)."""
    torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
    transformers = pytest.importorskip("transformers", reason="needs transformers, which make setup installs")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _model(transformers, family)
        with torch.no_grad():  # as initialised every vector is nearly the same
            for value in model.parameters():
                if value.ndim > 1:
                    value.normal_(std=0.3)
    transformers.utils.logging.disable_progress_bar()
    try:
        model.save_pretrained(folder)
    finally:
        transformers.utils.logging.enable_progress_bar()
    _tokenizer(transformers).save_pretrained(folder)
    told = {"image_mean": MEAN, "image_std": STD, "resample": 3, "size": {"shortest_edge": 16}}
    (folder / "preprocessor_config.json").write_text(json.dumps(told))
    return folder


def _model(transformers: Any, family: str) -> Any:
    if family == "clip":
        config = transformers.CLIPConfig(
            text_config={**TOKENS, **SIDE}, vision_config={"image_size": 16, "patch_size": 8, **SIDE},
            projection_dim=24,
        )  # fmt: skip
        return transformers.CLIPModel(config)
    if family in OTHERS:
        config = getattr(transformers, f"{OTHERS[family]}Config")(
            text_config={**TOKENS, **SIDE, **({"project_dim": 20} if family == "altclip" else {})},
            vision_config={"image_size": 16, "patch_size": 8, **SIDE}, projection_dim=24,
        )  # fmt: skip
        return getattr(transformers, f"{OTHERS[family]}Model")(config)
    if family == "siglip":
        config = transformers.SiglipConfig(
            text_config={**TOKENS, **SIDE}, vision_config={"image_size": 16, "patch_size": 8, **SIDE}
        )
        return transformers.SiglipModel(config)
    config = transformers.Siglip2Config(
        text_config={**TOKENS, **SIDE}, vision_config={"num_patches": 16, "patch_size": 4, **SIDE}
    )
    return transformers.Siglip2Model(config)


def _tokenizer(transformers: Any) -> Any:
    library = pytest.importorskip("tokenizers", reason="needs tokenizers, which comes with transformers")
    vocabulary = {name: at for at, name in enumerate(["<pad>", "<unk>", "<s>", "</s>", *WORDS])}
    made = library.Tokenizer(library.models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = library.pre_tokenizers.Whitespace()
    made.normalizer = library.normalizers.Lowercase()
    special = [("<s>", 2), ("</s>", 3)]
    made.post_processor = library.processors.TemplateProcessing(single="<s> $A </s>", special_tokens=special)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    )
