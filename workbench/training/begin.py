"""Begin the run of a training, or go on with one: everything that can be refused is, before a name is taken."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.errors import StateError
from workbench.core.files import read_json
from workbench.core.workspace import check_name, workspace
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation import Run, open_run
from workbench.evaluation.runs.info import describe
from workbench.evaluation.runs.saving import start_run
from workbench.models.checkpoints import tidy
from workbench.pipelines.inputs import InputRules
from workbench.pipelines.scoring import check_free
from workbench.training.building import built
from workbench.training.loop import rules_of
from workbench.training.optimiser import optimiser_of
from workbench.training.recipes import Recipe, differences
from workbench.training.recorder import tell
from workbench.training.selection import SelectSplit, select_corpus
from workbench.training.splits import check_apart

KEPT = ("choices", "data", "excluded", "earlier", "initial")
"""What a training writes into ``run.json`` on its way and its finished run keeps."""

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
    """

    folder: Path
    recipe: Recipe
    model: Any
    train: Corpus
    select: SelectSplit
    report: Corpus
    resume: bool = False

    @property
    def rules(self) -> InputRules:
        """How the inputs of all splits are made."""
        return rules_of(self.recipe, self.model)

    def tell(self, **info: Any) -> None:
        """Add entries to ``run.json``."""
        tell(self.folder, **info)

    def told(self) -> dict[str, Any]:
        """The entries of ``run.json`` that a finished run keeps."""
        info = read_json(self.folder / "run.json", f"the description of run {self.folder.name}")
        return {key: info[key] for key in KEPT if key in info}


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
        StateError: Splits share videos.
    """
    overwrite = _to_replace(name, overwrite)
    open_corpus(recipe.corpus, recipe.report_split)  # refuses names that there are not, before anything is built
    model, initial = built(recipe, begin=True)
    optimiser_of(model.network, recipe)  # refuses names that no weight has
    train, select, report = _splits(recipe)
    info: dict[str, Any] = {"model": recipe.model, "recipe": recipe.to_dict(), "seed": recipe.seed, "group": group}
    info |= {"data": _fingerprints(train, select, report), **({} if initial is None else {"initial": initial})}
    folder = start_run(name, report, overwrite=overwrite, **info)
    return Begun(folder, recipe, model, train, select, report)


def resumed(name: str, recipe: Recipe) -> Begun:
    """The run again, written by this process now.

    Raises:
        UnknownNameError: There is no such run.
        StateError: It is finished, was begun from another recipe, or its corpus has changed.
    """
    known = _to_resume(name, recipe)
    train, select, report = _splits(recipe)
    data = _fingerprints(train, select, report)
    _check_data(known.info.get("data"), data, recipe)
    tidy(known.path)
    model, _ = built(recipe, begin=not (known.path / "checkpoints" / "last").is_file())
    now = describe(name, report, None, None, False, "caption", {})
    earlier = {key: known.info.get(key) for key in ("created", "git", "versions", "command")}
    tell(
        known.path, state="running", notes="" if known.info["state"] == "failed" else known.info.get("notes", ""),
        data=data, earlier=[*known.info.get("earlier", []), earlier],
        **{key: now[key] for key in ("writer", "git", "versions", "command")},
    )  # fmt: skip
    return Begun(known.path, recipe, model, train, select, report, resume=True)


def _to_replace(name: str, overwrite: bool) -> bool:
    """Whether a run of that name makes room: where it is asked for, or where it failed before its first checkpoint.

    Raises:
        ExistsError: It exists and does not.
    """
    folder = workspace().runs / name
    early = folder.exists() and Run(folder).state == "failed" and not (folder / "checkpoints" / "last").is_file()
    if early and not overwrite:
        log.warning("Run %s had failed before its first checkpoint: it makes room, and lies in the trash.", name)
    check_free(name, overwrite or early)
    return overwrite or early


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


def _fingerprints(train: Corpus, select: SelectSplit, report: Corpus) -> dict[str, str]:
    """Of what a run is made of, by what it is there for."""
    return {"train": train.fingerprint, "select": select.corpus.fingerprint, "report": report.fingerprint}


def _check_data(before: Mapping[str, str] | None, now: Mapping[str, str], recipe: Recipe) -> None:
    """Refuse to go on where a split has changed since the run was begun.

    Args:
        before: What the run states; older ones by the names of splits.
        now: As ``_fingerprints`` gives it.
        recipe: Names the splits.

    Raises:
        StateError: One has.
    """
    splits = {"train": recipe.train_split, "select": recipe.select_split, "report": recipe.report_split}
    for role, split in splits.items():
        if before is not None and now[role] != before.get(role, before.get(split)):
            raise StateError(f"The split {split} of {recipe.corpus} changed since the run was begun.", "Train it anew.")
