"""The families of the model, their presets, and how either is built and opened again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError
from workbench.core.lookup import nearest, pick
from workbench.core.optional import need
from workbench.models.textvr_fusion.base import NetworkModel
from workbench.models.textvr_fusion.model import Options, TextvrFusion
from workbench.models.textvr_fusion.starvr import Starvr, StarvrOptions


@dataclass(frozen=True)
class Family:
    """One kind of network.

    Attributes:
        options: The record of its options.
        make: From the options, and files by keyword, to the model.
        files: Names of the files and folders that it may start from; a checkpoint does not remember them.
    """

    options: type[Any]
    make: Callable[..., NetworkModel]
    files: tuple[str, ...] = ()


FAMILIES = {
    TextvrFusion.family: Family(Options, TextvrFusion),
    Starvr.family: Family(StarvrOptions, Starvr, ("tokenizer", "weights", "vision_weights")),
}
PRESETS: dict[str, Options | StarvrOptions] = {
    "demo": Options(width=32, n_frames=2),
    "tiny": Options(dim=32, buckets=512, width=16, n_frames=2, height=24, width_px=32),
    "starvr": StarvrOptions(),
    "starvr_tiny": StarvrOptions(
        dim=32, depth=1, heads=4, image_size=32, patch_size=8, n_frames=2, text_depth=1, text_heads=4, vocabulary=2000,
        positions=64, fusion_heads=4, projection=16, max_words=24,
    ),
}  # fmt: skip


def build(modality: str = "fusion", preset: str | None = None, **options: Any) -> NetworkModel:
    """A model with random weights, unless files are named.

    Args:
        modality: ``vision``, ``ocr`` or ``fusion``.
        preset: A name of ``PRESETS``; None = ``demo``.
        **options: Fields of the preset's options that differ from it, and files of its family: ``tokenizer``,
            ``weights`` and ``vision_weights`` of StarVR.

    Raises:
        UnknownNameError: An unknown modality or preset.
        DataError: An unknown option, or a file that is absent or does not fit.
    """
    base = pick(PRESETS, preset or "demo", "preset")
    family = next(one for one in FAMILIES.values() if isinstance(base, one.options))
    known = {*(one.name for one in fields(base)), *family.files}
    if wrong := sorted(set(options) - known):
        raise DataError(f"textvr_fusion has no option {wrong[0]!r}.", nearest(wrong[0], known))
    given = {name: options.pop(name) for name in family.files if name in options}
    return family.make(_record(family, {**asdict(base), **options, "modality": modality}), **given)


def load(folder: Path) -> NetworkModel:
    """A model as ``save`` wrote it, of the family that the header names.

    Raises:
        DataError: No such file, or the weights of another model.
        UnknownNameError: A family that is not known here.
    """
    path = Path(folder) / "model.safetensors"
    if not path.is_file():
        raise DataError(f"{folder} holds no model.safetensors.", "Give a checkpoint, e.g. RUN or RUN@STEP.")
    safe = need("safetensors", "Reading weights")
    tensors = need("safetensors.torch", "Reading weights")
    with safe.safe_open(path, framework="pt") as opened:
        header = opened.metadata() or {}
    if header.get("model") != "textvr_fusion":
        raise DataError(f"{path} holds the model {header.get('model')!r}.", "This reads textvr_fusion only.")
    name = header.get("family", TextvrFusion.family)  # headers did not name it while there was one family
    family = pick(FAMILIES, name, "family of textvr_fusion")
    given = {"tokenizer": folder} if "tokenizer" in family.files else {}
    model = family.make(_record(family, json.loads(header["options"])), **given)
    model.network.load_state_dict(tensors.load_file(path))
    return model


def _record(family: Family, values: Mapping[str, Any]) -> Any:
    return family.options(**{name: tuple(one) if isinstance(one, list) else one for name, one in values.items()})
