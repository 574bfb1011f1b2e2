"""Ceilings against the metrics of a perfect model that cannot tell identical captions apart."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.real import needs_real_data, textvr_captions
from tests.evaluation.test_ranks import steady
from workbench.core.errors import DataError
from workbench.evaluation import retrieval_metrics
from workbench.evaluation.metrics.ceilings import ceiling


def best_model(grades, texts, rule):
    """Best t2v and v2t R@1 over all rankings of videos per text, and of texts per video, written out."""
    n_videos = grades.shape[1]
    t2v = sum(
        max(sum(grades[c, order[0]] > 0 for c in range(len(texts)) if texts[c] == text)
            for order in permutations(range(n_videos)))
        for text in set(texts)
    )  # fmt: skip
    names = sorted(set(texts))
    videos = [v for v in range(n_videos) if (grades[:, v] > 0).any()]
    v2t = 0.0
    for video in videos:
        found = []
        for order in permutations(range(len(names))):
            scores = np.array([[-float(order[names.index(text)])] for text in texts])
            found.append(retrieval_metrics(scores, grades[:, [video]], direction="v2t", v2t="caption", ties=rule).r1)
        v2t += max(found)
    return 100 * t2v / len(texts), v2t / len(videos)


@steady
@given(st.integers(0, 10_000), st.sampled_from(["expected", "pessimistic", "optimistic"]))
def test_no_ranking_is_better(seed, rule):
    draw = np.random.default_rng(seed)
    n_captions, n_videos = draw.integers(1, 5, 2)
    texts = [f"text {n}" for n in draw.integers(0, 3, n_captions)]
    grades = np.eye(n_videos, dtype=np.int8)[draw.integers(0, n_videos, n_captions)]
    found = ceiling(sp.csr_array(grades), texts, v2t="caption", ties=rule)
    t2v, v2t = best_model(grades, texts, rule)
    assert (found["t2v"]["r1"], found["v2t"]["r1"]) == pytest.approx((t2v, v2t))


def test_texts_are_compared_normalised():
    assert ceiling(None, ["A  dog", "a dog\u00a0"])["t2v"]["r1"] == 50
    assert ceiling(None, ["a dog", "a cat"])["t2v"]["r1"] == 100


def test_several_right_videos_are_no_loss():
    assert ceiling(np.ones((2, 2), np.int8), ["same", "same"])["t2v"]["r1"] == 100


def test_grouped_level_uses_the_rarest_own_text():
    grades = np.array([[1, 0], [1, 0], [0, 1]], np.int8)
    found = ceiling(grades, ["shared", "own", "shared"])
    assert found["v2t"]["r1"] == pytest.approx(75)  # the first video by its own text, the second shares its only one
    assert found["t2v"]["r1"] == pytest.approx(100 * 2 / 3)


def test_wrong_number_of_captions():
    with pytest.raises(DataError, match="captions"):
        ceiling(np.eye(3, dtype=np.int8), ["a", "b"])


@needs_real_data
def test_textvr():
    captions = textvr_captions()
    found = ceiling(None, captions)
    assert (round(found["t2v"]["r1"], 2), round(found["t2v"]["r5"], 2)) == (89.99, 99.89)
    assert round(found["v2t"]["r1"], 2) == 89.99
    averaged = ceiling(None, captions, ties="pessimistic")  # a two-way tie at the top is a miss in TextVR's metric
    assert round(averaged["v2t"]["r1"], 2) == 81.81
