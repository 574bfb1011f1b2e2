"""Audit of runs: every finding has a planted case that raises it and a clean one that does not."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.evaluation.real import matrix, msrvtt_captions, needs_real_data
from tests.evaluation.test_order import made as in_order
from tests.made import made_corpus, made_similarity
from workbench.core.errors import DataError, UnknownNameError
from workbench.core.files import write_table
from workbench.corpus import open_corpus, save_corpus
from workbench.pipelines.audit import audit

N = 160


@pytest.fixture
def corpus(home):
    return made_corpus(N)


def saved(corpus, similarity, name="x", **options):
    return wb.save_run(similarity, corpus=corpus, name=name, **options)


def overwrite_matrix(run, change):
    """Change the stored matrix behind the run's back."""
    path = run.path / "similarity.npy"
    values = np.load(path)
    change(values)
    np.save(path, values)
    return wb.open_run(run.name)


def test_a_clean_run_has_nothing_wrong(corpus):
    similarity = made_similarity(corpus, 3.0)
    saved(corpus, similarity, "good")
    saved(corpus, similarity + 0.03 * np.random.default_rng(0).normal(size=similarity.shape), "fair")
    found = audit("good")
    assert found.ok and found.count("wrong") == found.count("warning") == 0, found
    assert found.of("agreement with other runs").severity == "ok" and found.of("corpus").severity == "ok"
    expected = "finite values,constant rows,constant columns,stored metrics,ties,higher is better,right pairs"
    assert {name: found.of(name).severity for name in expected.split(",")} == dict.fromkeys(expected.split(","), "ok")
    assert found.of("duplicate-aware metrics").severity == "note"
    assert list(found.table.columns) == "about severity check sentence n_rows rows fix numbers".split()
    assert repr(found).startswith("Findings(0 wrong, 0 warning") and len(list(found)) == len(found)
    json.dumps(found.of("ties").numbers)


def test_nothing_and_unknown(corpus):
    with pytest.raises(DataError, match="nothing to audit"):
        audit()
    with pytest.raises(UnknownNameError, match="No check is called 'tide'. Did you mean ties"):
        audit(saved(corpus, made_similarity(corpus))).of("tide")
    with pytest.raises(DataError, match="was not made on other"):
        audit("x", made_corpus(40, name="other"))


@pytest.mark.parametrize("value, n", [(np.nan, 2), (np.inf, 1)])
def test_scores_that_are_not_finite(corpus, value, n):
    def change(values):
        values[3, :n] = value
        values[5, 0] = value

    run = overwrite_matrix(saved(corpus, made_similarity(corpus)), change)
    found = audit(run)
    bad = found.of("finite values")
    assert bad.severity == "wrong" and bad.n_rows == 2 and not found.ok
    assert bad.rows == run.queries["caption_id"].iloc[[3, 5]].to_list()
    with pytest.raises(UnknownNameError):
        found.of("ties")


def test_pairs_without_a_score(corpus):
    similarity = made_similarity(corpus)
    similarity[:, 7] = -np.inf
    missing = {corpus.videos["video_id"].iloc[7]: "broken"}
    assert audit(saved(corpus, similarity, missing=missing)).of("finite values").severity == "ok"
    similarity[0, 9] = -np.inf
    found = audit(saved(corpus, similarity, "y", missing=missing)).of("finite values")
    assert found.severity == "warning" and "1 pair has no score" in found.sentence
    reranked = saved(corpus, similarity, "z", missing=missing, protocol={"candidates": 20})
    assert audit(reranked).of("finite values").severity == "ok"


def test_constant_rows_and_columns(corpus):
    similarity = made_similarity(corpus)
    similarity[4] = 0.5
    found = audit(saved(corpus, similarity))
    assert found.of("constant rows").rows == [corpus.captions["caption_id"].iloc[4]]
    assert found.of("constant columns").severity == "ok" and found.of("constant rows").severity == "warning"
    similarity = made_similarity(corpus)
    similarity[:, [2, 3]] = 0.1
    found = audit(saved(corpus, similarity, "y"))
    assert found.of("constant columns").rows == corpus.videos["video_id"].iloc[[2, 3]].to_list()
    assert found.of("constant rows").severity == "ok"


def test_ties(corpus):
    rounded = np.round(made_similarity(corpus, noise=2.0), 1)
    run = saved(corpus, rounded)
    found = audit(run).of("ties")
    assert found.severity == "warning" and found.n_rows == run.metrics["t2v"]["n_tied"] > 0
    low, high = found.numbers["r1_pessimistic"], found.numbers["r1_optimistic"]
    assert low < run.metrics["t2v"]["r1"] < high and "float32" in found.fix


