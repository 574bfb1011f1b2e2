"""Models that exist, by name: a checkpoint of a run or a model without weights; score a corpus with one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError, StateError
from workbench.core.files import sha256_file
from workbench.core.workspace import workspace
from workbench.corpus import Corpus
from workbench.evaluation import Run, open_run
from workbench.evaluation.runs.saving import open_split
from workbench.models import MODELS, RetrievalModel, build_model
from workbench.models.checkpoints import checkpoint_folder, load_folder, load_model
from workbench.models.families import FAMILIES, WEIGHTS, read_header
from workbench.models.registry import StatesItself, is_ready
from workbench.pipelines.cache_limit import keep_cache_limit
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.explanations import check_explains
from workbench.pipelines.explanations import explain as write_explanation
from workbench.pipelines.features import part_of
from workbench.pipelines.rules import InputRules
from workbench.pipelines.scoring import check_free, rules_for, rules_of, score
from workbench.pipelines.sharded import sharing
from workbench.video.readers import check_reader


def model_of(run: Run) -> tuple[RetrievalModel, InputRules]:
    """The model of a run, loaded, and the rules of its inputs; a run without weights has those of its parent.

    Raises:
        StateError: The run was imported, or keeps no checkpoint.
    """
    rules = InputRules.from_dict(run.info.get("input_rules") or {})
    if (run.path / "checkpoints").is_dir():
        return load_model(run.path), rules
    if parent := run.info.get("parent"):
        return open_with(parent, None, run.info.get("changed_inputs") or {}), rules
    if not can_encode(run):
        raise StateError(
            f"Run {run.name} keeps no checkpoint, so it cannot encode a new query.", "Choose a run trained here."
        )
    return build_model(str(run.info["model"]), **((run.info.get("recipe") or {}).get("options") or {})), rules


def can_encode(run: Run) -> bool:
    """Whether a new query can be put to this run's model."""
    if parent := run.info.get("parent"):
        known = workspace().find("runs", parent.partition("@")[0])
        return model_folder(parent) is not None or (known is not None and can_encode(open_run(known)))
    ready = is_ready(name := str(run.info.get("model"))) and (name in MODELS or run.info.get("recipe") is not None)
    return (run.path / "checkpoints" / "best").is_file() or ready


def model_folder(checkpoint: str) -> Path | None:
    """The folder of weights that is no run: one of the workspace's ``models/`` by name, or any by its path."""
    if workspace().find("runs", checkpoint) is not None:
        return None
    places = (workspace().find("models", checkpoint), Path(checkpoint))
    return next((one for one in places if one is not None and (one / WEIGHTS).is_file()), None)


def corpus_of_training(checkpoint: str) -> str:
    """The corpus that a run, or RUN@STEP, was trained on.

    Raises:
        DataError: It is no run that was trained here.
    """
    path = workspace().find("runs", checkpoint.partition("@")[0])
    recipe = open_run(path).info.get("recipe") if path is not None and (path / "checkpoints").is_dir() else None
    if not recipe or not recipe.get("corpus"):
        raise DataError(f"{checkpoint} was trained on no corpus known here.", "Say what to score: --corpus NAME")
    return str(recipe["corpus"])


