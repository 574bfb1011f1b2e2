"""What causes are told by: how flat scores are, of how many sub-words words are made, which columns may be alike."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from tests.analysis.failing import failing
from tests.made import made_corpus
from workbench import analysis
from workbench.analysis.causes.flatness import row_entropies
from workbench.analysis.causes.learned import n_pieces, sub_words
from workbench.analysis.causes.near_pairs import may_correlate
from workbench.analysis.structure.alike import column_correlations
from workbench.evaluation import save_run


@pytest.mark.parametrize(("others", "flat"), [((0.02,), True), ((0.02, 2.0), False), ((), False)])
def test_scores_that_are_flat_in_every_model_tell_an_underspecified_caption(home, others, flat):
    """The first of 40 captions fits all videos nearly alike, but for the wrong one; the rest of them one each."""
    corpus, models = made_corpus(40), []
    for i, best in enumerate((0.02, *others)):
        similarity = np.eye(40, dtype=np.float32)
        similarity[0] = np.linspace(0, 0.01, 40)
        similarity[0, 1] = best
        models.append(save_run(similarity, corpus=corpus, name=f"m{i}"))
    query = corpus.captions["caption_id"][0]
    told: dict[str, Any] = {"others": models[1:], "vague": 0.01, "vague_back": 0.01}  # by the scores alone
    found = analysis.failures(models[0], **told).set_index("query_id").loc[query]
    assert ("underspecified" in found["causes"]) is flat
    said = "its scores are flatter than those of 98 % of the captions, in every model"
    assert (said in found["evidence"].casefold()) is flat
    assert (
        "underspecified"
        not in analysis.failures(models[0], **told, flat=0.01).set_index("query_id").loc[query, "causes"]
    )


def test_the_entropy_of_rows_is_that_of_the_softmax():
    scores = np.random.default_rng(0).normal(3, 0.2, (600, 50)).astype(np.float32)
    scores[1], scores[2], scores[3, 4:] = 0.5, -np.inf, -np.inf
    scores[2, 7] = 1.0
    found = row_entropies(scores, 0.25)
    spreads = [np.std(row[np.isfinite(row)].astype(float)) for row in scores]
    x = scores[[0, 3, 599]].astype(float) / (0.25 * np.median([one for one in spreads if one > 0]))
    share = np.exp(x - x.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    expected = -(share * np.log(np.where(share > 0, share, 1))).sum(axis=1)
    assert found[[0, 3, 599]] == pytest.approx(expected, rel=1e-5)
    assert np.isnan(found[1]) and np.isnan(found[2])


ENDINGS = "ing ed er s ly ness ment".split()
SYLLABLES = [a + b for a in "bdfgklmnprst" for b in ("ar", "en", "il", "op", "us", "alk", "ent", "ost", "urn", "ing")]
TRAINED = [" ".join(one + end for end in ENDINGS) for one in SYLLABLES]
"""840 words of a syllable and an ending."""


@pytest.mark.parametrize(("text", "found"), [
    ("zyx qwjx ygvh", True), ("dopness parly walker", False), ('a dopness parly "zyx qwjx ygvh"', False),
])  # fmt: skip
def test_words_of_many_sub_words(home, text, found):
    train = [*TRAINED, *(one + other for one in SYLLABLES for other in SYLLABLES[:7])]
    row = analysis.failures(failing(text, train=train), rare_words=1.0).set_index("query_id").loc["q0"]
    assert ("sub-words on average" in row["evidence"]) is found
    few = failing(text, train=train[:20], name="few", corpus="few")
    assert "sub-words" not in analysis.failures(few).set_index("query_id").loc["q0", "evidence"]


def test_sub_words_are_cut_longest_first():
    pieces = sub_words(Counter({"walking": 1, "talking": 1, "baking": 1, "making": 1, "taking": 1, "quokka": 2}))
    assert {"king", "ing", "quokka"} <= pieces and "walking" not in pieces and "alking" not in pieces
    assert [n_pieces(word, pieces) for word in ("quokka", "walking", "king", "xy")] == [1, 4, 1, 2]


@pytest.mark.parametrize("least", [0.5, 0.95])
def test_no_pair_of_columns_that_correlates_is_left_out(least):
    draw = np.random.default_rng(0)
    noise = np.tile(np.linspace(0.01, 1, 10), 6)
    scores = (np.repeat(draw.normal(20, 1, (2000, 6)), 10, 1) + draw.normal(0, noise, (2000, 60))).astype(np.float32)
    scores[5, 3], scores[:, 7] = -np.inf, 1.0
    left, right = (one.ravel() for one in np.meshgrid(np.arange(60), np.arange(60)))
    may = may_correlate(scores, left, right, least)
    holds = np.nan_to_num(column_correlations(scores, left, right), nan=-1) >= least
    assert may[holds].all() and holds.sum() > 60
    assert may.sum() < len(may) / 2  # most need no second look
