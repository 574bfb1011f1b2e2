"""Score a corpus with a model: inputs, similarity, run; the same path for trained models and for BM25."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, ExistsError
from workbench.core.lookup import nearest
from workbench.core.workspace import check_name, workspace
from workbench.corpus import Corpus
from workbench.evaluation import Run
from workbench.evaluation.runs.saving import complete_run, open_split, save_run
from workbench.models import RetrievalModel
from workbench.models.registry import FusesParts
from workbench.models.scoring import Tiles
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.encoding import Encode, Look, look
from workbench.pipelines.inputs import Inputs
from workbench.pipelines.rules import InputRules
from workbench.video.sampling import Sampler, clips_of

MATRIX_LIMIT = 4 << 30  # bytes: a larger similarity is counted while scoring and not kept, unless asked


def score(
    scorer: RetrievalModel,
    corpus: Corpus | str,
    /,
    *,
    name: str,
    split: str | None = None,
    rules: InputRules | None = None,
    overwrite: bool = False,
    into: Path | None = None,
    workers: int | None = None,
    keep_matrix: bool | None = None,
    change: Change | None = None,
    clips: int = 1,
    encode: Encode | None = None,
    **info: Any,
) -> Run:
    """Score every caption of a split against every video and store the run.

    Videos that lack an input the model needs are not scored: their columns are -inf and say why.
    Without a matrix ranks, lists of best items and metrics are the same numbers, counted while scoring; what looks at
    single pairs refuses, and modalities are not stored.

    Args:
        scorer: A built or loaded model.
        corpus: A corpus or its name.
        name: The run's name.
        split: None = the one the corpus was opened with, else its default.
        rules: How inputs are made; None = as the model wants them.
        overwrite: Move an existing run of that name to the trash.
        into: A running run's folder that this completes.
        workers: Processes that decode.
        keep_matrix: Whether to store the similarity; None = up to ``MATRIX_LIMIT`` bytes.
        change: What is done to the inputs first.
        clips: Times each video is looked at, by other frames; similarities are averaged (``video.sampling.clips_of``).
        encode: Who encodes videos one by one; None = this process.
        **info: More entries of ``run.json``: model, recipe, seed, parent, ablation, ...

    Raises:
        StateError: The corpus lacks an input that the model needs.
        ExistsError: A run of that name exists.
    """
    opened = open_split(corpus, split)
    if into is None:
        check_free(name, overwrite)
    rules = rules or rules_for(scorer)
    looks = [
        look(scorer, opened, one, change=change, workers=workers, encode=encode)
        for one in rules_of(rules, clips, scorer)
    ]
    inputs = seen_in(looks)
    tiles = tiles_of(scorer, opened, inputs.gallery.missing, [one.encoded for one in looks])
    kept = matrix_bytes(opened) <= MATRIX_LIMIT if keep_matrix is None else keep_matrix
    found, parts = tiles.matrix() if kept else (tiles.metrics(), {})
    described = {"input_rules": asdict(rules), **_looked(looks), **info, **_fusion(scorer, parts, info)}
    arguments: dict[str, Any] = {
        "corpus": opened, "modalities": parts if len(parts) > 1 else None, "inputs": inputs.table,
        "missing": inputs.gallery.missing, "order": {"how": "ids", "evidence": "scored from the corpus itself"},
    }  # fmt: skip
    if into is not None:
        return complete_run(into, found, **arguments, **described)
    return save_run(found, name=name, overwrite=overwrite, **arguments, **described)


def check_free(name: str, overwrite: bool) -> None:
    """Raise where a run cannot get this name.

    Raises:
        DataError: No run may be called so.
        ExistsError: A run of that name exists.
    """
    if (workspace().runs / check_name(name, "run")).exists() and not overwrite:
        raise ExistsError(f"A run called {name!r} exists already.", "Choose another name, or add --overwrite.")


def rules_of(rules: InputRules, clips: int, model: RetrievalModel) -> list[InputRules]:
    """The rules of several looks at each video.

    Raises:
        DataError: Fewer than one, or several where the frames are always the same or not looked at.
    """
    if clips > 1 and "frames" not in model.needs:
        raise DataError("The model looks at no frames, so other frames change nothing.", "Leave --clips out.")
    return [replace(rules, sampler=sampler) for sampler in clips_of(rules.sampler, clips)]


def seen_in(looks: Sequence[Look]) -> Inputs:
    """What several looks have seen: of the table, frames and times of all, look after look."""
    first = looks[0].inputs
    if len(looks) == 1:
        return first
    table = first.table
    for column in ("frames", "times_s"):
        lists = zip(*(one.inputs.table[column] for one in looks), strict=True)
        together = [[item for own in lists_of_one for item in own] for lists_of_one in lists]
        table = table.assign(**{column: pd.Series(together, index=table.index, dtype=object)})
    missing = {video: why for one in looks for video, why in one.inputs.gallery.missing.items()}
    return Inputs(replace(first.gallery, missing=missing), table)


def _looked(looks: Sequence[Look]) -> dict[str, Any]:
    """What ``run.json`` says of how videos were looked at."""
    several = {"clips": len(looks)} if len(looks) > 1 else {}
    found = [one.found for one in looks if one.found is not None]
    videos = sum(len(one.inputs.gallery.video_ids) - len(one.inputs.gallery.missing) for one in looks)
    return several | ({"encoding": {"videos": videos, "from_cache": sum(found)}} if found else {})


def _fusion(scorer: RetrievalModel, parts: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> dict[str, Any]:
    """What ``run.json`` says of how the scores are made of their parts."""
    if isinstance(scorer, FusesParts):
        made = scorer.protocol
        weights = made.parameters.get("weights") or dict.fromkeys(made.parameters["of"], 1.0)
        stated = {"fusion": {"method": made.scoring, "weights": weights}}
        return stated | {"protocol": {**made.to_dict(), **(info.get("protocol") or {})}}
    return {"fusion": {"method": "sum", "weights": dict.fromkeys(parts, 1.0)}} if len(parts) > 1 else {}


def matrix_bytes(corpus: Corpus) -> int:
    """Size of the similarity of a split."""
    return 4 * len(corpus.captions) * len(corpus.videos)


def rules_for(model: RetrievalModel) -> InputRules:
    """The inputs that a model wants, and the defaults where it does not say.

    Raises:
        DataError: It wants something that inputs do not have.
    """
    wanted = dict(model.reads)
    known = {one.name for one in fields(InputRules)} | {"n_frames"}
    if wrong := sorted(set(wanted) - known):
        raise DataError(f"The model reads {wrong[0]!r}, which inputs do not have.", nearest(wrong[0], known))
    sampler = {"sampler": Sampler("uniform", wanted.pop("n_frames"))} if "n_frames" in wanted else {}
    return InputRules(**sampler, **wanted)  # type: ignore[arg-type]  # a sampler beside numbers


def tiles_of(model: RetrievalModel, corpus: Corpus, missing: Collection[str], encoded: Sequence[Any]) -> Tiles:
    """Scores of all captions of a corpus by a model, still to be computed; columns of missing videos are -inf.

    Args:
        model: The model.
        corpus: Restricted to the split.
        missing: Videos that lack an input.
        encoded: The gallery in the model's own form, one for each time it was looked at.
    """
    absent = [at for at, video in enumerate(corpus.videos["video_id"]) if video in missing]
    return Tiles(model, corpus.captions["text"].tolist(), encoded, corpus.relevance_matrix(), absent)
