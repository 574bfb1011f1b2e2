"""The processes of a training beside the first: they make every step with it, and write nothing."""

from __future__ import annotations

from workbench.core.optional import need
from workbench.core.seeds import generator
from workbench.models.world import World
from workbench.training.building import built
from workbench.training.engine import engine_of
from workbench.training.loop import deterministic, rules_of, train_batches
from workbench.training.optimiser import optimiser_of, set_rate
from workbench.training.prefetch import Prefetch
from workbench.training.recipes import Recipe
from workbench.training.step import make_step


def take_part(recipe: Recipe, world: World) -> None:
    """Make the steps that the first process announces by their number (``world.told(step)``), until it says None.

    The first one begins alone: it decodes what is not decoded yet, makes or resumes the run, and says ``world.told()``;
    then weights and optimiser are taken over from it (``Engine.spread``). Dropout is drawn from (seed, step, rank).

    Args:
        recipe: The same as the first one's.
        world: Of several processes; this is not the first.

    Raises:
        StateError: Another process ended.
    """
    torch = need("torch", "Training")
    world.told()
    model, _ = built(recipe)
    with deterministic(recipe.threads, recipe.seed, world.device):
        network = model.network.to(world.device)
        batches = train_batches(recipe, model, rules_of(recipe, model))
        optimiser = optimiser_of(network, recipe)
        engine = engine_of(model, optimiser, recipe, world)
        engine.spread(network, optimiser)
        with Prefetch(batches, world, recipe.steps, model, recipe.micro_batch) as coming:
            while (step := world.told()) is not None:
                torch.manual_seed(int(generator(recipe.seed, "dropout", step, world.rank).integers(2**63)))
                set_rate(optimiser, recipe, step)
                make_step(model, coming.take(step), optimiser, recipe, engine)
