"""The loop: batches, steps, looks at the select split, checkpoints; it ends as if it had never been interrupted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.core.optional import need
from workbench.core.progress import meter
from workbench.corpus import open_corpus
from workbench.models.checkpoints import load_weights, prune, restore, save_checkpoint
from workbench.pipelines.inputs import InputRules, Inputs, gallery_of
from workbench.pipelines.scoring import similarities
from workbench.training.batches import Batches
from workbench.training.engine import Engine, engine_of
from workbench.training.optimiser import averaged, exchange, optimiser_of, rate
from workbench.training.recipes import Recipe
from workbench.training.recorder import Recorder
from workbench.training.step import make_step
from workbench.training.world import World
from workbench.video.sampling import Sampler

REPORTS = 200
"""About how often a training says how fast it goes."""


@dataclass
class Training:
    """A training between two steps.

    Attributes:
        recipe: What is done.
        model: What is trained, on its device.
        optimiser: With its state.
        engine: How steps are made.
        batches: All batches by step.
        select: Inputs of the split that chooses.
        recorder: Writes the curves and knows the best score.
    """

    recipe: Recipe
    model: Any
    optimiser: Any
    engine: Engine
    batches: Batches
    select: Inputs
    recorder: Recorder

    @property
    def epoch(self) -> int:
        return self.recorder.steps // self.batches.per_epoch

    @property
    def done(self) -> bool:
        """Whether all steps were made, or patience is at its end."""
        return self.recorder.steps >= self.recipe.steps or self.recorder.exhausted

    def step(self) -> None:
        """Make the next step and write it down."""
        step = self.recorder.steps
        for group in self.optimiser.param_groups:
            group["lr"] = rate(self.recipe, step)
        self.engine.world.told(step)
        began = time.perf_counter()
        batch = self.batches.at(step, self.engine.world)
        waited = time.perf_counter() - began
        loss = make_step(self.model, batch, self.optimiser, self.recipe, self.engine)
        self.recorder.step(
            loss, epoch=self.epoch, learning_rate=rate(self.recipe, step), samples=len(batch.same), wait_s=waited,
            seconds=time.perf_counter() - began, **{"GPU memory": _gpu_memory(self.model.device)},
        )  # fmt: skip

    def look(self, *, keep: bool = False) -> None:
        """Look at the select split where it is due, and write a checkpoint where it is or where one is asked for."""
        due = self.recorder.steps % self.recipe.eval_every == 0 or self.recorder.steps >= self.recipe.steps
        if not (due or keep):
            return
        with averaged(self.optimiser):
            better = due and self._validate()
            self.recorder.curves.write()  # before the checkpoint, which says how many rows of it count
            told = {**self.recorder.state(), "engine": self.engine.state()}
            save_checkpoint(
                self.recorder.folder, self.recorder.steps, self.model, self.optimiser, told, best=better,
                keep_last=self.recipe.keep_last,
            )  # fmt: skip

    def _validate(self) -> bool:
        self.model.network.eval()
        similarity, _ = similarities(self.model, self.recorder.select.corpus, self.select)
        return self.recorder.validation(similarity, epoch=self.epoch)

    def run(self, stop_at: int | None) -> bool:
        """Train until it is done; returns False where ``stop_at`` ended it before."""
        with meter(f"Training {self.recipe.modality}", self.recipe.steps, "steps") as bar:
            bar.advance(self.recorder.steps)
            while not self.done:
                self.step()
                stopping = stop_at is not None and self.recorder.steps >= stop_at
                self.look(keep=stopping)
                bar.advance()
                if stopping and not self.done:
                    self.engine.world.told(None)
                    return False
        self.engine.world.told(None)
        self.recorder.close()
        return True


def _gpu_memory(device: Any) -> float | None:
    """Most GiB that tensors took on the GPU so far; None on a CPU."""
    if device.type != "cuda":
        return None
    return float(need("torch", "Training").cuda.max_memory_allocated(device)) / 2**30


def train_batches(recipe: Recipe, model: Any, rules: InputRules) -> Batches:
    """The batches of the train split; frames are drawn out of twice as many as the model reads."""
    corpus = open_corpus(recipe.corpus, recipe.train_split)
    twice = replace(rules, sampler=Sampler("uniform", 2 * rules.sampler.n))
    gallery = gallery_of(corpus, model.needs, twice).gallery
    return Batches(corpus, gallery, recipe.batch_videos, recipe.seed, recipe.mask)


def prepared(
    recipe: Recipe, model: Any, folder: Path, world: World, *, resume: bool
) -> tuple[Any, Engine, dict[str, Any]]:
    """Optimiser, engine and what the last checkpoint told; with it weights and random numbers are put back."""
    optimiser = optimiser_of(model.network, recipe)
    engine = engine_of(model, optimiser, recipe, world)
    if not resume or not (folder / "checkpoints" / "last").is_file():
        return optimiser, engine, {}
    told = restore(folder, optimiser)
    prune(folder, recipe.keep_last)
    load_weights(folder, "last", model)
    engine.restore(told["engine"])
    exchange(optimiser)
    return optimiser, engine, told


@contextmanager
def deterministic(threads: int, seed: int) -> Iterator[None]:
    """Run torch deterministically: on so many threads, as sums depend on them, and from random numbers of the seed."""
    torch = need("torch", "Training")
    before, was = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    filled = torch.utils.deterministic.fill_uninitialized_memory
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a search for bugs that costs a tenth of each step
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(was, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = filled
