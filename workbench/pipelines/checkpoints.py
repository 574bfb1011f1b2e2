"""Models that exist, by name: a checkpoint of a run or a model without weights; score a corpus with one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.core.errors import StateError
from workbench.core.files import write_table
from workbench.core.lookup import pick
from workbench.corpus import Corpus
from workbench.evaluation import Run, open_run
from workbench.evaluation.runs.saving import open_split
from workbench.models import MODELS, RetrievalModel, build_model
from workbench.models.checkpoints import load_model
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.inputs import InputRules, gallery_of
from workbench.pipelines.scoring import score
from workbench.pipelines.word_effects import word_effects

EXPLANATIONS = {"words": "what each read word does to the rank"}


def model_of(run: Run) -> tuple[RetrievalModel, InputRules]:
    """The model of a run, loaded, and the rules of its inputs.

    Raises:
        StateError: The run was imported, or keeps no checkpoint.
    """
    rules = InputRules.from_dict(run.info.get("input_rules") or {})
    if run.info.get("model") == "bm25_ocr":
        return build_model("bm25_ocr"), rules
    if not (run.path / "checkpoints").is_dir():
        raise StateError(
            f"Run {run.name} keeps no checkpoint, so it cannot encode a new query.", "Choose a run trained here."
        )
    return load_model(run.path), rules


def can_encode(run: Run) -> bool:
    """Whether a new query can be put to this run's model."""
    return run.info.get("model") == "bm25_ocr" or (run.path / "checkpoints" / "best").is_file()


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

    Raises:
        UnknownNameError: No such run, model or change.
        StateError: The run keeps no checkpoint, the corpus lacks an input, or the model does not look at what is
            changed.
    """
    model, rules, info = open_model(checkpoint)
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


def open_model(checkpoint: str) -> tuple[RetrievalModel, InputRules, dict[str, Any]]:
    """The model that a name stands for, how its inputs are made, and what ``run.json`` says of it.

    Args:
        checkpoint: A run trained here, ``RUN@STEP``, or a model that needs no training (``bm25_ocr``).

    Raises:
        UnknownNameError: No such run or model.
        StateError: The run keeps no such checkpoint.
    """
    if checkpoint in MODELS and not MODELS[checkpoint].trains:
        return build_model(checkpoint), InputRules(), {"model": checkpoint}
    parent, _, step = checkpoint.partition("@")
    run = open_run(parent)
    model, rules = model_of(run)
    if step:
        model = load_model(run.path, step)
    return model, rules, {key: run.info.get(key) for key in ("model", "recipe", "seed")} | {"parent": checkpoint}
