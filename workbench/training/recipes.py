"""Recipes: what is trained on what, as YAML files of the package, read into one frozen record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError
from workbench.core.lookup import nearest, pick
from workbench.core.yaml_text import read_yaml
from workbench.evaluation.runs.monitor import USUAL, Monitor
from workbench.models.augment import AUGMENTS
from workbench.models.lora import Lora
from workbench.models.registry import MODELS, check_options
from workbench.training.batches import MASKS
from workbench.training.kinds import fits, frozen, in_words, of_kind, plain
from workbench.training.loss import LOSSES, NEGATIVES
from workbench.training.ranges import check_numbers
from workbench.training.splits import check_names
from workbench.video.readers import check_reader

MODALITIES = ("vision", "ocr", "fusion")
DECAYS = ("all", "matrices")
SCHEDULES = ("cosine", "constant")
PRECISIONS = ("float32", "bf16", "fp16")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run beside the data; nothing of it can be changed.

    Attributes:
        model: A name of ``models.MODELS``, or ``package.module:builder`` of one's own.
        preset: A preset of the model; null = its own default.
        modality: ``vision``, ``ocr`` or ``fusion``.
        corpus: The corpus trained on.
        train_split: Its split that is trained on; never a test split.
        select_split: The split that chooses the checkpoint; never the one reported on.
        report_split: The split that is scored at the end.
        steps: Optimiser steps.
        batch_videos: Videos per batch, one caption each.
        learning_rate: Peak of AdamW's rate.
        weight_decay: Of AdamW, per step and unit of the rate.
        auxiliary: Weight of each modality's own loss beside that of their sum, so that none hides behind another.
        warmup: Steps until the peak.
        eval_every: Steps between looks at the select split (and checkpoints).
        threads: CPU threads; part of the recipe, as sums depend on it.
        reader: Who decodes: ``pyav``, ``decord`` (to repeat old papers), or ``auto``: decord where a file is safe.
        seed: Of weights, batches, captions and augmentation.
        engine: Whose read text is taken: rapidocr, kwai, ...; null = the best one that the corpus has.
        options: Options of the model beside preset and modality; on the command line e.g. options.n_frames=8.
        init: What its weights start from: a run, RUN@STEP, or a folder of weights; null = as the model is built.
        init_strict: Whether every weight must be found there, of its size; else what fits is taken and the rest named.
        lora: Train adapters alone: rank, alpha, targets (last parts of layers' names), trained (beginnings of the names
            of further weights); null = train everything. Needs the extra lora.
        augment: How frames are varied: ``none``, ``shift`` (some pixels), ``parity`` (as StarVR's release: squash, cut,
            colours) or ``text`` (shape kept, small moves and scales); nothing mirrors them.
        frame_choices: Frames per segment of a video out of which one is drawn, anew in every epoch.
        frames_in_memory: Most GiB of decoded train frames that are held; more are decoded for each batch.
        loss: ``infonce`` (both directions), ``sigmoid`` (each pair by itself) or ``max_margin``.
        temperature: ``learned``, or a number that is kept; models with a scale only.
        least_temperature: Below which a learned one does not fall (CLIP: 0.01, cosines times 100); null = no limit.
        sigmoid_bias: Added to similarities by the sigmoid loss: a number that is kept, or ``learned``, from -10 on.
        margin: Of the max-margin loss, in units of the similarity over the temperature.
        negatives: Of the max-margin loss: ``all`` or ``hardest``.
        mask: Pairs that are no negatives: ``duplicates`` (equal captions), ``sources`` (videos of one recording).
        micro_batch: Videos per chunk; gradients equal those of the whole batch. null = the whole batch at once.
        rates: Factor of the learning rate by the beginning of weights' names, e.g. {model: 0.01}; the longest counts.
        schedule: Of the rate after the warm-up: ``cosine`` to zero, or ``constant``.
        beta2: Of AdamW, memory of squared gradients.
        epsilon: Of AdamW, added to the root of squared gradients.
        decay: What weight decay acts on: ``all``, or ``matrices`` (not biases, norms and scale).
        clip: Longest gradient, as a norm over all weights; null = no limit.
        ema: Share of the old running average that stays at each step; the average is evaluated and kept. null = none.
        freeze: Exact names of weights that are not trained.
        keep_last: How many of the newest checkpoints stay, beside the best one.
        patience: Looks at the select split without a gain after which training ends. null = all steps are made.
        monitor: What chooses the checkpoint: direction (t2v, v2t, or mean of both) and metric (mrr, r1, r5, r10,
            median_rank, mean_rank), e.g. v2t r10.
        precision: Of products: ``float32``, ``bf16`` or ``fp16``; weights and their updates stay float32.
        compile: Whether torch compiles the network first: slower to start, faster per step; ``auto``: on a GPU, where
            frames are looked at in 2,000 steps or more.
        activation_checkpointing: Compute activations again on the way back instead of keeping them: less memory.
    """

    model: str
    preset: str | None
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
    engine: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    init: str | None = None
    init_strict: bool = True
    lora: Mapping[str, Any] | None = None
    augment: str = "shift"
    frame_choices: int = 2
    frames_in_memory: float = 2.0
    loss: str = "infonce"
    temperature: str | float = "learned"
    least_temperature: float | None = None
    sigmoid_bias: str | float = -10.0
    margin: float = 0.2
    negatives: str = "all"
    mask: tuple[str, ...] = ("duplicates",)
    micro_batch: int | None = None
    rates: Mapping[str, Any] = field(default_factory=dict)
    schedule: str = "cosine"
    beta2: float = 0.999
    epsilon: float = 1e-8
    decay: str = "all"
    clip: float | None = None
    ema: float | None = None
    freeze: tuple[str, ...] = ()
    keep_last: int = 1
    patience: int | None = None
    monitor: str = USUAL
    precision: str = "float32"
    compile: bool | str = False
    activation_checkpointing: bool = False

    def __post_init__(self) -> None:
        pick(dict.fromkeys(MODALITIES), self.modality, "modality")
        check_reader(self.reader)
        Monitor.parse(self.monitor)
        pick(AUGMENTS, self.augment, "way to vary frames")
        pick(dict.fromkeys(LOSSES), self.loss, "loss")
        pick(dict.fromkeys(NEGATIVES), self.negatives, "choice of negatives")
        pick(dict.fromkeys(DECAYS), self.decay, "choice of decay")
        pick(dict.fromkeys(SCHEDULES), self.schedule, "schedule")
        for mask in self.mask:
            pick(dict.fromkeys(MASKS), mask, "mask")
        pick(dict.fromkeys(PRECISIONS), self.precision, "precision")
        if isinstance(self.compile, str):
            pick({"auto": None}, self.compile, "choice of compile")
        for name in ("temperature", "sigmoid_bias"):
            if isinstance(value := getattr(self, name), str):
                pick({"learned": None}, value, name.replace("_", " "))
        for name in ("options", "rates", "lora"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        check_numbers(vars(self))
        self._check_model()
        check_names(self.train_split, self.select_split, self.report_split)

    def _check_model(self) -> None:
        """Whether there is such a model to be trained, with such options; nothing is built."""
        if ":" not in self.model and not pick(MODELS, self.model, "model").trains:
            raise DataError(f"The model {self.model} has nothing to train.", f"Score it: workbench score {self.model}")
        if own := [key for key in ("preset", "modality", "seed") if key in self.options]:
            raise DataError(f"Recipe: options has {own[0]!r}.", f"It is a key by itself: {own[0]}=")
        check_options(self.model, self.options, preset=self.preset)
        if self.lora is not None:
            Lora.from_dict(self.lora)

    def to_dict(self) -> dict[str, Any]:
        """The resolved recipe, as ``run.json`` keeps it."""
        return {key: plain(value) for key, value in vars(self).items()}


FOLDER = files("workbench.training.recipe_files")
RECIPES = sorted(Path(str(path)).stem for path in FOLDER.iterdir() if str(path).endswith(".yaml"))


def default_of(key: Field[Any]) -> Any:
    """The value of a key that a recipe does not name; ``MISSING`` where it must."""
    return key.default if key.default_factory is MISSING else key.default_factory()


def load_recipe(name: str, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """A recipe by its bare name, with some of its values replaced; see ``resolve``."""
    return resolve(name, overrides)[0]


def resolve(name: str, overrides: Mapping[str, Any] | None = None) -> tuple[Recipe, dict[str, dict[str, Any]]]:
    """A recipe by its bare name, with some of its values replaced, and what of it was chosen here.

    Args:
        name: A name of ``RECIPES``, or the path of a YAML file.
        overrides: Fields of ``Recipe``. Single options may be given as ``options.NAME``; options are added to those of
            the recipe. With another model, preset and options of the recipe are left out, as they are the old one's.

    Returns:
        The recipe, and by key value and reason of what neither the recipe nor ``overrides`` says.

    Raises:
        UnknownNameError: No such recipe or model.
        DataError: An unknown, missing or wrong value; the sentence names the nearest key.
    """
    stored, given = _read(name), plain(overrides or {})
    chosen = _shorter_warmup(stored, given)
    values = _with(stored, given) | {key: one["value"] for key, one in chosen.items()}
    check_keys(values, f"Recipe {name}")
    kinds = {one.name: str(one.type) for one in fields(Recipe)}
    typed = {key: of_kind(value, kinds[key]) for key, value in values.items()}
    for key, value in typed.items():
        if not fits(value, kinds[key]):
            raise DataError(f"Recipe {name}: {key} is {values[key]!r}.", f"It must be {in_words(kinds[key])}.")
    needed = [one.name for one in fields(Recipe) if default_of(one) is MISSING]
    if absent := [key for key in needed if key not in values]:
        raise DataError(f"Recipe {name}: {absent[0]} is missing.", "Add it; see the shipped recipes.")
    return Recipe(**typed), chosen


def check_keys(keys: Iterable[Any], where: str = "Recipe") -> None:
    """Refuse what is no key of a recipe.

    Args:
        keys: E.g. ``steps``.
        where: Begins the sentence.

    Raises:
        DataError: There is one; the sentence names the nearest key.
    """
    known = [one.name for one in fields(Recipe)]
    for key in keys:
        if key not in known:
            raise DataError(f"{where}: unknown key {key!r}.", nearest(str(key), known))


def _read(name: str) -> dict[str, Any]:
    """The values that a recipe's file holds."""
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if not path.is_file():
            raise DataError(f"The recipe {name} does not exist.", f"Known by name: {', '.join(RECIPES)}.")
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"The recipe {name} is no text in UTF-8.", "Save it as UTF-8.") from error
    else:
        pick(dict.fromkeys(RECIPES), name, "recipe")
        text = FOLDER.joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    found = read_yaml(text, f"The recipe {name}", "Correct it; see the shipped recipes.") or {}
    if not isinstance(found, dict):
        raise DataError(f"The recipe {name} is a {type(found).__name__}.", "Write one key: value on each line.")
    return found


def _shorter_warmup(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The recipe's warm-up cut to its share of fewer steps, where only the steps were given and it does not fit."""
    numbers: list[Any] = [stored.get("warmup"), stored.get("steps"), given.get("steps")]
    warmup, whole, steps = numbers
    if "warmup" in given or not all(type(one) is int for one in numbers):
        return {}
    if not 0 < steps <= warmup < whole:
        return {}
    return {"warmup": {"value": warmup * steps // whole, "reason": f"{warmup} of {whole} steps, as a share of {steps}"}}


def _with(values: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's values with others in their place; options are added to those that are there."""
    given = {key: value for key, value in overrides.items() if not key.startswith(OPTION)}
    single = {key.removeprefix(OPTION): value for key, value in overrides.items() if key.startswith(OPTION)}
    if given.get("model", values.get("model")) != values.get("model"):
        values = {**values, "preset": None, "options": {}}
    old, new = values.get("options") or {}, given.get("options", {})
    mapped = isinstance(old, Mapping) and isinstance(new, Mapping)
    options = {"options": {**old, **new, **single}} if mapped else {}
    return {**values, **given, **options}


OPTION = "options."
"""Before the name of a single option of the model."""


def differences(stored: Mapping[str, Any], asked: Recipe) -> str:
    """Where a recipe differs from the one that a run keeps, in words; ``""`` where it does not.

    Keys that the run does not know yet have their default.
    """
    known = {one.name: default_of(one) for one in fields(Recipe) if default_of(one) is not MISSING} | dict(stored)
    new = asked.to_dict()
    other = [key for key, value in new.items() if plain(known.get(key)) != plain(value)]
    return ", ".join(f"{key} {known.get(key)!r}, now {new[key]!r}" for key in other)
