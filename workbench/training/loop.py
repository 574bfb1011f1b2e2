"""The loop: batches, steps, looks at the select split, checkpoints; it ends as if it had never been interrupted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import StateError
from workbench.core.optional import need
from workbench.core.progress import Meter, meter
from workbench.core.workspace import elsewhere
from workbench.corpus import Corpus, open_corpus
from workbench.models.augment import AUGMENTS
from workbench.models.checkpoints import load_weights, prune, restore, save_checkpoint
from workbench.models.encoding import SeesFrameByFrame
from workbench.models.world import World
from workbench.pipelines.clips import Clips, HeldClips, candidate_rules, clips_of, rendition_for
from workbench.pipelines.features import part_of, stacked
from workbench.pipelines.frames import undecoded
from workbench.pipelines.inputs import gallery_of
from workbench.pipelines.rules import InputRules
from workbench.pipelines.scoring import rules_for
from workbench.training.batches import Batches
from workbench.training.engine import Engine, engine_of
from workbench.training.looks import LOOK, Looks
from workbench.training.optimiser import averaged, exchange, optimiser_of, set_rate
from workbench.training.prefetch import Prefetch
from workbench.training.recipes import Recipe
from workbench.training.recorder import Recorder, tell
from workbench.training.step import make_step
from workbench.training.watching import said_of

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
        looks: At the split that chooses.
        recorder: Writes the curves and knows the best score.
    """

    recipe: Recipe
    model: Any
    optimiser: Any
    engine: Engine
    batches: Batches
    looks: Looks
    recorder: Recorder

    @property
    def epoch(self) -> int:
        return self.recorder.steps // self.batches.per_epoch

    @property
    def done(self) -> bool:
        """Whether all steps were made, or patience is at its end."""
        return self.recorder.steps >= self.recipe.steps or self.recorder.exhausted

    def step(self, coming: Prefetch) -> None:
        """Make the next step and write it down."""
        step = self.recorder.steps
        learning_rate = set_rate(self.optimiser, self.recipe, step)
        self.engine.world.told(step)
        began = time.perf_counter()
        excluded = len(self.batches.excluded)
        batch = coming.take(step)
        waited = time.perf_counter() - began
        loss = make_step(self.model, batch, self.optimiser, self.recipe, self.engine, step)
        self.recorder.step(
            loss, epoch=self.epoch, learning_rate=learning_rate, samples=len(batch.same), wait_s=waited,
            seconds=time.perf_counter() - began, **{"GPU memory": gpu_memory(self.model.device)},
        )  # fmt: skip
        if len(self.batches.excluded) > excluded:
            tell(self.recorder.folder, excluded=self.batches.excluded)

    def look(self, coming: Prefetch, *, keep: bool = False) -> None:
        """Look at the select split where it is due, and write a checkpoint where it is or where one is asked for."""
        due = self.recorder.steps % self.recipe.eval_every == 0 or self.recorder.steps >= self.recipe.steps
        if not (due or keep):
            return
        coming.rest()
        with averaged(self.optimiser):
            if not due:
                self._keep(best=False)
                return
            self.engine.world.told(LOOK)
            similarity = self.looks.similarity()
            with self.engine.world.working():  # the others wait
                self._keep(best=self.recorder.validation(similarity, epoch=self.epoch))

    def _keep(self, *, best: bool) -> None:
        """Write curves and a checkpoint."""
        self.recorder.curves.write()  # before the checkpoint, which says how many rows of it count
        told = {**self.recorder.state(), "engine": self.engine.state()}
        save_checkpoint(
            self.recorder.folder, self.recorder.steps, self.model, self.optimiser, told, best=best,
            keep_last=self.recipe.keep_last,
        )  # fmt: skip

    def _meter(self) -> AbstractContextManager[Meter]:
        return meter(f"Training {self.recipe.modality}", self.recipe.steps, "steps", done=self.recorder.steps)

    def run(self, stop_at: int | None) -> bool:
        """Train until it is done; returns False where ``stop_at`` ended it before."""
        coming = Prefetch(self.batches, self.engine.world, self.recipe.steps, self.model, self.recipe.micro_batch)
        with coming, self._meter() as bar:
            while not self.done:
                self.step(coming)
                stopping = stop_at is not None and self.recorder.steps >= stop_at
                self.look(coming, keep=stopping)
                bar.advance(note=", ".join(said_of(self.recorder.last)))
                if stopping and not self.done:
                    return False
        self.recorder.close()
        return True


