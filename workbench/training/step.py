"""One optimiser step on one batch."""

from __future__ import annotations

from typing import Any

from workbench.core.optional import need
from workbench.training.batches import Batch
from workbench.training.gradcache import cached_backward
from workbench.training.loss import objective
from workbench.training.optimiser import follow
from workbench.training.recipes import Recipe


def make_step(model: Any, batch: Batch, optimiser: Any, recipe: Recipe) -> float:
    """Change the weights by one batch.

    Returns:
        The loss before the step.

    Raises:
        StateError: The loss is not finite.
    """
    torch = need("torch", "Training")
    model.network.train()
    optimiser.zero_grad(set_to_none=True)
    loss = backward(model, batch, recipe)
    if recipe.clip is not None:
        torch.nn.utils.clip_grad_norm_(model.network.parameters(), recipe.clip)
    optimiser.step()
    if recipe.ema is not None:
        follow(optimiser, recipe.ema)
    return float(loss)


def backward(model: Any, batch: Batch, recipe: Recipe) -> Any:
    """Add a batch's gradients to the weights, at once or in chunks of ``micro_batch``; returns the loss, detached."""
    torch = need("torch", "Training")
    same = torch.from_numpy(batch.same).to(model.device)
    if recipe.micro_batch is not None:
        return cached_backward(model, batch, recipe.micro_batch, lambda parts: objective(parts, same, recipe))
    tokens = model.network.caption(model.caption_inputs(batch.captions))
    videos = model.network.videos(*model.video_inputs(batch.gallery))
    loss = objective(list(model.network.parts(tokens, videos).values()), same, recipe)
    loss.backward()
    return loss.detach()
