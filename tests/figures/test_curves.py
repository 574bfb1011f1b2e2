"""Charts of trainings: smoothed over raw, the chosen checkpoint marked, looks that differ, text that cannot act."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.made import made_corpus
from tests.trained import ranks_of, training
from workbench import analysis, figures
from workbench.analysis.trajectories import KINDS


@pytest.fixture
def runs(home):
    corpus = made_corpus(8)
    ranks = ranks_of(["a", "b", "c"], {2: [1, 2, 3], 4: [2, 1, 3]})
    return [
        training(corpus, "one", losses=[4.0, 3.0, 2.0, 1.0], mrr={2: 0.5, 4: 0.25}, ranks=ranks),
        training(corpus, "two", losses=[5.0, 4.0], mrr={2: 0.125}),
    ]


def test_the_raw_curve_lies_behind_the_smoothed_one(runs):
    table = pd.concat([analysis.curves(run, 3) for run in runs])
    looks = figures.run_looks(["one", "two"])
    figure = figures.training_curves(table[table["name"] == "loss"], looks, "loss")
    raw, smooth = figure.data[:2]
    assert list(raw.y) == [4, 3, 2, 1] and raw.opacity < 0.5 and raw.hoverinfo == "skip"
    assert list(smooth.y) == pytest.approx(analysis.curves(runs[0], 3)["smooth"][:4].tolist())
    assert len(figure.data) == 4 and [one.name for one in figure.data[1::2]] == ["one", "two"]
    assert figure.data[1].line.color == figure.data[0].line.color == looks["one"]["color"]


def test_the_chosen_checkpoint_has_a_star(runs):
    table = pd.concat([analysis.curves(run, 3) for run in runs])
    chosen = {run.name: analysis.chosen_step(run) for run in runs}
    figure = figures.training_curves(
        table[table["name"] == "mrr"], figures.run_looks(["one", "two"]), "MRR", chosen=chosen
    )
    stars = [one for one in figure.data if one.marker.symbol == "star"]
    assert [(list(one.x), list(one.y)) for one in stars] == [([2], [0.5]), ([2], [0.125])]
    assert len(figure.data) == 4  # nothing raw behind what is not smoothed


def test_no_two_runs_look_alike():
    looks = figures.run_looks([str(i) for i in range(32)])
    assert len({(look["color"], look["dash"]) for look in looks.values()}) == 32
    assert len({look["shape"] for look in list(looks.values())[:8]}) == 8


def test_kinds_add_up_and_the_chosen_one_is_marked(runs):
    shares = analysis.kind_shares(analysis.trajectories(runs[0]), 1)
    figure = figures.kind_bars(shares, 4)
    assert [bar.name for bar in figure.data] == list(KINDS.values())
    assert [sum(bar.y[at] for bar in figure.data) for at in (0, 1)] == pytest.approx([100, 100])
    assert figure.layout.annotations[0].x == 1 and "chosen" in figure.layout.annotations[0].text
    assert list(figure.data[0].x) == ["2", "4"] and not figures.kind_bars(shares, 3).layout.annotations
    patterns = {(bar.marker.color, bar.marker.pattern.shape) for bar in figure.data}
    assert len(patterns) == 4


def test_names_cannot_act(runs):
    table = analysis.curves(runs[0]).assign(run="<b>x")
    figure = figures.training_curves(table[table["name"] == "loss"], figures.run_looks(["<b>x"]), "loss")
    assert all("<b>" not in str(one.name) and "<b>" not in str(one.hovertemplate) for one in figure.data)
