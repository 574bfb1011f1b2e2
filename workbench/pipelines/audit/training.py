"""Whether a run's model, or a model that its weights began from, was trained or chosen on what the run reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from workbench.core.errors import WorkbenchError
from workbench.core.words import counted
from workbench.core.workspace import workspace
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation.runs.run import Run
from workbench.pipelines.audit.findings import Finding, finding
from workbench.pipelines.checkpoints import model_folder
from workbench.pipelines.overlaps import shared_sources, shared_videos

BEGINNING = "initial weights"
FIX = "Report another split, or train without it."
UNKNOWN = "Find out what those weights were trained on before the numbers are used."


@dataclass(frozen=True)
class _Role:
    """What a model did with a split: how a check and a sentence name it, and the key of the recipe."""

    check: str
    said: str
    key: str


ROLES = (
    _Role("model is not trained on", "The model{} was trained on {}", "train_split"),
    _Role("checkpoint is not chosen on", "The checkpoint{} was chosen on {}", "select_split"),
)


def audit_training(run: Run, corpus: Corpus | None) -> Iterator[Finding]:
    """One finding for what its model was trained on and one for what chose its checkpoint; then the same of the run
    that its weights began from (``init`` of the recipe), of that run's, and so on.

    Args:
        run: Trained here, or scored by a model that was: its recipe is that of its parent.
        corpus: What it reports, restricted to its split; None = it is not at hand, and names of splits are compared.
    """
    names, recipe, now = [run.name], _recipe(run), run
    if parent := _parent(run):
        names.append(parent.name)
        now = parent
    yield from _of_recipe(run, corpus, recipe, [])
    while init := recipe.get("init"):
        found = _initial(str(init))
        if (why := _gap(names, found, now, str(init))) is not None:
            yield why
            return
        now = Run(found)  # type: ignore[arg-type]  # else there was a gap
        names.append(now.name)
        recipe = _recipe(now)
        yield from _of_recipe(run, corpus, recipe, names)


def _recipe(run: Run) -> Mapping[str, Any]:
    """The recipe of a run's model: its own, or that of the run whose folder of weights it was scored with."""
    own = run.info.get("recipe") or {}
    if own.get("corpus"):
        return own
    parent = _parent(run)
    return own if parent is None else parent.info.get("recipe") or {}


def _parent(run: Run) -> Run | None:
    """The run that a run was scored from, where it is here."""
    folder = _initial(str(run.info.get("parent") or ""))
    return None if folder is None or not (folder / "run.json").is_file() else Run(folder)


def _initial(checkpoint: str) -> Path | None:
    """The folder of the run that a checkpoint belongs to, or the folder of weights that it is; None where neither is
    here."""
    if not checkpoint:
        return None
    if (weights := model_folder(checkpoint)) is not None:
        run = weights.resolve().parent.parent
        return run if (run / "checkpoints").is_dir() and (run / "run.json").is_file() else weights
    return workspace().find("runs", checkpoint.partition("@")[0])


def _gap(names: list[str], found: Path | None, run: Run, init: str) -> Finding | None:
    """Why a chain ends before its beginning is known; None where it goes on."""
    began = f"The weights of run {names[-1]} began from {init}"
    chain = {"chain": [*names, init]}
    if found is None:
        return finding(
            BEGINNING, "warning", f"{began}, which is not here, so what it had seen is not known ({_said(names)}).",
            rows=[init], fix=f"Bring run {init} back (workbench runs unpack), or say that it is not known.",
            numbers=chain,
        )  # fmt: skip
    if not (found / "run.json").is_file():
        return finding(
            BEGINNING, "note", f"{began}, a folder of weights that does not say what it was trained on.", rows=[init],
            fix=UNKNOWN, numbers=chain,
        )  # fmt: skip
    initial = Run(found)
    if initial.name in names:
        said = _said([*names, initial.name])
        return finding(
            BEGINNING, "warning", f"{began}, which itself began from it, so one of them was made again ({said}).",
            rows=[init], fix=UNKNOWN, numbers=chain,
        )  # fmt: skip
    if (before := _began(initial)) and (after := _began(run)) and before > after:
        return finding(
            BEGINNING, "warning", f"{began}, which was made again since then, so what it had seen is not known.",
            rows=[init], fix=f"Look for the older {initial.name} in the trash. {UNKNOWN}", numbers=chain,
        )  # fmt: skip
    return None


def _began(run: Run) -> datetime | None:
    """When a run was begun; None where it does not say."""
    told = run.info.get("began") or run.info.get("created")
    return None if told is None else datetime.fromisoformat(told)


def _said(names: list[str]) -> str:
    """A chain in words: ``fine < mid < pre``, each from the next."""
    return " < ".join(names)


def _of_recipe(run: Run, corpus: Corpus | None, recipe: Mapping[str, Any], chain: list[str]) -> Iterator[Finding]:
    """One finding by role.

    Args:
        run: The run that reports.
        corpus: Of what it reports.
        recipe: Of the model.
        chain: Names of runs, each from the next, to the one of the recipe; empty = the run's own model.
    """
    for role in ROLES:
        if recipe.get("corpus") and recipe.get(role.key):
            yield _of_role(run, corpus, (str(recipe["corpus"]), str(recipe[role.key])), role, chain)


def _of_role(run: Run, corpus: Corpus | None, split: tuple[str, str], role: _Role, chain: list[str]) -> Finding:
    check, here = f"initial {role.check}" if chain else role.check, "/".join(split)
    of = f" of run {chain[-1]}, where this one began ({_said(chain)})," if chain else ""
    fix = f"{FIX[:-1]}, or begin from other weights." if chain else FIX
    numbers = {"chain": chain} if chain else {}

    def told(severity: str, what: str, rest: str = "", **more: Any) -> Finding:
        return finding(check, severity, f"{role.said.format(of, what)}{rest}", numbers=numbers, **more)

    if split == (run.corpus_name, run.split):
        return told("wrong", here, ", the very split that is reported here.", fix=fix)
    try:
        other = open_corpus(*split)
    except WorkbenchError as error:
        return told("note", here, f", which is not at hand: {error.message}")
    if corpus is None:
        return told("note", here, "; the split reported here is not at hand.")
    if videos := shared_videos(other, corpus):
        held = counted(len(videos), "video", "videos")
        return told("wrong", f"{held} of these, in {here}.", rows=videos, fix=fix)
    if sources := shared_sources(other, corpus):
        held = counted(len(sources), "source", "sources")
        return told(
            "warning", f"videos of {held} of these, in {here}.", rows=sources,
            fix="Split by source: workbench data split keeps sources together.",
        )  # fmt: skip
    return told("ok", here, ", which shares no video or source with this split.")
