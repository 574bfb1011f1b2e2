"""Compatibility modes against slow transcriptions of the equations in the specs, and the specs' golden values."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.real import matrix, needs_real_data
from tests.evaluation.test_ranks import steady
from workbench.core.errors import DataError, UnknownNameError
from workbench.evaluation import compatible_metrics
from workbench.evaluation.metrics.compatible import MODES

LEVELS = [-2.0, 0.0, 1.0, 1.5]


@st.composite
def one_right_video(draw, most=6, several=True, unscored=True):
    """(similarity, owner): each caption's video, shuffled rows; every video has a caption; ties abound."""
    n_videos = draw(st.integers(1, most))
    more = draw(st.lists(st.integers(0, n_videos - 1), max_size=most if several else 0))
    owner = np.array(draw(st.permutations([*range(n_videos), *more])))
    levels = [-np.inf, *LEVELS] if unscored else LEVELS
    size = len(owner) * n_videos
    scores = draw(st.lists(st.sampled_from(levels), min_size=size, max_size=size))
    return np.array(scores).reshape(len(owner), n_videos), owner


def relevance(owner):
    return sp.csr_array((owner[:, None] == np.arange(owner.max() + 1)).astype(np.int8))


def sorted_and_found(rows, own):
    """Spec 6.1: 0-based places at which the falling row equals the own score, over all rows."""
    return [
        place
        for row, score in zip(rows, own, strict=True)
        if np.isfinite(score)
        for place, value in enumerate(sorted(row, reverse=True))
        if value == score
    ]


def entries_summary(entries, cuts):
    values = {f"R@{k}": 100 * sum(e < k for e in entries) / len(entries) for k in cuts}
    return values | {"MdR": np.median(entries) + 1, "MnR": np.mean(entries) + 1}


def place_by_position(row, item):
    """Place from 1 in the falling row, equal scores in order of position."""
    return sorted(range(len(row)), key=lambda other: (-row[other], other)).index(item) + 1