def gpu_memory(device: Any) -> float | None:
    """Most GiB that tensors took on the GPU so far; None on a CPU."""
    if device.type != "cuda":
        return None
    return float(need("torch", "Training").cuda.max_memory_allocated(device)) / 2**30


def rules_of(recipe: Recipe, model: Any) -> InputRules:
    """How the inputs of a training are made, of all its splits."""
    rules = replace(rules_for(model), reader=recipe.reader, engine=recipe.engine)
    fit = AUGMENTS[recipe.augment].fit
    return rules if fit is None else replace(rules, fit=fit)


def read_rules(recipe: Recipe, rules: InputRules) -> InputRules:
    """The same where frames of the train split are read larger, for a random part to be cut out of them."""
    height, width = AUGMENTS[recipe.augment].size(rules.height, rules.width)
    return replace(rules, height=height, width=width)


def readable(recipe: Recipe, model: Any, rules: InputRules) -> Batches:
    """The batches of the train split without frames: what is known of it before anything is decoded.

    Raises:
        StateError: The corpus lacks the files or texts that the model needs.
    """
    corpus = open_corpus(recipe.corpus, recipe.train_split)
    ids = corpus.videos["video_id"].tolist()
    small = replace(rules, rendition=rendition_for(corpus)[0])
    seen = undecoded(corpus, ids, small) if "frames" in model.needs else None
    gallery = gallery_of(corpus, model.needs, rules, seen=seen).gallery
    return Batches(corpus, gallery, recipe.batch_videos, recipe.seed, recipe.mask)


def train_batches(
    recipe: Recipe, model: Any, rules: InputRules, *, steps: int | None = None, scratch: Path | None = None
) -> Batches:
    """The batches of the train split.

    Args:
        recipe: Says how they are drawn.
        model: Says what it needs.
        rules: From ``rules_of``.
        steps: How many are asked for, from the first one on; None = all.
        scratch: Folder for decoded frames that are not in the cache yet; None = the cache.
    """
    batches = readable(recipe, model, rules)
    if "frames" not in model.needs:
        return batches
    corpus = open_corpus(recipe.corpus, recipe.train_split)
    small = replace(rules, rendition=rendition_for(corpus)[0])
    wanted = None if steps is None else list(dict.fromkeys(one for at in range(steps) for one in batches.at(at).ids))
    larger = read_rules(recipe, rules)
    if isinstance(model, SeesFrameByFrame) and model.frozen_frames:
        clips = _vectors(recipe, model, corpus, small, wanted, scratch)
    else:
        clips = clips_of(
            corpus, larger, recipe.frame_choices, recipe.frames_in_memory, videos=wanted, scratch=scratch
        )  # fmt: skip
    cut = None if larger == rules else (rules.height, rules.width)
    return Batches(
        corpus, batches.gallery, recipe.batch_videos, recipe.seed, recipe.mask, clips=clips, augment=recipe.augment,
        cut=cut,
    )  # fmt: skip


def _vectors(
    recipe: Recipe, model: Any, corpus: Corpus, rules: InputRules, videos: list[str] | None, scratch: Path | None
) -> Clips:
    """Vectors of the candidate frames by a frozen tower, out of the cache where they are there.

    Raises:
        StateError: The recipe varies frames, which nobody looks at any more.
    """
    if recipe.augment != "none":
        raise StateError(
            f"Frames of a frozen tower are looked at once, so they cannot be varied (augment: {recipe.augment}).",
            "Set augment=none.",
        )
    candidates = candidate_rules(rules, recipe.frame_choices, rules.rendition)
    with nullcontext() if scratch is None else elsewhere(scratch):
        part = part_of(model, corpus, candidates, videos=videos)
    found = dict(zip(part.video_ids, stacked(part, corpus), strict=True))
    empty = np.zeros_like(next(iter(found.values())))
    vectors = np.stack([found.get(video, empty) for video in corpus.videos["video_id"]])
    said = {"frames": {"value": "vectors of frames", "reason": "their tower is frozen: each frame is looked at once"}}
    return HeldClips(vectors, recipe.frame_choices, said, part.inputs.gallery.missing, vectors=True)


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
def deterministic(threads: int, seed: int, device: Any) -> Iterator[None]:
    """Run torch from random numbers of the seed and on so many threads, as sums depend on them.

    On the CPU bit by bit; on a GPU by its fastest algorithms, some of which add up in any order.
    """
    torch = need("torch", "Training")
    before, was = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    filled = torch.utils.deterministic.fill_uninitialized_memory
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(device.type == "cpu", warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a search for bugs that costs a tenth of each step
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(was, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = filled
