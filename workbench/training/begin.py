"""Begin the run of a training, or go on with one: everything that can be refused is, before a name is taken."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.core.errors import ExistsError, StateError
from workbench.core.workspace import check_name, workspace
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation import Run, open_run
from workbench.evaluation.runs.info import describe
from workbench.evaluation.runs.saving import start_run
from workbench.models.checkpoints import tidy
from workbench.pipelines.audit.training import audit_training
from workbench.pipelines.inputs import InputRules
from workbench.pipelines.scoring import check_free
from workbench.training.building import built
from workbench.training.loop import readable, rules_of
from workbench.training.made_of import check_same, chosen, made_of
from workbench.training.optimiser import optimiser_of
from workbench.training.recipes import Recipe, differences
from workbench.training.recorder import tell
from workbench.training.selection import SelectSplit, select_corpus, share_to_make
from workbench.training.splits import check_apart

log = logging.getLogger(__name__)


@dataclass
class Begun:
    """A run that is being trained.

    Attributes:
        folder: Of the run.
        recipe: What is done.
        model: What is trained.
        train: The corpus restricted to what is trained on.
        select: What chooses the checkpoint.
        report: The corpus restricted to what is reported.
        resume: Whether it goes on from before.
        chosen: What was chosen before the first step, by key value and reason.
    """

    folder: Path
    recipe: Recipe
    model: Any
    train: Corpus
    select: SelectSplit
    report: Corpus
    resume: bool = False
    chosen: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def rules(self) -> InputRules:
        """How the inputs of all splits are made."""
        return rules_of(self.recipe, self.model)

    def tell(self, **info: Any) -> None:
        """Add entries to ``run.json``."""
        tell(self.folder, **info)


def run_name(recipe: Recipe, name: str | None) -> str:
    """The name of a recipe's run: the given one, else corpus and modality.

    Raises:
        DataError: It cannot be the name of a run.
    """
    return check_name(name or f"{recipe.corpus}-{recipe.modality}", "run")


def check_start(name: str, recipe: Recipe, *, overwrite: bool, resume: bool) -> None:
    """Refuse what ``begun`` or ``resumed`` would refuse of a name.

    Raises:
        ExistsError: A run of that name exists.
        UnknownNameError: There is none to go on with.
        StateError: It is finished, or was begun from another recipe.
    """
    if resume:
        _to_resume(name, recipe)
    else:
        _to_replace(name, overwrite)


def begun(name: str, recipe: Recipe, group: str | None, overwrite: bool) -> Begun:
    """A new run.

    Raises:
        ExistsError: A run of that name exists, and it did not fail before its first checkpoint.
        DataError: The recipe names weights or options that the model lacks.
        StateError: Splits share videos, or the corpus lacks what the model needs.
    """
    overwrite = _to_replace(name, overwrite)
    open_corpus(recipe.corpus, recipe.report_split)  # refuses names that there are not, before anything is built
    model, initial = built(recipe, begin=True)
    optimiser_of(model.network, recipe)  # refuses names that no weight has
    if share_to_make(open_corpus(recipe.corpus), recipe.select_split, recipe.train_split) is not None:
        readable(recipe, model, rules_of(recipe, model))  # refuses inputs that are not there, before a split is made
    train, select, report = _splits(recipe)
    data = made_of(recipe, model, _by_role(train, select, report))
    info: dict[str, Any] = {"model": recipe.model, "recipe": recipe.to_dict(), "seed": recipe.seed, "group": group}
    info |= {"data": data, **({} if initial is None else {"initial": initial})}
    folder = start_run(name, report, overwrite=overwrite, **info)
    _say_beginning(Run(folder), report)
    return Begun(folder, recipe, model, train, select, report, chosen=chosen(recipe, train, data))


def _say_beginning(run: Run, report: Corpus) -> None:
    """Warn where the weights that a training begins from have seen what it reports, or nobody knows."""
    for one in audit_training(run, report):
        if one.check.startswith("initial") and one.severity in ("wrong", "warning"):
            log.warning("%s %s", one.sentence, one.fix)


def resumed(name: str, recipe: Recipe) -> Begun:
    """The run again, written by this process now.

    Raises:
        UnknownNameError: There is no such run.
        StateError: It is finished, was begun from another recipe, or its corpus or the text read in it has changed.
    """
    known = _to_resume(name, recipe)
    train, select, report = _splits(recipe)
    model, _ = built(recipe, begin=not (known.path / "checkpoints" / "last").is_file())
    data = made_of(recipe, model, _by_role(train, select, report))
    check_same(known.info.get("data"), data, recipe)
    tidy(known.path)
    now = describe(name, report, None, None, False, "caption", {})
    earlier = {key: known.info.get(key) for key in ("created", "git", "versions", "command")}
    tell(
        known.path, state="running", notes="" if known.info["state"] == "failed" else known.info.get("notes", ""),
        data=data, earlier=[*known.info.get("earlier", []), earlier],
        **{key: now[key] for key in ("writer", "git", "versions", "command")},
    )  # fmt: skip
    said = chosen(recipe, train, data)
    return Begun(known.path, recipe, model, train, select, report, resume=True, chosen=said)


def _to_replace(name: str, overwrite: bool) -> bool:
    """Whether a run of that name makes room: where it is asked for, or where it failed before its first checkpoint.

    Raises:
        ExistsError: It exists and does not.
    """
    folder = workspace().runs / name
    early = folder.exists() and Run(folder).state == "failed" and not (folder / "checkpoints" / "last").is_file()
    if early and not overwrite:
        log.warning("Run %s had failed before its first checkpoint: it makes room, and lies in the trash.", name)
    interrupted = folder.exists() and not early and Run(folder).state in ("failed", "dead")
    if interrupted and not overwrite:
        raise ExistsError(
            f"A run called {name!r} exists already, and its training was interrupted.",
            "Add --resume to go on with it, or --overwrite to begin anew.",
        )
    check_free(name, overwrite or early)
    return overwrite or early


def check_attached(runs: Mapping[str, Recipe]) -> None:
    """Refuse to attach to a job that trains something else under the same name.

    Args:
        runs: Recipes by the names of their runs; one that has not begun yet is not looked at.

    Raises:
        StateError: A run is being trained by another recipe.
    """
    for name, recipe in runs.items():
        if workspace().find("runs", name) is None:
            continue
        if other := differences(open_run(name).info.get("recipe") or {}, recipe):
            raise StateError(
                f"Run {name} is being trained by another recipe: {other}.", "Choose another name, or stop that one."
            )


def _to_resume(name: str, recipe: Recipe) -> Run:
    known = open_run(name)
    if known.state == "finished":
        raise StateError(f"Run {name} is finished.", "Train it again with --overwrite, or under another name.")
    if other := differences(known.info.get("recipe") or {}, recipe):
        raise StateError(
            f"Run {name} was begun with another recipe: {other}.", "Give the same values, or train it anew."
        )
    return known


def _splits(recipe: Recipe) -> tuple[Corpus, SelectSplit, Corpus]:
    """What is trained on, what chooses and what is reported."""
    report = open_corpus(recipe.corpus, recipe.report_split)
    select = SelectSplit(select_corpus(recipe.corpus, recipe.select_split, recipe.train_split), report)
    train = open_corpus(recipe.corpus, recipe.train_split)
    check_apart(train, select.corpus, report)
    return train, select, report


def _by_role(train: Corpus, select: SelectSplit, report: Corpus) -> dict[str, Corpus]:
    return {"train": train, "select": select.corpus, "report": report}