def slow_clip4clip(similarity, owner, cuts):
    n_videos = similarity.shape[1]
    if len(owner) == n_videos:
        own = similarity[np.arange(len(owner)), owner]
        by_video = np.array([own[owner == v][0] for v in range(n_videos)])
        return (
            entries_summary(sorted_and_found(similarity, own), cuts),
            entries_summary(sorted_and_found(similarity.T, by_video), cuts),
        )
    places = sorted(
        place_by_position(row, video) for row, video in zip(similarity, owner, strict=True) if np.isfinite(row[video])
    )
    t2v = {f"R@{k}": 100 * sum(place <= k for place in places) / len(places) for k in cuts}
    t2v |= {"MdR": places[(len(places) - 1) // 2], "MnR": np.mean(places)}
    best = np.array([similarity[owner == v].max(axis=0) for v in range(n_videos)])
    return t2v, entries_summary(sorted_and_found(best.T, np.diag(best)), cuts)


def slow_frozen(similarity, owner, share):
    """Spec 5.1 of TextVR, ranks from 0."""
    t2v = [
        sum(row > row[v]) + share * sum(row[j] == row[v] for j in range(len(row)) if j != v)
        for row, v in zip(similarity, owner, strict=True)
    ]
    v2t = []
    for v in range(similarity.shape[1]):
        column = similarity[:, v]
        ranks = [
            sum(column > column[c]) + 0.5 * sum(column[i] == column[c] for i in range(len(column)) if i != c)
            for c in np.flatnonzero(owner == v)
        ]
        v2t.append(min(ranks))
    found = []
    for ranks in (np.array(t2v), np.array(v2t)):
        values = {"R@1": 100 * np.mean(ranks == 0)}
        values |= {f"R@{k}": 100 * np.mean(ranks < k) for k in (5, 10, 50)}
        values |= {"MdR": np.median(ranks) + 1, "MnR": np.mean(ranks) + 1}
        found.append(values | {"geometric mean": (values["R@1"] * values["R@5"] * values["R@10"]) ** (1 / 3)})
    return found


def slow_nrccr(similarity, owner):
    """Spec 4.2 of NRCCR."""
    queries = [(row, [v]) for row, v in zip(similarity, owner, strict=True)]
    turned = [(similarity[:, v], np.flatnonzero(owner == v)) for v in range(similarity.shape[1])]
    found = []
    for asked in (queries, turned):
        places = [sorted(place_by_position(row, item) for item in right) for row, right in asked]
        first = np.array([one[0] for one in places])
        values = {f"R@{k}": 100 * np.mean(first <= k) for k in (1, 5, 10)}
        values |= {"MdR": np.median(first), "MnR": np.mean(first)}
        precision = [np.mean([(n + 1) / place for n, place in enumerate(one)]) for one in places]
        found.append(values | {"mAP": np.mean(precision)})
    return found


def agree(found, expected):
    for direction, values in zip(("t2v", "v2t"), expected, strict=True):
        assert list(found[direction].values) == list(values)
        assert found[direction].values == pytest.approx(values)


def any_scored(similarity, owner):
    best = np.array([similarity[owner == v].max(axis=0) for v in range(similarity.shape[1])])
    return np.isfinite(similarity[np.arange(len(owner)), owner]).any() and np.isfinite(np.diag(best)).any()


@steady
@given(one_right_video(), st.sampled_from(["clip4clip", "internvideo"]))
def test_clip4clip_equals_the_slow_one(problem, mode):
    similarity, owner = problem
    if not any_scored(similarity, owner):
        with pytest.raises(DataError, match="No right pair was scored"):
            compatible_metrics(similarity, relevance(owner), mode=mode)
        return
    found = compatible_metrics(similarity.astype(np.float32), relevance(owner), mode=mode)
    agree(found, slow_clip4clip(similarity, owner, (1, 5, 10)))


@steady
@given(one_right_video(several=False), st.sampled_from(["drl", "hbi"]))
def test_drl_and_hbi_equal_the_slow_one(problem, mode):
    similarity, owner = problem
    if any_scored(similarity, owner):
        found = compatible_metrics(similarity, relevance(owner), mode=mode)
        agree(found, slow_clip4clip(similarity, owner, (1, 5, 10, 50) if mode == "hbi" else (1, 5, 10)))


@steady
@given(one_right_video(unscored=False), st.sampled_from([("frozen", 0.0), ("textvr", 0.5)]))
def test_frozen_and_textvr_equal_the_slow_one(problem, mode):
    similarity, owner = problem
    found = compatible_metrics(similarity, relevance(owner), mode=mode[0])
    agree(found, slow_frozen(similarity, owner, mode[1]))


@steady
@given(one_right_video())
def test_nrccr_equals_the_slow_one(problem):
    similarity, owner = problem
    agree(compatible_metrics(similarity, relevance(owner), mode="nrccr"), slow_nrccr(similarity, owner))


@pytest.mark.parametrize("mode", MODES)
def test_modes_agree_where_nothing_ties(mode):
    similarity = np.random.default_rng(1).normal(size=(40, 40))
    found = compatible_metrics(similarity, mode=mode)
    expected = compatible_metrics(similarity, mode="textvr")
    for direction in ("t2v", "v2t"):
        one, other = found[direction], expected[direction]
        assert {name: one.values[name] for name in ("R@1", "R@5", "R@10", "MdR", "MnR")}.items() <= other.values.items()
        assert one.n_entries == one.n_queries == 40
        assert one.wrong == MODES[mode].wrong and one.wrong.endswith(".") and MODES[mode].source


def test_golden_entries_of_the_clip_spec():
    two_tie = np.array([[3.0, 3.0, 1.0], [0.0, 2.0, 1.0], [0.0, 1.0, 2.0]])
    assert compatible_metrics(two_tie, mode="clip4clip")["t2v"].n_entries == 4
    equal = compatible_metrics(np.ones((4, 4)), mode="clip4clip")["t2v"]
    assert (equal.n_entries, equal.n_queries, equal.values["R@1"]) == (16, 4, 25)
    unscored = np.array([[-np.inf, 1.0], [0.0, 1.0]])
    assert compatible_metrics(unscored, mode="clip4clip")["t2v"].n_entries == 1


def test_golden_lower_median_of_the_clip_spec():
    falling = np.array([9.0, 8, 7, 6])
    one = compatible_metrics(np.tile(falling, (4, 1)), mode="clip4clip")["t2v"]  # places 1, 2, 3, 4
    assert one.values["MdR"] == 2.5
    several = relevance(np.array([0, 0, 1, 2, 3, 3]))  # places 1, 1, 2, 3, 4, 4
    assert compatible_metrics(np.tile(falling, (6, 1)), several, mode="clip4clip")["t2v"].values["MdR"] == 2


def test_golden_repeated_captions_of_the_clip_spec():
    """1k-A: 1,000 rows of which 9 repeat 4 sentences: up to 12 more v2t entries where equal texts score the same."""
    similarity = np.random.default_rng(0).normal(size=(1000, 1000))
    for same in ([0, 1], [2, 3], [4, 5], [6, 7, 8]):
        similarity[same] = similarity[same[0]]
    found = compatible_metrics(similarity, mode="clip4clip")
    assert (found["t2v"].n_entries, found["v2t"].n_entries) == (1000, 1012)


def test_golden_shared_first_place_of_the_textvr_spec():
    similarity = np.array([[2.0, 2.0], [0.0, 1.0]])
    found = {mode: compatible_metrics(similarity, mode=mode)["t2v"].values for mode in ("frozen", "textvr")}
    assert (found["frozen"]["R@1"], found["textvr"]["R@1"]) == (100, 50)
    assert (found["textvr"]["R@5"], found["textvr"]["MdR"], found["textvr"]["MnR"]) == (100, 1.25, 1.25)
    assert compatible_metrics(np.ones((3, 3)), mode="textvr")["t2v"].values["geometric mean"] == 0


FIRST = [[0.9, 0.1, 0.3], [0.2, 0.8, 0.1], [0.4, 0.5, 0.6], [0.3, 0.3, 0.3]]
FUSED = [[0.2889, 0.6222, 0.2278], [0.825, 0.175, 0.3556], [0.3417, 0.9, 0.5694], [0.2278, 0.4056, 0.7611]]


@pytest.mark.parametrize(
    "rows, t2v, v2t",
    [
        (FIRST, (25, 100, 100, 2.0, 2.0, 0.583333), (33.333, 100, 100, 2.0, 2.0, 0.527778)),
        (FUSED, (75, 100, 100, 1.0, 1.25, 0.875), (100, 100, 100, 1.0, 1.0, 0.944444)),
    ],
)
def test_golden_vectors_of_the_cross_lingual_spec(rows, t2v, v2t):
    found = compatible_metrics(np.array(rows), relevance(np.array([0, 0, 1, 2])), mode="nrccr")
    assert list(found["t2v"].values.values()) == pytest.approx(t2v, abs=1e-3)
    assert list(found["v2t"].values.values()) == pytest.approx(v2t, abs=1e-3)


@pytest.mark.parametrize(
    "grades, mode, said",
    [
        (np.array([[1, 1], [0, 1]]), "clip4clip", "1 captions do not have exactly one right video.*CLIP4Clip"),
        (np.array([[1, 0], [1, 0]]), "textvr", "1 videos have no caption"),
        (np.array([[1, 0], [1, 0], [0, 1]]), "drl", "several captions.*DRL"),
    ],
)
def test_what_a_mode_cannot_read_is_one_sentence(grades, mode, said):
    with pytest.raises(DataError, match=said):
        compatible_metrics(np.zeros(grades.shape), grades, mode=mode)


def test_unscored_pairs_stop_frozen():
    with pytest.raises(DataError, match="1 queries have no scored right pair"):
        compatible_metrics(np.array([[-np.inf, 1.0], [0.0, 1.0]]), mode="textvr")


def test_unknown_mode_names_the_nearest():
    with pytest.raises(UnknownNameError, match="clip4clip"):
        compatible_metrics(np.eye(2), mode="clip4clp")


@needs_real_data
@pytest.mark.parametrize("name", ["clip4clip", "InternVideo2", "GRAM", "VAST"])
def test_real_matrices_equal_the_slow_one(name):
    similarity = np.array(matrix(name))
    found = compatible_metrics(similarity, mode="clip4clip")
    for direction, rows in (("t2v", similarity), ("v2t", similarity.T)):
        entries = sorted_and_found(rows, np.diag(rows))
        assert found[direction].values == pytest.approx(entries_summary(entries, (1, 5, 10)))
        assert found[direction].n_entries == len(entries)
