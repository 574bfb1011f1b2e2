"""Tiles hold exactly the cells they claim, in every order; a difference is taken by ids; the cache file is whole."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import workbench as wb
from tests.made import made_corpus, made_similarity
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.core.progress import CallbackSink, use_sink
from workbench.evaluation.runs.run import Run
from workbench.figures import MatrixView
from workbench.figures.matrix_axes import ORDERS
from workbench.figures.matrix_pyramid import FACTOR, LIMIT, TILE, decoded, encoded, n_levels, size_of

EVERY = slice(None)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of 300 captions and videos; of known quality."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("matrix")))
        corpus = made_corpus(300)
        return [
            wb.save_run(made_similarity(corpus, noise, seed), corpus=corpus, name=name)
            for seed, (name, noise) in enumerate({"good": 0.5, "fair": 2.5}.items())
        ]


@pytest.fixture
def view(runs, tmp_path):
    return MatrixView(runs[0], None, tmp_path)


def standardised(matrix):
    matrix = np.asarray(matrix, float)
    return (matrix - matrix.mean(1, keepdims=True)) / matrix.std(1, keepdims=True)


def shown(view, run):
    """The matrix of a run on the axes of a view of it."""
    return standardised(run.similarity)[np.ix_(view.axes.rows, view.axes.columns)]


def test_codes_keep_values_sign_and_holes():
    values = np.array([-9.0, -6.0, -1.0, -0.01, 0.0, 0.01, 0.5, 6.0, np.nan, np.inf])
    codes = encoded(values)
    assert codes.tolist() == [1, 1, *codes[2:7], 255, 0, 255] and codes[4] == 128
    back = decoded(codes)
    assert np.isnan(back[8]) and np.allclose(back[1:8], values[1:8], atol=0.06)
    assert (np.sign(back[1:8]) == np.sign(values[1:8])).all()
    every = np.arange(1, 256, dtype=np.uint8)
    assert np.array_equal(encoded(decoded(every)), every) and decoded(every).max() == LIMIT


@pytest.mark.parametrize("order", ORDERS)
def test_level_0_is_the_standardised_matrix_in_its_order(runs, tmp_path, order):
    view = MatrixView(runs[0], None, tmp_path, order)
    expected = shown(view, runs[0])
    assert np.allclose(view.pyramid.cells(EVERY, EVERY), expected, atol=1e-4)
    tile = view.tile(0, 1, 0)
    assert tile.shape == (256, 44)
    assert np.abs(tile.astype(int) - encoded(expected[:TILE, TILE:])).max() <= 1
    assert sorted(view.axes.columns) == sorted(view.axes.rows) == list(range(300))


def test_orders(runs, tmp_path):
    by_domain, by_hubness, stored = (MatrixView(runs[1], None, tmp_path, order) for order in ORDERS)
    gallery = runs[1].gallery.iloc[by_domain.axes.columns]
    assert gallery[["domain", "source_id"]].apply(tuple, axis=1).is_monotonic_increasing
    assert [border["columns"] for border in by_domain.axes.domains] == [[0, 75], [75, 150], [150, 225], [225, 300]]
    assert [border["label"] for border in by_domain.axes.domains] == ["Cooking", "Driving", "TV Show", "Sports"]
    counts = wb.analysis.hubness(runs[1], k=10).counts[by_hubness.axes.columns]
    assert (np.diff(counts) <= 0).all() and counts[0] > counts[-1] and by_hubness.axes.domains == []
    assert stored.axes.columns.tolist() == list(range(300)) and len(stored.axes.domains) == 4
    for view in (by_domain, by_hubness):
        assert np.array_equal(view.axes.right.toarray(), np.eye(300)), "right pairs lie on the diagonal"
    with pytest.raises(UnknownNameError, match="No order is called 'size'"):
        MatrixView(runs[0], None, tmp_path, "size")


def test_marks_say_right_pairs_and_sources(view):
    marks = view.axes.marks()
    assert np.array_equal(np.reshape(marks["pairs"], (-1, 2)), np.repeat(np.arange(300), 2).reshape(-1, 2))
    sources = view.run.gallery["source_id"].to_numpy()[view.axes.columns]
    assert marks["rows"] == marks["columns"] == [0, *(np.flatnonzero(sources[1:] != sources[:-1]) + 1)]


@pytest.mark.parametrize("difference", [False, True])
def test_pooled_levels(runs, tmp_path, difference):
    view = MatrixView(runs[0], runs[1] if difference else None, tmp_path)
    values = shown(view, runs[0]) - (shown(view, runs[1]) if difference else 0)
    blocks = values.reshape(75, FACTOR, 75, FACTOR).swapaxes(1, 2).reshape(75, 75, 16)
    best = np.take_along_axis(blocks, np.argmax(np.abs(blocks) if difference else blocks, axis=2)[..., None], 2)[..., 0]
    assert view.n_levels == 2
    for pool, expected in (("max", best), ("mean", blocks.mean(axis=2))):
        found = view.tile(1, 0, 0, pool)
        assert found.shape == (75, 75) and np.abs(found.astype(int) - encoded(expected)).max() <= 1


def test_deeper_levels_of_an_odd_size(home, tmp_path):
    """Four levels' worth of rows, three tiles, nothing divides: every level is the pooled matrix itself."""
    n = 1_030
    corpus = made_corpus(n)
    rng = np.random.default_rng(0)
    similarity = rng.normal(size=(n, n)).astype(np.float32)
    view = MatrixView(wb.save_run(similarity, corpus=corpus, name="odd"), None, tmp_path, "stored")
    assert n_levels(view.shape) == view.n_levels == 3
    values = standardised(similarity)
    for level in (1, 2):
        side = FACTOR**level
        high, wide = size_of(view.shape, level)
        padded = np.full((high * side, wide * side), np.nan)
        padded[:n, :n] = values
        cells = padded.reshape(high, side, wide, side)
        for pool, expected in (("max", np.nanmax(cells, axis=(1, 3))), ("mean", np.nanmean(cells, axis=(1, 3)))):
            found = np.abs(view.pyramid.level(level, pool).astype(int) - encoded(expected))
            assert found.max() <= 1, (level, pool)
    assert 0 < view.limit("mean") < view.limit("max") <= LIMIT


