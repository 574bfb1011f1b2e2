"""Figures take tidy tables; text from data never acts as markup."""

from __future__ import annotations

import numpy as np
import pytest

from tests.made import made_corpus, made_runs, made_similarity
from workbench import analysis, figures
from workbench.evaluation import sweep_weights
from workbench.figures.charts import beyond_noise
from workbench.figures.theme import BAD, GOOD, NEUTRAL, A


@pytest.fixture
def runs(home):
    return made_runs(made_corpus(300))


def test_charts_are_made_of_analysis_tables(runs):
    good, fair, _ = runs
    comparison = analysis.compare_runs(fair, good)
    labels = {name: cause.label for name, cause in analysis.CAUSES.items()}
    made = [
        figures.leaderboard_intervals(analysis.leaderboard(runs), "v2t", 97.0),
        figures.domain_bars({run.name: analysis.by_domain(run) for run in runs}),
        figures.cause_bars(analysis.failures(fair), labels),
        figures.rank_against_rank(comparison.table, "<b>fair</b>", "good"),
        figures.difference_bars(comparison.by_domain),
        figures.domain_heatmap(analysis.domain_means(good, fair), difference=True),
    ]
    for figure in made:
        text = figure.to_json()
        assert len(figure.data) >= 1 and len(text) < 500_000
        assert "<b>fair" not in text and "of <b>no" not in text


def test_a_bar_has_a_colour_where_the_corrected_verdict_does(runs):
    table = analysis.compare_runs(runs[2], runs[0]).by_domain.iloc[:4].assign(
        difference=[4.0, 4.0, -4.0, 4.0], low=[1.0, 1.0, -6.0, -1.0], high=[7.0, 7.0, -1.0, 9.0],
        p_holm=[0.97, 0.01, 0.01, 0.01],
    )  # fmt: skip
    assert list(beyond_noise(table)) == [False, True, True, False]
    (bar,) = figures.difference_bars(table).data
    assert list(bar.marker.color) == [NEUTRAL, BAD, GOOD, NEUTRAL]  # from below
    held = table.assign(ablation=list("abcd"), domain=None, value=1.0, wins=1, losses=1)
    (bar,) = figures.ablation_differences(held, "R@1").data
    assert list(bar.marker.color) == [NEUTRAL, BAD, GOOD, NEUTRAL]


def test_counterfactuals_are_grey(runs):
    board = analysis.leaderboard(runs).assign(ablation=["", "", "ocr truth"])
    (dots,) = figures.leaderboard_intervals(board).data
    assert list(dots.marker.color) == [NEUTRAL, A, A] and dots.y[0] == "poor (ocr truth)"


def test_a_sweep_marks_the_chosen_weights(home):
    corpus = made_corpus(80)
    parts = {"ocr": made_similarity(corpus, 1.0), "<b>x": made_similarity(corpus, 1.5, seed=1)}
    found = sweep_weights(parts, steps=5, domains=corpus.videos["domain"])
    figure = figures.sweep_curves(found, 0.25)
    lines, marks = figure.data[::2], figure.data[1::2]
    assert [line.name for line in lines] == [
        "Cooking (20)", "Driving (20)", "TV Show (20)", "Sports (20)", "all queries (80)"
    ]  # fmt: skip
    assert [mark.x[0] for mark in marks] == [*found.best_of_domain.values(), found.weights["<b>x"]]
    assert all(line.y[list(line.x).index(mark.x[0])] == mark.y[0] for line, mark in zip(lines, marks, strict=True))
    assert "used 0.25" in figure.to_json() and "<b>x" not in figure.to_json()


def test_ranks_are_counted_in_squares_and_the_widest_gaps_stand_out(runs):
    good, _, poor = runs
    table = analysis.compare_runs(poor, good).table
    squares, *triangles, _ = figures.rank_against_rank(table, "poor", "good", worst=20).data
    assert sum(squares.customdata) == len(table) and len(squares.x) < len(table)
    gap = np.log(table["rank_a"] / table["rank_b"]).abs().set_axis(table["id"])
    shown = [query for one in triangles for query in one.customdata]
    assert gap[shown].min() >= gap.drop(shown).max() and len(shown) == 20
    assert all(x > y for x, y in zip(triangles[0].x, triangles[0].y, strict=True))  # below the diagonal B is better


def test_sets_of_runs_as_bars_over_dots(runs):
    solved = analysis.solved_sets(runs)
    bar, empty, full = figures.upset(solved).data
    assert [int(one.replace(",", "")) for one in bar.text] == solved.sets["n"].to_list()
    assert len(full.x) == sum(map(len, solved.sets["runs"])) and len(full.x) + len(empty.x) == 3 * len(solved.sets)
    assert max(bar.y) == pytest.approx(3.6)
