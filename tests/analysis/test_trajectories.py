"""How far trainings are, their curves, and what was learned and lost, on numbers written by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.made import made_corpus, made_runs
from tests.trained import history_of, ranks_of, training
from workbench import analysis
from workbench.analysis.trainings import MOST_POINTS
from workbench.analysis.trajectories import KINDS, kinds_at
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.core.files import write_table
from workbench.core.jobs import Job
from workbench.evaluation import Run


@pytest.fixture
def corpus(home):
    return made_corpus(8)


def slow_kind(right: list[bool]) -> str:
    """What became of one query by the last of these looks."""
    if not any(right):
        return "never"
    if not right[-1]:
        return "lost"
    return "kept" if all(right[right.index(True) :]) else "again"


@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=st.sampled_from([1, 2, 5, np.nan])))
def test_kinds_equal_a_slow_loop(ranks):
    found = kinds_at(ranks, 2)
    for row, kinds in zip(ranks <= 2, found, strict=True):
        assert kinds.tolist() == [slow_kind(row[: look + 1].tolist()) for look in range(len(row))]


def test_what_became_of_each_query(corpus):
    ids = ["kept", "lost", "again", "never", "unscored", "bad"]
    ranks = ranks_of(ids, {2: [1, 1, 1, 4, 0, 9], 4: [1, 1, 3, 2, 0, 9], 6: [1, 3, 1, 3, 0, 8]})
    run = training(corpus, "t", losses=[1.0] * 6, ranks=ranks)
    found = analysis.trajectories(run)
    assert found.steps == [2, 4, 6] and found.ids == ids and np.isnan(found.ranks[4]).all()
    table = analysis.query_kinds(found, 1, chosen=4).set_index("id")
    assert table["kind"].to_dict() == {
        "kept": "kept", "lost": "lost", "again": "again", "never": "never", "unscored": "never", "bad": "never"
    }  # fmt: skip
    assert list(table.index) == ["lost", "unscored", "bad", "never", "again", "kept"]  # worst first within a kind
    assert table["first_right"].fillna(-1).to_dict() == {
        "kept": 2, "lost": 2, "again": 2, "never": -1, "unscored": -1, "bad": -1
    }  # fmt: skip
    assert table.loc["again", "rank_chosen"] == 3 and table.loc["lost", "rank_last"] == 3
    assert table.loc["lost", "reciprocal"].tolist() == [1, 1, 0.3333]
    assert table.loc["unscored", "reciprocal"].tolist() == [0, 0, 0]
    shares = analysis.kind_shares(found, 1)
    assert list(shares["kind"][:4]) == list(KINDS) and (shares.groupby("step")["n"].sum() == 6).all()
    last = shares[shares["step"] == 6].set_index("kind")["n"].to_dict()
    assert last == {"kept": 1, "again": 1, "lost": 1, "never": 3}
    assert shares.groupby("step")["share"].sum().tolist() == pytest.approx([1, 1, 1])


def test_a_query_that_was_not_scored_is_right_at_no_k(corpus):
    run = training(corpus, "t", losses=[1.0], ranks=ranks_of(["a", "b"], {1: [0, 2]}))  # gallery of 2: rank 2 at most
    assert analysis.query_kinds(analysis.trajectories(run), 10).set_index("id")["kind"]["a"] == "never"


def test_ties_share_the_mean_of_their_ranks(corpus):
    ranks = ranks_of(["a"], {1: [3]}).assign(n_tied=3, n_tied_right=2)
    found = analysis.trajectories(training(corpus, "t", losses=[1.0], ranks=ranks))
    assert found.ranks.tolist() == [[1 + 2 + 3 / 3]]


def test_ranks_that_cannot_be_read_are_said(corpus):
    ranks = ranks_of(["a", "b"], {1: [1, 1], 2: [1, 2]})
    run = training(corpus, "t", losses=[1.0, 1.0], ranks=ranks)
    with pytest.raises(StateError, match="keeps no ranks of the validation split for v2t"):
        analysis.trajectories(run, "v2t")
    with pytest.raises(UnknownNameError):
        analysis.trajectories(run, "sideways")
    with pytest.raises(StateError, match="Run none keeps no ranks"):
        analysis.trajectories(training(corpus, "none", losses=[1.0]))
    write_table(run.path / "trajectory.parquet", ranks[:3])
    with pytest.raises(DataError, match="lacks some queries"):
        analysis.trajectories(run)
    again = pd.concat([ranks, ranks_of(["a", "b"], {2: [7, 2]})])  # a look that was made once more after a resume
    write_table(run.path / "trajectory.parquet", again)
    assert analysis.trajectories(run).ranks.tolist() == [[1, 7], [1, 2]]


def test_how_far_trainings_are(corpus):
    half = training(corpus, "half", losses=[3.0, 2.0, 1.0], mrr={2: 0.5})
    done = training(corpus, "done", losses=[3.0] * 10, mrr={5: 0.75, 10: 0.75}, end="finished")
    dead = training(corpus, "dead", losses=[3.0] * 4, mrr={2: 0.5, 4: 0.25}, best=4, end="dead")
    fresh = training(corpus, "fresh", end="It broke.")
    assert all(map(analysis.is_training, (half, done, dead, fresh)))
    assert not analysis.is_training(made_runs(corpus, ("imported",))[0])
    table = analysis.trainings([half, done, dead, fresh]).set_index("name")
    assert {"samples_per_s", "data_wait", "gpu_gib"} < set(table)
    assert table["state"].to_dict() == {"half": "running", "done": "finished", "dead": "dead", "fresh": "failed"}
    assert table["step"].tolist() == [3, 10, 4, 0] and table["steps"].tolist() == [10] * 4
    assert table["chosen_step"].fillna(-1).tolist() == [2, 5, 4, -1]  # the first of equal ones; else what `best` says
    assert table["mrr"].fillna(-1).tolist() == [0.5, 0.75, 0.25, -1] and table["r1"][:3].tolist() == [50, 75, 25]
    assert table["split"].tolist() == ["val"] * 4 and table.loc["fresh", "note"] == "It broke."
    assert table.loc["half", "seconds_left"] == pytest.approx(7 * 2.0)  # two seconds a step, seven to come
    assert table["seconds_left"].isna().tolist() == [False, True, True, True]


def test_a_job_says_more_than_the_history(corpus, home, monkeypatch):
    run = training(corpus, "t", losses=[3.0, 2.0])
    folder = home / "jobs" / "train-t"
    folder.mkdir(parents=True)
    (folder / "progress.json").write_text('{"label": "Training", "done": 7, "total": 10, "unit": "steps"}')
    monkeypatch.setattr(Job, "state", "running")
    job = Job("train-t", 1, folder)
    row = analysis.trainings([run], {"t": job}).iloc[0]
    assert (row["step"], row["job"], row["job_state"]) == (7, "train-t", "running")
    assert row["seconds_left"] == pytest.approx(3 * 2.0)
    (folder / "progress.json").write_text('{"label": "Scoring", "done": 90, "total": 100, "unit": "videos"}')
    assert analysis.trainings([run], {"t": job})["step"][0] == 2


def slow_average(values: list[float], span: float) -> list[float]:
    """The exponential average with its weights written out."""
    keep = 1 - 2 / (span + 1)
    found = []
    for at in range(len(values)):
        weights = [keep ** (at - i) for i in range(at + 1)]
        found.append(sum(w * v for w, v in zip(weights, values, strict=False)) / sum(weights))
    return found


def test_curves_are_smoothed_but_not_metrics(corpus):
    losses = [5.0, 1.0, 4.0, 2.0]
    run = training(corpus, "t", losses=losses, mrr={2: 0.25, 4: 0.5})
    table = analysis.curves(run, 3)
    loss = table[table["name"] == "loss"]
    assert loss["value"].tolist() == losses and loss["smooth"].tolist() == pytest.approx(slow_average(losses, 3))
    mrr = table[table["name"] == "mrr"]
    assert mrr["smooth"].tolist() == [0.25, 0.5] and set(mrr["split"]) == {"val"}
    assert analysis.names_of(table) == ["loss", "mrr", "r1"]  # the clock is no curve
    both = pd.DataFrame({"name": ["loss", "mrr", "v2t mrr"], "split": ["", "val", "val"]})
    assert analysis.names_of(both, "v2t") == ["loss", "v2t mrr"] and analysis.names_of(both, "t2v") == ["loss", "mrr"]
    plain = analysis.curves(run)
    assert plain["smooth"].equals(plain["value"])
    assert analysis.curves(training(corpus, "fresh")).empty


def test_a_loss_that_is_not_a_number_is_a_gap_and_is_told(corpus):
    run = training(corpus, "t", losses=[1.0, np.inf, 3.0])
    table = analysis.curves(run, 10)
    assert table["value"].isna().tolist() == table["smooth"].isna().tolist() == [False, True, False]
    assert analysis.not_finite(table) == {"t": 1}


def test_long_curves_keep_their_peaks(corpus):
    n = 20_000
    losses = np.linspace(2.0, 1.0, n)
    losses[[777, 15_003]] = 90.0, -5.0
    run = training(corpus, "t", losses=[1.0])
    write_table(run.path / "history.parquet", history_of(losses.tolist(), {}))
    loss = analysis.curves(Run(run.path))
    assert len(loss) <= MOST_POINTS and loss["step"].is_monotonic_increasing
    assert {0, 777, 15_003, n - 1} <= set(loss["step"]) and loss["value"].max() == 90 and loss["value"].min() == -5