def weights_of(checkpoint: str) -> Path:
    """The folder that holds the weights of a checkpoint: of a run, of RUN@STEP, or a folder of weights itself.

    Raises:
        UnknownNameError: No such run.
        StateError: The run keeps no such checkpoint.
        DataError: It is a file.
    """
    if (folder := model_folder(checkpoint)) is not None:
        return folder
    if Path(checkpoint).is_file():
        raise DataError(
            f"{checkpoint} is a file.", "Import it first: workbench import FILE --format starvr --name NAME"
        )
    run, _, step = checkpoint.partition("@")
    return checkpoint_folder(open_run(run).path, step or "best")


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
    builder: str | None = None,
    clips: int = 1,
    processes: int = 1,
) -> Run | None:
    """Score a corpus with a model that exists; with an input changed the run is a counterfactual of its parent.

    Under ``torchrun`` or ``accelerate launch`` each process encodes a share of the videos and the first one does the
    rest.

    Args:
        checkpoint: A run trained here, ``RUN@STEP``, or a model that needs no training (``bm25_ocr``).
        corpus: The corpus or its name.
        name: The new run's name.
        split: Its split.
        engine: Whose texts the model reads; ``truth`` is perfect OCR where the corpus has it (an ablation).
        reader: Who decodes; None = as the model was trained.
        without: An input that is taken away: ``ocr``.
        frames: ``shuffled``: every video's frames in a random order.
        explain: A name of ``EXPLANATIONS``: ``words`` also writes ``word_effects.parquet``, ``pairs`` writes
            ``interactions/``.
        keep_matrix: Whether to store the similarity; None = where it is not too large.
        overwrite: Move a run of that name to the trash.
        options: Of a model that needs no training, e.g. ``{"weights": "..."}``, or of ``builder``.
        builder: ``package.module:builder`` of the model that a folder's weights belong to.
        clips: Times each video is looked at, by other frames; similarities are averaged.
        processes: Local processes that share the videos to encode.

    Returns:
        The run; None in the processes that only helped.

    Raises:
        UnknownNameError: No such run, model or change.
        StateError: The run keeps no checkpoint, the corpus lacks an input, the model does not look at what is changed,
            or a process ended.
    """
    model, rules, info = open_model(checkpoint, options, builder)
    if explain is not None:
        check_explains(model, explain, clips)
    change = Change(without, frames)
    change.check(model.needs)
    ablation = [f"ocr {engine}"] * (engine is not None) + change.names
    if ablation:
        info["ablation"] = ", ".join(ablation)
    rules = _as_asked(rules, engine, reader)
    opened = open_split(corpus, split)
    with sharing(processes, checkpoint, options, builder) as (world, encode):
        check_free(name, overwrite)
        if not world.first and encode is not None:
            for one in rules_of(rules, clips, model):
                encode(model, opened, one, change)
            return None
        run = score(
            model, opened, name=name, rules=rules, keep_matrix=True if explain else keep_matrix, overwrite=overwrite,
            change=change, clips=clips, encode=encode, **info,
        )  # fmt: skip
        if explain is not None:
            write_explanation(explain, model, opened, rules, change, run)
    keep_cache_limit()
    return run


@dataclass(frozen=True)
class Filled:
    """What ``encode_checkpoint`` did.

    Attributes:
        videos: Videos of which something is kept now.
        found: How many of them stood in the cache before.
        missing: Reasons of the others, by video.
        n_bytes: What is kept of all of them.
    """

    videos: int
    found: int
    missing: Mapping[str, str]
    n_bytes: int


def encode_checkpoint(
    checkpoint: str,
    corpus: Corpus | str,
    *,
    split: str | None = None,
    engine: str | None = None,
    reader: str | None = None,
    options: Mapping[str, Any] | None = None,
    builder: str | None = None,
    clips: int = 1,
    processes: int = 1,
) -> Filled | None:
    """Fill the cache with what a model keeps of each video, so that scoring need not encode.

    Args: As for ``score_checkpoint``.

    Returns:
        What was done; None in the processes that only helped.

    Raises:
        UnknownNameError: No such run or model.
        StateError: The model keeps nothing of single videos, the corpus lacks an input, or a process ended.
    """
    model, rules, _ = open_model(checkpoint, options, builder)
    rules, opened = _as_asked(rules, engine, reader), open_split(corpus, split)
    with sharing(processes, checkpoint, options, builder) as (world, encode):
        parts = [
            part_of(model, opened, one) if encode is None else encode(model, opened, one, Change())
            for one in rules_of(rules, clips, model)
        ]
    if not world.first:
        return None
    keep_cache_limit()
    here = [kept for part in parts for kept in part.here]
    missing = {video: why for part in parts for video, why in part.inputs.gallery.missing.items()}
    return Filled(len(here), sum(one.found for one in here), missing, sum(one.n_bytes for one in here))


