"""Train a model from a recipe into a run: begin or go on, train, score the chosen checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core import jobs
from workbench.core.errors import DataError, StateError
from workbench.core.files import read_json
from workbench.core.locks import lock
from workbench.core.optional import need
from workbench.core.workspace import check_name, workspace
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation import Run, open_run
from workbench.evaluation.runs.info import describe
from workbench.evaluation.runs.saving import start_run
from workbench.models.checkpoints import load_weights, tidy
from workbench.models.world import World, joined
from workbench.pipelines.inputs import InputRules, gallery_of
from workbench.pipelines.scoring import score
from workbench.training.building import built
from workbench.training.choices import choices
from workbench.training.follower import take_part
from workbench.training.loop import REPORTS, Training, deterministic, prepared, rules_of, train_batches
from workbench.training.recipes import Recipe, differences, load_recipe
from workbench.training.recorder import Recorder, failing, tell
from workbench.training.selection import SelectSplit, select_corpus
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
    resolved = load_recipe(recipe, overrides)
    name = run_name(resolved, name)
    group = check_name(group, "group") if group else None
    if background:
        if tracker is not None or stop_at is not None:
            raise DataError("A job takes no tracker and no stop.", "Train in this process, without background.")
        words = train_words(recipe, overrides, name=name, group=group, overwrite=overwrite, resume=resume)
        return jobs.start(words, name=f"train-{name}")
    need("torch", "Training")
    with joined() as world:
        if not world.first:
            take_part(resolved, world)
            return None
        with lock(workspace().runs / f".{name}.lock", f"Run {name}"):
            begun = _resumed(name, resolved) if resume else _begun(name, resolved, group, overwrite)
            return _train(begun, world, stop_at, [tracker] if tracker else [])


def run_name(recipe: Recipe, name: str | None) -> str:
    """The name of a recipe's run: the given one, else corpus and modality.

    Raises:
        DataError: It cannot be the name of a run.
    """
    return check_name(name or f"{recipe.corpus}-{recipe.modality}", "run")


def train_words(
    recipe: str, overrides: Mapping[str, Any], *, name: str, group: str | None, overwrite: bool, resume: bool,
) -> list[str]:  # fmt: skip
    """The words of the command that does the same."""
    given = [f"{key}={json.dumps(value)}" for key, value in overrides.items()]  # which YAML reads as it is
    flags = ["--overwrite"] * overwrite + ["--resume"] * resume + (["--group", group] if group else [])
    return ["train", recipe, *given, "--name", name, *flags]


@dataclass
class _Begun:
    """A run that is being trained: its folder, what is trained, and whether it goes on from before."""

    folder: Path
    recipe: Recipe
    model: Any
    report: Corpus
    resume: bool

    @property
    def rules(self) -> InputRules:
        return rules_of(self.recipe, self.model)

    def tell(self, **info: Any) -> None:
        """Add entries to ``run.json``."""
        tell(self.folder, **info)


def _begun(name: str, recipe: Recipe, group: str | None, overwrite: bool) -> _Begun:
    report = open_corpus(recipe.corpus, recipe.report_split)
    model, initial = built(recipe, begin=True)
    info: dict[str, Any] = {"model": recipe.model, "recipe": recipe.to_dict(), "seed": recipe.seed, "group": group}
    if initial is not None:
        info["initial"] = initial
    return _Begun(start_run(name, report, overwrite=overwrite, **info), recipe, model, report, resume=False)


def _resumed(name: str, recipe: Recipe) -> _Begun:
    """The run again, written by this process now.

    Raises:
        UnknownNameError: There is no such run.
        StateError: It is finished, or was begun from another recipe: its optimiser and its curve would not fit.
    """
    known = open_run(name)
    if known.state == "finished":
        raise StateError(f"Run {name} is finished.", "Train it again with --overwrite, or under another name.")
    if other := differences(known.info.get("recipe") or {}, recipe):
        raise StateError(
            f"Run {name} was begun with another recipe: {other}.", "Give the same values, or train it anew."
        )
    tidy(known.path)
    report = open_corpus(recipe.corpus, recipe.report_split)
    model, _ = built(recipe, begin=not (known.path / "checkpoints" / "last").is_file())
    begun = _Begun(known.path, recipe, model, report, resume=True)
    now = describe(name, report, None, None, False, "caption", {})
    earlier = {key: known.info.get(key) for key in ("created", "git", "versions", "command")}
    begun.tell(
        state="running", notes="" if known.info["state"] == "failed" else known.info.get("notes", ""),
        earlier=[*known.info.get("earlier", []), earlier],
        **{key: now[key] for key in ("writer", "git", "versions", "command")},
    )  # fmt: skip
    return begun


def _train(begun: _Begun, world: World, stop_at: int | None, trackers: list[Tracker]) -> Run:
    recipe, model = begun.recipe, begun.model
    with failing(begun.folder), deterministic(recipe.threads, recipe.seed, world.device):
        chosen_on = select_corpus(recipe.corpus, recipe.select_split, recipe.train_split)
        select = SelectSplit(chosen_on, begun.report)
        model.network.to(world.device)
        batches = train_batches(recipe, model, begun.rules)
        held_out = gallery_of(select.corpus, model.needs, begun.rules)
        known = {**_known(begun, select, choices(recipe, model.device, batches)), "excluded": batches.excluded}
        begun.tell(excluded=batches.excluded)
        optimiser, engine, told = prepared(recipe, model, begun.folder, world, resume=begun.resume)
        followed = [*default_trackers(begun.folder, told.get("step", 0)), *trackers]
        every = max(1, recipe.steps // REPORTS)
        recorder = Recorder.into(
            begun.folder,
            begun.report,
            select,
            patience=recipe.patience,
            report_every=every,
            trackers=followed,
            told=told,
        )
        with closing(recorder.curves):
            world.told()  # from here on the others take part
            engine.spread(model.network, optimiser)
            if not Training(recipe, model, optimiser, engine, batches, held_out, recorder).run(stop_at):
                return Run(begun.folder)
        load_weights(begun.folder, "best", model)
        model.network.eval()
        told_by = {"recipe": recipe.to_dict(), "protocol": recorder.protocol, "steps_made": recorder.steps, **known}
        return score(model, begun.report, name=begun.folder.name, rules=begun.rules, into=begun.folder, **told_by)


def _known(begun: _Begun, select: SelectSplit, chosen: dict[str, Any]) -> dict[str, Any]:
    """What is known before the first step, told to the run: choices with reasons, fingerprints of what is trained on.

    Raises:
        StateError: The corpus changed since the run was begun.
    """
    recipe = begun.recipe
    corpus = begun.report.with_split(None)
    data = {
        name: corpus.with_split(name).fingerprint for name in (recipe.train_split, select.name, recipe.report_split)
    }
    told = read_json(begun.folder / "run.json", f"the description of run {begun.folder.name}")
    before = told.get("data")
    if before not in (None, data):
        other = ", ".join(name for name in data if data[name] != before.get(name))
        raise StateError(f"The split {other} of {recipe.corpus} changed since the run was begun.", "Train it anew.")
    known = {"data": data, "choices": chosen}
    begun.tell(**known)
    return {**known, "earlier": told.get("earlier", []), **{key: told[key] for key in ("initial",) if key in told}}
