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
    trained = {name: one for name, one in network.named_parameters() if one.requires_grad}
    if not trained:
        raise DataError("Recipe: every weight is frozen.", "Take names out of freeze.")
    groups: dict[tuple[float, float], list[Any]] = {}
    for name, weight in trained.items():
        decay = 0.0 if recipe.decay == "matrices" and weight.ndim <= 1 else recipe.weight_decay
        groups.setdefault((_factor(name, recipe), decay), []).append(weight)
    if wrong := [one for one in recipe.rates if not any(name.startswith(one) for name in trained)]:
        raise DataError(f"Recipe: rates has {wrong[0]!r}, and no trained weight begins so.", nearest(wrong[0], trained))
    return torch.optim.AdamW(
        [
            {"params": own, "weight_decay": decay, "factor": factor}
            for (factor, decay), own in sorted(groups.items(), key=lambda group: -group[0][1])
        ],
        recipe.learning_rate, betas=(0.9, recipe.beta2), eps=recipe.epsilon, fused=True,
    )  # fmt: skip


def _factor(name: str, recipe: Recipe) -> float:
    """By which the rate of a weight is multiplied: that of the longest beginning of its name."""
    fitting = [one for one in recipe.rates if name.startswith(one)]
    return float(recipe.rates[max(fitting, key=len)]) if fitting else 1.0


def _fix_temperature(network: Any, recipe: Recipe) -> None:
    """Set ``scale``, the logarithm of one over the temperature, and train it no more."""
    torch = need("torch", "Training")
    scale = dict(network.named_parameters()).get("scale")
    if isinstance(recipe.temperature, str):
        if recipe.least_temperature is not None and scale is None:
            raise DataError(f"The model {recipe.model} has no temperature to limit.", "Use least_temperature: null.")
        return
    if scale is None:
        raise DataError(f"The model {recipe.model} has no temperature to fix.", "Use temperature: learned.")
    with torch.no_grad():
        scale.fill_(-math.log(recipe.temperature))
    scale.requires_grad_(False)


def limit_temperature(network: Any, recipe: Recipe) -> None:
    """After a step, put a learned temperature back that fell below its least (CLIP: Radford et al. 2021, 2.5).

    Args:
        network: With a parameter ``scale`` where the recipe has a limit, see ``optimiser_of``.
        recipe: Says the limit.
    """
    if recipe.least_temperature is None or not isinstance(recipe.temperature, str):
        return
    with need("torch", "Training").no_grad():
        dict(network.named_parameters())["scale"].clamp_(max=-math.log(recipe.least_temperature))


def _freeze(network: Any, recipe: Recipe) -> None:
    weights = dict(network.named_parameters())
    for name in recipe.freeze:
        if name not in weights:
            raise DataError(f"Recipe: freeze names {name!r}, which the model lacks.", nearest(name, weights))
        weights[name].requires_grad_(False)


def set_rate(optimiser: Any, recipe: Recipe, step: int) -> float:
    """Give every group of weights its rate for a step; returns that of weights without a factor."""
    found = rate(recipe, step)
    for group in optimiser.param_groups:
        group["lr"] = found * group.get("factor", 1.0)
    return found


def rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, then a cosine to zero or a constant."""
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    if recipe.schedule == "constant":
        return recipe.learning_rate
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
