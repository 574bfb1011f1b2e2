"""Runs that differ in their seed alone, trained one after the other as one group."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from workbench.core import jobs
from workbench.core.errors import DataError
from workbench.core.workspace import check_name, workspace
from workbench.evaluation import Run, open_run
from workbench.training.begin import check_attached, check_start, run_name
from workbench.training.recipes import load_recipe
from workbench.training.train import check_alone, train, train_words


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
        ExistsError: A run of one of these names exists; nothing was begun.
        WorkbenchError: As ``train``.
    """
    if not seeds or len(set(seeds)) < len(seeds) or "seed" in options:
        raise DataError("Seeds must be given once each, as seeds.", "Write e.g. --seeds 0,1,2 and no seed=.")
    tracker = options.pop("tracker", None)
    resolved = load_recipe(recipe, options)
    base = run_name(resolved, name)
    group = check_name(group or base, "group")
    names = {seed: check_name(f"{base}-seed{seed}", "run") for seed in seeds}
    job = jobs.name_for("train", base)
    attached = background and jobs.is_running(job)
    if attached:
        check_attached({one: replace(resolved, seed=seed) for seed, one in names.items()})
    elif os.environ.get("RANK", "0") == "0":  # others may come when the first has begun
        for seed, one in names.items():
            if not (resume and _is_finished(one)):
                check_start(one, replace(resolved, seed=seed), overwrite=overwrite, resume=resume and _is_there(one))
    if background:
        check_alone()
        words = train_words(recipe, options, name=base, group=group, overwrite=overwrite, resume=resume)
        return jobs.start([*words, "--seeds", ",".join(map(str, seeds))], name=job)
    runs: list[Any] = []
    for seed, one in names.items():
        if resume and _is_finished(one):
            runs.append(open_run(one))
            continue
        how: dict[str, Any] = {"overwrite": overwrite, "resume": resume and _is_there(one), "tracker": tracker}
        runs.append(train(recipe, name=one, group=group, seed=seed, **how, **options))
    return None if None in runs else runs


def _is_there(run: str) -> bool:
    return workspace().find("runs", run) is not None


def _is_finished(run: str) -> bool:
    return _is_there(run) and open_run(run).state == "finished"
