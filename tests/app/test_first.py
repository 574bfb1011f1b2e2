"""What pages show first: what costs the best run most, intervals of every run, the cause above the players."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

import workbench as wb
from tests.app.test_pages import opened, words
from tests.made import made_corpus, made_similarity
from workbench import analysis
from workbench.app.parts import board, domain

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


def said(app: AppTest) -> str:
    return words(app).replace("\\", "")


@pytest.fixture
def runs(home, monkeypatch):
    monkeypatch.setattr(board, "CHARTED", 2)
    monkeypatch.setattr(domain, "BESIDE", 1)
    corpus = made_corpus(24)
    return [wb.save_run(made_similarity(corpus, 2.0 + i, i), corpus=corpus, name=f"r{i}") for i in range(3)]


def test_the_leaderboard_says_what_costs_most_and_lets_one_choose_runs(runs):
    app = opened("leaderboard")
    best = app.dataframe[0].value["Run"][0]
    run = wb.open_run(best)
    table = analysis.biggest_gains(analysis.oracle_gain(run))
    assert f"What costs {best} most" in said(app) and 0 < len(table) <= 3
    told = [one.proto.alt for one in app.get("plotly_chart")]
    cost = next(one for one in told if one.startswith("Points of R@1"))
    assert all(label in cost for label in table["cause_label"])
    choice = app.multiselect(key="choose charts")
    assert len(choice.value) == 2 and len(choice.options) == 3
    (left_out,) = set(choice.options) - set(choice.value)
    choice.set_value([left_out]).run()
    charts = [one.proto.alt for one in app.get("plotly_chart") if " in " in one.proto.alt]
    assert app.query_params["charts"] == left_out and all(left_out in one for one in charts)


def test_few_runs_are_all_in_the_charts(home):
    corpus = made_corpus(24)
    wb.save_run(made_similarity(corpus, 0.1), corpus=corpus, name="one")
    app = opened("leaderboard")
    assert not app.exception and "No query fails at rank 1." in said(app)
    assert [one.key for one in app.multiselect] == ["choose metrics"]


def test_domains_have_intervals_of_every_run(runs):
    app = opened("domains", run="r2")
    assert not app.exception and not app.error
    table = analysis.by_domain(wb.open_run("r0")).set_index("domain").loc["Cooking"]
    assert f"r0 {table['value']:.1f} ({table['low']:.1f} to {table['high']:.1f})" in said(app)
    assert "and 1 more" in said(app)
