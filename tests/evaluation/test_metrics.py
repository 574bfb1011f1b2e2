"""Metrics against an enumeration of all tie orders, golden vectors, and the real matrices."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation import slow
from tests.evaluation.real import matrix, needs_real_data
from tests.evaluation.test_ranks import problems, steady
from workbench.core.errors import UnknownNameError
from workbench.evaluation import retrieval_metrics
from workbench.evaluation.metrics.retrieval import hit_values
from workbench.evaluation.ranks.relevance import check_relevance


@steady
@given(problems(most=5), st.sampled_from(["caption", "video"]))
def test_expected_values_are_the_mean_over_all_tie_orders(problem, level):
    similarity, grades = problem
    both = retrieval_metrics(similarity.astype(np.float32), sp.csr_array(grades), direction="both", v2t=level)
    for direction, found in both.items():
        rows = [slow.values(slow.items_of(similarity, grades, direction, level, int(q))) for q in found.counts.queries]
        table = found.values[["r1", "r5", "r10", "rr", "ap", "ndcg10"]].to_numpy()
        np.testing.assert_allclose(table, np.array(rows), atol=1e-9)
        assert found.map == pytest.approx(np.mean([row[4] for row in rows]))


@steady
@given(problems(most=5))
def test_rules_bound_the_expected_value(problem):
    similarity, grades = problem
    worst, mean, best = (
        retrieval_metrics(similarity, sp.csr_array(grades), ties=rule).values
        for rule in ("pessimistic", "expected", "optimistic")
    )
    for name in ("r1", "r5", "rr", "ap", "ndcg10"):
        assert (worst[name] <= mean[name] + 1e-9).all() and (mean[name] <= best[name] + 1e-9).all()
    assert (best["rank"] <= mean["rank"]).all() and (mean["rank"] <= worst["rank"]).all()


@steady
@given(problems(), st.sampled_from(["caption", "video"]))
def test_top_lists_are_sorted_by_score_then_position(problem, level):
    similarity, grades = problem
    relevant = check_relevance(sp.csr_array(grades), similarity.shape)
    both = retrieval_metrics(similarity, sp.csr_array(grades), direction="both", v2t=level)
    for row in both["t2v"].per_query.itertuples():
        order = sorted(range(similarity.shape[1]), key=lambda j, i=row.row: (-similarity[i, j], j))
        expected = [j for j in order if similarity[row.row, j] > -np.inf]
        assert row.top_columns.tolist() == expected
        assert row.top_scores.tolist() == similarity[row.row, expected].tolist()
    for row in both["v2t"].per_query.itertuples():
        scores = similarity[:, row.row]
        groups = relevant.groups if level == "video" else np.arange(len(scores))
        order = [i for i in np.lexsort((np.arange(len(scores)), -scores)) if scores[i] > -np.inf]
        first = [i for n, i in enumerate(order) if groups[i] not in groups[order[:n]]]
        assert row.top_columns.tolist() == first


def test_top_lists_stop_at_100():
    table = retrieval_metrics(np.tile(np.arange(150.0), (150, 1))).per_query
    assert table["top_columns"][0].tolist() == list(range(149, 49, -1))
    assert table["score_right"].tolist() == list(range(150))


def test_closed_form_of_one_right_item():
    for m in range(5):
        counts = {"n_above": np.array([2]), "n_tied": np.array([m]), "n_tied_right": np.array([1])}
        for k in range(1, 10):
            assert hit_values(counts, k)[0] == pytest.approx(np.clip((k - 2) / (m + 1), 0, 1))


def test_unscored_queries_are_misses_and_counted():
    similarity = np.array([[-np.inf, 1.0, 2.0], [0.0, 3.0, 1.0], [0.0, 0.0, 1.0]])
    for rule in ("expected", "optimistic", "pessimistic"):
        found = retrieval_metrics(similarity, ties=rule)
        assert (found.r1, found.r100) == pytest.approx((200 / 3, 200 / 3))
        assert found.values.loc[0, ["rr", "ap", "ndcg10"]].tolist() == [0, 0, 0]
        assert found.values.loc[0, "rank"] == 3
        summary = found.to_dict()
        assert summary["n_missed_unscored"] == found.n_missed_unscored == 1
        assert summary["without_unscored"]["r1"] == 100
        assert summary["without_unscored"]["n_queries"] == 2
    assert retrieval_metrics(np.eye(2)).to_dict()["without_unscored"] is None
    nothing = retrieval_metrics(np.full((2, 2), -np.inf)).to_dict()
    assert (nothing["r100"], nothing["without_unscored"], nothing["mean_rank"]) == (0, {}, 2)


def test_golden_vectors_of_the_cross_lingual_spec():
    similarity = np.array([[0.9, 0.1, 0.3], [0.2, 0.8, 0.1], [0.4, 0.5, 0.6], [0.3, 0.3, 0.3]])
    grades = sp.csr_array(np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.int8))
    t2v = retrieval_metrics(similarity, grades, ties="pessimistic")
    assert (t2v.r1, t2v.r5, t2v.median_rank, t2v.mean_rank) == (25, 100, 2, 2)
    assert t2v.map == pytest.approx(0.583333, abs=1e-6)
    v2t = retrieval_metrics(similarity, grades, direction="v2t", v2t="caption", ties="pessimistic")
    assert v2t.r1 == pytest.approx(33.333, abs=1e-3)
    assert (v2t.r5, v2t.median_rank, v2t.mean_rank) == (100, 2, 2)
    assert v2t.map == pytest.approx(0.527778, abs=1e-6)


def test_totals_follow_from_the_parts():
    found = retrieval_metrics(np.random.default_rng(0).normal(size=(40, 40)))
    summary = found.to_dict()
    assert found.sum_recall == pytest.approx(found.r1 + found.r5 + found.r10)
    assert found.geometric_mean == pytest.approx((found.r1 * found.r5 * found.r10) ** (1 / 3))
    for name in ("r1", "r5", "r10", "r50", "r100", "median_rank", "mean_rank", "sum_recall", "geometric_mean"):
        assert summary[name] == pytest.approx(getattr(found, name))
    for name in ("mrr", "map", "ndcg10", "n_queries", "n_tied", "n_items"):
        assert summary[name] == pytest.approx(getattr(found, name))
    assert found.mrr == pytest.approx(found.map)
    assert found.recall(40) == 100
    assert "R@1" in repr(found)


def test_several_thousand_tied_right_items():
    found = retrieval_metrics(np.zeros((1, 3000)), np.r_[np.ones(1000), np.zeros(2000)][None])
    assert found.r1 == pytest.approx(100 / 3)
    assert found.map == pytest.approx(1 / 3, abs=2e-3)


def test_unknown_tie_rule():
    with pytest.raises(UnknownNameError, match="tie rule"):
        retrieval_metrics(np.eye(2), ties="average")


@needs_real_data
@pytest.mark.parametrize(
    "name, r1, mean_rank",
    [("clip4clip", 34.40, 37.34), ("InternVideo2", 54.55, 21.03), ("GRAM", 53.10, 55.83), ("VAST", 49.40, 113.86)],
)
def test_published_matrices(name, r1, mean_rank):
    found = retrieval_metrics(matrix(name))
    assert (round(found.r1, 2), round(found.mean_rank, 2)) == (r1, mean_rank)


@needs_real_data
def test_hidden_tie_rule_of_vast():
    found = [retrieval_metrics(matrix("VAST"), direction="v2t", ties=rule).r10 for rule in
             ("expected", "optimistic", "pessimistic")]  # fmt: skip
    assert [round(value, 2) for value in found] == [73.46, 75.1, 73.4]
