"""Rank counts against a slow implementation, hostile input, and the real matrices."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluation import slow
from tests.evaluation.real import matrix, needs_real_data
from workbench.core.errors import DataError, UnknownNameError
from workbench.evaluation import rank_bounds, retrieval_metrics
from workbench.evaluation.ranks.blocks import check_similarity

steady = settings(deadline=None, derandomize=True, max_examples=80)


@st.composite
def problems(draw, most=6):
    """(similarity, grades): few distinct scores so that ties abound, -inf, ragged n:m relevance."""
    n_captions, n_videos = draw(st.integers(1, most)), draw(st.integers(1, most))
    size = n_captions * n_videos
    scores = draw(st.lists(st.sampled_from([-np.inf, 0.0, 1.0, 2.0, 2.5]), min_size=size, max_size=size))
    grades = draw(st.lists(st.sampled_from([-1, 0, 0, 1, 2]), min_size=size, max_size=size))
    similarity = np.array(scores).reshape(n_captions, n_videos)
    right = np.array(grades, np.int8).reshape(n_captions, n_videos)
    if not (right > 0).any():
        right[0, 0] = 1
    return similarity, right


@steady
@given(problems(), st.sampled_from([np.float16, np.float32, np.float64]), st.sampled_from(["caption", "video"]))
def test_counts_equal_the_slow_ones(problem, dtype, level):
    similarity, grades = problem
    both = rank_bounds(similarity.astype(dtype), sp.csr_array(grades), direction="both", v2t=level)
    assert both["t2v"].queries.tolist() == list(range(len(similarity)))
    assert both["v2t"].queries.tolist() == np.flatnonzero((grades > 0).any(axis=0)).tolist()
    for direction, found in both.items():
        expected = [slow.counts(slow.items_of(similarity, grades, direction, level, int(q))) for q in found.queries]
        assert list(zip(found.n_above, found.n_tied, found.n_tied_right, strict=True)) == expected
        assert found.n_above.dtype == found.n_tied.dtype == found.n_tied_right.dtype == np.int32


@steady
@given(st.integers(0, 10_000))
def test_large_blocks_and_layouts_agree(seed):
    draw = np.random.default_rng(seed)
    shape = tuple(draw.integers(1, 40, 2))
    similarity = draw.integers(0, 6, shape).astype(np.float32)
    grades = sp.csr_array((draw.random(shape) < 0.2).astype(np.int8))
    if not grades.nnz:
        return
    want = rank_bounds(similarity, grades, direction="both")
    for other in (np.asfortranarray(similarity), np.repeat(similarity, 2, axis=1)[:, ::2], similarity.astype(np.int16)):
        got = rank_bounds(other, grades, direction="both")
        for direction in want:
            assert (want[direction].expected == got[direction].expected).all()


@pytest.mark.parametrize("n_rows", [1, 3, 4, 6, 9])
def test_rows_wider_than_a_tile(n_rows):
    draw = np.random.default_rng(n_rows)
    similarity = draw.integers(0, 9, (n_rows, 9000)).astype(np.float32)
    right = draw.integers(0, 9000, n_rows)
    grades = sp.coo_array((np.ones(n_rows, np.int8), (np.arange(n_rows), right)), shape=similarity.shape)
    both = rank_bounds(similarity, grades, direction="both", v2t="caption")
    own = similarity[np.arange(n_rows), right]
    assert both["t2v"].n_above.tolist() == (similarity > own[:, None]).sum(axis=1).tolist()
    assert both["t2v"].n_tied.tolist() == ((similarity == own[:, None]).sum(axis=1) - 1).tolist()
    above = [int((similarity[:, video] > score).sum()) for video, score in zip(right, own, strict=True)]
    assert len(set(right)) == n_rows and both["v2t"].n_above.tolist() == [above[i] for i in np.argsort(right)]


@pytest.mark.parametrize("level", ["caption", "video"])
def test_many_blocks_add_up(monkeypatch, level):
    draw = np.random.default_rng(3)
    similarity = draw.integers(0, 50, (60, 30)).astype(np.float32)
    grades = sp.csr_array(np.eye(30, dtype=np.int8)[draw.integers(0, 30, 60)])
    want = rank_bounds(similarity, grades, direction="both", v2t=level)
    monkeypatch.setattr("workbench.evaluation.ranks.blocks.BLOCK_ITEMS", 64)
    got = rank_bounds(similarity, grades, direction="both", v2t=level)
    for direction in want:
        assert (want[direction].n_above == got[direction].n_above).all()
        assert (want[direction].n_tied == got[direction].n_tied).all()
        assert (want[direction].n_tied_right == got[direction].n_tied_right).all()


def test_float16_is_compared_in_float32():
    similarity = np.array([[1.0, 1.0 + 2**-11], [0, 0]])
    assert rank_bounds(similarity.astype(np.float16)).n_tied.tolist() == [1, 1]
    assert rank_bounds(similarity.astype(np.float32)).n_above.tolist() == [1, 0]


def bfloat16(values):
    """float32 values cut to bfloat16, as NumPy reads them from a file: two bytes without a meaning."""
    return (np.asarray(values, np.float32).view(np.uint32) >> 16).astype(np.uint16).view("V2")


@steady
@given(problems(), st.sampled_from(["caption", "video"]), st.booleans())
def test_bfloat16_is_compared_in_float32(problem, level, turned):
    similarity, grades = problem  # all of these scores are exact in bfloat16
    stored = bfloat16(similarity)
    stored = np.asfortranarray(stored) if turned else stored
    want = retrieval_metrics(similarity.astype(np.float32), grades, direction="both", v2t=level)
    got = retrieval_metrics(stored, grades, direction="both", v2t=level)
    for direction in want:
        assert got[direction].to_dict() == want[direction].to_dict()
        assert got[direction].per_query.equals(want[direction].per_query)


def test_bfloat16_file_is_read_in_blocks(tmp_path):
    values = np.random.default_rng(0).normal(size=(50, 50))
    np.save(tmp_path / "s.npy", bfloat16(values))
    stored = np.load(tmp_path / "s.npy", mmap_mode="r")
    cut = (values.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)
    assert (rank_bounds(stored).n_above == rank_bounds(cut).n_above).all()
    assert check_similarity(stored).dtype == np.float32
    with pytest.raises(DataError, match="1 NaN and 0"):
        rank_bounds(bfloat16([[0, np.nan], [0, 0]]))


def test_float64_is_not_rounded():
    assert rank_bounds(np.array([[1.0, 1.0 + 1e-12], [0, 1]])).n_above.tolist() == [1, 0]


def test_memory_map_is_read(tmp_path):
    np.save(tmp_path / "s.npy", np.eye(5, dtype=np.float32))
    assert (rank_bounds(np.load(tmp_path / "s.npy", mmap_mode="r")).expected == 1).all()


def test_three_ranks_of_a_tie():
    counts = rank_bounds(np.zeros((1, 4)), np.array([[1, 1, 0, 0]]))
    assert (counts.optimistic, counts.expected, counts.pessimistic) == (1.0, 1 + 2 / 3, 3.0)


def test_query_without_a_finite_right_score_is_last():
    similarity = np.array([[-np.inf, 1.0, 2.0], [0.0, -np.inf, -np.inf], [0.0, 0.0, 1.0]])
    counts = rank_bounds(similarity)
    assert counts.n_above.tolist() == [2, 2, 0]
    assert counts.n_tied.tolist() == counts.n_tied_right.tolist()[:2] + [0] == [0, 0, 0]
    assert counts.scored.tolist() == [False, False, True]


def test_auto_groups_once_a_video_has_two_captions():
    similarity = np.zeros((3, 2))
    grades = sp.csr_array(np.array([[1, 0], [1, 0], [0, 1]], np.int8))
    assert rank_bounds(similarity, grades, direction="v2t").level == "video"
    assert rank_bounds(similarity[:2], grades[1:], direction="v2t").level == "caption"


@pytest.mark.parametrize("value, named", [(np.nan, "1 NaN and 0"), (np.inf, "0 NaN and 1")])
@pytest.mark.parametrize("level", ["caption", "video"])
@pytest.mark.parametrize("place", [(0, 0), (1, 2)])
def test_not_finite_scores_are_named(value, named, level, place):
    similarity = np.zeros((3, 3), np.float16)
    similarity[place] = value
    with pytest.raises(DataError, match=f"{named} .*row {place[0]}, column {place[1]}"):
        rank_bounds(similarity, v2t=level)


@pytest.mark.parametrize(
    "similarity, relevance, said",
    [
        (np.zeros((0, 3)), None, "empty"),
        (np.zeros((3, 0)), None, "empty"),
        (np.zeros(3), None, "1 axes"),
        (np.zeros((2, 3)), None, "square"),
        (np.zeros((2, 3)), np.ones((3, 2)), "transposed"),
        (np.zeros((2, 3)), np.ones((2, 2)), "2 x 2"),
        (np.zeros((2, 3)), np.zeros((2, 3)), "no right pair"),
        (np.zeros((2, 2), complex), None, "complex"),
        (np.zeros((2, 2), "V4"), None, "V4"),
        (np.zeros((2, 2), np.int64), None, "int64"),
    ],
)
def test_bad_input_is_one_sentence(similarity, relevance, said):
    with pytest.raises(DataError, match=said):
        rank_bounds(similarity, relevance)


def test_unknown_names():
    with pytest.raises(UnknownNameError, match="direction"):
        rank_bounds(np.eye(2), direction="t2t")  # pyright: ignore[reportCallIssue, reportArgumentType]
    with pytest.raises(DataError, match="v2t"):
        rank_bounds(np.eye(2), v2t="group")


def test_a_pair_given_twice_counts_once():
    twice = sp.coo_array(([1, 2, 1], ([0, 0, 1], [0, 0, 1])), shape=(2, 2))
    assert rank_bounds(np.ones((2, 2)), twice).n_tied_right.tolist() == [1, 1]


TABLE = [  # SOURCES.md: R@1, R@5, R@10, MdR and MnR ties best, MnR ties worst, queries tied at the truth
    ("GRAM", "t2v", 53.1, 74.3, 82.4, 1.0, 8.376, 103.276, 100),
    ("GRAM", "v2t", 51.6, 74.9, 83.0, 1.0, 6.979, 103.191, 104),
    ("InternVideo2", "t2v", 54.6, 76.3, 82.7, 1.0, 10.134, 31.917, 33),
    ("InternVideo2", "v2t", 56.7, 78.4, 85.3, 1.0, 13.55, 29.222, 31),
    ("VAST", "t2v", 49.4, 68.0, 74.0, 2.0, 13.268, 214.456, 212),
    ("VAST", "v2t", 46.2, 68.2, 75.1, 2.0, 10.455, 214.959, 215),
    ("clip4clip", "t2v", 34.4, 55.1, 65.0, 4.0, 37.343, 37.343, 0),
    ("clip4clip", "v2t", 30.3, 53.5, 65.2, 5.0, 33.645, 33.657, 9),
]


@needs_real_data
@pytest.mark.parametrize("name, direction, r1, r5, r10, median, best, worst, tied", TABLE)
def test_published_matrices(name, direction, r1, r5, r10, median, best, worst, tied):
    counts = rank_bounds(matrix(name), direction="both")[direction]
    ranks = counts.optimistic
    found = [100 * float((ranks <= k).mean()) for k in (1, 5, 10)]
    assert found == pytest.approx([r1, r5, r10])
    assert np.median(ranks) == median
    assert ranks.mean() == pytest.approx(best, abs=1e-3)
    assert counts.pessimistic.mean() == pytest.approx(worst, abs=1e-3)
    assert (counts.n_tied > 0).sum() == tied
