"""Runs that tell more of a run: other seeds, the same model with shuffled frames, other models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.core.errors import DataError
from workbench.core.workspace import workspace
from workbench.evaluation.runs.run import Run, same_axes

SHUFFLED = "frames shuffled"


@dataclass(frozen=True)
class Related:
    """Runs with the rows and columns of a run, each with its similarity.

    Attributes:
        seeds: Of its group: the same recipe with another seed.
        shuffled: Its counterfactual with every video's frames in a random order, or None.
        models: Other models, where they were given.
    """

    seeds: tuple[Run, ...] = ()
    shuffled: Run | None = None
    models: tuple[Run, ...] = ()


def related_to(run: Run, others: Sequence[Run] | None = None) -> Related:
    """Sort other runs by what they are to a run.

    Args:
        run: The run.
        others: None = its seeds and counterfactuals in this workspace; other models are taken only where given.

    Raises:
        DataError: A given run has other rows or columns, or keeps no similarity.
    """
    found = list(_of_workspace(run)) if others is None else list(others)
    for other in found if others is not None else []:
        if not same_axes(run, other) or other.similarity is None:
            raise DataError(
                f"Run {other.name} has other rows or columns than {run.name}, or keeps no similarity.",
                "Give runs on the same split of the same corpus.",
            )
    seeds = tuple(other for other in found if _is_seed(run, other))
    shuffled = next((other for other in found if _is_shuffled(run, other)), None)
    models = tuple(one for one in found if one not in seeds and one.info.get("parent") != run.name)
    return Related(seeds, shuffled, models)


def _of_workspace(run: Run) -> Iterator[Run]:
    """Seeds and the counterfactual of a run; folders that cannot be read are not its."""
    for name, path in workspace().names("runs").items():
        if name == run.name:
            continue
        try:
            other = Run(path)
        except DataError:
            continue
        mine = _is_seed(run, other) or _is_shuffled(run, other)
        if mine and other.state == "finished" and other.similarity is not None and same_axes(run, other):
            yield other


def _is_seed(run: Run, other: Run) -> bool:
    group = run.info.get("group")
    plain = not other.info.get("ablation") and not run.info.get("ablation")
    return bool(group) and plain and other.info.get("group") == group and _same_split(run, other)


def _is_shuffled(run: Run, other: Run) -> bool:
    return other.info.get("parent") == run.name and other.info.get("ablation") == SHUFFLED and _same_split(run, other)


def _same_split(run: Run, other: Run) -> bool:
    return run.fingerprint == other.fingerprint and run.split == other.split
