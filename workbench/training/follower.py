"""The processes of a training beside the first: they make every step with it, and write nothing."""

from __future__ import annotations

from dataclasses import replace

from workbench.core.optional import need
from workbench.core.seeds import generator
from workbench.models import build_model
from workbench.pipelines.scoring import rules_for
from workbench.training.engine import engine_of
from workbench.training.loop import deterministic, train_batches
from workbench.training.optimiser import optimiser_of, rate
from workbench.training.recipes import Recipe
from workbench.training.step import make_step
from workbench.training.world import World


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
    model = build_model(recipe.model, preset=recipe.preset, modality=recipe.modality, seed=recipe.seed)
    rules = replace(rules_for(model), reader=recipe.reader)
    with deterministic(recipe.threads, recipe.seed):
        batches = train_batches(recipe, model, rules)
        network = model.network.to(world.device)  # type: ignore[attr-defined]  # what is trained has a network
        optimiser = optimiser_of(network, recipe)
        engine = engine_of(model, optimiser, recipe, world)
        engine.spread(network, optimiser)
        while (step := world.told()) is not None:
            torch.manual_seed(int(generator(recipe.seed, "dropout", step, world.rank).integers(2**63)))
            for group in optimiser.param_groups:
                group["lr"] = rate(recipe, step)
            make_step(model, batches.at(step, world), optimiser, recipe, engine)
