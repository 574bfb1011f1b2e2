"""Recipes: what is trained on what, as YAML files of the package, read into one frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from workbench.core.errors import DataError
from workbench.core.lookup import nearest, pick

MODALITIES = ("vision", "ocr", "fusion")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run beside the data.

    Attributes:
        model: A name of ``models.MODELS``.
        preset: A preset of the model.
        modality: ``vision``, ``ocr`` or ``fusion``.
        corpus: The corpus trained on.
        train_split: Its split.
        select_split: The split that chooses the checkpoint; never the one reported on.
        report_split: The split that is scored at the end.
        steps: Optimiser steps.
        batch_videos: Videos per batch, one caption each.
        learning_rate: Peak of AdamW's rate.
        weight_decay: Of AdamW.
        auxiliary: Weight of each modality's own loss beside that of their sum, so that none hides behind another.
        warmup: Steps until the peak; afterwards a cosine to zero.
        eval_every: Steps between looks at the select split (and checkpoints).
        threads: CPU threads; part of the recipe, as sums depend on it.
        reader: Who decodes: ``pyav``, ``decord`` (to repeat old papers), or ``auto``.
        seed: Of weights, batches, captions and augmentation.
    """

    model: str
    preset: str
    modality: str
    corpus: str
    train_split: str
    select_split: str
    report_split: str
    steps: int
    batch_videos: int
    learning_rate: float
    weight_decay: float
    auxiliary: float
    warmup: int
    eval_every: int
    threads: int
    reader: str
    seed: int

    def __post_init__(self) -> None:
        pick(dict.fromkeys(MODALITIES), self.modality, "modality")
        for name in ("steps", "batch_videos", "eval_every", "threads", "learning_rate"):
            if not getattr(self, name) > 0:
                raise DataError(f"Recipe: {name} is {getattr(self, name)!r}.", "It must be greater than 0.")
        if self.select_split == self.report_split:
            raise DataError(
                f"Recipe: checkpoints would be chosen on {self.select_split!r}, the split that is reported.",
                "Choose them on another split: workbench data split CORPUS makes a val split.",
            )

    def to_dict(self) -> dict[str, Any]:
        """The resolved recipe, as ``run.json`` keeps it."""
        return asdict(self)


FOLDER = files("workbench.training.recipe_files")
RECIPES = sorted(Path(str(path)).stem for path in FOLDER.iterdir() if str(path).endswith(".yaml"))
KINDS: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,)}


def load_recipe(name: str, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """A recipe by its bare name, with some of its values replaced.

    Args:
        name: A name of ``RECIPES``, or the path of a YAML file.
        overrides: Fields of ``Recipe``.

    Raises:
        UnknownNameError: No such recipe.
        DataError: An unknown, missing or wrong value; the sentence names the nearest key.
    """
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if not path.is_file():
            raise DataError(f"The recipe {name} does not exist.", f"Known by name: {', '.join(RECIPES)}.")
        text = path.read_text(encoding="utf-8")
    else:
        pick(dict.fromkeys(RECIPES), name, "recipe")
        text = FOLDER.joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    values = {**(yaml.safe_load(text) or {}), **(overrides or {})}
    kinds = {one.name: str(one.type) for one in fields(Recipe)}
    for key, value in values.items():
        if key not in kinds:
            raise DataError(f"Recipe {name}: unknown key {key!r}.", nearest(key, kinds))
        if isinstance(value, bool) or not isinstance(value, KINDS[kinds[key]]):
            raise DataError(f"Recipe {name}: {key} is {value!r}.", f"It must be a {kinds[key]}.")
    if absent := [key for key in kinds if key not in values]:
        raise DataError(f"Recipe {name}: {absent[0]} is missing.", "Add it; see the shipped recipes.")
    return Recipe(**values)
