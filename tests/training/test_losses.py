"""Losses against slow loops, their gradients, masks and edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.core.errors import UnknownNameError
from workbench.core.seeds import generator

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")

from workbench.training.loss import max_margin, pairwise_sigmoid, symmetric_infonce  # noqa: E402

BIAS, MARGIN = -1.5, 0.3
NAMED = {
    "infonce": symmetric_infonce,
    "sigmoid": lambda scores, same: pairwise_sigmoid(scores, same, BIAS),
    "all": lambda scores, same: max_margin(scores, same, MARGIN, "all"),
    "hardest": lambda scores, same: max_margin(scores, same, MARGIN, "hardest"),
}


def drawn(n: int = 6, masked: bool = True) -> tuple[np.ndarray, np.ndarray]:
    draw = generator(0, "losses", n)
    same = np.triu(draw.random((n, n)) < 0.3, 1) & masked
    return draw.normal(size=(n, n)), same | same.T


def slow(name: str, scores: np.ndarray, same: np.ndarray) -> float:
    n, total, count = len(scores), 0.0, 0
    for s, mask in ((scores, same), (scores.T, same.T)):
        for i in range(n):
            wrong = [s[i, j] for j in range(n) if j != i and not mask[i, j]]
            if name == "infonce":
                total += (math.log(sum(math.exp(x) for x in [s[i, i], *wrong])) - s[i, i]) / (2 * n)
            if name == "sigmoid":
                chances = [1 / (1 + math.exp(-(s[i, i] + BIAS))), *(1 / (1 + math.exp(x + BIAS)) for x in wrong)]
                total -= sum(math.log(x) for x in chances) / (2 * n)
            over = [max(0.0, MARGIN - s[i, i] + x) for x in wrong]
            if name == "hardest":
                total += max([0.0, *over]) / (2 * n)
            if name == "all":
                total, count = total + sum(over), count + len(over)
    return total / max(count, 1) if name == "all" else total


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("name", NAMED)
def test_a_loss_is_its_loop_and_its_gradient_is_right(name, masked):
    scores, same = drawn(masked=masked)
    assert same.any() == masked
    given, mask = torch.tensor(scores, requires_grad=True), torch.from_numpy(same)
    assert float(NAMED[name](given, mask).detach()) == pytest.approx(slow(name, scores, same), rel=1e-12)
    assert torch.autograd.gradcheck(lambda one: NAMED[name](one, mask), given)
    NAMED[name](given, mask).backward()
    assert (given.grad[mask] == 0).all() and (given.grad.diagonal() <= 0).all()


@pytest.mark.parametrize("name", NAMED)
def test_one_pair_everything_masked_and_pairs_without_score_stay_finite(name):
    alone = torch.tensor([[3.0]], requires_grad=True)
    loss = NAMED[name](alone, torch.tensor([[False]]))
    loss.backward()
    right = math.log1p(math.exp(-(3.0 + BIAS))) if name == "sigmoid" else 0.0
    assert float(loss.detach()) == pytest.approx(right) and torch.isfinite(alone.grad).all()
    scores = torch.tensor(drawn(4)[0])
    everything = ~torch.eye(4, dtype=torch.bool)
    assert torch.isfinite(NAMED[name](scores, everything))
    missing = scores.clone()
    missing[0, 2] = missing[3, 1] = -torch.inf
    missing.requires_grad_(True)
    loss = NAMED[name](missing, torch.zeros(4, 4, dtype=torch.bool))
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(missing.grad).all()


def test_the_gradient_of_a_learned_bias_is_right():
    scores, same = drawn()
    given, mask = torch.tensor(scores, requires_grad=True), torch.from_numpy(same)
    bias = torch.tensor(BIAS, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda one, two: pairwise_sigmoid(one, mask, two), (given, bias))


def test_an_unknown_choice_of_negatives_is_named():
    with pytest.raises(UnknownNameError, match="hardset"):
        max_margin(torch.eye(2), torch.zeros(2, 2, dtype=torch.bool), 0.1, "hardset")
