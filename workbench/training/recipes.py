"""Recipes: what is trained on what, as YAML files of the package, read into one frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from workbench.core.errors import DataError
from workbench.core.lookup import nearest, pick
from workbench.training.batches import MASKS
from workbench.training.loss import LOSSES, NEGATIVES

MODALITIES = ("vision", "ocr", "fusion")
DECAYS = ("all", "matrices")
PRECISIONS = ("float32", "bf16", "fp16")
POSITIVE = (
    "steps", "batch_videos", "eval_every", "threads", "learning_rate", "temperature", "margin", "micro_batch", "clip",
    "keep_last", "patience",
)  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run beside the data.

    Attributes:
        model: A name of ``models.MODELS``.
        preset: A preset of the model.
        modality: ``vision``, ``ocr`` or ``fusion``.
        corpus: The corpus trained on.
        train_split: Its split that is trained on.
        select_split: The split that chooses the checkpoint; never the one reported on.
        report_split: The split that is scored at the end.
        steps: Optimiser steps.
        batch_videos: Videos per batch, one caption each.
        learning_rate: Peak of AdamW's rate.
        weight_decay: Of AdamW, per step and unit of the rate.
        auxiliary: Weight of each modality's own loss beside that of their sum, so that none hides behind another.
        warmup: Steps until the peak; afterwards a cosine to zero.
        eval_every: Steps between looks at the select split (and checkpoints).
        threads: CPU threads; part of the recipe, as sums depend on it.
        reader: Who decodes: ``pyav``, ``decord`` (to repeat old papers), or ``auto``.
        seed: Of weights, batches, captions and augmentation.
        loss: ``infonce`` (both directions), ``sigmoid`` (each pair by itself) or ``max_margin``.
        temperature: ``learned``, or a number that is kept; models with a scale only.
        sigmoid_bias: Added to similarities by the sigmoid loss: a number that is kept, or ``learned``, from -10 on.
        margin: Of the max-margin loss, in units of the similarity over the temperature.
        negatives: Of the max-margin loss: ``all`` or ``hardest``.
        mask: Pairs that are no negatives: ``duplicates`` (equal captions), ``sources`` (videos of one recording).
        micro_batch: Videos per chunk; gradients equal those of the whole batch. null = the whole batch at once.
        decay: What weight decay acts on: ``all``, or ``matrices`` (not biases, norms and scale).
        clip: Longest gradient, as a norm over all weights; null = no limit.
        ema: Share of the old running average that stays at each step; the average is evaluated and kept. null = none.
        freeze: Exact names of weights that are not trained.
        keep_last: How many of the newest checkpoints stay, beside the best one.
        patience: Looks at the select split without a gain after which training ends. null = all steps are made.
        precision: Of products: ``float32``, ``bf16`` or ``fp16``; weights and their updates stay float32.
        compile: Whether torch compiles the network first: slower to start, faster per step.
        activation_checkpointing: Compute activations again on the way back instead of keeping them: less memory.
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
    loss: str = "infonce"
    temperature: str | float = "learned"
    sigmoid_bias: str | float = -10.0
    margin: float = 0.2
    negatives: str = "all"
    mask: tuple[str, ...] = ("duplicates",)
    micro_batch: int | None = None
    decay: str = "all"
    clip: float | None = None
    ema: float | None = None
    freeze: tuple[str, ...] = ()
    keep_last: int = 1
    patience: int | None = None
    precision: str = "float32"
    compile: bool = False
    activation_checkpointing: bool = False

    def __post_init__(self) -> None:
        pick(dict.fromkeys(MODALITIES), self.modality, "modality")
        pick(dict.fromkeys(LOSSES), self.loss, "loss")
        pick(dict.fromkeys(NEGATIVES), self.negatives, "choice of negatives")
        pick(dict.fromkeys(DECAYS), self.decay, "choice of decay")
        for mask in self.mask:
            pick(dict.fromkeys(MASKS), mask, "mask")
        pick(dict.fromkeys(PRECISIONS), self.precision, "precision")
        for name in ("temperature", "sigmoid_bias"):
            if isinstance(value := getattr(self, name), str):
                pick({"learned": None}, value, name.replace("_", " "))
        self._check_numbers()
        if self.select_split == self.report_split:
            raise DataError(
                f"Recipe: checkpoints would be chosen on {self.select_split!r}, the split that is reported.",
                "Choose them on another split: workbench data split CORPUS makes a val split.",
            )

    def _check_numbers(self) -> None:
        for name in POSITIVE:
            value = getattr(self, name)
            if isinstance(value, int | float) and not value > 0:
                raise DataError(f"Recipe: {name} is {value!r}.", "It must be greater than 0.")
        if self.ema is not None and not 0 < self.ema < 1:
            raise DataError(f"Recipe: ema is {self.ema!r}.", "It must lie between 0 and 1, e.g. 0.999.")

    def to_dict(self) -> dict[str, Any]:
        """The resolved recipe, as ``run.json`` keeps it."""
        return asdict(self)


FOLDER = files("workbench.training.recipe_files")
RECIPES = sorted(Path(str(path)).stem for path in FOLDER.iterdir() if str(path).endswith(".yaml"))
KINDS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "tuple[str, ...]": (list, tuple),
}
KINDS |= {"int | None": (int, type(None)), "float | None": (int, float, type(None)), "str | float": (str, int, float)}
NAMED = {
    "bool": "yes or no (true, false)",
    "tuple[str, ...]": "list of names",
    "int | None": "int or null",
    "float | None": "float or null",
}


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
        if not _fits(value, kinds[key]):
            kind = NAMED.get(kinds[key], kinds[key].replace("|", "or"))
            raise DataError(f"Recipe {name}: {key} is {value!r}.", f"It must be a {kind}.")
    needed = [one.name for one in fields(Recipe) if one.default is MISSING]
    if absent := [key for key in needed if key not in values]:
        raise DataError(f"Recipe {name}: {absent[0]} is missing.", "Add it; see the shipped recipes.")
    typed: dict[str, Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in values.items()}
    return Recipe(**typed)


def _fits(value: Any, kind: str) -> bool:
    """Whether a value is of a field's kind; yes and no are no numbers, and lists hold names alone."""
    if isinstance(value, bool) and kind != "bool":
        return False
    names = not isinstance(value, list | tuple) or all(isinstance(one, str) for one in value)
    return names and isinstance(value, KINDS[kind])


def differences(stored: Mapping[str, Any], asked: Recipe) -> str:
    """Where a recipe differs from the one that a run keeps, in words; ``""`` where it does not.

    Keys that the run does not know yet have their default.
    """
    known = {one.name: one.default for one in fields(Recipe) if one.default is not MISSING} | dict(stored)
    new = asked.to_dict()
    other = [key for key, value in new.items() if _plain(known.get(key)) != _plain(value)]
    return ", ".join(f"{key} {known.get(key)!r}, now {new[key]!r}" for key in other)


def _plain(value: Any) -> Any:
    """As JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value
