"""Duplicates, near duplicates and the best case against slow, obvious implementations; orders undo themselves."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.real import needs_real_data, textvr_captions
from tests.evaluation.test_ranks import steady
from tests.made import made_corpus
from workbench.core.errors import DataError
from workbench.core.files import write_table
from workbench.corpus.text import normalise_caption
from workbench.evaluation import retrieval_metrics
from workbench.evaluation.metrics.ceilings import ceiling
from workbench.evaluation.metrics.duplicates import (
    LEAST_WORDS,
    answers,
    best_case,
    duplicates,
    near_duplicates,
    shared_relevance,
    text_numbers,
)
from workbench.evaluation.order.named import NamedOrder, named_orders

LINES = st.lists(st.lists(st.sampled_from("a b c d".split()), min_size=3, max_size=7).map(" ".join), max_size=8)


def distance(a, b):
    """Levenshtein in words, the table written out."""
    table = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            changed = table[i - 1][j - 1] + (a[i - 1] != b[j - 1])
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, changed)
    return table[-1][-1]


def slow_near(captions, answer):
    words = [re.findall(r"\w+", normalise_caption(one)) for one in captions]
    return {
        i
        for i in range(len(captions))
        for j in range(len(captions))
        if answer[i] != answer[j]
        and normalise_caption(captions[i]) != normalise_caption(captions[j])
        and min(len(words[i]), len(words[j])) >= LEAST_WORDS
        and distance(words[i], words[j]) <= 1
    }


@steady
@given(LINES, st.integers(0, 1000))
def test_near_duplicates_are_those_at_a_distance_of_one_word(captions, seed):
    answer = np.random.default_rng(seed).integers(0, 3, len(captions))
    found = near_duplicates(captions, answer)
    assert set(found) == slow_near(captions, answer)
    for row, other in found.items():
        assert other in slow_near([*captions], answer) and answer[row] != answer[other]


def test_punctuation_alone_is_near_and_case_is_equal():
    captions = ["A dog runs, fast.", "a dog runs fast", "A DOG runs fast", "a cat", "a cow"]
    assert near_duplicates(captions, np.arange(5)) == {0: 1, 1: 0, 2: 0}
    assert duplicates(captions, np.arange(5)).tolist() == [False, True, True, False, False]
    assert not duplicates(captions, np.zeros(5, int)).any() and near_duplicates(captions, np.zeros(5, int)) == {}


@steady
@given(st.integers(0, 10_000))
def test_shared_relevance_and_answers(seed):
    draw = np.random.default_rng(seed)
    n, videos = draw.integers(1, 6, 2)
    texts = [f"text {i}" for i in draw.integers(0, 3, n)]
    grades = draw.integers(0, 3, (n, videos)).astype(np.int8)
    grades[0, 0] = 1
    shared = shared_relevance(sp.csr_array(grades), texts).toarray()
    for i in range(n):
        alike = [j for j in range(n) if texts[j] == texts[i]]
        assert (shared[i] == grades[alike].max(0)).all()
    answer = answers(sp.csr_array(grades))
    for i in range(n):
        for j in range(n):
            assert (answer[i] == answer[j]) == ((grades[i] > 0) == (grades[j] > 0)).all()


@steady
@given(st.integers(0, 10_000), st.sampled_from(["expected", "pessimistic", "optimistic"]))
def test_the_best_case_reaches_the_ceiling_and_no_text_scorer_beats_it(seed, rule):
    draw = np.random.default_rng(seed)
    n = int(draw.integers(2, 9))
    texts = [f"text {i}" for i in draw.integers(0, 5, n)]
    best = best_case(None, texts, ties=rule)
    bound = ceiling(None, texts, ties=rule)
    for direction in ("t2v", "v2t"):
        assert best[direction].r1 == pytest.approx(bound[direction]["r1"])
    if rule == "expected":
        scores = draw.normal(size=(5, n))[[int(one[-1]) for one in texts]]
        other = retrieval_metrics(scores, direction="both")
        assert best["t2v"].mrr >= other["t2v"].mrr - 1e-9 and best["t2v"].mean_rank <= other["t2v"].mean_rank + 1e-9


def test_the_best_case_with_several_captions_stays_below_the_bound():
    draw = np.random.default_rng(0)
    for _ in range(30):
        grades = np.eye(4, dtype=np.int8)[draw.integers(0, 4, 10)]
        texts = [f"text {i}" for i in draw.integers(0, 6, 10)]
        best, bound = best_case(grades, texts), ceiling(grades, texts)
        for direction, k in (("t2v", "r1"), ("t2v", "r5"), ("v2t", "r1")):
            assert getattr(best[direction], k) <= bound[direction][k] + 1e-9
    with pytest.raises(DataError, match="2 captions for 3 rows"):
        best_case(np.eye(3), ["a", "b"])


def test_orders_convert_both_ways(home):
    corpus = made_corpus(20)
    draw = np.random.default_rng(0)
    videos, captions = (
        draw.permutation(getattr(corpus, t)[k]) for t, k in (("videos", "video_id"), ("captions", "caption_id"))
    )
    rows = [{"split": "test", "order": "odd", "axis": axis, "position": i, "id": one}
            for axis, ids in (("videos", videos), ("captions", captions)) for i, one in enumerate(ids)]  # fmt: skip
    write_table(corpus.path / "orders.parquet", pd.DataFrame(rows))
    alone, both = named_orders(corpus)
    assert (alone.name, both.name) == ("odd", "odd (captions and videos)") and alone.moved[0] == 0 < both.moved[0]
    own = draw.normal(size=(20, 20))
    place = {one: i for i, one in enumerate(corpus.videos["video_id"])}
    line = {one: i for i, one in enumerate(corpus.captions["caption_id"])}
    odd = np.array([[own[line[c], place[v]] for v in videos] for c in captions])  # as somebody in that order saved it
    assert (both.to_corpus(odd) == own).all() and (both.from_corpus(own) == odd).all()
    assert (alone.from_corpus(own) == own[:, [place[v] for v in videos]]).all()
    with pytest.raises(DataError, match="is of"):
        both.to_corpus(np.zeros((3, 20)))
    same = np.arange(3)
    assert NamedOrder("same", same, same).moved == (0, 0)


@needs_real_data
def test_the_captions_of_textvr():
    texts = textvr_captions()
    number = text_numbers(texts)
    assert (len(texts), number.max() + 1) == (2727, 2454)
    assert duplicates(texts, np.arange(2727)).sum() == 496
    best = best_case(None, texts)
    assert best["t2v"].r1 == pytest.approx(100 * 2454 / 2727) == pytest.approx(ceiling(None, texts)["t2v"]["r1"])
    assert best["v2t"].r1 == pytest.approx(ceiling(None, texts)["v2t"]["r1"]) and best["t2v"].r10 == 100
    assert 0 < len(near_duplicates(texts, np.arange(2727))) < 500
