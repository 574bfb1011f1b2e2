"""Bars of the oracle gain: of one run by cause, of several by family, and never of several mixed into one."""

from __future__ import annotations

import pytest

from tests.made import made_corpus, made_runs
from workbench import analysis, figures
from workbench.core.errors import DataError
from workbench.core.workspace import elsewhere


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Of two runs: all queries, and by domain."""
    with elsewhere(tmp_path_factory.mktemp("runs")):
        runs = made_runs(made_corpus(32), ("good", "poor"))
        return analysis.oracle_gain(runs), analysis.oracle_gain(runs, by="domain")


def test_of_several_runs_each_has_a_bar_that_reaches_100(tables):
    table, _ = tables
    figure = figures.oracle_bars(table)
    bars = [one for one in figure.data if one.type == "bar"]
    now = dict(zip(bars[0].y, bars[0].x, strict=True))
    assert now == pytest.approx(table.groupby("run")["recall"].first().to_dict()) and len(now) == 2
    assert [sum(one.x[i] for one in bars) for i in range(2)] == pytest.approx([100, 100])
    assert figures.export_figure(figure).data.startswith(b"%PDF")


def test_of_one_run_each_cause_has_a_bar(tables):
    one = tables[0][tables[0]["run"] == "poor"]
    (bars,) = figures.oracle_bars(one).data
    assert sorted(bars.y) == sorted(one["cause_label"]) and sum(bars.x) == pytest.approx(100 - one["recall"].iloc[0])


def test_another_table_is_refused(tables):
    table, parts = tables
    with pytest.raises(DataError, match="row for every part.*oracle_domain_bars"):
        figures.oracle_bars(parts)
    with pytest.raises(DataError, match="no domains"):
        figures.oracle_domain_bars(table)
    with pytest.raises(DataError, match=r"holds 2 runs.*table\['run'\] == 'good'"):
        figures.oracle_domain_bars(parts)
    assert figures.oracle_domain_bars(parts[parts["run"] == "good"]).data
