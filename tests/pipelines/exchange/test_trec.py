"""TREC files: they come back, agree with trec_eval, and what is wrong in one is said in a sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import pytrec_eval
import scipy.sparse as sp

import workbench as wb
from workbench.core.errors import DataError
from workbench.evaluation import retrieval_metrics
from workbench.pipelines.exchange import export
from workbench.pipelines.exchange.trec import judged, read_qrels, read_trec_lists


def test_qrels_out_and_in(run, tmp_path):
    assert export([run], tmp_path / "a.qrels") == "40 judged pairs"
    assert (judged(run, tmp_path / "a.qrels") != run.relevance_matrix).nnz == 0
    (tmp_path / "b.qrels").write_text("x 0 y 1\n")
    with pytest.raises(DataError, match="judges no caption and video of run good; its ids look like 'x' and 'y'"):
        judged(run, tmp_path / "b.qrels")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.run is empty"),
        (b"q Q0 d 1 0.5\n", "line 1: 5 values. A line is: query Q0 document rank score tag"),
        (b"\nq Q0 d 1 x tag\n", "line 2: 'x' is not a number"),
        (b"\xff Q0 d 1 1 tag\n", "not UTF-8"),
        (b"q Q0 d 1 1 tag\n", "Caption id 'q' .line 1. is not in the corpus"),
    ],
)
def test_broken_trec_runs(corpus, tmp_path, content, message):
    (tmp_path / "a.run").write_bytes(content)
    with pytest.raises(DataError, match=message):
        wb.import_run(tmp_path / "a.run", corpus=corpus, name="x")


def test_pairs_listed_twice_or_without_a_score(corpus, tmp_path):
    caption, video = corpus.captions["caption_id"][0], corpus.videos["video_id"][0]
    for lines, message in (
        (f"{caption} Q0 {video} 1 1 t\n" * 2, "stands twice"),
        (f"{caption} Q0 {video} 1 nan t\n", "has no finite score"),
    ):
        (tmp_path / "a.run").write_text(lines)
        with pytest.raises(DataError, match=message):
            wb.import_run(tmp_path / "a.run", corpus=corpus, name="x")
    pd.DataFrame({"caption_id": [caption], "video_id": [video]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="no column 'score'; it has caption_id, video_id"):
        wb.import_run(tmp_path / "a.parquet", corpus=corpus, name="x")
    pd.DataFrame({"caption_id": [], "video_id": [], "score": []}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a.parquet lists nothing"):
        wb.import_run(tmp_path / "a.parquet", corpus=corpus, name="x")


def as_trec_eval_ranks(lists, qrels):
    """Similarity and grades of a run and judgements, ties broken as trec_eval does: the greater id first."""
    queries = sorted(set(lists["caption_id"]) & set(qrels["caption_id"]))
    documents = sorted(set(lists["video_id"]) | set(qrels["video_id"]))
    similarity = np.full((len(queries), len(documents)), -np.inf, np.float32)
    grades = np.zeros(similarity.shape, np.int8)
    place = {document: i for i, document in enumerate(documents)}
    for row, query in enumerate(queries):
        own = lists[lists["caption_id"] == query]
        order = sorted(zip(own["score"].astype(np.float32), own["video_id"], strict=True), reverse=True)
        for rank, (_, document) in enumerate(order):
            similarity[row, place[document]] = -rank
        for one in qrels[qrels["caption_id"] == query].itertuples():
            grades[row, place[one.video_id]] = one.grade
    return similarity, grades


def trec_numbers(similarity, grades):
    found = retrieval_metrics(similarity, sp.csr_array(grades))
    names = {"map": found.map, "recip_rank": found.mrr, "ndcg_cut_10": found.ndcg10}
    return names | {f"success_{k}": found.recall(k) / 100 for k in (1, 5, 10)}


def test_a_small_case_worked_out_by_hand(tmp_path):
    (tmp_path / "a.run").write_text("q1 Q0 d1 9 3 t\nq1\tQ0\td2  1  2.5e0 t\nq1 Q0 d3 2 2.5 t\nq2 Q0 d1 1 1 t\n")
    (tmp_path / "a.qrels").write_text("q1 0 d2 1\nq1 0 d9 1\nq2 0 d1 -1\nq2 0 d2 1\n")
    qrels = read_qrels(tmp_path / "a.qrels")
    assert qrels["grade"].tolist() == [1, 1, 0, 1]
    found = trec_numbers(*as_trec_eval_ranks(read_trec_lists(tmp_path / "a.run"), qrels))
    assert found["recip_rank"] == pytest.approx((1 / 3 + 0) / 2)  # d3 stands before d2, d1 of q2 is junk
    assert found["map"] == pytest.approx((1 / 3 / 2 + 0) / 2)
    assert found["success_5"] == 0.5
    (tmp_path / "a.qrels").write_text("q1 0 d2 200\n")
    with pytest.raises(DataError, match="'q1', 'd2' has no whole grade up to 127"):
        read_qrels(tmp_path / "a.qrels")


def test_numbers_of_trec_eval(real_data):
    folder = real_data / "trec" / "trec_eval"
    lists, qrels = read_trec_lists(folder / "results.test"), read_qrels(folder / "qrels.test")
    expected = {line.split()[0]: line.split()[2] for line in (folder / "out.test.a").read_text().splitlines()}
    assert len(lists) == int(expected["num_ret"])
    for name, found in trec_numbers(*as_trec_eval_ranks(lists, qrels)).items():
        assert f"{found:.4f}" == expected[name], name


@pytest.mark.parametrize("name", ["compat", "cwl"])
def test_graded_files_against_pytrec_eval(real_data, name):
    folder = real_data / "trec" / "ir_measures"
    lists, qrels = read_trec_lists(folder / f"{name}.run"), read_qrels(folder / f"{name}.qrels")
    judgements, answers = {}, {}
    for row in qrels.itertuples():
        judgements.setdefault(row.caption_id, {})[row.video_id] = int(row.grade)
    for row in lists.itertuples():
        answers.setdefault(row.caption_id, {})[row.video_id] = row.score
    asked = {"map", "recip_rank", "ndcg_cut_10", "success_1", "success_5", "success_10"}
    table = pd.DataFrame(pytrec_eval.RelevanceEvaluator(judgements, asked).evaluate(answers)).T
    for measure, found in trec_numbers(*as_trec_eval_ranks(lists, qrels)).items():
        assert found == pytest.approx(table[measure].mean(), abs=1e-6), measure
