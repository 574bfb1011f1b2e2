"""Two runs and many: agreement of lists, causes fixed and broken, sets of runs that solve queries, seeds, notebooks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.made import made_corpus, made_runs, made_similarity
from workbench import analysis
from workbench.analysis.trajectories import KINDS, Trajectories
from workbench.core.errors import DataError
from workbench.core.workspace import elsewhere
from workbench.evaluation.statistics.groups import seed_groups


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    with elsewhere(tmp_path_factory.mktemp("home")):
        yield made_runs(made_corpus(80))


@pytest.mark.parametrize("direction", ["t2v", "v2t"])
def test_agreement_is_counted_as_said(runs, direction):
    good, fair, _ = runs
    table = analysis.compare_runs(fair, good, direction=direction).agreement
    assert table["k"].to_list() == [1, 5, 10, 50]
    lists = [run.per(direction)["top_columns"] for run in (fair, good)]
    for row in table.itertuples():
        shares = [
            len({*x[: row.k]} & {*y[: row.k]}) / len({*x[: row.k]} | {*y[: row.k]}) for x, y in zip(*lists, strict=True)
        ]
        assert row.shared == pytest.approx(np.mean(shares))
        hits = [(run.rank(direction) <= row.k).astype(float) for run in (fair, good)]
        if hits[0].std() and hits[1].std() and not any(run.per(direction)["n_tied"].any() for run in (fair, good)):
            assert row.phi == pytest.approx(np.corrcoef(*hits)[0, 1])


def test_ties_are_neither_won_nor_lost(home):
    """c0: tied in A, right in B; c1: right in A, tied in B; c2: B right, A wrong; c3: tied in both."""
    corpus = made_corpus(4)
    a, b = np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32)
    a[0, 1] = b[1, 0] = a[3, 0] = b[3, 1] = 1.0
    a[2, 0] = 2.0
    run_a, run_b = (wb.save_run(one, corpus=corpus, name=name) for one, name in ((a, "a"), (b, "b")))
    found = analysis.compare_runs(run_a, run_b)
    assert found.table["outcome"].to_list() == ["tied", "tied", "win", "tied"]
    assert found.table[["tied_a", "tied_b"]].to_numpy().tolist() == [[1, 0], [0, 1], [0, 0], [1, 1]]
    test = found.test
    assert (test.wins, test.losses, test.undecided, test.ties) == (1, 0, 2, 1)
    assert test.difference == pytest.approx(run_b.metrics["t2v"]["r1"] - run_a.metrics["t2v"]["r1"])  # not touched
    assert "1 win / 0 losses, 2 decided only by the order of tied scores" in found.verdict
    assert "3 of 4 queries are tied for the first place (2 in a, 2 in b)" in found.note
    assert "tied in A or B: right by chance" in found._repr_html_()
    table, _ = analysis.compare_many(run_a, [run_b])
    assert table[["wins", "losses", "undecided"]].to_numpy().tolist() == [[1, 0, 2]]
    solved = analysis.solved_sets([run_a, run_b])
    assert solved.n_tied == 3 and solved.right.tolist() == [[False, True], [True, False], [False, True], [False, False]]


def test_a_run_agrees_with_itself(runs):
    same = analysis.compare_runs(runs[2], runs[2]).agreement
    assert (same["shared"] == 1).all() and same["phi"][0] == pytest.approx(1)


def test_causes_fixed_and_broken(runs):
    good, _, poor = runs
    a, b = analysis.failures(poor), analysis.failures(good)
    table = analysis.cause_changes(a, b)
    lists = analysis.change_lists(a, b)
    rank_a, rank_b = (pd.Series(run.rank(), index=run.per()["id"]) for run in (poor, good))
    assert set(lists["fixed"]["query_id"]) == set(rank_a.index[(rank_a > 1) & (rank_b <= 1)])
    assert set(lists["broken"]["query_id"]) == set(rank_a.index[(rank_b > 1) & (rank_a <= 1)])
    assert table["fixed"].sum() == len(lists["fixed"]) and table["failed_a"].sum() == len(a)
    assert (table["net"] == table["fixed"] - table["broken"]).all() and table["net"].sum() == len(a) - len(b)
    assert table["family"].drop_duplicates().to_list()[0] == "artefact"
    back = analysis.cause_changes(b, a).set_index("cause")
    assert (back["fixed"].reindex(table["cause"]).to_numpy() == table["broken"].to_numpy()).all()
    few = analysis.cause_changes(a, b, a["query_id"].head(3))
    assert few["failed_a"].sum() == 3
    with pytest.raises(DataError, match="no column cause"):
        analysis.cause_changes(a.drop(columns="cause"), b)


def test_sets_of_runs_that_solve_queries(runs):
    found = analysis.solved_sets(runs, k=1)
    right = np.stack([run.rank() <= 1 for run in runs], axis=1)
    assert found.names == ("good", "fair", "poor") and np.array_equal(found.right, right)
    sets = found.sets.set_index("runs")["n"]
    assert sets.sum() == 80 and found.sets["share"].sum() == pytest.approx(1)
    assert sets.get(("good",), 0) == (right == [True, False, False]).all(1).sum() == len(found.of(["good"]))
    assert found.by_any == 80 - sets.get((), 0) and found.by_all == sets.get(("good", "fair", "poor"), 0)
    assert found.sets["n"].is_monotonic_decreasing and set(found.of([])) == set(found.ids[~right.any(1)])
    for wrong in ([], runs * 6):
        with pytest.raises(DataError, match="Give 1 to 16 runs"):
            analysis.solved_sets(wrong)
    with pytest.raises(DataError, match="k = 0"):
        analysis.solved_sets(runs, k=0)


def test_runs_on_other_corpora_are_no_set(runs, home):
    other = wb.save_run(made_similarity(made_corpus(16, name="other")), corpus="other", name="elsewhere")
    with pytest.raises(DataError, match="the fingerprints differ"):
        analysis.solved_sets([runs[0], other])


def test_spread_of_seeds(home):
    corpus = made_corpus(32)
    made = [
        wb.save_run(made_similarity(corpus, 2.0, seed=seed), corpus=corpus, name=f"s{seed}", group="g", seed=seed)
        for seed in range(3)
    ]
    table = analysis.seed_spread(seed_groups([*made, *made_runs(corpus, ("alone",))]))
    values = [run.metrics["t2v"]["r1"] for run in made]
    (row,) = table.itertuples()
    assert (row.group, row.n_seeds) == ("g", 3) and row.values == pytest.approx(values)
    assert (row.mean, row.sd, row.min, row.max) == pytest.approx(
        (np.mean(values), np.std(values, ddof=1), min(values), max(values))
    )
    assert row.low <= row.mean <= row.high
    assert analysis.metric_table(made).to_list() == pytest.approx(values)


def seen(ranks, name="a", ids=None, direction="t2v"):
    ranks = np.asarray(ranks, float)
    return Trajectories(
        name, direction, list(range(ranks.shape[1])), ids or [f"q{i}" for i in range(len(ranks))], ranks
    )


def test_what_two_trainings_learned():
    a = seen([[9, 9, 1], [1, 5, 5], [9, 9, 9], [1, 1, 1]])
    b = seen([[1, 1, 1], [1, 1, 1], [9, 2, 2], [9, 1, 3]], "b")
    found = analysis.learned_by(a, b)
    assert found["id"].to_list() == ["q1", "q2", "q0", "q3"]  # 5, 4.5, 1, 1 / 3
    counts = analysis.learned_table(found)
    assert counts.to_numpy().sum() == 4 and list(counts.index) == list(KINDS.values()) == list(counts.columns)
    assert counts.loc[KINDS["lost"], KINDS["kept"]] == counts.loc[KINDS["never"], KINDS["never"]] == 1
    assert counts.loc[KINDS["kept"], KINDS["lost"]] == counts.loc[KINDS["kept"], KINDS["kept"]] == 1
    with pytest.raises(DataError, match="share no validation query"):
        analysis.learned_by(a, seen([[1, 1, 1]], "c", ["other"]))
    with pytest.raises(DataError, match="Ask for one direction"):
        analysis.learned_by(a, seen([[1]], "c", direction="v2t"))


def test_a_notebook_shows_the_verdict_and_tables(runs, monkeypatch):
    good, fair, _ = runs
    monkeypatch.setitem(fair.info, "name", "<script>x</script>")
    shown = analysis.compare_runs(fair, good)._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown
    assert "good is better, beyond noise" in shown and "only B right" in shown and "TV Show" in shown
