"""Figures take tidy tables; tiles hold exactly the cells they claim; text from data never acts as markup."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import workbench as wb
from tests.made import made_corpus, made_runs, made_similarity
from workbench import analysis, figures
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.evaluation import sweep_weights
from workbench.figures.matrix_tiles import FACTOR, HIGH, LOW, TILE


@pytest.fixture
def runs(home):
    return made_runs(made_corpus(300))


@pytest.fixture
def view(runs, home):
    return figures.MatrixView(runs[0], None, home / "cache")


def standardised(matrix):
    return (matrix - matrix.mean(1, keepdims=True)) / matrix.std(1, keepdims=True)


def pixels(png):
    """Palette indices of a tile, 1..255 over LOW..HIGH."""
    return np.asarray(Image.open(io.BytesIO(png)))


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


def test_level_0_is_the_sorted_standardised_matrix(view, runs):
    matrix = np.asarray(runs[0].similarity)
    expected = standardised(matrix)[np.ix_(view.rows, view.columns)]
    assert np.allclose(view.cells(slice(None), slice(None)), expected, atol=1e-4)
    found = pixels(view.tile(0, 1, 0))
    cells = np.clip((expected[:TILE, TILE : 2 * TILE] - LOW) / (HIGH - LOW), 0, 1) * 254 + 1
    assert found.shape == (256, 44) and np.abs(found - cells).max() <= 1
    domain = runs[0].gallery["domain"].to_numpy()[view.columns]
    assert (domain[:-1] <= domain[1:]).all()


def test_right_pairs_lie_on_the_diagonal(view, runs):
    right = runs[0].relevance_matrix.toarray()[np.ix_(view.rows, view.columns)]
    assert np.array_equal(right, np.eye(300))
    assert [border["columns"] for border in view.borders] == [[0, 75], [75, 150], [150, 225], [225, 300]]


@pytest.mark.parametrize(("pool", "function"), [("max", np.max), ("mean", np.mean)])
def test_pooled_levels(view, pool, function):
    assert view.n_levels == 2
    view.build()
    expected = function(view.cells(slice(None), slice(None)).reshape(75, FACTOR, 75, FACTOR), axis=(1, 3))
    found = pixels(view.tile(1, 0, 0, pool))
    cells = np.clip((expected - LOW) / (HIGH - LOW), 0, 1) * 254 + 1
    assert found.shape == (75, 75) and np.abs(found - cells).max() <= 1


def test_unscored_cells_are_grey(home):
    corpus = made_corpus(40)
    similarity = made_similarity(corpus)
    similarity[:, 3] = -np.inf
    video = corpus.videos["video_id"][3]
    run = wb.save_run(similarity, corpus=corpus, name="hole", missing={video: "lost"})
    view = figures.MatrixView(run, None, home / "cache")
    found = pixels(view.tile(0, 0, 0))
    column = int(np.flatnonzero(view.columns == 3)[0])
    assert (found[:, column] == 0).all() and (np.delete(found, column, 1) > 0).all()
    assert view.describe(0, column)["scores"] == [None]


def test_difference_and_description(runs, home):
    view = figures.MatrixView(runs[0], runs[1], home / "cache")
    matrices = [standardised(np.asarray(run.similarity)) for run in runs[:2]]
    expected = (matrices[0] - matrices[1])[np.ix_(view.rows, view.columns)]
    assert np.allclose(view.cells(slice(0, 10), slice(0, 10)), expected[:10, :10], atol=1e-4)
    cell = view.describe(2, 2)
    assert (
        cell["right"] is True and len(cell["scores"]) == 2 and cell["value"] == pytest.approx(expected[2, 2], abs=2e-3)
    )


def test_tiles_that_are_not_there(view, runs, home):
    for place in ((9, 0, 0), (0, 5, 0), (0, 0, -1)):
        with pytest.raises(DataError, match="There is no tile"):
            view.tile(*place)
    with pytest.raises(UnknownNameError, match="No pooling is called 'median'"):
        view.tile(1, 0, 0, "median")
    with pytest.raises(DataError, match="There is no cell 300/0"):
        view.describe(300, 0)
    other = wb.save_run(made_similarity(made_corpus(20, name="o")), corpus="o", name="o")
    with pytest.raises(StateError, match="matrices of different size"):
        figures.MatrixView(runs[0], other, home / "cache")