def test_what_was_not_scored_is_a_hole(home, tmp_path):
    corpus = made_corpus(40)
    similarity = made_similarity(corpus)
    similarity[:, [3, 4]] = -np.inf
    missing = {corpus.videos["video_id"][at]: "lost" for at in (3, 4)}
    view = MatrixView(wb.save_run(similarity, corpus=corpus, name="hole", missing=missing), None, tmp_path)
    columns = np.flatnonzero(np.isin(view.axes.columns, (3, 4)))
    tile = view.tile(0, 0, 0)
    assert (tile[:, columns] == 0).all() and (np.delete(tile, columns, 1) > 0).all()
    cell = view.describe(0, int(columns[0]))
    assert cell["scores"] == [None] and cell["value"] is None


def test_a_difference_is_taken_by_ids(runs, tmp_path):
    """The other run's axes stand in another order, and it lacks captions and videos."""
    good, other = runs[0], Run(runs[1].path)
    rows, columns = np.random.default_rng(1).permutation(300)[:290], np.random.default_rng(2).permutation(300)[:280]
    other.queries = other.queries.iloc[rows].reset_index(drop=True)
    other.gallery = other.gallery.iloc[columns].reset_index(drop=True)
    other.similarity = np.asarray(other.similarity)[np.ix_(rows, columns)]
    view = MatrixView(good, other, tmp_path)
    assert view.shape == (290, 280)
    where = np.ix_(view.axes.rows, view.axes.columns)
    own, their = (standardised(np.asarray(run.similarity)[where]) for run in runs)
    assert np.allclose(view.pyramid.cells(EVERY, EVERY), own - their, atol=1e-4)
    assert view.key != MatrixView(good, runs[1], tmp_path).key


def test_a_cell_is_described(runs, view, tmp_path):
    both = MatrixView(runs[0], runs[1], tmp_path)
    cell = both.describe(2, 2)
    expected = (shown(both, runs[0]) - shown(both, runs[1]))[2, 2]
    assert cell["right"] and len(cell["scores"]) == 2 and cell["value"] == pytest.approx(expected, abs=2e-3)
    assert cell["video"] in cell["caption_id"] and "<b>no</b>" in cell["text"]
    assert not view.describe(2, 3)["right"] and len(view.describe(2, 3)["scores"]) == 1


