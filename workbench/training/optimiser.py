"""What a step changes and by how much: parameter groups, frozen weights, temperature, rate, running average."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from workbench.core.errors import DataError
from workbench.core.lookup import nearest
from workbench.core.optional import need
from workbench.training.recipes import Recipe

AVERAGE = "average"
"""Where the optimiser's state of a weight keeps its running average; checkpoints save it with the rest."""


def optimiser_of(network: Any, recipe: Recipe) -> Any:
    """AdamW over what the recipe trains; sets the temperature and freezes what the recipe names.

    Raises:
        DataError: The recipe freezes a weight that the network lacks, or all of them, or fixes a temperature that it
            lacks.
    """
    torch = need("torch", "Training")
    _fix_temperature(network, recipe)
    _freeze(network, recipe)
    trained = [one for one in network.parameters() if one.requires_grad]
    if not trained:
        raise DataError("Recipe: every weight is frozen.", "Take names out of freeze.")
    groups: list[dict[str, Any]] = [{"params": trained, "weight_decay": recipe.weight_decay}]
    if recipe.decay == "matrices":
        groups = [
            {"params": [one for one in trained if one.ndim > 1], "weight_decay": recipe.weight_decay},
            {"params": [one for one in trained if one.ndim <= 1], "weight_decay": 0.0},
        ]
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(groups, recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)


def _fix_temperature(network: Any, recipe: Recipe) -> None:
    """Set ``scale``, the logarithm of one over the temperature, and train it no more."""
    torch = need("torch", "Training")
    if isinstance(recipe.temperature, str):
        return
    scale = dict(network.named_parameters()).get("scale")
    if scale is None:
        raise DataError(f"The model {recipe.model} has no temperature to fix.", "Use temperature: learned.")
    with torch.no_grad():
        scale.fill_(-math.log(recipe.temperature))
    scale.requires_grad_(False)


def _freeze(network: Any, recipe: Recipe) -> None:
    weights = dict(network.named_parameters())
    for name in recipe.freeze:
        if name not in weights:
            raise DataError(f"Recipe: freeze names {name!r}, which the model lacks.", nearest(name, weights))
        weights[name].requires_grad_(False)


def rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, then a cosine to zero."""
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    share = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * share))


def follow(optimiser: Any, share: float) -> None:
    """Move the running average of every trained weight after a step.

    Args:
        optimiser: After its step.
        share: What stays of the old average, 0..1.
    """
    torch = need("torch", "Training")
    with torch.no_grad():
        for weight, state in optimiser.state.items():
            if AVERAGE in state:
                state[AVERAGE].lerp_(weight, 1 - share)
            else:
                state[AVERAGE] = weight.detach().clone()


def exchange(optimiser: Any) -> None:
    """Swap every trained weight with its running average; twice is as before."""
    torch = need("torch", "Training")
    with torch.no_grad():
        for weight, state in optimiser.state.items():
            if AVERAGE in state:
                kept = weight.detach().clone()
                weight.copy_(state[AVERAGE])
                state[AVERAGE].copy_(kept)


@contextmanager
def averaged(optimiser: Any) -> Iterator[None]:
    """Inside, the net holds the averages and the optimiser's state the weights; without averages nothing changes."""
    exchange(optimiser)
    try:
        yield
    finally:
        exchange(optimiser)
