"""Train a model from a recipe into a run: batches, steps, selection on the val split, checkpoints, the final score."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.core import jobs
from workbench.core.errors import StateError
from workbench.core.files import write_table
from workbench.core.locks import lock
from workbench.core.optional import need
from workbench.core.progress import meter
from workbench.core.workspace import check_name, workspace
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation import Run, open_run, retrieval_metrics
from workbench.evaluation.runs.saving import fail_run, start_run
from workbench.models import build_model
from workbench.models.checkpoints import load_model, restore, save_checkpoint
from workbench.models.device import chosen_device
from workbench.pipelines.inputs import InputRules, Inputs, gallery_of
from workbench.pipelines.scoring import rules_for, score, similarities
from workbench.training.batches import Batches
from workbench.training.optimiser import averaged, exchange, optimiser_of, rate
from workbench.training.recipes import Recipe, load_recipe
from workbench.training.step import make_step
from workbench.video.sampling import Sampler


def train(
    recipe: str = "textvr_fusion_demo",
    *,
    name: str | None = None,
    group: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    stop_at: int | None = None,
    background: bool = False,
    **overrides: Any,
) -> Run | jobs.Job:
    """Train a model and score the recipe's report split into the run.

    Args:
        recipe: A name of ``RECIPES``, or a YAML file.
        name: The run's name; None = corpus and modality, e.g. ``demo-fusion``.
        group: Runs that differ in their seed alone; tables show a group as one row.
        overwrite: Move an existing run of that name to the trash.
        resume: Go on from the last checkpoint of an interrupted run; it ends bit by bit as if never interrupted.
        stop_at: Interrupt after so many steps, with a checkpoint; for tests of resuming.
        background: Start it as a job and return at once.
        **overrides: Fields of ``Recipe``, e.g. ``modality="ocr"``, ``seed=1``.

    Returns:
        The finished run, or the job.

    Raises:
        UnknownNameError: No such recipe, corpus or model.
        DataError: A wrong value in recipe or overrides.
        ExistsError: A run of that name exists.
        StateError: The corpus lacks videos or texts, or there is nothing to resume.
        MissingExtraError: torch is not installed.
    """
    resolved = load_recipe(recipe, overrides)
    name = check_name(name or f"{resolved.corpus}-{resolved.modality}", "run")
    group = check_name(group, "group") if group else None
    if background:
        given = [f"{key}={json.dumps(value)}" for key, value in overrides.items()]  # which YAML reads as it is
        flags = ["--overwrite"] * overwrite + ["--resume"] * resume + (["--group", group] if group else [])
        return jobs.start(["train", recipe, *given, "--name", name, *flags], name=f"train-{name}")
    need("torch", "Training")
    with lock(workspace().runs / f".{name}.lock", f"Run {name}"):
        return _train(resolved, name, group=group, overwrite=overwrite, resume=resume, stop_at=stop_at)


@dataclass
class _State:
    """What the loop carries: how far it is, the best so far, and the curve."""

    step: int = 0
    best: float = -1.0
    history: list[tuple[int, int, str, float]] = field(default_factory=list)


def _train(recipe: Recipe, name: str, *, group: str | None, overwrite: bool, resume: bool, stop_at: int | None) -> Run:
    report = open_corpus(recipe.corpus, recipe.report_split)
    model = build_model(recipe.model, preset=recipe.preset, modality=recipe.modality, seed=recipe.seed)
    rules = replace(rules_for(model), reader=recipe.reader)
    if resume:
        begun = open_run(name)
        folder = begun.path
        if begun.state == "finished":
            raise StateError(f"Run {name} is finished.", "Train it again with --overwrite, or under another name.")
        _check_same(begun, recipe)
    else:
        info = {"model": recipe.model, "recipe": recipe.to_dict(), "seed": recipe.seed, "group": group}
        folder = start_run(name, report, overwrite=overwrite, **info)
    try:
        with _threads(recipe.threads):
            finished = _loop(recipe, model, rules, folder, resume, stop_at)
            if not finished:
                return Run(folder)
            best = load_model(folder)
            selected = {"selected_on": recipe.select_split}
            return score(best, report, name=name, rules=rules, into=folder, protocol=selected, recipe=recipe.to_dict())
    except StateError as error:
        fail_run(folder, error.message)
        raise


def _check_same(begun: Run, recipe: Recipe) -> None:
    """Raise StateError where a run was begun from another recipe: its optimiser and its curve would not fit."""
    stored, asked = begun.info.get("recipe") or {}, json.loads(json.dumps(recipe.to_dict()))
    other = [key for key in asked if stored.get(key) != asked[key]]
    if other:
        said = ", ".join(f"{key} {stored.get(key)!r}, now {asked[key]!r}" for key in other)
        raise StateError(
            f"Run {begun.name} was begun with another recipe: {said}.", "Give the same values, or train it anew."
        )


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """Run torch deterministically on so many threads; sums depend on their number."""
    torch = need("torch", "Training")
    before, was = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    filled = torch.utils.deterministic.fill_uninitialized_memory
    torch.set_num_threads(n)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a search for bugs that costs a tenth of each step
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(was, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = filled


def _loop(recipe: Recipe, model: Any, rules: InputRules, folder: Path, resume: bool, stop_at: int | None) -> bool:
    """Train; returns whether all steps were made."""
    corpus = open_corpus(recipe.corpus, recipe.train_split)
    twice = replace(rules, sampler=Sampler("uniform", 2 * rules.sampler.n))
    batches = Batches(
        corpus, gallery_of(corpus, model.needs, twice).gallery, recipe.batch_videos, recipe.seed, recipe.mask
    )
    held_out = open_corpus(recipe.corpus, recipe.select_split)
    select = gallery_of(held_out, model.needs, rules)
    device = chosen_device()
    model.network.to(device)
    optimiser = optimiser_of(model.network, recipe)
    state = _State()
    if resume:
        state = _resumed(model, optimiser, folder)
    began = time.perf_counter()
    with meter(f"Training {recipe.modality}", recipe.steps, "steps") as bar:
        bar.advance(state.step)
        while state.step < recipe.steps:
            for group in optimiser.param_groups:
                group["lr"] = rate(recipe, state.step)
            loss = make_step(model, batches.at(state.step), optimiser, recipe)
            state.history.append((state.step, state.step // batches.per_epoch, "loss", loss))
            state.step += 1
            bar.advance()
            stopping = stop_at is not None and state.step >= stop_at
            due = state.step % recipe.eval_every == 0 or state.step == recipe.steps
            if due or stopping:
                with averaged(optimiser):
                    better = due and _is_better(recipe, model, held_out, select, batches, state)
                    _keep(folder, model, optimiser, state, best=better)
            if stopping and state.step < recipe.steps:
                return False
    state.history.append((state.step, 0, "seconds", time.perf_counter() - began))
    _write_history(folder, state)
    return True


def _is_better(
    recipe: Recipe, model: Any, corpus: Corpus, select: Inputs, batches: Batches, state: _State
) -> bool:  # fmt: skip
    """Measure the select split and say whether it is the best so far; MRR decides, as R@1 ties."""
    model.network.eval()
    similarity, _ = similarities(model, corpus, select)
    metrics = retrieval_metrics(np.nan_to_num(similarity, neginf=-1e9), corpus.relevance_matrix(), direction="t2v")
    epoch = state.step // batches.per_epoch
    for metric in ("mrr", "r1"):
        state.history.append((state.step, epoch, f"{recipe.select_split} {metric}", float(getattr(metrics, metric))))
    better = metrics.mrr > state.best
    state.best = max(state.best, float(metrics.mrr))
    return bool(better)


def _keep(folder: Path, model: Any, optimiser: Any, state: _State, *, best: bool) -> None:
    told = {"best": state.best, "history": [list(row) for row in state.history]}
    save_checkpoint(folder, state.step, model, optimiser, told, best=best)
    _write_history(folder, state)


def _resumed(model: Any, optimiser: Any, folder: Path) -> _State:
    told = restore(folder, optimiser)
    saved: Any = load_model(folder, "last")
    model.network.load_state_dict(saved.network.state_dict())
    exchange(optimiser)
    return _State(told["step"], told["best"], [tuple(row) for row in told["history"]])


def _write_history(folder: Path, state: _State) -> None:
    write_table(folder / "history.parquet", pd.DataFrame(state.history, columns=["step", "epoch", "name", "value"]))
