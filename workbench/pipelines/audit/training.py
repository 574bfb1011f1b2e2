"""Whether a run's model was trained, or its checkpoint chosen, on what the run reports."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.errors import WorkbenchError
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation.runs.run import Run
from workbench.pipelines.audit.findings import Finding, counted, finding
from workbench.pipelines.overlaps import shared_sources, shared_videos

ROLES = {"train_split": "model was trained on", "select_split": "checkpoint was chosen on"}
FIX = "Report another split, or train without it."


def audit_training(run: Run, corpus: Corpus | None) -> Iterator[Finding]:
    """One finding for what its model was trained on and one for what chose its checkpoint.

    Args:
        run: Trained here, or scored by a model that was: its recipe is that of its parent.
        corpus: What it reports, restricted to its split; None = it is not at hand, and names of splits are compared.
    """
    recipe = run.info.get("recipe") or {}
    for role, said in ROLES.items():
        if recipe.get("corpus") and recipe.get(role):
            yield _of_role(run, corpus, str(recipe["corpus"]), str(recipe[role]), said)


def _of_role(run: Run, corpus: Corpus | None, trained: str, split: str, said: str) -> Finding:
    check, here = said.replace("was", "is not"), f"{trained}/{split}"
    if (trained, split) == (run.corpus_name, run.split):
        return finding(check, "wrong", f"The {said} {here}, the very split that is reported here.", fix=FIX)
    try:
        other = open_corpus(trained, split)
    except WorkbenchError as error:
        return finding(check, "note", f"The {said} {here}, which is not at hand: {error.message}")
    if corpus is None:
        return finding(check, "note", f"The {said} {here}; the split reported here is not at hand.")
    if videos := shared_videos(other, corpus):
        held = counted(len(videos), "video", "videos")
        return finding(check, "wrong", f"The {said} {held} of these, in {here}.", rows=videos, fix=FIX)
    if sources := shared_sources(other, corpus):
        held = counted(len(sources), "source", "sources")
        return finding(
            check, "warning", f"The {said} videos of {held} of these, in {here}.", rows=sources,
            fix="Split by source: workbench data split keeps sources together.",
        )  # fmt: skip
    return finding(check, "ok", f"The {said} {here}, which shares no video or source with this split.")
