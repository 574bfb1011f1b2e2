"""The processes of a training beside the first: they make every step with it, and write nothing."""

from __future__ import annotations

from workbench.core.optional import need
from workbench.core.seeds import generator
from workbench.corpus import open_corpus
from workbench.models.world import World
from workbench.training.building import built
from workbench.training.engine import engine_of
from workbench.training.looks import LOOK, REPORT, looks_of, share_report
from workbench.training.loop import deterministic, rules_of, train_batches
from workbench.training.optimiser import averaged, optimiser_of, set_rate
from workbench.training.prefetch import Prefetch
from workbench.training.recipes import Recipe
from workbench.training.step import make_step


def take_part(recipe: Recipe, world: World) -> None:
    """Make the steps that the first process announces by their number (``world.told(step)``) and share its looks at the
    select split (``LOOK``), until it says ``REPORT``, which is shared too, or None.

    The first one begins alone: it makes or resumes the run, and decodes what is not decoded yet. Then weights and
    optimiser are taken over from it (``Engine.spread``). Dropout is drawn from (seed, step, rank).

    Args:
        recipe: The same as the first one's.
        world: Of several processes; this is not the first.

    Raises:
        StateError: Another process ended.
    """
    torch = need("torch", "Training")
    with world.working():
        pass  # the first one begins
    model, _ = built(recipe)
    rules = rules_of(recipe, model)
    with deterministic(recipe.threads, recipe.seed, world.device):
        network = model.network.to(world.device)
        batches = train_batches(recipe, model, rules)
        looks = looks_of(model, open_corpus(recipe.corpus, recipe.select_split), rules, world)
        optimiser = optimiser_of(network, recipe)
        engine = engine_of(model, optimiser, recipe, world)
        engine.spread(network, optimiser)
        with Prefetch(batches, world, recipe.steps, model, recipe.micro_batch) as coming:
            while (said := world.told()) not in (REPORT, None):
                if said == LOOK:
                    coming.rest()
                    with averaged(optimiser):
                        looks.similarity()
                    with world.working():
                        continue  # the first one measures and writes
                torch.manual_seed(int(generator(recipe.seed, "dropout", said, world.rank).integers(2**63)))
                set_rate(optimiser, recipe, said)
                make_step(model, coming.take(said), optimiser, recipe, engine, said)
        if said == REPORT:
            share_report(model, open_corpus(recipe.corpus, recipe.report_split), rules, world)
