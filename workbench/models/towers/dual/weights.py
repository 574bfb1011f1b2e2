"""Where the weights of a dual encoder lie, what its folder must hold, and how it was told to look at pictures.

A folder has Hugging Face layout, as ``save_pretrained`` writes it. Nothing is ever downloaded here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from workbench.core.errors import DataError, StateError
from workbench.core.files import read_json
from workbench.core.lookup import pick
from workbench.core.optional import need
from workbench.models.located import VARIABLE, located

KNOWN = {
    name: f"{owner}/{name}"
    for owner, names in {
        "openai": ("clip-vit-base-patch32", "clip-vit-base-patch16", "clip-vit-large-patch14"),
        "google": ("siglip-base-patch16-224", "siglip2-base-patch16-224", "siglip2-base-patch16-naflex"),
    }.items()
    for name in names
}
"""Weights by their bare name, and where Hugging Face keeps them."""

PICTURES = ("preprocessor_config.json", "processor_config.json")
"""Either says how a model wants its pictures; the second, as transformers 5 writes it, under ``image_processor``."""
NEEDED = ("config.json", PICTURES[0], "tokenizer.json", "tokenizer_config.json")
TENSORS = ("model*.safetensors", "pytorch_model*.bin")
"""Files of weights: those of the first pattern that any fits are read."""

FILTERS = {2: "bilinear", 3: "bicubic"}
"""Numbers of ``preprocessor_config.json`` (Pillow's) for how pictures are scaled."""


@dataclass(frozen=True)
class Family:
    """How a type of model reads text and pictures.

    Attributes:
        padding: ``longest`` of a batch, or ``max_length``: it was trained with padding that it also looks at.
        masked: Whether it is told which tokens are padding.
        patches: Whether it takes pictures as lists of patches, of any height and width.
        lower: Whether it was trained on lower-case text.
        after_pad: Whether its positions begin behind the number of the padding token, as in RoBERTa.
    """

    padding: str = "longest"
    masked: bool = True
    patches: bool = False
    lower: bool = True
    after_pad: bool = False


FAMILIES = {
    "clip": Family(),
    "siglip": Family("max_length", masked=False),
    "siglip2": Family("max_length", masked=False, patches=True),
    "metaclip_2": Family(lower=False),
    "chinese_clip": Family(),
    "altclip": Family(lower=False, after_pad=True),
}
"""By ``model_type`` of ``config.json``. SigLIP 2 of a fixed size has the type ``siglip``, its NaFlex form ``siglip2``.

Sources: Radford et al. 2021 (arXiv 2103.00020); Zhai et al. 2023 (2303.15343); Tschannen et al. 2025 (2502.14786),
section 2.1 for lower case and 64 padded tokens; Chuang et al. 2025 (2507.22062); Yang et al. 2022 (2211.01335); Chen et
al. 2022 (2211.06679).
"""


@dataclass(frozen=True)
class Looks:
    """How pictures are made for a model: scaled by ``mode``, then (pixel / 255 - mean) / std for each colour."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    mode: str


def find_weights(weights: str | Path) -> Path:
    """The folder that a path or a bare name stands for.

    Raises:
        StateError: There is none, or it lacks files; the sentence names them and says how to get them.
    """
    folder = located(weights)
    name = Path(weights).name
    source = KNOWN.get(name, f"OWNER/{name}")
    get = (
        f"Where there is a network, run: hf download {source} --local-dir FOLDER/{name}. Then set {VARIABLE}=FOLDER, "
        "or give the path as weights=PATH."
    )
    files = f"{', '.join(NEEDED)} and model.safetensors"
    if not folder.is_dir():
        raise StateError(f"The weights {str(weights)!r} are not on this machine: a folder with {files}.", get)
    lacks = [file for file in described_by(folder) if not (folder / file).is_file()]
    if not files_of_weights(folder):
        lacks.append("model.safetensors")
    if lacks:
        raise StateError(f"The folder {folder} lacks {', '.join(lacks)}.", get)
    return folder


def files_of_weights(folder: Path) -> list[Path]:
    """The files that hold a folder's weights, one or several parts; empty where there is none."""
    return next((found for pattern in TENSORS if (found := sorted(folder.glob(pattern)))), [])


def read_family(folder: Path) -> Family:
    """How the folder's model reads.

    Raises:
        UnknownNameError: A type of model that is not in ``FAMILIES``.
    """
    config = read_json(folder / "config.json", "the description of a model")
    return pick(FAMILIES, str(config.get("model_type")), "type of dual encoder")


def described_by(folder: Path, names: Sequence[str] = NEEDED) -> list[str]:
    """The text files that describe a folder's model: of ``PICTURES`` the one that is there, else the first."""
    held = next((name for name in PICTURES if (folder / name).is_file()), PICTURES[0])
    return [held if name == PICTURES[0] else name for name in names]


def read_looks(folder: Path) -> Looks:
    """How the folder's model wants its pictures.

    Raises:
        DataError: Something that this workbench does not do.
    """
    path = folder / described_by(folder, PICTURES[:1])[0]
    told = read_json(path, "how a model wants its pictures")
    told = told if path.name == PICTURES[0] else told.get("image_processor") or {}
    mean, std = told.get("image_mean"), told.get("image_std")
    if not (isinstance(mean, list) and isinstance(std, list) and len(mean) == len(std) == 3):
        raise DataError(f"{path} states no image_mean and image_std of three colours.", "Get the file again.")
    if abs(float(told.get("rescale_factor", 1 / 255)) * 255 - 1) > 1e-6:
        raise DataError(f"{path} has the rescale_factor {told['rescale_factor']}.", "Only 1/255 is supported.")
    resample = told.get("resample", 3)
    if resample not in FILTERS:
        raise DataError(f"{path} scales pictures by filter {resample}.", "Only 2 (bilinear) and 3 (bicubic) are known.")
    return Looks(tuple(map(float, mean)), tuple(map(float, std)), FILTERS[resample])


def load_pretrained(folder: Path) -> Any:
    """The transformers model of a folder, float32, on the CPU.

    Raises:
        DataError: Weights that are damaged, or that lack some which the model has.
        MissingExtraError: transformers is not installed.
    """
    torch = need("torch", "A dual encoder")
    transformers = need("transformers", "A dual encoder")
    safetensors = need("safetensors", "Reading weights")
    with _quiet(transformers):
        try:
            model, report = transformers.AutoModel.from_pretrained(
                folder, local_files_only=True, output_loading_info=True, dtype=torch.float32, trust_remote_code=False
            )
        except (OSError, ValueError, RuntimeError, UnpicklingError, safetensors.SafetensorError) as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise DataError(f"The model in {folder} cannot be read: {said[0]}", "Get its files again.") from error
    absent = sorted(report["missing_keys"]) + [str(key[0]) for key in sorted(report["mismatched_keys"])]
    if absent:
        raise DataError(f"{folder} lacks {len(absent)} weights, the first is {absent[0]}.", "Get its files again.")
    return model


def empty_model(folder: Path) -> Any:
    """The transformers model that a folder describes, float32, on the CPU; its weights are set afterwards.

    Raises:
        MissingExtraError: transformers is not installed.
    """
    torch = need("torch", "A dual encoder")
    transformers = need("transformers", "A dual encoder")
    with _quiet(transformers), torch.random.fork_rng(devices=[]):
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        return transformers.AutoModel.from_config(config, dtype=torch.float32)


def load_tokenizer(folder: Path) -> Any:
    """The folder's own tokenizer, from ``tokenizer.json``.

    Raises:
        DataError: It is damaged, or cannot pad.
        MissingExtraError: transformers is not installed.
    """
    transformers = need("transformers", "A dual encoder")
    with _quiet(transformers):
        try:
            tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, json.JSONDecodeError) as error:
            raise DataError(f"The tokenizer in {folder} cannot be read: {error}", "Get its files again.") from error
    if tokenizer.pad_token is None:
        raise DataError(f"The tokenizer in {folder} has no pad_token.", "Get tokenizer_config.json again.")
    return tokenizer


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Without transformers' own progress bars and remarks on the user's terminal."""
    log = transformers.utils.logging
    bars, level = log.is_progress_bar_enabled(), log.get_verbosity()
    log.disable_progress_bar()
    log.set_verbosity_error()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()
