"""The families of the model, their presets, and how either is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench.models.base import NetworkModel
from workbench.models.options import check_names, names_of, preset_of, varied
from workbench.models.textvr_fusion.model import Options, TextvrFusion
from workbench.models.textvr_fusion.starvr import Starvr, StarvrOptions

PRESETS: dict[str, Options | StarvrOptions] = {
    "demo": Options(width=32, n_frames=2),
    "tiny": Options(dim=32, buckets=512, width=16, n_frames=2, height=24, width_px=32),
    "starvr": StarvrOptions(),
    "starvr_tiny": StarvrOptions(
        dim=32, depth=1, heads=4, image_size=32, patch_size=8, n_frames=2, text_depth=1, text_heads=4, vocabulary=2000,
        positions=64, fusion_heads=4, projection=16, max_words=24,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One family's class, and the files that it may start from; a checkpoint does not remember them."""

    make: Callable[..., NetworkModel]
    files: tuple[str, ...] = ()


KINDS: dict[type[Any], Kind] = {
    Options: Kind(TextvrFusion),
    StarvrOptions: Kind(Starvr, ("tokenizer", "weights", "vision_weights")),
}
"""By the record of the options."""


def option_names(preset: str | None = None) -> set[str]:
    """The options that ``build`` takes with a preset.

    Raises:
        UnknownNameError: An unknown preset.
    """
    base = preset_of(PRESETS, preset)
    return names_of(type(base)) | set(KINDS[type(base)].files)


def build(modality: str = "fusion", preset: str | None = None, **options: Any) -> NetworkModel:
    """A model with random weights, unless files are named.

    Args:
        modality: ``vision``, ``ocr`` or ``fusion``.
        preset: A name of ``PRESETS``; None = ``demo``.
        **options: Fields of the preset's options that differ from it, and files of its family: ``tokenizer``,
            ``weights`` and ``vision_weights`` of StarVR.

    Raises:
        UnknownNameError: An unknown modality or preset.
        DataError: An unknown option or one of another kind, or a file that is absent or does not fit.
    """
    check_names(options, option_names(preset), "textvr_fusion")
    base = preset_of(PRESETS, preset)
    kind = KINDS[type(base)]
    given = {name: options.pop(name) for name in kind.files if name in options}
    return kind.make(varied(base, {**options, "modality": modality}, "textvr_fusion"), **given)
