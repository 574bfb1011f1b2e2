"""The corpus of a run, where this workspace holds it as it was."""

from __future__ import annotations

from workbench.core.errors import DataError, UnknownNameError
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation.runs.run import Run


def corpus_of_run(run: Run, corpus: Corpus | str | None = None) -> tuple[Corpus | None, str]:
    """The corpus of a run restricted to its split, or why it is not at hand.

    Args:
        run: The run.
        corpus: The one to take, or its name; None = the workspace's corpus of the run's name, if it is that very one.

    Raises:
        DataError: The given corpus is not the one that the run was made on.
        UnknownNameError: No corpus is called as given.
    """
    try:
        found = open_corpus(run.corpus_name if corpus is None else corpus)
    except UnknownNameError:
        if corpus is not None:
            raise
        return None, f"The corpus {run.corpus_name} is not in this workspace."
    if run.split in found.splits:
        found = found if found.split == run.split else found.with_split(run.split)
        if found.fingerprint == run.fingerprint:
            return found, ""
    if corpus is not None:
        raise DataError(
            f"Run {run.name} was not made on {found.name} as it is now: the fingerprints differ.",
            f"Give the corpus that holds {run.corpus_name}/{run.split} as it was.",
        )
    return None, f"The corpus {run.corpus_name} has changed since run {run.name} was made."