def _as_asked(rules: InputRules, engine: str | None, reader: str | None) -> InputRules:
    """A model's rules, but for whose texts and who decodes, where that is asked for."""
    if reader is not None:
        check_reader(reader)
    return replace(rules, engine=engine or rules.engine, reader=reader or rules.reader)


def open_model(
    checkpoint: str, options: Mapping[str, Any] | None = None, builder: str | None = None
) -> tuple[RetrievalModel, InputRules, dict[str, Any]]:
    """The model that a name stands for, how its inputs are made, and what ``run.json`` says of it.

    Args:
        checkpoint: A run trained here, ``RUN@STEP``, a folder of weights (a name in the workspace's ``models/``, or a
            path), a model that needs no training (``bm25_ocr``), or ``package.module:builder`` of one.
        options: Of a model that needs no training, or of ``builder``.
        builder: ``package.module:builder`` of the model that a folder's weights belong to.

    Raises:
        UnknownNameError: No such run or model.
        StateError: The run keeps no such checkpoint, or the model must be trained first.
        DataError: Options for a run, whose model has its own; or weights that fit no model.
    """
    if is_ready(checkpoint):
        model = build_model(checkpoint, **(options or {}))
        stated = dict(model.stated()) if isinstance(model, StatesItself) else {}
        recipe = {"recipe": {"options": dict(options or {}), "resolved": stated}}
        return model, rules_for(model), {"model": checkpoint, **recipe}
    if checkpoint in MODELS:
        raise StateError(f"The model {checkpoint} must be trained first.", "Run: workbench train RECIPE")
    if (folder := model_folder(checkpoint)) is not None:
        return _of_folder(folder, options, builder)
    if options or builder:
        given = ", ".join([*(options or {}), *([builder] if builder else [])])
        raise DataError(f"{checkpoint} is no model that takes options ({given}).", "Leave them out.")
    parent, _, step = checkpoint.partition("@")
    run = open_run(parent)
    model, rules = model_of(run)
    if step:
        model = load_model(run.path, step)
    told = {key: run.info.get(key) for key in ("model", "recipe", "seed")} | {"parent": checkpoint}
    return model, rules, told | _chosen_on(run, step)


def _chosen_on(run: Run, step: str) -> dict[str, Any]:
    """What a run that is scored from another one says of who chose its weights: nobody, where a step was asked for."""
    selected = run.protocol.get("selected_on") if step in ("", "best") else None
    return {"protocol": {"selected_on": selected}} if selected else {}


def open_with(checkpoint: str, options: Mapping[str, Any] | None, changed: Mapping[str, Any]) -> RetrievalModel:
    """The model that a name stands for, made for other inputs.

    Args:
        checkpoint: As for ``open_model``.
        options: As for ``open_model``.
        changed: Options that say what it looks at, e.g. ``{"n_frames": 8}``; tables of times are fitted to them.

    Raises:
        DataError: Its other weights depend on them, or the model has no such option.
    """
    if not changed or is_ready(checkpoint):
        return open_model(checkpoint, {**(options or {}), **changed} or None)[0]
    folder = weights_of(checkpoint)
    header = read_header(folder)
    if not header.known:
        raise DataError(f"{header.model} is not part of the workbench.", "Its inputs are those it was trained on.")
    return load_folder(folder, FAMILIES[header.family].reopened({**header.options, **changed}, folder), fit=True)


def _of_folder(
    folder: Path, options: Mapping[str, Any] | None, builder: str | None
) -> tuple[RetrievalModel, InputRules, dict[str, Any]]:
    """As ``open_model``, of a folder of weights.

    Raises:
        DataError: Options without a builder, or weights that fit no model.
    """
    if options and builder is None:
        raise DataError(f"The weights in {folder} have their own options.", "Leave options out, or name a builder.")
    built = None if builder is None else build_model(builder, **(options or {}))
    model = load_folder(folder, built)
    told = read_header(folder)
    recipe = {"options": dict(options or {}) if builder else told.options, "sha256": sha256_file(folder / WEIGHTS)}
    return model, rules_for(model), {"model": builder or told.model, "recipe": recipe, "parent": str(folder)}
