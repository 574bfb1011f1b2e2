"""Runs that tell more of a run: other seeds, counterfactuals, what single words do, other models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from workbench.analysis.reading.word_effects import holder_of
from workbench.core.errors import DataError
from workbench.core.workspace import workspace
from workbench.evaluation.runs.run import Run, open_run, same_axes
from workbench.evaluation.runs.whole import trouble_of

SHUFFLED, WITHOUT_OCR = "frames shuffled", "without ocr"


@dataclass(frozen=True)
class Related:
    """Runs with the rows and columns of a run, each with its similarity.

    Attributes:
        seeds: Of its group: the same recipe with another seed.
        shuffled: Its counterfactual with every video's frames in a random order, or None.
        models: Other models, where they were given.
        without_ocr: Its counterfactual without read text, or None.
        words: Another run of the same scores that holds the effects of words, where it holds none itself, or None.
    """

    seeds: tuple[Run, ...] = ()
    shuffled: Run | None = None
    models: tuple[Run, ...] = ()
    without_ocr: Run | None = None
    words: Run | None = None

    @property
    def runs(self) -> list[Run]:
        """All of them, each once."""
        every = (*self.seeds, self.shuffled, *self.models, self.without_ocr, self.words)
        return list({one.path: one for one in every if one is not None}.values())


Others = Sequence[Run | str] | Related | None
"""What functions take as ``others``; see ``related_to``."""


def related_to(run: Run, others: Others = None) -> Related:
    """Sort other runs by what they are to a run.

    Args:
        run: The run.
        others: Other models, and seeds or counterfactuals from elsewhere: they are taken beside the seeds and
            counterfactuals that this workspace holds. The run itself among them, or one that is named twice, counts
            once. None = those of the workspace alone; () = not even these. A ``Related`` is taken as it is.

    Raises:
        DataError: A given run has other rows or columns, or keeps no similarity.
        UnknownNameError: No run is called so.
    """
    if isinstance(others, Related):
        return others
    given = _distinct(run, others or ())
    for other in given:
        if not same_axes(run, other) or other.similarity is None:
            raise DataError(
                f"Run {other.name} has other rows or columns than {run.name}, or keeps no similarity.",
                "Give runs on the same split of the same corpus.",
            )
    if others is not None and not given:
        return Related()
    found = _distinct(run, [*given, *_of_workspace(run)])
    seeds = tuple(other for other in found if _is_seed(run, other))
    shuffled, without_ocr = (
        next((other for other in found if _is_ablation(run, other, name)), None) for name in (SHUFFLED, WITHOUT_OCR)
    )
    models = tuple(one for one in found if one not in seeds and _parent(one) != run.name)
    return Related(seeds, shuffled, models, without_ocr, holder_of(run))


def _distinct(run: Run, others: Iterable[Run | str]) -> list[Run]:
    """Each folder once, without the run's own."""
    by_path = {one.path.resolve(): one for one in map(open_run, others)}
    return [one for path, one in by_path.items() if path != run.path.resolve()]


def _of_workspace(run: Run) -> Iterator[Run]:
    """Seeds and the counterfactual of a run; what cannot be read is left out, and lists of runs say why."""
    for name, path in workspace().names("runs").items():
        if name == run.name:
            continue
        try:
            other = Run(path)
        except DataError:
            continue
        mine = _is_seed(run, other) or any(_is_ablation(run, other, one) for one in (SHUFFLED, WITHOUT_OCR))
        whole = mine and other.state == "finished" and not trouble_of(other)
        if whole and other.similarity is not None and same_axes(run, other):
            yield other


def _is_seed(run: Run, other: Run) -> bool:
    group = run.info.get("group")
    plain = not other.info.get("ablation") and not run.info.get("ablation")
    return bool(group) and plain and other.info.get("group") == group and _same_split(run, other)


def _is_ablation(run: Run, other: Run, name: str) -> bool:
    return _parent(other) == run.name and other.info.get("ablation") == name and _same_split(run, other)


def _parent(other: Run) -> str:
    """The run whose model it has, without the step of its checkpoint; "" = none."""
    return str(other.info.get("parent") or "").partition("@")[0]


def _same_split(run: Run, other: Run) -> bool:
    return run.fingerprint == other.fingerprint and run.split == other.split