def test_metrics_of_another_matrix(corpus):
    run = overwrite_matrix(saved(corpus, made_similarity(corpus)), lambda values: values.__imul__(-1))
    found = audit(run).of("stored metrics")
    assert found.severity == "wrong" and {"t2v n_above", "v2t R@1"} <= set(found.rows)
    run = saved(corpus, made_similarity(corpus), "y")
    np.save(run.path / "similarity.npy", np.zeros((3, 4), np.float32))
    assert audit("y").of("shape").severity == "wrong"


def test_distances(corpus):
    found = audit(saved(corpus, 1 - made_similarity(corpus))).of("higher is better")
    assert found.severity == "wrong" and "negative" in found.fix
    noise = np.random.default_rng(0).normal(size=(N, N)).astype(np.float32)
    assert audit(saved(corpus, noise, "noise")).of("higher is better").severity == "ok"


def ordered(n=600):
    """A corpus and a similarity whose order can be told, as in the tests of ``check_order``."""
    captions, similarity = in_order(n, 0, video_noise=2.0, copies=4)
    videos = pd.DataFrame({"video_id": [f"v{i}" for i in range(n)], "split": "test", "status": "not_kept"})
    texts = pd.DataFrame({"caption_id": [f"q{i}" for i in range(n)], "video_id": videos["video_id"], "text": captions,
                          "split": "test", "role": "original"})  # fmt: skip
    return save_corpus("ordered", {"videos": videos, "captions": texts}).with_split("test"), similarity


def test_order_and_orientation(home):
    corpus, similarity = ordered()
    order = np.random.default_rng(0).permutation(600)
    wrong = {
        "rows": similarity[order],
        "columns": similarity[:, order],
        "transposed": similarity.T,
        "right": similarity,
    }
    for name, matrix_ in wrong.items():
        found = audit(saved(corpus, matrix_, name)).of("order")
        if name == "right":
            assert found.severity == "ok" and not found.fix
        else:
            assert found.severity == "wrong" and found.rows == [name], found.sentence
            assert ("--transpose" if name == "transposed" else "--row-ids") in found.fix


def test_the_named_order_is_found(home):
    corpus, similarity = ordered()
    scrambled = np.random.default_rng(1).permutation(600)
    rows = pd.DataFrame({"split": "test", "order": "scrambled", "axis": "videos", "position": np.arange(600),
                         "id": corpus.videos["video_id"].to_numpy()[scrambled]})  # fmt: skip
    write_table(corpus.path / "orders.parquet", rows)
    found = audit(saved(corpus, similarity[:, scrambled])).of("order")
    assert found.severity == "wrong" and found.numbers["order"] == "scrambled"
    listed = audit(corpus=corpus).of("scrambled order")
    assert listed.severity == "note" and np.array_equal(listed.numbers["columns_in_order"], np.argsort(scrambled))
    run = wb.import_run(similarity[:, scrambled], corpus=corpus, name="imported")
    assert audit(run).of("order").severity == "ok" and "'scrambled'" in run.order["evidence"]


def test_hits_that_go_with_no_other_run(home):
    corpus = made_corpus(600)
    similarity = made_similarity(corpus, noise=1.5)
    saved(corpus, similarity, "one")
    saved(corpus, similarity + 0.02 * np.random.default_rng(0).normal(size=similarity.shape), "two")
    found = audit("one").of("agreement with other runs")
    assert found.severity == "ok" and found.numbers["phi"]["two"] > 0.5
    # texts from which no order can be told, so that only the hits can
    odd = corpus.captions.assign(text=[f"word{i} thing{i}" for i in range(len(corpus.captions))])
    strange = save_corpus("strange", {"videos": corpus.videos, "captions": odd}).with_split("test")
    shift = np.roll(np.arange(600), 150)
    base = np.eye(600)[:, :] * (np.arange(600) % 2)[:, None]
    saved(strange, base, "a")
    saved(strange, 0.9 * base, "b")
    saved(strange, np.eye(600) * np.random.default_rng(3).integers(0, 2, 600)[shift][:, None], "c")
    found = audit("c").of("agreement with other runs")
    assert found.severity == "warning" and sorted(found.rows) == ["a", "b"] and "another order" in found.sentence
    assert audit("a").of("agreement with other runs").severity == "warning"  # c is independent, b is not
    assert audit("a").of("agreement with other runs").numbers["with"] == ["b"]


def test_too_few_to_tell_and_no_other_run(home):
    corpus = made_corpus(8)
    saved(corpus, made_similarity(corpus))
    assert "no other run" in audit("x").of("agreement with other runs").sentence
    saved(corpus, np.random.default_rng(0).normal(size=(8, 8)), "y")
    assert audit("x").of("agreement with other runs").severity == "note"


