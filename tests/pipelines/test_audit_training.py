"""Audit of what a model was trained and chosen on, against what its run reports."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.made import made_corpus
from workbench.core.files import read_table, write_table
from workbench.corpus import Corpus
from workbench.evaluation import Run, save_run
from workbench.pipelines.audit import audit
from workbench.pipelines.audit.run import audit_run
from workbench.pipelines.audit.training import audit_training

TRAINED = {"corpus": "other", "train_split": "test", "select_split": "val"}


def saved(corpus: Corpus, **info) -> Run:
    shape = (len(corpus.captions), len(corpus.videos))
    return save_run(np.random.default_rng(0).normal(size=shape), corpus=corpus, name="x", overwrite=True, **info)


def severities(run: Run, corpus: Corpus | None) -> dict[str, str]:
    return {one.check.split()[0]: one.severity for one in audit_training(run, corpus)}


def with_files(corpus: Corpus, sha256: str) -> Corpus:
    """Every video gets an original file of that checksum, followed by its name."""
    ids = corpus.with_split(None).videos["video_id"]
    files = read_table(corpus.path / "renditions.parquet") if corpus.has("renditions") else corpus.renditions
    rows = pd.DataFrame({"video_id": ids, "rendition": "original", "path": ids, "sha256": sha256 + ids})
    write_table(corpus.path / "renditions.parquet", rows.reindex(columns=files.columns))
    return Corpus(corpus.path, corpus.split)


@pytest.fixture
def corpus(home) -> Corpus:
    return made_corpus(12).with_split("test")


def test_a_run_that_was_not_trained_here_gets_no_finding(corpus):
    assert severities(saved(corpus), corpus) == {}
    assert severities(saved(corpus, recipe={"options": {}}), corpus) == {}


def test_the_very_split_is_wrong_even_where_the_corpus_is_gone(corpus):
    run = saved(corpus, recipe={**TRAINED, "corpus": corpus.name})
    assert severities(run, None) == {"model": "wrong", "checkpoint": "note"}
    found = audit(run)
    assert not found.ok and found.of("model is not trained on").sentence.endswith(
        "the very split that is reported here."
    )


def test_another_protocol_over_the_same_videos_is_wrong_unless_the_files_differ(corpus):
    other = made_corpus(12, name="other").with_split("test")
    run = saved(corpus, recipe=TRAINED)
    found = {one.check: one for one in audit_run(run)}["model is not trained on"]
    assert found.severity == "wrong" and found.n_rows == len(corpus.videos)
    assert severities(run, None)["model"] == "note"
    corpus = with_files(corpus, "a")
    assert severities(run, corpus)["model"] == "wrong"  # the other's files are not known
    with_files(other, "b")
    assert severities(run, corpus) == {"model": "ok", "checkpoint": "note"}
