"""Oracle gain: what each cause costs, so that with R@K it adds up to 100."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.analysis.failing import failing
from tests.made import made_corpus, made_similarity
from workbench import analysis
from workbench.analysis.causes.oracle import FAMILIES
from workbench.core.errors import DataError, UnknownNameError
from workbench.core.workspace import elsewhere
from workbench.evaluation import save_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run with ties, a good and a poor one, on 80 videos in four domains; only read."""
    with elsewhere(tmp_path_factory.mktemp("runs")):
        corpus = made_corpus(80)
        tied = save_run(np.round(made_similarity(corpus, 2.0), 1), corpus=corpus, name="tied")
        return [tied, *(save_run(made_similarity(corpus, noise, seed=1), corpus=corpus, name=f"noise{noise:g}")
                        for noise in (0.5, 4.0))]  # fmt: skip


def total(table, *by):
    groups = table.groupby(["run", *by])
    return groups["gain"].sum() + groups["recall"].first()


@pytest.mark.parametrize("direction", ["t2v", "v2t"])
@pytest.mark.parametrize("k", [1, 3])
def test_gains_and_recall_add_up_to_100(runs, direction, k):
    table = analysis.oracle_gain(runs, k=k, direction=direction)
    assert total(table).to_numpy() == pytest.approx(np.full(3, 100.0))
    assert table.groupby("run")["reached"].last().to_numpy() == pytest.approx(np.full(3, 100.0))
    for run in runs:
        if k != 3:
            own = table.loc[table["run"] == run.name, "recall"]
            assert own.to_numpy() == pytest.approx(run.metrics[direction][f"r{k}"])
    parts = analysis.oracle_gain(runs, k=k, direction=direction, by="domain")
    assert total(parts, "domain").to_numpy() == pytest.approx(np.full(12, 100.0))
    assert set(parts["label"]) == {"Cooking", "Driving", "Sports", "TV Show"}
    assert (parts["recall"] <= parts["ceiling"] + 1e-9).all()


def test_gains_count_the_failed_queries_of_each_cause(runs):
    run = runs[2]
    failed = analysis.failures(run)
    table = analysis.oracle_gain(run, also="any").set_index("cause")
    counts = failed["cause"].value_counts()
    assert table["n_queries"].loc[counts.index].to_dict() == counts.to_dict()
    untied = table[(table.index != "tied") & (table["n_queries"] > 0)]
    assert untied["gain"].to_numpy() == pytest.approx(100 * untied["n_queries"] / 80)
    held = failed["causes"].explode().value_counts()
    assert table.loc["same_source", "gain_any"] == pytest.approx(100 * held["same_source"] / 80)
    assert (table["gain_any"] >= table["gain"] - 1e-9).all()


def test_artefacts_come_first_with_the_ceiling_as_a_number(runs):
    run = runs[2]
    table = analysis.oracle_gain(run)
    families = table["family"].to_list()
    assert families[0] == "artefact" and families == sorted(families, key=FAMILIES.index)
    assert (table["ceiling"] == analysis.ceiling_of(run)["t2v"]["r1"]).all() and table["ceiling"][0] < 100


def test_a_tie_that_is_no_failure_still_costs(home):
    similarity = np.array([[0.5, 0.5, 0.5, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    table = analysis.oracle_gain(failing(similarity=similarity), k=2)
    assert table[["cause", "n_queries"]].to_numpy().tolist() == [["tied", 0], ["unexplained", 0]]
    assert table["gain"][0] == pytest.approx(100 / 3 / 4) and total(table).to_numpy() == pytest.approx([100.0])


def test_thresholds_and_nonsense(home):
    run = failing(videos={"source_id": list("xxyz")})
    assert analysis.oracle_gain(run, corpus=None)["cause"].to_list() == ["same_source", "unexplained"]
    with pytest.raises(UnknownNameError, match="No threshold is called 'neer'. Did you mean near"):
        analysis.oracle_gain(run, neer=0.5)
    with pytest.raises(UnknownNameError, match="No grouping is called 'domains'"):
        analysis.oracle_gain(run, by="domains")
    with pytest.raises(DataError, match="There is no run"):
        analysis.oracle_gain([])


def test_the_biggest_gains_stand_for_themselves():
    table = pd.DataFrame({"cause": list("abcd"), "gain": [1.0, 5.0, 0.0, 3.0], "recall": 40.0, "reached": 0.0})
    top = analysis.biggest_gains(table, 2)
    assert top["cause"].to_list() == ["b", "d"] and top["reached"].to_list() == [45.0, 48.0]
    assert analysis.biggest_gains(table, 9)["cause"].to_list() == list("abd")
