"""Every metric can be resampled, swapped and compared: against loops that do just what the words say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from tests.made import made_corpus, made_runs, made_similarity
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.core.seeds import generator
from workbench.core.workspace import elsewhere
from workbench.corpus import save_corpus
from workbench.evaluation import retrieval_metrics, save_run
from workbench.evaluation.metrics.measures import METRICS, metric_value, query_values
from workbench.evaluation.statistics.intervals import clustered_interval, joint_numbers
from workbench.evaluation.statistics.paired import paired_test, paired_test_values
from workbench.evaluation.statistics.resampling import Sample, bootstrap, swap
from workbench.evaluation.statistics.verdicts import verdict

small = st.integers(1, 6)


def slowly(values, metric):
    """A metric of values per query, in plain words."""
    if METRICS[metric].statistic == "median":
        return METRICS[metric].scale * float(np.median(values))
    if METRICS[metric].statistic == "geometric":
        return 100 * float(np.prod(np.mean(values, axis=0))) ** (1 / 3)
    return METRICS[metric].scale * float(np.mean(values))


@given(
    values=st.lists(st.tuples(small, st.integers(0, 4)), min_size=1, max_size=12),
    weights=st.lists(st.integers(0, 3), min_size=5, max_size=5),
)
def test_weighted_statistics_equal_those_of_written_out_samples(values, weights):
    number = np.array([cluster for _, cluster in values])
    one = np.array([value for value, _ in values], float)
    three = np.stack([one <= 1, one <= 3, one <= 5], axis=1).astype(float)
    repeated = np.repeat(np.arange(len(one)), np.array(weights)[number])
    chosen = np.array([weights], float)
    for statistic, sample in (("mean", one), ("median", one), ("geometric", three)):
        (found,) = Sample(sample, number, statistic).at(chosen)
        if not len(repeated):
            assert np.isnan(found)
            continue
        drawn = sample[repeated]
        want = {"mean": np.mean, "median": np.median}.get(statistic, lambda x: np.prod(x.mean(axis=0)) ** (1 / 3))
        assert found == pytest.approx(want(drawn))
    columns = Sample(three, number, "columns").at(chosen)
    assert columns.shape == (3, 1)
    if len(repeated):
        assert columns[:, 0] == pytest.approx(three[repeated].mean(axis=0))


@pytest.mark.parametrize("statistic", ["mean", "median", "geometric"])
def test_bootstrap_equals_a_loop_over_the_same_draws(statistic):
    draw = np.random.default_rng(0)
    number, rank = np.sort(draw.integers(0, 9, 30)), draw.integers(1, 20, 30).astype(float)
    number = np.unique(number, return_inverse=True)[1]
    n_clusters = int(number.max()) + 1
    sample = np.stack([rank <= k for k in (1, 5, 10)], axis=1).astype(float) if statistic == "geometric" else rank
    (found,) = bootstrap([Sample(sample, number, statistic)], n_clusters, 200, seed=3)
    clusters = generator(3, "bootstrap").integers(0, n_clusters, (200, n_clusters), dtype=np.int32)
    for row, drawn in enumerate(clusters):
        own = np.concatenate([sample[number == cluster] for cluster in drawn])
        slow = {"mean": np.mean, "median": np.median}.get(statistic, lambda x: np.prod(x.mean(axis=0)) ** (1 / 3))
        assert found[row] == pytest.approx(slow(own))
    low, high = clustered_interval(sample, number, statistic, n_resamples=200, seed=3)
    assert (low, high) == pytest.approx(tuple(np.quantile(found, [0.025, 0.975])))


@pytest.mark.parametrize("metric", ["mean_rank", "median_rank", "geometric_mean"])
def test_swaps_are_those_of_whole_clusters(metric):
    draw = np.random.default_rng(1)
    number = np.repeat(np.arange(5), 3)
    ranks = draw.integers(1, 12, (2, 15)).astype(float)
    tables = [pd.DataFrame({"rank": one} | {f"r{k}": (one <= k).astype(float) for k in (1, 5, 10)}) for one in ranks]
    a, b = (query_values(table, metric) for table in tables)
    statistic = METRICS[metric].statistic
    found = swap(Sample(a, number, statistic), Sample(b, number, statistic), 5, 400, seed=2)
    coins = generator(2, "swaps").integers(0, 2, (250, 5), dtype=np.int8)
    for row, coin in enumerate(coins):
        changed = coin[number].astype(bool)
        mask = changed if a.ndim == 1 else changed[:, None]
        one, two = np.where(mask, b, a), np.where(mask, a, b)
        assert METRICS[metric].scale * found[row] == pytest.approx(slowly(two, metric) - slowly(one, metric), abs=1e-9)


@pytest.fixture(scope="module")
def far_apart(tmp_path_factory):
    """A good run and a much worse one."""
    with elsewhere(tmp_path_factory.mktemp("far-apart")):
        corpus = made_corpus(160, per_video=2)
        return [
            save_run(made_similarity(corpus, noise=noise), corpus=corpus, name=name)
            for name, noise in (("good", 0.5), ("fair", 9.0))
        ]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("direction", ["t2v", "v2t"])
def test_every_metric_is_tested(far_apart, metric, direction):
    good, fair = far_apart
    found = paired_test(fair, good, metric, direction=direction)
    stated = [run.metrics[direction][metric] for run in (fair, good)]
    assert found.difference == pytest.approx(stated[1] - stated[0])
    assert (found.seeds_a, found.seeds_b) == ((pytest.approx(stated[0]),), (pytest.approx(stated[1]),))
    sign = 1 if METRICS[metric].higher_is_better else -1
    assert sign * found.difference > 0 and found.wins > found.losses and found.clustered
    low, high = found.interval
    assert low <= found.difference <= high and 0 < found.p <= 1
    sentence = verdict(found, "fair", "good")
    assert f" {METRICS[metric].label} (95 % CI" in sentence
    back = paired_test(good, fair, metric, direction=direction)
    assert back.difference == pytest.approx(-found.difference)
    assert (back.wins, back.losses) == (found.losses, found.wins)
    assert "same" in verdict(paired_test(good, good, metric, direction=direction), "a", "b")


@pytest.mark.parametrize("metric", METRICS)
def test_without_a_difference_p_is_seldom_small(metric):
    draw = np.random.default_rng(4)
    small_p = 0
    for seed in range(60):
        ranks = 1 + np.floor(np.exp(draw.normal(1.5, 1.2, (2, 60)))) + np.repeat(draw.integers(0, 3, 20), 3)
        tables = [pd.DataFrame({f"r{k}": (one <= k).astype(float) for k in (1, 5, 10, 50, 100)}) for one in ranks]
        for table, one in zip(tables, ranks, strict=True):
            table["rank"], table["rr"], table["ap"], table["ndcg10"] = one, 1 / one, 1 / one, 1 / np.log2(1 + one)
        a, b = (query_values(table, metric) for table in tables)
        found = paired_test_values(a, b, np.repeat(np.arange(20), 3), metric=metric, n_resamples=199, seed=seed)
        small_p += found.p <= 0.05
    assert small_p <= 8  # binomial(60, 1/20) exceeds 8 once in 200


def test_rsum_of_both_directions_draws_sources_with_captions_and_videos(home):
    good, fair = made_runs(made_corpus(80, per_video=2), ("good", "fair"))
    found = paired_test(fair, good, "sum_recall", direction="both")
    parts = [paired_test(fair, good, "sum_recall", direction=one) for one in ("t2v", "v2t")]
    assert found.difference == pytest.approx(sum(one.difference for one in parts))
    assert found.n_queries == 240 and found.n_clusters == parts[0].n_clusters == 20 and found.clustered
    stored = good.metrics["both"]
    assert stored["sum_recall"] == pytest.approx(sum(good.metrics[one]["sum_recall"] for one in ("t2v", "v2t")))
    values = [query_values(good.per(one), "sum_recall") for one in ("t2v", "v2t")]
    sources = good.gallery.set_index("video_id")["source_id"]
    numbers = joint_numbers([sources[good.per("t2v")["id"].str.split("#").str[0]], sources[good.per("v2t")["id"]]])
    clusters = generator(0, "bootstrap").integers(0, 20, (250, 20), dtype=np.int32)
    drawn = [
        sum(np.concatenate([v[n == c] for c in row]).mean() for v, n in zip(values, numbers, strict=True))
        for row in clusters
    ]
    rows = bootstrap([Sample(v, n) for v, n in zip(values, numbers, strict=True)], 20, 250)
    assert rows.sum(axis=0) == pytest.approx(drawn)
    low, high = stored["interval"]["sum_recall"]
    assert low <= stored["sum_recall"] <= high
    with pytest.raises(DataError, match="R@1 is a number of one direction"):
        paired_test(fair, good, direction="both")
    with pytest.raises(UnknownNameError, match="direction"):
        paired_test(fair, good, direction="t3v")


def test_stored_intervals_are_those_of_each_metric_by_itself(home):
    run = made_runs(made_corpus(80, per_video=2), ("good",))[0]
    sources = run.gallery.set_index("video_id")["source_id"]
    for direction in ("t2v", "v2t"):
        stored, table = run.metrics[direction], run.per(direction)
        assert set(METRICS) <= set(stored["interval"]) and stored["interval"]["n_resamples"] == 10_000
        labels = sources[table["id"].str.split("#").str[0]].to_numpy()
        for name, metric in METRICS.items():
            values = query_values(table, name)
            assert metric_value(values, name) == pytest.approx(stored[name])
            want = clustered_interval(values, labels, metric.statistic)
            assert stored["interval"][name] == pytest.approx([metric.scale * one for one in want])


def test_one_source_or_none_has_no_false_interval(home):
    corpus = made_corpus(8)
    videos = corpus.videos.assign(source_id="one", domain=None)
    for name, sources in (("one", "one"), ("none", None)):
        tables = {"videos": videos.assign(source_id=sources), "captions": corpus.captions}
        own = wb.save_run(made_similarity(corpus), corpus=save_corpus(f"c{name}", tables), split="test", name=name)
        stored = own.metrics["t2v"]["interval"]
        assert stored["clustered"] is (name == "one")
        assert all((stored[metric] is None) is (name == "one") for metric in METRICS)
        both = own.metrics["both"]["interval"]
        assert (both["sum_recall"] is None) is (name == "one") and both["clustered"] is (name == "one")
        joint = paired_test(own, own, "sum_recall", direction="both")
        assert joint.clustered is (name == "one") and joint.n_clusters == (1 if name == "one" else 8)


def test_average_precision_is_kept_per_query_and_older_runs_compute_it(home):
    corpus = made_corpus(40, per_video=3)
    run, new = made_runs(corpus, ("good", "other"))
    expected = retrieval_metrics(run.similarity, run.relevance_matrix, direction="both")
    for direction in ("t2v", "v2t"):
        for column in ("ap", "ndcg10"):
            assert run.per(direction)[column].to_numpy() == pytest.approx(expected[direction].values[column].to_numpy())
    want = paired_test(run, new, "map", direction="v2t")
    old = run.per_query.drop(columns=["ap", "ndcg10"])
    old.to_parquet(run.path / "per_query.parquet", index=False)
    again = wb.open_run("good")
    assert "ap" not in again.per("v2t") and paired_test(again, new, "map", direction="v2t") == want
    (run.path / "similarity.npy").unlink()
    with pytest.raises(StateError, match="keeps no similarity matrix"):
        paired_test(wb.open_run("good"), new, "ndcg10")


def test_counts_alone_do_not_tell_average_precision():
    counts = pd.DataFrame({"n_above": [0, 3], "n_tied": [0, 0], "n_tied_right": [1, 1]})
    assert metric_value(query_values(counts, "median_rank"), "median_rank") == 2.5
    assert query_values(counts, "geometric_mean").tolist() == [[1, 1, 1], [0, 1, 1]]
    with pytest.raises(DataError, match="do not tell ap"):
        query_values(counts, "map")


def test_rows_of_every_modality(home):
    corpus = made_corpus(40, per_video=2)
    parts = {"ocr": made_similarity(corpus, seed=1), "vision": made_similarity(corpus, noise=2.0, seed=2)}
    run = save_run(sum(parts.values()), corpus=corpus, name="fused", modalities=parts)
    assert set(run.per_query["modality"]) == {"", "ocr", "vision"}
    for name, matrix in parts.items():
        expected = retrieval_metrics(matrix, corpus.relevance_matrix(), direction="both")
        for direction in ("t2v", "v2t"):
            table = run.per(direction, modality=name)
            assert table["id"].equals(run.per(direction)["id"])
            assert 100 * query_values(table, "r1").mean() == pytest.approx(expected[direction].r1)
            assert query_values(table, "map").mean() == pytest.approx(expected[direction].map)
    bad = {"ocr": np.full_like(parts["ocr"], np.nan)}
    with pytest.raises(DataError, match="Modality 'ocr': The similarity holds .* NaN"):
        save_run(parts["vision"], corpus=corpus, name="bad", modalities=bad)
