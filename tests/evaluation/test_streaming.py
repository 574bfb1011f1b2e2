"""Streamed ranks equal those of the stored matrix, and hostile scorers get a sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.test_ranks import problems, steady
from workbench.core.errors import DataError
from workbench.evaluation import rank_bounds, retrieval_metrics, stream_metrics, stream_ranks
from workbench.evaluation.ranks.counters import CoreCounter


def equal(one, other):
    for direction in ("t2v", "v2t"):
        a, b = one[direction], other[direction]
        assert (a.n_items, a.direction, a.level) == (b.n_items, b.direction, b.level)
        for name in ("n_above", "n_tied", "n_tied_right", "queries"):
            assert getattr(a, name).tolist() == getattr(b, name).tolist()


def equal_metrics(one, other):
    """All numbers, per query too, and the lists of best items."""
    equal({name: found.counts for name, found in one.items()}, {name: found.counts for name, found in other.items()})
    for direction in ("t2v", "v2t"):
        a, b = one[direction], other[direction]
        assert a.to_dict() == b.to_dict()
        pd.testing.assert_frame_equal(a.values, b.values)
        for name in a.per_query.columns:
            lists = name.startswith("top_")
            found, expected = ([one.tolist() if lists else one for one in x.per_query[name]] for x in (a, b))
            assert found == expected, name


def counters(size):
    """Counters of tiny blocks, so that lists and counts run on over several of them."""
    torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
    from workbench.models.device_counter import DeviceCounter

    made = [CoreCounter(), DeviceCounter("cpu")]
    if torch.cuda.is_available():
        made.append(DeviceCounter("cuda"))
    for one in made:
        one.block_items = size
    return made


@steady
@given(problems(), st.sampled_from(["caption", "video", "auto"]))
def test_streamed_equals_stored(problem, level):
    similarity, grades = problem
    similarity = similarity.astype(np.float32)
    grades = sp.csr_array(grades)
    found = stream_ranks(lambda rows: similarity[rows], similarity.shape, grades, v2t=level)
    equal(found, rank_bounds(similarity, grades, direction="both", v2t=level))


@steady
@given(problems(), st.sampled_from(["caption", "video"]), st.sampled_from(["expected", "pessimistic"]), st.data())
def test_streamed_metrics_equal_those_of_the_matrix(problem, level, ties, data):
    similarity, grades = problem
    similarity, grades = similarity.astype(np.float32), sp.csr_array(grades)
    size = data.draw(st.sampled_from([1, 2 * similarity.shape[1], 1000]))
    expected = retrieval_metrics(similarity, grades, direction="both", v2t=level, ties=ties)
    for counter in counters(size):
        found = stream_metrics(
            lambda rows: similarity[rows], similarity.shape, grades, v2t=level, ties=ties, counter=counter
        )
        equal_metrics(found, expected)


@pytest.mark.parametrize("level", ["caption", "video"])
def test_long_lists_run_on_over_blocks(level):
    draw = np.random.default_rng(6)
    owner = draw.integers(0, 130, 400)
    grades = sp.csr_array(np.eye(130, dtype=np.int8)[owner] | (draw.random((400, 130)) < 0.01))
    similarity = np.round(draw.normal(size=(400, 130)), 1).astype(np.float32)  # many ties, -0.0 too
    similarity[draw.random((400, 130)) < 0.05] = -np.inf
    similarity[:, 7] = -np.inf
    expected = retrieval_metrics(similarity, grades, direction="both", v2t=level)
    for counter in counters(130 * 13):
        equal_metrics(stream_metrics(lambda rows: similarity[rows], (400, 130), grades, v2t=level, counter=counter),
                      expected)  # fmt: skip


@pytest.mark.gpu
@pytest.mark.parametrize("level", ["caption", "video"])
def test_a_gpu_counts_its_own_tiles(level):
    torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    from workbench.models.device_counter import DeviceCounter

    draw = torch.Generator("cuda").manual_seed(0)
    text, video = (torch.randn(n, 64, generator=draw, device="cuda") for n in (6000, 1500))
    owner = np.arange(6000) // 4
    grades = sp.csr_array((np.ones(6000, np.int8), (np.arange(6000), owner)), (6000, 1500))

    def score(rows):
        return text[rows] @ video.T

    counter = DeviceCounter("cuda")
    counter.block_items = 512 * 1500
    stored = np.concatenate([score(slice(at, min(at + 512, 6000))).cpu().numpy() for at in range(0, 6000, 512)])
    found = stream_metrics(score, (6000, 1500), grades, v2t=level, counter=counter)
    equal_metrics(found, retrieval_metrics(stored, grades, direction="both", v2t=level))


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("level", ["caption", "video"])
def test_products_of_embeddings_in_many_blocks(monkeypatch, level, shuffled):
    draw = np.random.default_rng(5)
    monkeypatch.setattr("workbench.evaluation.ranks.blocks.BLOCK_ITEMS", 500)
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
