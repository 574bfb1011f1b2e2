"""What is trained by the GPU benchmark: models of published sizes with random weights, and batches made for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu_flops import clip_step, starvr_step
from workbench.core.optional import need
from workbench.core.seeds import generator
from workbench.models import Gallery, Words, build_model
from workbench.models.device import chosen_device
from workbench.training.batches import Batch

PIECES = 32
"""Word pieces of every caption, marks included: TextVR's captions have some 20 words."""
MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = [f"w{number}" for number in range(1000)]
SMALL_TEXT = {"text_depth": 1, "text_heads": 4, "vocabulary": 1200, "positions": 40, "projection": 16}
SMALL = {"dim": 32, "depth": 1, "heads": 4, "image_size": 32, "patch_size": 16, "fusion_heads": 4, **SMALL_TEXT}
B16 = {"n_frames": 4, "time_init": "zero_output"}
L14 = {
    "dim": 1024, "depth": 24, "heads": 16, "patch_size": 14, "n_frames": 12, "text_heads": 16,
    "time_init": "zero_output",
}  # fmt: skip
SIDE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
CLIP_SMALL: dict[str, Any] = {
    "text_config": {**SIDE, "max_position_embeddings": 40},
    "vision_config": {**SIDE, "image_size": 32, "patch_size": 16}, "projection_dim": 16,
}  # fmt: skip
CLIP_L14: dict[str, Any] = {
    "text_config": {
        "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
        "max_position_embeddings": 77,
    },
    "vision_config": {
        "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16,
        "image_size": 224, "patch_size": 14,
    },
    "projection_dim": 768,
}  # fmt: skip


@dataclass(frozen=True)
class Workload:
    """A model, and how much of it is trained at once.

    Attributes:
        name: Of the row.
        make: From a folder for its files, and whether it shall be tiny, to the model.
        flops: From the model and the number of videos to the operations of a step.
        videos: In a batch; fewer where they do not fit.
        checkpointed: The same where activations are computed again.
        shape: Of its largest product: tokens of a video, width, hidden width.
    """

    name: str
    make: Callable[[Path, bool], Any]
    flops: Callable[[Any, int], float]
    videos: int
    checkpointed: int
    shape: tuple[int, int, int] = field(default=(1, 1, 1))


def starvr(options: dict[str, Any]) -> Callable[[Path, bool], Any]:
    """Our space-time transformer beside the caption's DistilBERT."""

    def make(folder: Path, tiny: bool) -> Any:
        (folder / "vocab.txt").write_text("\n".join([*MARKS, *WORDS]) + "\n", encoding="utf-8")
        shape = {**options, **(SMALL if tiny else {})}
        with chosen_device():  # random weights are drawn faster there
            return build_model("textvr_fusion", preset="starvr", modality="vision", tokenizer=folder, **shape)

    return make


def clip(config: dict[str, Any]) -> Callable[[Path, bool], Any]:
    """CLIP's two towers, twelve frames of each video."""

    def make(folder: Path, tiny: bool) -> Any:
        folder = write_clip(folder / "clip", CLIP_SMALL if tiny else config)
        return build_model("dual_encoder", weights=str(folder), modality="vision", n_frames=12)

    return make


def window(config: dict[str, Any]) -> Callable[[Path, bool], Any]:
    """CLIP's two towers, frozen, and a fusion of frames and sentences that is trained."""

    def make(folder: Path, tiny: bool) -> Any:
        folder = write_clip(folder / "clip", CLIP_SMALL if tiny else config)
        return build_model("clip_ocr_window", weights=str(folder), modality="fusion", freeze_towers=True)

    return make


def write_clip(folder: Path, config: dict[str, Any]) -> Path:
    """A folder in Hugging Face layout of a CLIP with random weights and a tokenizer of ``WORDS``; written once."""
    if folder.exists():
        return folder
    transformers = need("transformers", "The GPU benchmark")
    library = need("tokenizers", "The GPU benchmark")
    known = {name: at for at, name in enumerate([*MARKS, *WORDS])}
    marks = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "vocab_size": len(known)}
    transformers.utils.logging.disable_progress_bar()
    transformers.CLIPModel(
        transformers.CLIPConfig(**{**config, "text_config": {**config["text_config"], **marks}})
    ).save_pretrained(folder)
    transformers.utils.logging.enable_progress_bar()
    words = library.Tokenizer(library.models.WordLevel(known, unk_token="[UNK]"))
    words.pre_tokenizer = library.pre_tokenizers.Whitespace()
    words.post_processor = library.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="[CLS]", eos_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(folder)
    told = {"image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28], "resample": 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def made_batch(model: Any, videos: int) -> Batch:
    """Captions and a sentence per frame, all different and of ``PIECES`` pieces; random pixels in the model's size."""
    shape = (model.reads["n_frames"], model.reads["height"], model.reads["width"], 3)
    some = generator(0, "bench, gpu").integers(0, 256, (min(videos, 64), *shape), np.uint8)
    count = shape[0]
    read = tuple(tuple(caption(at) for at in range(first, first + count)) for first in range(0, videos * count, count))
    gallery = Gallery(
        tuple(f"v{number}" for number in range(videos)), np.resize(some, (videos, *shape)), (Words(),) * videos,
        sentences=read,
    )  # fmt: skip
    return Batch([caption(number) for number in range(videos)], gallery, np.zeros((videos, videos), bool))


def caption(number: int) -> str:
    """Words that no other number has; with the two marks ``PIECES`` pieces."""
    thousands, rest = divmod(number, len(WORDS))
    return " ".join([WORDS[thousands], WORDS[rest], *WORDS[: PIECES - 4]])


def _starvr_flops(model: Any, videos: int) -> float:
    return starvr_step(model.options, videos, PIECES)


def _clip_flops(model: Any, videos: int) -> float:
    return clip_step(model.network.model.config, videos, model.options.n_frames, PIECES)


WORKLOADS = (
    Workload("ViT-B/16 x 4 frames, space-time", starvr(B16), _starvr_flops, 64, 192, (785, 768, 3072)),
    Workload("ViT-L/14 x 12 frames, space-time", starvr(L14), _starvr_flops, 8, 48, (3073, 1024, 4096)),
    Workload("CLIP ViT-L/14 x 12 frames, mean", clip(CLIP_L14), _clip_flops, 8, 48, (12 * 257, 1024, 4096)),
)
