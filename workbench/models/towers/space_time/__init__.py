"""The space-time transformer of Frozen in Time: a ViT on frames, with attention over time in every block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.lookup import pick
from workbench.core.optional import need
from workbench.models.towers.space_time.weights import TEMPORAL_RULES, WeightReport, load_weights

if TYPE_CHECKING:
    from workbench.models.towers.space_time.network import SpaceTimeTransformer

__all__ = ["SIZES", "TEMPORAL_RULES", "WeightReport", "build_tower", "load_weights"]

SIZES: dict[str, dict[str, int]] = {
    "vit_b16": {"image_size": 224, "patch_size": 16, "width": 768, "depth": 12, "heads": 12},
    "vit_l14": {"image_size": 224, "patch_size": 14, "width": 1024, "depth": 24, "heads": 16},
    "tiny": {"image_size": 32, "patch_size": 8, "width": 32, "depth": 2, "heads": 4},
}
"""Named shapes; ``vit_b16`` is the published one (``base_patch16_224``)."""


def build_tower(size: str = "vit_b16", **options: Any) -> SpaceTimeTransformer:
    """A tower with random weights, drawn from torch's current random state (seed it, or fork it, around this call).

    Args:
        size: A name of ``SIZES``.
        **options: Arguments of ``SpaceTimeTransformer`` that differ from the size, e.g. ``n_frames=8``.

    Raises:
        UnknownNameError: No such size.
        DataError: Options that do not fit together.
        MissingExtraError: torch is not installed.
    """
    shape = pick(SIZES, size, "tower size")
    need("torch", "The space-time transformer")
    from workbench.models.towers.space_time.network import SpaceTimeTransformer

    return SpaceTimeTransformer(**{**shape, **options})
