"""Streamed ranks equal those of the stored matrix, and hostile scorers get a sentence."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.test_ranks import problems, steady
from workbench.core.errors import DataError
from workbench.evaluation import rank_bounds, stream_ranks


def equal(one, other):
    for direction in ("t2v", "v2t"):
        a, b = one[direction], other[direction]
        assert (a.n_items, a.direction, a.level) == (b.n_items, b.direction, b.level)
        for name in ("n_above", "n_tied", "n_tied_right", "queries"):
            assert getattr(a, name).tolist() == getattr(b, name).tolist()


@steady
@given(problems(), st.sampled_from(["caption", "video", "auto"]))
def test_streamed_equals_stored(problem, level):
    similarity, grades = problem
    similarity = similarity.astype(np.float32)
    grades = sp.csr_array(grades)
    if level == "auto" and (grades.toarray() > 0).sum(axis=0).max() < 2:
        level = "caption"
    found = stream_ranks(lambda rows: similarity[rows], similarity.shape, grades, v2t=level)
    equal(found, rank_bounds(similarity, grades, direction="both", v2t=level))


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("level", ["caption", "video"])
def test_products_of_embeddings_in_many_blocks(monkeypatch, level, shuffled):
    draw = np.random.default_rng(5)
    monkeypatch.setattr("workbench.evaluation.blocks.BLOCK_ITEMS", 500)
    text, video = draw.integers(-3, 4, (300, 6)).astype(np.float32), draw.integers(-3, 4, (70, 6)).astype(np.float32)
    owner = draw.integers(0, 70, 300)
    grades = sp.csr_array(np.eye(70, dtype=np.int8)[owner if shuffled else np.sort(owner)])
    asked = []

    def score(rows):
        asked.append(len(range(300)[rows]) if isinstance(rows, slice) else len(rows))
        return text[rows] @ video.T

    found = stream_ranks(score, (300, 70), grades, v2t=level)
    equal(found, rank_bounds(text @ video.T, grades, direction="both", v2t=level))
    assert sum(asked) == 600 and max(asked) < 30


@pytest.mark.parametrize(
    "score, said",
    [
        (lambda rows: np.zeros((3, 2), np.float32)[rows], r"\(3, 2\), expected \(3, 3\)"),
        (lambda rows: np.full((3, 3), np.nan, np.float32)[rows], "NaN or"),
    ],
)
def test_what_cannot_be_counted_is_one_sentence(score, said):
    with pytest.raises(DataError, match=said):
        stream_ranks(score, (3, 3))


@pytest.mark.parametrize("level", ["caption", "video"])
def test_a_score_that_changes_is_named(level):
    passes = iter(range(100))
    with pytest.raises(DataError, match="differently the second time"):
        stream_ranks(lambda rows: np.eye(3, dtype=np.float32)[rows] + 0.3 * next(passes), (3, 3), v2t=level)
