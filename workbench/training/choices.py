"""What a training chose by itself or took from its recipe, each with the reason; what its user should know of it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from workbench.core.optional import need
from workbench.corpus import Corpus
from workbench.models.augment import AUGMENTS
from workbench.training.batches import Batches
from workbench.training.engine import compiles
from workbench.training.recipes import Recipe

LARGE_PX = 320
"""Short side of a video from which on small files are worth their making."""
NAMED = 3
"""Videos that a sentence names."""

log = logging.getLogger(__name__)


def choices(recipe: Recipe, model: Any, batches: Batches) -> dict[str, dict[str, Any]]:
    """Value and reason of device, threads, precision, compilation and batch size; the model lies on its device."""
    compiled, why = compiles(recipe, model)
    said = {} if batches.clips is None else {**batches.clips.said, "augment": _why_augment(recipe)}
    return {
        **said,
        "device": {"value": str(model.device), "reason": _why_device(model.device)},
        "threads": {"value": recipe.threads, "reason": "the recipe says so, as sums depend on their number"},
        "precision": {"value": recipe.precision, "reason": "the recipe says so"},
        "compile": {"value": compiled, "reason": why},
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


def say_inputs(corpus: Corpus, batches: Batches) -> None:
    """Warn of train videos that take no part, and of large originals that are decoded where small files would do.

    Args:
        corpus: Restricted to the train split.
        batches: Its batches.
    """
    say_lost(batches.excluded, len(batches.rows) + len(batches.excluded), "Trains")
    read = {} if batches.clips is None else batches.clips.said.get("rendition", {})
    if read.get("value") != "original":
        return
    files = corpus.renditions[corpus.renditions["rendition"] == "original"]
    short_px = files[["width", "height"]].min(axis=1, skipna=False).max()
    if short_px >= LARGE_PX:  # false where no size is known
        log.warning(
            "Training reads original videos, up to %d pixels on their short side: %s. Faster: workbench video compress "
            "%s SMALL, then prepare %s with --small SMALL.",
            short_px, read["reason"], corpus.roots.get("original", "VIDEOS"), corpus.name,
        )  # fmt: skip


def say_lost(excluded: Mapping[str, str], videos: int, verb: str) -> None:
    """Name train videos that take no part.

    Args:
        excluded: Their reasons.
        videos: How many there are in all.
        verb: ``Trains`` or ``Trained``.
    """
    if excluded:
        shown = "; ".join(f"{video}: {reason}" for video, reason in list(excluded.items())[:NAMED])
        more = "; ..." if len(excluded) > NAMED else ""
        log.warning("%s without %d of %d videos: %s%s", verb, len(excluded), videos, shown, more)