def test_a_long_caption_is_cut(runs, tmp_path):
    run = Run(runs[0].path)
    run.queries = run.queries.assign(text="word\n" * 4_000)
    text = MatrixView(run, None, tmp_path).describe(0, 0)["text"]
    assert len(text) == 400 and text.startswith("word word") and text.endswith("…")


def test_tiles_that_are_not_there(view, runs, tmp_path, home):
    for place in ((9, 0, 0), (-1, 0, 0), (0, 5, 0), (0, 0, -1)):
        with pytest.raises(DataError, match="There is no (tile|level)"):
            view.tile(*place)
    with pytest.raises(UnknownNameError, match="No pooling is called 'median'"):
        view.tile(1, 0, 0, "median")
    with pytest.raises(DataError, match="There is no cell 300/0"):
        view.describe(300, 0)
    other = wb.save_run(made_similarity(made_corpus(20, name="o")), corpus="o", name="o")
    with pytest.raises(StateError, match="good and o have other captions"):
        MatrixView(runs[0], other, tmp_path)


def test_the_file_is_made_once_told_of_and_kept(runs, tmp_path):
    told = []
    view = MatrixView(runs[0], None, tmp_path)
    with use_sink(CallbackSink(lambda label, done, total, unit: told.append((label, done, total)))):
        view.build()
    assert told[0][:2] == ("Pooling the matrix", 0.0) and told[-1][1] == told[-1][2]
    (file,) = (tmp_path / "tiles").iterdir()
    assert file.name == f"{view.key}.levels" and file.stat().st_size == view.pyramid.n_bytes < 2 * 75**2 + 300 * 8 + 1
    before = file.stat().st_ino
    again = MatrixView(runs[0], None, tmp_path)
    again.build()
    assert file.stat().st_ino == before and np.array_equal(again.tile(1, 0, 0), view.tile(1, 0, 0))
    file.unlink()  # pruned: who has it keeps it
    file.write_bytes(b"cut")  # a file that is not whole is made again
    third = MatrixView(runs[0], None, tmp_path)
    assert np.array_equal(third.tile(1, 0, 0), view.tile(1, 0, 0)) and file.stat().st_size == third.pyramid.n_bytes


def test_the_key_changes_with_the_matrix(home, tmp_path):
    corpus = made_corpus(20)
    keys = set()
    for noise in (0.5, 1.0):
        run = wb.save_run(made_similarity(corpus, noise), corpus=corpus, name="same", overwrite=True)
        keys |= {MatrixView(run, None, tmp_path, order).key for order in ("domain", "hubness")}
    assert len(keys) == 4


def test_who_comes_while_it_is_made_waits(runs, tmp_path, monkeypatch):
    view = MatrixView(runs[0], None, tmp_path)
    made, real = [], view.pyramid._slab
    monkeypatch.setattr(view.pyramid, "_slab", lambda rows: made.append(rows) or real(rows))
    threads = [threading.Thread(target=view.build) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == len({one.start for one in made}), "every part is pooled once"


def test_a_failure_leaves_no_file(runs, tmp_path, monkeypatch):
    view = MatrixView(runs[0], None, tmp_path)
    monkeypatch.setattr(view.pyramid, "_slab", lambda rows: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        view.build()
    assert list((tmp_path / "tiles").iterdir()) == []


def test_domain_means_are_kept_beside_the_levels_for_every_order(runs, tmp_path, monkeypatch):
    first = MatrixView(*runs, tmp_path).domain_means
    monkeypatch.setattr("workbench.figures.matrix_tiles.domain_means", None)  # nothing is averaged again
    assert MatrixView(*runs, tmp_path, "stored").domain_means.equals(first)
    assert [file.suffix for file in (tmp_path / "tiles").iterdir()] == [".parquet"]
    renamed = Run(runs[0].path)
    renamed.gallery = renamed.gallery.assign(domain="one")
    with pytest.raises(TypeError):  # another division is averaged anew
        _ = MatrixView(renamed, runs[1], tmp_path).domain_means
