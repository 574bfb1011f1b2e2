"""One optimiser step on one batch, by one process or by all of a world."""

from __future__ import annotations

import math
from typing import Any

from workbench.core.errors import StateError
from workbench.core.optional import need
from workbench.models.world import Tensors
from workbench.training.batches import Batch
from workbench.training.engine import Engine, plain_engine
from workbench.training.gradcache import cached_backward
from workbench.training.loss import objective
from workbench.training.optimiser import follow, limit_temperature
from workbench.training.recipes import Recipe


def check_loss(value: float, step: int | None = None) -> None:
    """Refuse a loss that is not finite.

    Raises:
        StateError: It is not: the training has diverged.
    """
    if not math.isfinite(value):
        at = "" if step is None else f" at step {step}"
        raise StateError(f"The loss is not a number{at} (it is {value}).", "Lower the learning rate.")


def make_step(
    model: Any, batch: Batch, optimiser: Any, recipe: Recipe, engine: Engine | None = None, step: int | None = None
) -> float:
    """Change the weights by one batch, alike on every rank.

    Args:
        model: What is trained.
        batch: The whole batch, or this rank's part of it (``Batches.at`` with a world).
        optimiser: From ``optimiser_of``.
        recipe: Says loss, chunks, precision, clipping and average.
        engine: From ``engine_of``; None = one process, and a recipe that needs nothing prepared.
        step: Its number, for a sentence.

    Returns:
        The loss of the whole batch before the step.

    Raises:
        StateError: The loss is not finite (then the weights are lost); another process ended; or an engine is needed.
    """
    engine = engine or plain_engine(model.network, recipe)
    model.network.train()
    optimiser.zero_grad(set_to_none=True)
    loss = backward(model, batch, recipe, engine)
    engine.step(optimiser, model.network, recipe.clip)
    limit_temperature(model.network, recipe)
    if recipe.ema is not None:
        follow(optimiser, recipe.ema)
    value = float(loss)  # the only wait for the GPU in a step
    check_loss(value, step)
    return value


def backward(model: Any, batch: Batch, recipe: Recipe, engine: Engine | None = None) -> Any:
    """Add a batch's gradients to the weights, at once or in chunks of ``micro_batch``.

    In a world of several processes the weights must come without gradients, as what they have is added up.

    Returns:
        The loss of the whole batch, detached.
    """
    torch = need("torch", "Training")
    engine = engine or plain_engine(model.network, recipe)
    world, calls = engine.world, engine.calls
    same = torch.from_numpy(batch.same).to(model.device)
    own = batch if world.size == 1 or batch.rows is not None else batch.part(world.share(len(batch.same)))

    def send_back(parts: Tensors) -> Any:
        """From one's own rows of the similarities to the loss of all; gradients gather in what made the rows."""
        full = {name: one.to(torch.promote_types(one.dtype, torch.float32)) for name, one in parts.items()}
        loss = objective(list(world.gather(full).values()), same, recipe, engine.bias)
        engine.send_back(loss)
        return loss.detach()

    chunks = own.packed(model, recipe.micro_batch).chunks
    if recipe.micro_batch is not None:
        loss = cached_backward(chunks, model.device, recipe.micro_batch, engine, send_back)
    else:
        with engine.products(model.device):
            tokens = calls.caption(chunks[0].texts())
            videos = world.gather(calls.videos(*chunks[0].looks()))
            parts = calls.parts(tokens, videos)
        loss = send_back(parts)
    world.add_up(engine.weights(model.network))
    return loss
