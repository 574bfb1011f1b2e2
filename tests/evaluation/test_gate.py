"""A weight for every caption: learned where the right one depends on the caption, its gradient, what it may not see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import check_grad
from scipy.special import logsumexp

from workbench.core.errors import DataError
from workbench.evaluation import fit_gate, gated_fusion, retrieval_metrics, sweep_weights
from workbench.evaluation.ranks.relevance import check_relevance
from workbench.evaluation.rescoring import gate, gate_fit
from workbench.evaluation.rescoring.fusion import Modalities

N = 120
SAYS, SHOWS = 'the sign says "{}" over the door', "a brown dog runs over the grass"


def made(seed: int, n: int = N) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Captions that quote a word are found by their read text alone, the others by their frames alone."""
    draw = np.random.default_rng(seed)
    asks = draw.random(n) < 0.5
    texts = [SAYS.format(f"NOMEK {i}") if ask else SHOWS for i, ask in enumerate(asks)]
    known = {"vision": ~asks, "ocr": asks}
    scores = {
        name: (np.diag(np.where(rows, 2.5, 0.0)) + draw.normal(size=(n, n))).astype(np.float32)
        for name, rows in known.items()
    }
    return scores, pd.DataFrame({"caption_id": [f"c{i}" for i in range(n)], "text": texts, "language": "en"})


@pytest.fixture(scope="module")
def fitted():
    return fit_gate(*(lambda scores, captions: (scores, None, captions))(*made(0)))


def r1(similarity) -> float:
    return retrieval_metrics(similarity).r1


def test_it_beats_every_constant_weight(fitted):
    scores, captions = made(1)
    before = {name: one.copy() for name, one in scores.items()}
    similarity, protocol = gated_fusion(scores, fitted, captions)
    best = sweep_weights(scores, scale="query").curve["value"].max()
    assert r1(similarity) > max(best, r1(scores["vision"]), r1(scores["ocr"])) + 5
    assert all(np.array_equal(scores[name], one) for name, one in before.items())
    told = protocol.to_dict()
    assert (told["scoring"], told["sees"], told["direction"]) == ("gated sum", "nothing", "t2v")
    assert told["parameters"]["gate"]["coefficients"]["scene-text query"] > 0.5
    weight = told["parameters"]["weight of ocr"]
    assert 0 < weight["low"] < 0.5 < weight["high"] < 1 and not protocol.warnings


def test_a_caption_sees_its_own_scores_alone(fitted):
    scores, captions = made(2)
    whole = gated_fusion(scores, fitted, captions).similarity
    some = [7, 3, 90]
    part = gated_fusion({name: one[some] for name, one in scores.items()}, fitted, captions.iloc[some]).similarity
    np.testing.assert_array_equal(part, whole[some])
    turned = gated_fusion(dict(reversed(scores.items())), fitted, captions).similarity
    np.testing.assert_array_equal(turned, whole)


def test_units_of_a_modality_do_not_matter(fitted):
    found = []
    for scale, offset in ((1.0, 0.0), (40.0, -7.0)):
        (seen, told), (scores, captions) = (
            ({"vision": scale * scores["vision"] + np.float32(offset), "ocr": scores["ocr"]}, captions)
            for scores, captions in (made(0), made(3))
        )
        found.append(gated_fusion(scores, fit_gate(seen, None, told), captions).similarity)
        found[-1] -= found[-1].mean(1, keepdims=True)
    np.testing.assert_allclose(found[0], found[1], atol=2e-3)


def test_the_size_of_the_gallery_does_not_matter(fitted):
    """Fewer videos to choose from move no other pair: unlike z-scores of a row."""
    scores, captions = made(3)
    whole = gated_fusion(scores, fitted, captions).similarity
    tops = {column for one in scores.values() for column in np.argsort(-one, 1)[:4, :2].ravel().tolist()}
    kept = sorted({*range(0, N, 2), *tops})
    part = gated_fusion({name: one[:4, kept] for name, one in scores.items()}, fitted, captions[:4]).similarity
    np.testing.assert_array_equal(part, whole[:4, kept])


