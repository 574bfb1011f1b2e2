"""Train a model from a recipe into a run: batches, steps, selection on the val split, checkpoints, the final score."""

from __future__ import annotations

import math
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
from workbench.training.loss import symmetric_infonce
from workbench.training.recipes import Recipe, load_recipe
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
        given = [f"{key}={value}" for key, value in overrides.items()]
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
        folder = open_run(name).path
        if open_run(name).state == "finished":
            raise StateError(f"Run {name} is finished.", "Train it again with --overwrite, or under another name.")
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
    torch = need("torch", "Training")
    corpus = open_corpus(recipe.corpus, recipe.train_split)
    twice = replace(rules, sampler=Sampler("uniform", 2 * rules.sampler.n))
    batches = Batches(corpus, gallery_of(corpus, model.needs, twice).gallery, recipe.batch_videos, recipe.seed)
    held_out = open_corpus(recipe.corpus, recipe.select_split)
    select = gallery_of(held_out, model.needs, rules)
    device = chosen_device()
    model.network.to(device)
    weights, decay = model.network.parameters(), recipe.weight_decay
    optimiser = torch.optim.AdamW(weights, recipe.learning_rate, weight_decay=decay, fused=True)
    state = _State()
    if resume:
        state = _resumed(model, optimiser, folder)
    began = time.perf_counter()
    with meter(f"Training {recipe.modality}", recipe.steps, "steps") as bar:
        bar.advance(state.step)
        while state.step < recipe.steps:
            for group in optimiser.param_groups:
                group["lr"] = _rate(recipe, state.step)
            loss = _step(model, batches.at(state.step), optimiser, recipe.auxiliary)
            state.history.append((state.step, state.step // batches.per_epoch, "loss", loss))
            state.step += 1
            bar.advance()
            stopping = stop_at is not None and state.step >= stop_at
            due = state.step % recipe.eval_every == 0 or state.step == recipe.steps
            better = due and _is_better(recipe, model, held_out, select, batches, state)
            if due or stopping:
                _keep(folder, model, optimiser, state, best=better)
            if stopping and state.step < recipe.steps:
                return False
    state.history.append((state.step, 0, "seconds", time.perf_counter() - began))
    _write_history(folder, state)
    return True


def _rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, then a cosine to zero."""
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    share = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * share))


def _step(model: Any, batch: Any, optimiser: Any, auxiliary: float = 0.0) -> float:
    torch = need("torch", "Training")
    model.network.train()
    optimiser.zero_grad(set_to_none=True)
    tokens = model.network.caption(model.caption_inputs(batch.captions))
    videos = model.network.videos(*model.video_inputs(batch.gallery))
    parts = list(model.network.parts(tokens, videos).values())
    same = torch.from_numpy(batch.same).to(model.device)
    loss = symmetric_infonce(sum(parts), same)
    if len(parts) > 1 and auxiliary:
        loss = loss + auxiliary * sum(symmetric_infonce(part, same) for part in parts)
    if not torch.isfinite(loss):
        raise StateError("The loss is not finite.", "Lower the learning rate.")
    loss.backward()
    optimiser.step()
    return float(loss.detach())


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
    return _State(told["step"], told["best"], [tuple(row) for row in told["history"]])


def _write_history(folder: Path, state: _State) -> None:
    write_table(folder / "history.parquet", pd.DataFrame(state.history, columns=["step", "epoch", "name", "value"]))
