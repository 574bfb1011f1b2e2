"""Models that exist, by name: a checkpoint of a run or a model without weights; score a corpus with one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.core.errors import DataError, StateError
from workbench.core.files import write_table
from workbench.core.lookup import pick
from workbench.corpus import Corpus
from workbench.evaluation import Run, open_run
from workbench.evaluation.runs.saving import open_split
from workbench.models import MODELS, RetrievalModel, build_model
from workbench.models.checkpoints import load_model
from workbench.models.registry import FusesParts, StatesItself
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.inputs import InputRules, gallery_of
from workbench.pipelines.scoring import rules_for, score
from workbench.pipelines.word_effects import word_effects

EXPLANATIONS = {"words": "what each read word does to the rank"}


def model_of(run: Run) -> tuple[RetrievalModel, InputRules]:
    """The model of a run, loaded, and the rules of its inputs.

    Raises:
        StateError: The run was imported, or keeps no checkpoint.
    """
    rules = InputRules.from_dict(run.info.get("input_rules") or {})
    if is_untrained(name := str(run.info.get("model"))):
        return build_model(name, **((run.info.get("recipe") or {}).get("options") or {})), rules
    if not (run.path / "checkpoints").is_dir():
        raise StateError(
            f"Run {run.name} keeps no checkpoint, so it cannot encode a new query.", "Choose a run trained here."
        )
    return load_model(run.path), rules


def can_encode(run: Run) -> bool:
    """Whether a new query can be put to this run's model."""
    return is_untrained(str(run.info.get("model"))) or (run.path / "checkpoints" / "best").is_file()


def is_untrained(name: str) -> bool:
    """Whether a name is that of a model that scores without training."""
    return name in MODELS and not MODELS[name].trains


def score_checkpoint(
    checkpoint: str,
    corpus: Corpus | str,
    *,
    name: str,
    split: str | None = None,
    engine: str | None = None,
    reader: str | None = None,
    without: str | None = None,
    frames: str | None = None,
    explain: str | None = None,
    keep_matrix: bool | None = None,
    overwrite: bool = False,
    options: Mapping[str, Any] | None = None,
) -> Run:
    """Score a corpus with a model that exists; with an input changed the run is a counterfactual of its parent.

    Args:
        checkpoint: A run trained here, ``RUN@STEP``, or a model that needs no training (``bm25_ocr``).
        corpus: The corpus or its name.
        name: The new run's name.
        split: Its split.
        engine: Whose texts the model reads; ``truth`` is perfect OCR where the corpus has it (an ablation).
        reader: Who decodes; None = as the model was trained.
        without: An input that is taken away: ``ocr``.
        frames: ``shuffled``: every video's frames in a random order.
        explain: ``words``: also write what each read word does to the rank (``word_effects.parquet``).
        keep_matrix: Whether to store the similarity; None = where it is not too large.
        overwrite: Move a run of that name to the trash.
        options: Of a model that needs no training, e.g. ``{"weights": "..."}``.

    Raises:
        UnknownNameError: No such run, model or change.
        StateError: The run keeps no checkpoint, the corpus lacks an input, or the model does not look at what is
            changed.
    """
    model, rules, info = open_model(checkpoint, options)
    if explain is not None and isinstance(model, FusesParts):
        raise StateError(
            f"{checkpoint} scores by ranks among all videos, so one word has no effect of its own.",
            "Explain a model whose scores add up.",
        )
    change = Change(without, frames)
    change.check(model.needs)
    ablation = [f"ocr {engine}"] * (engine is not None) + change.names
    if ablation:
        info["ablation"] = ", ".join(ablation)
    if engine is not None:
        rules = replace(rules, engine=engine)
    if reader is not None:
        rules = replace(rules, reader=reader)
    if explain is not None:
        pick(EXPLANATIONS, explain, "explanation")
        keep_matrix = True
    run = score(
        model, corpus, name=name, split=split, rules=rules, keep_matrix=keep_matrix, overwrite=overwrite,
        change=change, **info,
    )  # fmt: skip
    if explain is not None:
        opened = open_split(corpus, split)
        inputs = change.apply(gallery_of(opened, model.needs, rules))
        write_table(run.path / "word_effects.parquet", word_effects(model, opened, inputs, run))
    return run


def open_model(
    checkpoint: str, options: Mapping[str, Any] | None = None
) -> tuple[RetrievalModel, InputRules, dict[str, Any]]:
    """The model that a name stands for, how its inputs are made, and what ``run.json`` says of it.

    Args:
        checkpoint: A run trained here, ``RUN@STEP``, or a model that needs no training (``bm25_ocr``).
        options: Of a model that needs no training.

    Raises:
        UnknownNameError: No such run or model.
        StateError: The run keeps no such checkpoint, or the model must be trained first.
        DataError: Options for a run, whose model has its own.
    """
    if is_untrained(checkpoint):
        model = build_model(checkpoint, **(options or {}))
        stated = dict(model.stated()) if isinstance(model, StatesItself) else {}
        recipe = {"recipe": {"options": dict(options or {}), "resolved": stated}} if options or stated else {}
        return model, rules_for(model), {"model": checkpoint, **recipe}
    if checkpoint in MODELS:
        raise StateError(f"The model {checkpoint} must be trained first.", "Run: workbench train RECIPE")
    if options:
        raise DataError(f"{checkpoint} is no model that takes options ({', '.join(options)}).", "Leave them out.")
    parent, _, step = checkpoint.partition("@")
    run = open_run(parent)
    model, rules = model_of(run)
    if step:
        model = load_model(run.path, step)
    return model, rules, {key: run.info.get(key) for key in ("model", "recipe", "seed")} | {"parent": checkpoint}
