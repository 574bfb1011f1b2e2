"""Losses on similarity matrices of a batch."""

from __future__ import annotations

from typing import Any

from workbench.core.optional import need


def symmetric_infonce(similarity: Any, same: Any) -> Any:
    """InfoNCE in both directions, mean; pairs of word-identical captions are no negatives.

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
