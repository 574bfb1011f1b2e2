"""What a training chose by itself or took from its recipe, each with the reason; ``run.json`` keeps it."""

from __future__ import annotations

import os
from typing import Any

from workbench.core.optional import need
from workbench.models.augment import AUGMENTS
from workbench.training.batches import Batches
from workbench.training.recipes import Recipe


def choices(recipe: Recipe, device: Any, batches: Batches) -> dict[str, dict[str, Any]]:
    """Value and reason of device, threads, precision and batch size."""
    said = {} if batches.clips is None else {**batches.clips.said, "augment": _why_augment(recipe)}
    return {
        **said,
        "device": {"value": str(device), "reason": _why_device(device)},
        "threads": {"value": recipe.threads, "reason": "the recipe says so, as sums depend on their number"},
        "precision": {"value": recipe.precision, "reason": "the recipe says so"},
        "batch_videos": {"value": batches.size, "reason": _why_size(recipe, batches)},
    }


def _why_augment(recipe: Recipe) -> dict[str, Any]:
    way = AUGMENTS[recipe.augment]
    fit = f"; every split is fitted by {way.fit}" if way.fit else ""
    return {"value": recipe.augment, "reason": f"the recipe says so: {way.sentence}{fit}"}


def _why_device(device: Any) -> str:
    if os.environ.get("WORKBENCH_DEVICE"):
        return "WORKBENCH_DEVICE names it"
    if device.type == "cuda":
        return f"the first GPU, {need('torch', 'Training').cuda.get_device_name(device)}"
    return "this machine has no GPU"


def _why_size(recipe: Recipe, batches: Batches) -> str:
    if batches.size < recipe.batch_videos:
        return f"the recipe says {recipe.batch_videos}, there are only {len(batches.rows)} usable videos"
    return "the recipe says so"
