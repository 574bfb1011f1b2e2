"""The recipe of a released model: the shipped one of its modality, with what the release's config says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from workbench.core.files import atomic
from workbench.training.recipes import Recipe, load_recipe

SHIPPED = {"fusion": "starvr", "vision": "textvr_vision", "ocr": "textvr_ocr"}
"""Recipes on TextVR, by what a released model was trained as."""
FILE = "recipe.yaml"


def released_recipe(config: Mapping[str, Any]) -> Recipe | None:
    """A recipe of a config; None where its data set is none that is known here.

    Args:
        config: As ``import.json`` keeps it: ``recipe``, ``options`` and more, of ``ReleaseConfig``.

    Raises:
        DataError: A value that no recipe can have.
    """
    if "corpus" not in config["recipe"]:
        return None
    recipe, options = config["recipe"], dict(config["options"])
    if recipe["corpus"] == "webvid" and recipe["modality"] == "ocr":
        options["vision_weights"] = None  # the shipped recipe also sees
    shipped = "webvid_pretrain" if recipe["corpus"] == "webvid" else SHIPPED[recipe["modality"]]
    return load_recipe(shipped, {**recipe, "options": options})


def write_recipe(folder: Path, config: Mapping[str, Any]) -> Path | None:
    """Write the recipe of an imported model beside its ``import.json``; returns the file, which ``train`` takes.

    Args:
        folder: Of the model.
        config: As for ``released_recipe``.

    Raises:
        DataError: As ``released_recipe``.
    """
    if (recipe := released_recipe(config)) is None:
        return None
    left = ", ".join(f"{key} {value!r}" for key, value in config["not_taken"].items())
    with atomic(folder / FILE) as temporary:
        temporary.write_text(
            f"# Out of the release's config.json. Not taken over: {left or 'nothing'}.\n"
            + yaml.safe_dump(recipe.to_dict(), sort_keys=False, allow_unicode=True),
            encoding="utf-8",
        )
    return folder / FILE
