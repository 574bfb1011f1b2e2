"""Score a corpus with a model: inputs, similarity, run; the same path for trained models and for BM25."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from workbench.corpus import Corpus
from workbench.evaluation import Run
from workbench.evaluation.saving import complete_run, open_split, save_run
from workbench.models import RetrievalModel
from workbench.pipelines.inputs import InputRules, Inputs, gallery_of
from workbench.video.sampling import Sampler


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
    **info: Any,
) -> Run:
    """Score every caption of a split against every video and store the run.

    Videos that lack an input the model needs are not scored: their columns are -inf and say why.

    Args:
        scorer: A built or loaded model.
        corpus: A corpus or its name.
        name: The run's name.
        split: None = the one the corpus was opened with, else its default.
        rules: How inputs are made; None = as the model wants them.
        overwrite: Move an existing run of that name to the trash.
        into: A running run's folder that this completes.
        workers: Processes that decode.
        **info: More entries of ``run.json``: model, recipe, seed, parent, ablation, ...

    Raises:
        StateError: The corpus lacks an input that the model needs.
        ExistsError: A run of that name exists.
    """
    opened = open_split(corpus, split)
    rules = rules or rules_for(scorer)
    inputs = gallery_of(opened, scorer.needs, rules, workers=workers)
    similarity, parts = similarities(scorer, opened, inputs)
    described = {"input_rules": asdict(rules), **info}
    if len(parts) > 1:
        described["fusion"] = {"method": "sum", "weights": dict.fromkeys(parts, 1.0)}
    arguments: dict[str, Any] = {
        "corpus": opened, "modalities": parts if len(parts) > 1 else None, "inputs": inputs.table,
        "missing": inputs.gallery.missing, "order": {"how": "ids", "evidence": "scored from the corpus itself"},
    }  # fmt: skip
    if into is not None:
        return complete_run(into, similarity, **arguments, **described)
    return save_run(similarity, name=name, overwrite=overwrite, **arguments, **described)


def rules_for(model: RetrievalModel) -> InputRules:
    """The inputs that a model wants, and the defaults where it does not say."""
    wanted = dict(model.reads)
    sampler = {"sampler": Sampler("uniform", wanted.pop("n_frames"))} if "n_frames" in wanted else {}
    return InputRules(**sampler, **wanted)  # type: ignore[arg-type]  # a sampler beside numbers


def similarities(model: RetrievalModel, corpus: Corpus, inputs: Inputs) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
    """float32 [captions, videos], and its parts by modality; columns of missing videos are -inf."""
    captions = corpus.captions["text"].tolist()
    encoded = model.encode(inputs.gallery)
    parts = model.parts(captions, encoded)
    similarity = np.asarray(sum(parts.values()), np.float32) if parts else model.similarity(captions, encoded)
    absent = [at for at, video in enumerate(inputs.gallery.video_ids) if video in inputs.gallery.missing]
    for matrix in (similarity, *parts.values()):
        matrix[:, absent] = -np.inf
    return similarity, parts