def test_right_pairs_too_good_to_be_true(home):
    plain = made_corpus(N, name="plain")
    texts = plain.captions.assign(text=[f"a dog number {i} runs" for i in range(N)])
    corpus = save_corpus("distinct", {"videos": plain.videos, "captions": texts}).with_split("test")
    noise = np.random.default_rng(0).uniform(0, 0.5, (N, N))
    found = audit(saved(corpus, noise + np.eye(N))).of("right pairs")
    assert found.severity == "warning" and "above every wrong one" in found.sentence
    almost = noise + np.eye(N)
    almost[0, 1] = almost[0, 0] = 5
    almost[0, 0] = 5.1
    found = audit(saved(corpus, almost, "y")).of("right pairs")
    assert found.severity == "warning" and "R@1 is 100.00" in found.sentence
    assert audit(saved(corpus, made_similarity(corpus, 2.0), "z")).of("right pairs").severity == "ok"


def doubled(n=80, copies=2):
    plain = made_corpus(n, name="plain")
    texts = plain.captions.assign(text=[f"a dog number {i // copies} runs" for i in range(n)])
    return save_corpus("doubled", {"videos": plain.videos, "captions": texts}).with_split("test")


def test_scores_that_know_the_pair(home):
    corpus = doubled()
    honest = made_similarity(corpus, noise=1.0)
    found = audit(saved(corpus, honest))
    assert found.of("rows of equal captions").severity == "ok" and found.of("right pairs").severity == "ok"
    assert found.of("rows of equal captions").numbers["n_pairs"] == 40
    leaked = honest + 0.05 * np.eye(80)
    found = audit(saved(corpus, leaked, "leaked")).of("rows of equal captions")
    assert found.severity == "wrong" and found.numbers["n_favour_own"] == 40
    above = audit(saved(corpus, honest + 2 * np.eye(80), "above")).of("right pairs")
    assert above.severity == "wrong" and "equal captions allow 50.00" in above.sentence
    dropout = honest + 0.1 * np.random.default_rng(0).normal(size=honest.shape)
    assert audit(saved(corpus, dropout, "dropout")).of("rows of equal captions").severity == "warning"


def test_duplicate_aware_metrics(home):
    corpus = doubled()
    run = saved(corpus, made_similarity(corpus, noise=0.3))
    found = audit(run).of("duplicate-aware metrics")
    assert found.numbers["t2v_r1"] == pytest.approx(run.metrics["t2v"]["r1"])
    right = [i // 2 == int(np.argmax(row)) // 2 for i, row in enumerate(np.asarray(run.similarity))]
    assert found.numbers["t2v_r1_aware"] == pytest.approx(100 * np.mean(right)) and found.severity == "note"


def test_totals_only_and_a_changed_corpus(corpus):
    run = saved(corpus, made_similarity(corpus), totals_only=True)
    found = audit(run)
    assert found.of("order").severity == "note" and "totals only" in found.of("order").sentence and found.ok
    run = saved(corpus, made_similarity(corpus), "y")
    save_corpus("made", {"videos": corpus.videos, "captions": corpus.captions.assign(text="new")}, overwrite=True)
    found = audit("y").of("corpus")
    assert found.severity == "warning" and "has changed since" in found.sentence


def test_a_run_that_is_not_finished(corpus):
    from workbench.evaluation.runs.saving import fail_run, start_run

    fail_run(start_run("half", corpus), "stopped")
    assert audit("half").of("state").severity == "warning"


@needs_real_data
@pytest.mark.usefixtures("home")
def test_the_published_matrices_that_contradict():
    rows = [{"caption_id": str(i), "video_id": f"video{i}", "text": text, "split": "test", "role": "original"}
            for i, text in enumerate(msrvtt_captions())]  # fmt: skip
    videos = pd.DataFrame({"video_id": [f"video{i}" for i in range(1000)], "split": "test", "status": "not_kept"})
    save_corpus("msr", {"videos": videos, "captions": pd.DataFrame(rows)})
    corpus = open_corpus("msr", "test")
    for name in ("clip4clip", "InternVideo2", "GRAM", "VAST"):
        saved(corpus, matrix(name), name.lower())
    for name in ("gram", "vast"):
        found = audit(name)
        assert found.of("order").severity == "wrong" and found.of("order").rows == ["rows", "columns"]
        hits = found.of("agreement with other runs")
        assert hits.severity == "warning" and sorted(hits.rows) == ["clip4clip", "internvideo2"]
    for name in ("clip4clip", "internvideo2"):
        found = audit(name)
        assert found.ok and found.of("order").severity == "ok", found
        assert found.of("agreement with other runs").severity == "ok"
