"""Runs that differ in their seed alone, trained one after the other as one group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core import jobs
from workbench.core.errors import DataError
from workbench.core.workspace import check_name, workspace
from workbench.evaluation import Run, open_run
from workbench.training.recipes import load_recipe
from workbench.training.train import run_name, train, train_words


def train_seeds(
    recipe: str = "textvr_fusion_demo", *, seeds: Sequence[int], name: str | None = None, group: str | None = None,
    overwrite: bool = False, resume: bool = False, background: bool = False, **options: Any,
) -> list[Run] | jobs.Job | None:  # fmt: skip
    """Train one run per seed, called ``<name>-seed<n>``; tables show them as one row.

    Args:
        recipe: A name of ``RECIPES``, or a YAML file.
        seeds: At least one, each once.
        name: First part of the runs' names; None = corpus and modality.
        group: Their group; None = ``name``.
        overwrite: Move existing runs of these names to the trash.
        resume: Leave finished runs, go on with those that were begun, begin the others.
        background: Start all of it as one job and return at once.
        **options: As of ``train``: a tracker, fields of ``Recipe``.

    Returns:
        The finished runs in the order of seeds, or the job; None in processes of a training by several but the first.

    Raises:
        DataError: No seed, a seed twice, or a seed among the options.
        WorkbenchError: As ``train``.
    """
    if not seeds or len(set(seeds)) < len(seeds) or "seed" in options:
        raise DataError("Seeds must be given once each, as seeds.", "Write e.g. --seeds 0,1,2 and no seed=.")
    tracker = options.pop("tracker", None)
    base = run_name(load_recipe(recipe, options), name)
    group = check_name(group or base, "group")
    if background:
        words = train_words(recipe, options, name=base, group=group, overwrite=overwrite, resume=resume)
        return jobs.start([*words, "--seeds", ",".join(map(str, seeds))], name=f"train-{base}")
    runs: list[Any] = []
    for seed in seeds:
        one = f"{base}-seed{seed}"
        begun = resume and workspace().find("runs", one) is not None
        if begun and (known := open_run(one)).state == "finished":
            runs.append(known)
            continue
        found = train(
            recipe, name=one, group=group, overwrite=overwrite, resume=begun, tracker=tracker, seed=seed, **options
        )
        runs.append(found)
    return None if None in runs else runs
