"""Audit of what a model was trained and chosen on, against what its run reports."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from tests.made import made_corpus
from tests.training.reading import read_corpus
from workbench.core.files import read_json, read_table, write_json, write_table
from workbench.corpus import Corpus
from workbench.evaluation import Run, save_run
from workbench.pipelines.audit import audit
from workbench.pipelines.audit.findings import Finding
from workbench.pipelines.audit.run import audit_run
from workbench.pipelines.audit.training import audit_training

TRAINED = {"corpus": "other", "train_split": "test", "select_split": "val"}


def saved(corpus: Corpus, named: str = "x", **info) -> Run:
    shape = (len(corpus.captions), len(corpus.videos))
    return save_run(np.random.default_rng(0).normal(size=shape), corpus=corpus, name=named, overwrite=True, **info)


def begun_from(corpus: Corpus, name: str, init: str | None, train_split: str, created: str | None = None) -> Run:
    """A run that was trained after another one."""
    recipe = {"corpus": corpus.name, "train_split": train_split, "select_split": "val", "init": init}
    path = saved(corpus, name, recipe=recipe).path
    known = read_json(path / "run.json", "the run")
    write_json(path / "run.json", {**known, "created": created or known["created"]})
    return Run(path)


def of_beginning(run: Run, corpus: Corpus | None) -> dict[str, Finding]:
    return {one.check: one for one in audit_training(run, corpus) if one.check.startswith("initial")}


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


@pytest.fixture
def apart(home) -> Corpus:
    """Its three splits have no video in common."""
    return read_corpus().with_split("test")


def test_what_the_runs_before_were_trained_on_counts_too(apart):
    begun_from(apart, "pre", None, "test")
    begun_from(apart, "mid", "pre", "train")
    run = begun_from(apart, "fine", "mid@20", "train")
    findings = [(one.check, one.severity) for one in audit_training(run, apart) if "trained" in one.check]
    assert [severity for _, severity in findings] == ["ok", "ok", "wrong"]
    worst = audit(run).of("initial model is not trained on")
    assert worst.severity == "wrong" and worst.numbers == {"chain": ["fine", "mid", "pre"]}
    said = f"The model of run pre, where this one began (fine < mid < pre), was trained on {apart.name}/test, the very"
    assert worst.sentence.startswith(said) and worst.fix.endswith("or begin from other weights.")
    child = saved(apart, "child", parent="fine@3", recipe=run.info["recipe"])
    assert of_beginning(child, apart)["initial model is not trained on"].numbers["chain"][:2] == ["child", "fine"]


def test_what_chose_the_initial_checkpoint_counts_too(apart):
    saved(apart, "pre", recipe={"corpus": apart.name, "train_split": "train", "select_split": "test"})
    found = of_beginning(begun_from(apart, "fine", "pre", "train"), apart)
    assert {check: one.severity for check, one in found.items()} == {
        "initial model is not trained on": "ok", "initial checkpoint is not chosen on": "wrong",
    }  # fmt: skip


def test_weights_of_a_run_given_as_a_folder_are_those_of_the_run(apart):
    folder = begun_from(apart, "pre", None, "test").path / "checkpoints" / "20"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").touch()
    found = of_beginning(begun_from(apart, "fine", str(folder), "train"), apart)
    assert found["initial model is not trained on"].severity == "wrong"
    scored = saved(apart, "scored", parent=str(folder), recipe={"options": {}, "sha256": "0"})
    assert severities(scored, apart)["model"] == "wrong"


def test_where_a_chain_breaks_it_is_said(apart, home):
    before, after = "2026-01-01T12:00:00+00:00", "2026-01-01T12:00:00-01:00"
    begun_from(apart, "mid", "gone", "train", created=before)
    begun_from(apart, "again", None, "test", created=after)
    (home / "models" / "released").mkdir(parents=True)
    (home / "models" / "released" / "model.safetensors").touch()
    for init, severity, said in (
        ("mid", "warning", "run mid began from gone, which is not here, so .* not known \\(fine < mid\\)"),
        ("again", "warning", "fine began from again, which was made again since then"),
        ("released", "note", "fine began from released, a folder of weights that does not say"),
        ("fine", "warning", "fine began from fine, which itself began from it.*\\(fine < fine\\)"),
    ):
        last = of_beginning(begun_from(apart, "fine", init, "train", created=before), apart)
        assert last["initial weights"].severity == severity and last["initial weights"].fix
        assert re.search(said, last["initial weights"].sentence)
        assert ("initial model is not trained on" in last) == (init == "mid")


def test_runs_that_began_from_each_other_end(apart):
    begun_from(apart, "a", "b", "train")
    run = begun_from(apart, "b", "a", "train")
    assert "(b < a < b)" in of_beginning(run, apart)["initial weights"].sentence
