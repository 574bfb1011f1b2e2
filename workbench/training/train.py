"""Train a model from a recipe into a run: begin or go on, train, score the chosen checkpoint."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from workbench.core import jobs
from workbench.core.errors import DataError, StateError
from workbench.core.locks import lock
from workbench.core.optional import need
from workbench.core.progress import shown
from workbench.core.workspace import check_name, workspace
from workbench.evaluation import Run
from workbench.evaluation.runs.monitor import Monitor
from workbench.models.checkpoints import load_weights
from workbench.models.world import World, joined
from workbench.pipelines.cache_limit import keep_cache_limit
from workbench.pipelines.scoring import score
from workbench.training.begin import Begun, begun, check_attached, check_start, resumed, run_name
from workbench.training.choices import choices, say_inputs, say_lost
from workbench.training.follower import take_part
from workbench.training.kinds import plain
from workbench.training.looks import looks_of, shared_report
from workbench.training.loop import REPORTS, Training, deterministic, prepared, train_batches
from workbench.training.memory import enough_memory
from workbench.training.recipes import resolve
from workbench.training.recorder import Recorder, failing
from workbench.training.selection import Selection
from workbench.training.trackers import Tracker, default_trackers


def train(
    recipe: str = "textvr_fusion_demo",
    *,
    name: str | None = None,
    group: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    stop_at: int | None = None,
    background: bool = False,
    tracker: Tracker | None = None,
    **overrides: Any,
) -> Run | jobs.Job | None:
    """Train a model and score the recipe's report split into the run.

    Args:
        recipe: A name of ``RECIPES``, or a YAML file.
        name: The run's name; None = corpus and modality, e.g. ``demo-fusion``.
        group: Runs that differ in their seed alone; tables show a group as one row.
        overwrite: Move an existing run of that name to the trash.
        resume: Go on from the last checkpoint of an interrupted run; it ends bit by bit as if never interrupted.
        stop_at: Interrupt after so many steps, with a checkpoint; for tests of resuming.
        background: Start it as a job and return at once; it survives the terminal or kernel.
        tracker: Who else follows the curves, beside the run itself and TensorBoard.
        **overrides: Fields of ``Recipe``, e.g. ``modality="ocr"``, ``seed=1``.

    Returns:
        The finished run, or the job; None in a process that is not the first of several.

    Raises:
        UnknownNameError: No such recipe, corpus or model.
        DataError: A wrong value in recipe or overrides, or a tracker for a job.
        ExistsError: A run of that name exists.
        StateError: The corpus lacks videos or texts, or there is nothing to resume.
        MissingExtraError: torch is not installed.
    """
    resolved, chosen = resolve(recipe, overrides)
    name = run_name(resolved, name)
    group = check_name(group, "group") if group else None
    if background:
        check_alone()
        if tracker is not None or stop_at is not None:
            raise DataError("A job takes no tracker and no stop.", "Train in this process, without background.")
        if jobs.is_running(job := jobs.name_for("train", name)):
            check_attached({name: resolved})
        else:
            check_start(name, resolved, overwrite=overwrite, resume=resume)
        words = train_words(recipe, overrides, name=name, group=group, overwrite=overwrite, resume=resume)
        return jobs.start(words, name=job)
    need("torch", "Training")
    with joined() as world, shown():
        if not world.first:
            with enough_memory(world.device):
                take_part(resolved, world)
            return None
        with lock(workspace().runs / f".{name}.lock", f"Run {name}"):
            run = resumed(name, resolved) if resume else begun(name, resolved, group, overwrite)
            run.chosen |= chosen
            with (
                failing(run.folder),
                deterministic(resolved.threads, resolved.seed, world.device),
                enough_memory(world.device),
            ):
                done = _trained(run, world, stop_at, [tracker] if tracker else [])
        keep_cache_limit()  # the run stands, whatever comes of it
        return done


def check_alone() -> None:
    """Refuse a job where this is one of several processes, each of which would start it.

    Raises:
        StateError: It is.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise StateError("Several processes were started, so there is no one job.", "Leave --detach (background) out.")


def train_words(
    recipe: str, overrides: Mapping[str, Any], *, name: str, group: str | None, overwrite: bool, resume: bool,
) -> list[str]:  # fmt: skip
    """The words of the command that does the same."""
    given = [f"{key}={json.dumps(value)}" for key, value in plain(overrides).items()]  # which YAML reads as it is
    flags = ["--overwrite"] * overwrite + ["--resume"] * resume + (["--group", group] if group else [])
    return ["train", recipe, *given, "--name", name, *flags]


def _trained(run: Begun, world: World, stop_at: int | None, trackers: Sequence[Tracker]) -> Run:
    """The run with its chosen checkpoint scored; as it is where ``stop_at`` ended it before."""
    model, recipe = run.model, run.recipe
    training = _training(run, world, trackers)
    videos = len(training.batches.rows) + len(training.batches.excluded)
    with closing(training.recorder.curves):
        training.engine.spread(model.network, training.optimiser)
        if not training.run(stop_at):
            world.told(None)
            return Run(run.folder)
    say_lost(training.batches.excluded, videos, "Trained")
    load_weights(run.folder, "best", model)
    model.network.eval()
    recorder = training.recorder
    info: dict[str, Any] = {"protocol": recorder.protocol, "steps_made": recorder.steps}
    info["recipe"] = recipe.to_dict()
    encode = shared_report(model, world)
    return score(model, run.report, name=run.folder.name, rules=run.rules, into=run.folder, encode=encode, **info)


def _training(run: Begun, world: World, trackers: Sequence[Tracker]) -> Training:
    """Everything that the steps of a run need, where its last checkpoint left it; ``run.json`` says what was chosen."""
    recipe, model = run.recipe, run.model
    model.network.to(world.device)
    with world.working():  # the others wait: what is decoded here they find in the cache
        batches = train_batches(recipe, model, run.rules)
        run.tell(excluded=batches.excluded, choices=choices(recipe, model, batches) | run.chosen)
        say_inputs(run.train, batches)
    looks = looks_of(model, run.select.corpus, run.rules, world)
    optimiser, engine, told = prepared(recipe, model, run.folder, world, resume=run.resume)
    followed = [*default_trackers(run.folder, told.get("step", 0)), *trackers]
    recorder = Recorder.into(
        run.folder, run.report, run.select, selection=Selection(recipe.patience, Monitor.parse(recipe.monitor)),
        report_every=max(1, recipe.steps // REPORTS), trackers=followed, told=told,
    )  # fmt: skip
    return Training(recipe, model, optimiser, engine, batches, looks, recorder)