def test_what_was_not_scored_stays_so(fitted):
    scores, captions = made(4)
    scores["ocr"][:, 5] = -np.inf
    scores["vision"][8] = -np.inf
    found = gated_fusion(scores, replace(fitted, bias=-1e3), captions).similarity
    assert np.isneginf(found[:, 5]).all() and np.isneginf(found[8]).all()
    assert np.isfinite(np.delete(np.delete(found, 5, 1), 8, 0)).all()
    assert fit_gate(scores, None, captions).n_queries == N - 2


def problem(seed: int = 5, n: int = 20):
    scores, captions = made(seed, n)
    relevance = np.eye(n, dtype=np.int8)
    relevance[0, 3] = 1
    pair = Modalities.of(scores, "none", "t2v")
    scales = gate._spreads(pair)
    features = gate._features(pair, scales, captions)
    queries, entries = gate._candidates(pair, scales, check_relevance(relevance, (n, n)).videos_of)
    return scores, relevance, gate_fit.Choices(features, queries, *entries)


def test_what_is_made_small_is_its_formula(monkeypatch):
    monkeypatch.setattr(gate, "CANDIDATES", 100)
    scores, relevance, choices = problem()
    numbers = np.array([0.4, -0.3, 0.2, 0.1, -0.2, 0.7])
    first, second = (one / np.sqrt(one.var(axis=1).mean()) for one in scores.values())
    weight = 1 / (1 + np.exp(-(choices.features @ numbers[:4] - 0.2)))[:, None]
    fused = np.exp(0.7) * ((1 - weight) * first + weight * second)
    losses = logsumexp(fused, axis=1) - logsumexp(np.where(relevance > 0, fused, -np.inf), axis=1)
    np.testing.assert_allclose(gate_fit.losses_of(numbers, choices)[0], losses, rtol=1e-5)
    whole = np.mean(losses) + 0.3 * (numbers[:4] ** 2).sum()
    assert gate_fit.penalised(numbers, choices, 0.3)[0] == pytest.approx(whole, rel=1e-5)
    part = choices.only(np.arange(20) % 3 == 1)
    np.testing.assert_array_equal(gate_fit.losses_of(numbers, part)[0], gate_fit.losses_of(numbers, choices)[0][1::3])


def test_its_gradient_is_that_of_the_formula(monkeypatch):
    monkeypatch.setattr(gate, "CANDIDATES", 4)
    _, _, choices = problem()
    assert len(choices.first) < 20 * 10 and choices.right.sum() == 21
    for numbers in np.random.default_rng(0).normal(size=(5, 6)):
        value, gradient = (lambda x, at=at: gate_fit.penalised(x, choices, 0.1)[at] for at in (0, 1))
        assert check_grad(value, gradient, numbers) < 1e-5


def test_what_does_not_generalise_is_left_out():
    """Few captions, and texts drawn without regard to who knows them: one weight for all."""
    draw = np.random.default_rng(80)
    scores, captions = made(8, 40)
    captions["text"] = [SAYS.format(i) if draw.random() < 0.5 else SHOWS for i in range(40)]
    found = fit_gate(scores, None, captions)
    assert found.penalty == gate_fit.PENALTIES[0]
    weight = gated_fusion(scores, found, captions).protocol.parameters["weight of ocr"]
    assert weight["high"] - weight["low"] < 0.02 and 0.2 < weight["middle"] < 0.8


def test_few_captions_are_told():
    scores, captions = made(6, 20)
    found = fit_gate(scores, None, captions)
    assert gated_fusion(scores, found, captions).protocol.warnings == ("The gate was fitted on 20 captions only.",)


def test_what_does_not_fit_is_named(fitted):
    scores, captions = made(7)
    with pytest.raises(DataError, match="The gate was fitted for vision and ocr, the scores are vision and speech"):
        gated_fusion({"vision": scores["vision"], "speech": scores["ocr"]}, fitted, captions)
    with pytest.raises(DataError, match=f"There are {N - 1} captions for {N} rows"):
        gated_fusion(scores, fitted, captions[1:])
    with pytest.raises(DataError, match="The texts of the captions are not known"):
        gated_fusion(scores, fitted, captions.assign(text=None))
    with pytest.raises(DataError, match="No caption has a right video that both modalities scored"):
        fit_gate(scores, np.eye(N, dtype=np.int8) * 0 + np.diag([1] + [0] * (N - 1)), _unscored(scores, captions))


def _unscored(scores, captions):
    scores["ocr"][0, 0] = -np.inf
    return captions
