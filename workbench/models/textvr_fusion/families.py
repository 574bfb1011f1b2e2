"""The families of the model, their presets, and how either is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench.models.base import NetworkModel
from workbench.models.options import check_names, names_of, preset_of, varied
from workbench.models.textvr_fusion.model import SIZES_OF, Options, TextvrFusion
from workbench.models.textvr_fusion.starvr import Starvr, StarvrOptions
from workbench.models.textvr_fusion.starvr.options import SIZES_OF as STARVR_SIZES_OF
from workbench.models.towers.choices import Acts, check_idle

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
    """One family's class, what belongs to which tower, and files that it may start from, which no checkpoint keeps."""

    make: Callable[..., NetworkModel]
    sizes_of: Acts
    files: tuple[str, ...]


KINDS: dict[type[Any], Kind] = {
    Options: Kind(TextvrFusion, SIZES_OF, ("vision_weights",)),
    StarvrOptions: Kind(Starvr, STARVR_SIZES_OF, ("tokenizer", "weights", "vision_weights")),
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
        **options: Fields of the preset's options that differ from it, and files of its family: ``vision_weights``, and
            ``tokenizer`` and ``weights`` of StarVR. None = not given.

    Raises:
        UnknownNameError: An unknown modality or preset.
        DataError: An unknown option, one of another kind or without effect, or a file that is absent or does not fit.
    """
    check_names(options, option_names(preset), "textvr_fusion")
    base = preset_of(PRESETS, preset)
    kind = KINDS[type(base)]
    given = {name: value for name, value in options.items() if value is not None}
    files = {name: given.pop(name) for name in kind.files if name in given}
    record = varied(base, {**given, "modality": modality}, "textvr_fusion")
    check_idle((*given, *files), record, kind.sizes_of)
    return kind.make(record, **files)
