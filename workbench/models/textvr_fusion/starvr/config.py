"""The release's ``config.json`` in the workbench's words: recipe keys, options of the model, and what is left over."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError

OPTIONS = {
    "arch.args.video_params.num_frames": "n_frames",
    "arch.args.video_params.time_init": "time_init",
    "arch.args.projection_dim": "projection",
}
RECIPE = {
    "data_loader.args.batch_size": "batch_videos",
    "data_loader.args.reader": "reader",
    "optimizer.args.lr": "learning_rate",
    "optimizer.args.weight_decay": "weight_decay",
    "loss.args.temperature": "temperature",
    "loss.args.margin": "margin",
    "loss.type": "loss",
    "trainer.early_stop": "patience",
}
LENGTH = ("trainer.epochs", "trainer.max_samples_per_epoch")
"""What says how many steps there are."""
ONLY = {
    "arch.type": "FrozenInTime",
    "arch.args.video_params.model": "SpaceTimeTransformer",
    "arch.args.video_params.arch_config": "base_patch16_224",
    "arch.args.video_params.attention_style": "frozen-in-time",
    "arch.args.text_params.model": "distilbert-base-uncased",
    "arch.args.text_params.pretrained": True,
    "arch.args.projection": "minimal",
    "optimizer.type": "AdamW",
}
"""What the release's code knows no other value of, or the model here is not built for."""
READERS = {"decord": "decord", "av": "pyav"}
LOSSES = {"NormSoftmaxLoss": "infonce", "MaxMarginRankingLoss": "max_margin"}
CORPORA = {"TextVR": ("textvr", 7082), "WebVid": ("webvid", 1_773_915)}
"""By the release's name of a data set: the corpus here, and its train videos (of WebVid those that have OCR) when the
tenth for val, or 2,000 of them, are taken out."""
COUNTS = ("data_loader.args.batch_size", "trainer.early_stop", "arch.args.video_params.num_frames",
          "arch.args.projection_dim", "trainer.epochs", "trainer.max_samples_per_epoch")  # fmt: skip
EARLY_STOP = "trainer.early_stop"
"""Looks without a gain that the release still makes; it ends with the next one (spec/textvr.md, section 4)."""
MOST = 10**9
NUMBERS = ("optimizer.args.lr", "optimizer.args.weight_decay", "loss.args.temperature", "loss.args.margin")
FIXED: dict[str, Any] = {
    "model": "textvr_fusion", "preset": "starvr", "weight_decay": 0.0, "warmup": 0, "auxiliary": 0.0, "mask": [],
    "loss": "infonce", "temperature": 0.05, "batch_videos": 64, "schedule": "constant", "beta2": 0.999,
    "epsilon": 1e-6, "precision": "float32", "augment": "parity", "frame_choices": 8, "patience": None,
}  # fmt: skip
"""What the release's code does where its config is silent."""
NO_EFFECT = {
    "arch.args.video_params.vit_init", "arch.args.text_params.input", "data_loader.args.metadata_dir",
    "data_loader.args.cut", "data_loader.args.subsample", "data_loader.args.tsfm_params", "data_loader.args.tsfm_split",
    "data_loader.args.sliding_window_stride", "data_loader.args.text_params.input",
    "data_loader.args.video_params.extraction_fps", "data_loader.args.video_params.extraction_res",
    "data_loader.args.video_params.stride", "data_loader.args.video_params.input_res", "trainer.neptune",
}  # fmt: skip
"""Keys that the release reads without effect."""
NOT_TAKEN = {
    "name", "n_gpu", "arch.args.video_params.pretrained", "arch.args.load_temporal_fix", "arch.args.load_checkpoint",
    "data_loader.type", "data_loader.args.dataset_name", "data_loader.args.data_dir", "data_loader.args.shuffle",
    "data_loader.args.num_workers", "data_loader.args.split", "data_loader.args.text_params.caption_sample",
    "data_loader.args.video_params.num_frames", "metrics", "trainer.save_dir",
    "trainer.save_period", "trainer.verbosity", "trainer.monitor", "trainer.init_val", "visualizer.type",
    "lr_scheduler",
}  # fmt: skip
"""Keys that matter to the release and that no recipe key stands for: other choices are made here (docs/models.md)."""


