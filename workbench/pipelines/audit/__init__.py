"""Audit: can the numbers of a run be trusted, can its corpus be measured with, does its model score pairs alone?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.core.errors import DataError, StateError
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation.runs.run import Run, open_run
from workbench.evaluation.runs.saving import open_split
from workbench.models import RetrievalModel
from workbench.pipelines.audit.captions import audit_captions
from workbench.pipelines.audit.files import audit_files, audit_tables
from workbench.pipelines.audit.findings import SEVERITIES, Finding, Findings
from workbench.pipelines.audit.leaks import audit_sources, audit_splits
from workbench.pipelines.audit.model import audit_model
from workbench.pipelines.audit.run import audit_run
from workbench.pipelines.checkpoints import open_model
from workbench.pipelines.inputs import InputRules, gallery_of
from workbench.pipelines.scoring import rules_for

__all__ = ["SEVERITIES", "Finding", "Findings", "audit", "audit_model"]
SAMPLE = 48
"""Captions and videos that a model is tested on."""


def audit(
    run: Run | str | None = None,
    corpus: Corpus | str | None = None,
    model: RetrievalModel | str | None = None,
    *,
    hashes: bool = False,
    seed: int = 0,
) -> Findings:
    """What is wrong with a run, a corpus or a model, each with its severity, one sentence, the rows and the fix.

    A run: order and orientation, scores that are not finite, constant rows, ties, distances, right pairs too good to be
    true, stored metrics, hits against those of every other run, duplicate-aware metrics, what its model was trained and
    chosen on. A corpus: duplicate and near-duplicate captions, ceilings, same-source videos, what stands in several
    splits, other orders, stale files. A model: shuffle, rectangular and single-query test, batch size, padding, other
    videos.

    Args:
        run: A run or its name.
        corpus: A corpus or its name, whole (every split is looked at) or restricted to one. Beside a model: what it is
            tried on. Beside a run: its corpus too.
        model: A model; a run trained here, RUN@STEP, or the name of a model that needs no training. Without a corpus it
            is tried on that of its run.
        hashes: Compute the sha256 of every file of the corpus.
        seed: Seed of the shuffles and of the sample that a model is tried on.

    Raises:
        DataError: Nothing was given, or the corpus is not the run's.
        StateError: A model without a corpus to try it on, or one too small, or without the inputs it needs.
    """
    if run is None and corpus is None and model is None:
        raise DataError("There is nothing to audit.", "Give a run, a corpus or a model.")
    opened = open_corpus(corpus) if isinstance(corpus, str) else corpus
    the_run = open_run(run) if isinstance(run, str) else run
    parts: list[tuple[str, Finding]] = []
    if the_run is not None:
        parts += [(f"run {the_run.name}", one) for one in audit_run(the_run, opened)]
    if opened is not None:
        parts += list(_corpus(opened, hashes))
    if model is not None:
        parts += list(_model(model, opened, the_run, seed))
    return Findings(parts)


def _corpus(corpus: Corpus, hashes: bool) -> Iterator[tuple[str, Finding]]:
    whole = f"corpus {corpus.name}"
    yield whole, audit_tables(corpus)
    yield from ((whole, one) for one in audit_splits(corpus))
    for split in [corpus.split] if corpus.split else corpus.splits:
        part = corpus.with_split(split)
        for look in (audit_captions(part), audit_sources(part), audit_files(part, hashes=hashes)):
            yield from ((f"{whole}/{split}", one) for one in look)


def _model(
    model: RetrievalModel | str, corpus: Corpus | None, run: Run | None, seed: int
) -> Iterator[tuple[str, Finding]]:
    rules: InputRules | None = None
    name = model if isinstance(model, str) else type(model).__name__
    if isinstance(model, str):
        model, rules, told = open_model(model)
        if corpus is None and run is None and "parent" in told:
            run = open_run(name.partition("@")[0])
    if corpus is None and run is None:
        raise StateError(f"The model {name} needs videos to be tried on.", "Add a corpus: --corpus NAME")
    part = corpus if corpus is not None else open_corpus(run.corpus_name, run.split)  # type: ignore[union-attr]  # one of the two
    captions, sample = _sample(open_split(part), seed)
    inputs = gallery_of(sample, model.needs, rules or rules_for(model))
    able = [i for i, video in enumerate(inputs.gallery.video_ids) if video not in inputs.gallery.missing]
    if len(captions) < 4 or len(able) < 4:
        raise StateError(
            f"{part.name} has {len(captions)} captions and {len(able)} usable videos; four of each are needed.",
            "Try the model on a larger corpus.",
        )
    gallery = inputs.gallery.take(able)
    yield from ((f"model {name}", one) for one in audit_model(model, captions, gallery, seed=seed))


def _sample(corpus: Corpus, seed: int) -> tuple[list[str], Corpus]:
    """Some captions spread over a split, and the split with their right videos only, filled up with others."""
    rows = np.unique(np.linspace(0, len(corpus.captions) - 1, min(SAMPLE, len(corpus.captions))).astype(int))
    chosen = corpus.captions.iloc[rows]
    first = list(dict.fromkeys(chosen["video_id"]))[:SAMPLE]
    rest = [video for video in corpus.videos["video_id"] if video not in set(first)]
    wanted = {*first, *rest[: SAMPLE - len(first)]}
    sample = corpus.with_split(corpus.split)
    sample.videos = corpus.videos[corpus.videos["video_id"].isin(wanted)].reset_index(drop=True)
    return chosen["text"].to_list(), sample
