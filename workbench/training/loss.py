"""Losses on similarity matrices of a batch: right pairs on the diagonal, masked pairs are no negatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.core.lookup import pick
from workbench.core.optional import need

if TYPE_CHECKING:
    from workbench.training.recipes import Recipe


def symmetric_infonce(similarity: Any, same: Any) -> Any:
    """InfoNCE in both directions, mean.

    Args:
        similarity: Tensor [n, n], right pairs on the diagonal, already divided by the temperature.
        same: Bool tensor [n, n], diagonal false: pairs to leave out.

    Source: van den Oord et al. 2018 (InfoNCE), Radford et al. 2021 (both directions); masking of duplicate captions as
    in spec/textvr.md, remedies.
    """
    functional = need("torch.nn.functional", "Training")
    torch = need("torch", "Training")
    masked = similarity.masked_fill(same, float("-inf"))
    target = torch.arange(len(masked), device=masked.device)
    return (functional.cross_entropy(masked, target) + functional.cross_entropy(masked.T, target)) / 2


def pairwise_sigmoid(similarity: Any, same: Any, bias: Any) -> Any:
    """Each pair by itself: is it right or not? Sum over pairs, divided by n.

    Args:
        similarity: Tensor [n, n], right pairs on the diagonal, already divided by the temperature.
        same: Bool tensor [n, n], diagonal false: pairs to leave out.
        bias: Added to every similarity, a number or a parameter; below zero, as most pairs are wrong.

    Source: Zhai et al. 2023 (SigLIP), equation 1.
    """
    functional = need("torch.nn.functional", "Training")
    right = functional.softplus(-(similarity.diagonal() + bias)).sum()
    return (right + functional.softplus(_negatives(similarity, same) + bias).sum()) / len(similarity)


def max_margin(similarity: Any, same: Any, margin: float, negatives: str) -> Any:
    """How far negatives come closer to the right pair than the margin, mean of both directions.

    Args:
        similarity: Tensor [n, n], right pairs on the diagonal.
        same: Bool tensor [n, n], diagonal false: pairs to leave out.
        margin: In units of the similarity.
        negatives: ``all``: mean over every negative left; ``hardest``: the worst one of each row and column.

    Source: Faghri et al. 2018 (VSE++), equations 5 (all, here a mean) and 6 (hardest).
    """
    pick(dict.fromkeys(NEGATIVES), negatives, "choice of negatives")
    wrong, right = _negatives(similarity, same), similarity.diagonal()
    ways = [(margin - right[:, None] + wrong).relu(), (margin - right[:, None] + wrong.T).relu()]
    if negatives == "hardest":
        return sum(way.amax(1).mean() for way in ways) / 2
    count = (wrong.numel() - len(wrong) - same.sum()).clamp(min=1)
    return sum(way.sum() for way in ways) / (2 * count)


def _negatives(similarity: Any, same: Any) -> Any:
    """The similarities of the negatives; -inf, without gradient, everywhere else."""
    torch = need("torch", "Training")
    right = torch.eye(len(similarity), dtype=torch.bool, device=similarity.device)
    return similarity.masked_fill(same | right, float("-inf"))


NEGATIVES = ("all", "hardest")
LOSSES = ("infonce", "sigmoid", "max_margin")


def objective(parts: Sequence[Any], same: Any, recipe: Recipe, bias: Any = None) -> Any:
    """The loss of the sum of the modalities and, weighted by ``auxiliary``, of each one by itself.

    Args:
        parts: Tensors [n, n], one per modality.
        same: Bool tensor [n, n], diagonal false: pairs to leave out.
        recipe: Says which loss.
        bias: The learned bias of the sigmoid loss; None = the recipe's number.
    """
    loss = _named(sum(parts), same, recipe, bias)
    if len(parts) > 1 and recipe.auxiliary:
        loss = loss + recipe.auxiliary * sum(_named(part, same, recipe, bias) for part in parts)
    return loss


def _named(similarity: Any, same: Any, recipe: Recipe, bias: Any) -> Any:
    if recipe.loss == "sigmoid":
        return pairwise_sigmoid(similarity, same, recipe.sigmoid_bias if bias is None else bias)
    if recipe.loss == "max_margin":
        return max_margin(similarity, same, recipe.margin, recipe.negatives)
    return symmetric_infonce(similarity, same)