@dataclass(frozen=True)
class ReleaseConfig:
    """A config in other words.

    Attributes:
        recipe: Recipe keys and their values.
        options: Options of the model that the config states.
        not_taken: Keys with an effect there and no counterpart here, with their values.
        no_effect: Keys without effect there.
        unknown: Keys that the release does not know.
    """

    recipe: dict[str, Any]
    options: dict[str, Any]
    not_taken: dict[str, Any]
    no_effect: tuple[str, ...]
    unknown: tuple[str, ...]


def read_config(path: Path) -> dict[str, Any]:
    """The JSON object of a ``config.json``.

    Raises:
        DataError: It is absent or no JSON object.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON.", "Give the release's config.json.") from error
    if not isinstance(found, dict):
        raise DataError(f"{path} holds no JSON object.", "Give the release's config.json.")
    return found


def recipe_of_config(
    config: Mapping[str, Any], *, modality: str = "fusion", n_videos: int | None = None
) -> ReleaseConfig:
    """A config of the release as recipe values.

    Args:
        config: The parsed ``config.json``.
        modality: ``vision``, ``ocr`` or ``fusion``: the release keeps it in its code, not in its config.
        n_videos: Training videos, from which steps follow; None = those of ``CORPORA``.

    Raises:
        DataError: A value that the model here is not built for, or that no recipe key can hold.
    """
    if isinstance(config.get("data_loader"), list):
        raise DataError("The config trains on several data sets.", "Split it: one data_loader per config.")
    values = dict(_leaves(config))
    _check_kinds(values)
    for key, only in ONLY.items():
        if values.get(key, only) != only:
            raise DataError(f"The config has {key} {values[key]!r}.", f"Only {only!r} can be taken over.")
    recipe = {**FIXED, "modality": modality}
    recipe |= {name: _recipe_value(key, values[key]) for key, name in RECIPE.items() if key in values}
    if recipe["patience"] is not None:
        recipe["patience"] = None if values.get("trainer.monitor") == "off" else recipe["patience"] + 1
    data = values.get("data_loader.args.dataset_name")
    if isinstance(data, str) and data in CORPORA:
        recipe["corpus"], usual = CORPORA[data]
        n_videos = usual if n_videos is None else n_videos
    if n_videos is not None:
        recipe |= _length(values, n_videos, recipe["batch_videos"])
    options = {name: values[key] for key, name in OPTIONS.items() if key in values}
    if "time_init" in options:
        options["time_init"] = "zeros" if options["time_init"] == "zeros" else "random"
    known = {*OPTIONS, *RECIPE, *ONLY, *NO_EFFECT, *NOT_TAKEN, *LENGTH}
    return ReleaseConfig(
        recipe, options, {key: values[key] for key in values if key in NOT_TAKEN},
        tuple(key for key in values if key in NO_EFFECT), tuple(key for key in values if key not in known),
    )  # fmt: skip


def _check_kinds(values: Mapping[str, Any]) -> None:
    """Refuse what is no number where the release counts or computes.

    Raises:
        DataError: There is such a value.
    """
    for key in (*COUNTS, *NUMBERS):
        value, least = values.get(key), 0 if key == EARLY_STOP else 1
        if value is None:
            continue
        number = isinstance(value, int | float if key in NUMBERS else int) and not isinstance(value, bool)
        if not number or (key in COUNTS and not least <= value <= MOST) or not abs(value) <= sys.float_info.max:
            said = "a number" if key in NUMBERS else f"a whole number from {least} to {MOST:,}"
            raise DataError(f"The config has {key} {value!r}.", f"It must be {said}.")


def _length(values: Mapping[str, Any], n_videos: int, batch: int) -> dict[str, int]:
    """Steps, with a look after each epoch: an epoch here leaves out its last, smaller batch."""
    epochs, most = (values.get(key) for key in LENGTH)
    if epochs is None:
        return {}
    steps = max(1, n_videos // batch)
    steps = steps if most is None else min(steps, math.ceil(most / batch))
    return {"steps": epochs * steps, "eval_every": steps}


def _recipe_value(key: str, value: Any) -> Any:
    tables = {"data_loader.args.reader": READERS, "loss.type": LOSSES}
    table: Mapping[str, str] | None = tables.get(key)
    if table is None:
        return value
    if not isinstance(value, str) or value not in table:
        raise DataError(f"The config has {key} {value!r}.", f"Known: {', '.join(table)}.")
    return table[value]


def _leaves(config: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Every value under the names of its objects, joined by dots; empty objects say nothing."""
    for name, value in config.items():
        if isinstance(value, Mapping) and name != "lr_scheduler":
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name, value
