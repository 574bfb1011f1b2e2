"""What a training would take, by making some of its steps: time, memory and disk; nothing stays behind."""

from __future__ import annotations

import math
import os
import resource
import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.caches import bytes_of
from workbench.core.errors import StateError
from workbench.core.optional import need
from workbench.core.progress import meter
from workbench.corpus import Corpus, open_corpus
from workbench.models.checkpoints import save_checkpoint
from workbench.models.device import chosen_device
from workbench.models.encoding import SeesFrameByFrame
from workbench.models.world import World
from workbench.pipelines.clips import GIB, candidate_rules, gib_of, rendition_for
from workbench.pipelines.frames import seen_of
from workbench.pipelines.inputs import gallery_of
from workbench.pipelines.rules import InputRules
from workbench.training.batches import Batches
from workbench.training.building import built
from workbench.training.engine import engine_of
from workbench.training.loop import deterministic, gpu_memory, read_rules, rules_of, train_batches
from workbench.training.memory import enough_memory
from workbench.training.optimiser import optimiser_of, set_rate
from workbench.training.prefetch import Prefetch
from workbench.training.recipes import Recipe, load_recipe
from workbench.training.selection import share_to_make
from workbench.training.step import make_step
from workbench.training.undecoded import decode_seconds, frame_bytes, undecoded_files

STEPS = 20
COLUMNS = ["what", "value", "unit"]
LOOK_VIDEOS = 128
"""Videos of the select split that one look is timed on; the time grows with videos, and with captions x videos."""


@dataclass(frozen=True)
class Estimate:
    """What a training would take on this machine.

    Attributes:
        device: That computed, e.g. ``cpu``.
        steps_made: Steps that were timed.
        step_s: Median time of a step (s), without the first one.
        samples_per_s: Captions per second at that pace.
        data_wait: Share of the time that steps waited for their batch, 0..1.
        decode_h: Decoding before the first step, on all cores, and vectors of frames by a frozen tower (hours).
        training_h: All steps of the recipe (hours).
        looks_h: All looks at the select split (hours).
        scoring_h: Scoring the report split at the end (hours).
        runs: Trainings that differ in their seed alone; frames are decoded once for all.
        memory_gib: Most memory so far: of the GPU where that computed, else of this process.
        memory_of: Whose memory that is.
        checkpoints_gib: Of as many checkpoints as the runs keep.
        decode_videos: Videos whose frames are decoded into the cache before the first step.
        cache_gib: What that adds to the cache.
        originals: Why original files are read and no small ones; "" where small ones are, or no frames.
    """

    device: str
    steps_made: int
    step_s: float
    samples_per_s: float
    data_wait: float
    decode_h: float
    training_h: float
    looks_h: float
    scoring_h: float
    runs: int
    memory_gib: float
    memory_of: str
    checkpoints_gib: float
    decode_videos: int
    cache_gib: float
    originals: str

    @property
    def total_h(self) -> float:
        """From the command to the last score (hours)."""
        return self.decode_h + self.runs * (self.training_h + self.looks_h + self.scoring_h)

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {**asdict(self), "total_h": self.total_h}

    @property
    def table(self) -> pd.DataFrame:
        """what, value, unit."""
        rows = [
            ("Time of a step (median)", self.step_s, "s"),
            ("Samples per second", self.samples_per_s, "captions/s"),
            ("Waiting for data", 100 * self.data_wait, "%"),
            ("Decoding before the first step", *_readable(self.decode_h)),
            ("All steps", *_readable(self.training_h)),
            ("All looks at the select split", *_readable(self.looks_h)),
            ("Scoring the report split", *_readable(self.scoring_h)),
            ("Training in all" + (f", {self.runs} runs" if self.runs > 1 else ""), *_readable(self.total_h)),
            (f"Memory of {self.memory_of}", self.memory_gib, "GiB"),
            ("Checkpoints on disk", self.checkpoints_gib, "GiB"),
            ("Videos to decode before the first step", float(self.decode_videos), "videos"),
            ("Their frames in the cache", self.cache_gib, "GiB"),
        ]
        return pd.DataFrame([(what, f"{value:.3g}", unit) for what, value, unit in rows], columns=COLUMNS)


def _readable(hours: float) -> tuple[float, str]:
    """A time in the largest unit of which it has one."""
    return next(((hours * n, unit) for n, unit in ((1, "h"), (60, "min")) if hours * n >= 1), (hours * 3600, "s"))


def estimate(recipe: str = "textvr_fusion_demo", *, runs: int = 1, **overrides: Any) -> Estimate:
    """Make some real steps of a training, on its data and device, and say what all of it would take.

    No run is written; frames that are not in the cache are decoded into a folder that goes away.

    Args:
        recipe: A name of ``RECIPES``, or a YAML file.
        runs: Trainings that differ in their seed alone.
        **overrides: Fields of ``Recipe``.

    Raises:
        UnknownNameError: No such recipe, corpus or model.
        DataError: A wrong value in recipe or overrides.
        StateError: The corpus lacks videos or texts, the memory is too small, or several processes were started.
        MissingExtraError: torch is not installed.
    """
    resolved = load_recipe(recipe, overrides)
    need("torch", "Training")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise StateError("Several processes were started.", "Estimate with one: what they share is not timed.")
    model, _ = built(resolved, begin=True)
    device = chosen_device()
    model.network.to(device)
    with (
        deterministic(resolved.threads, resolved.seed, device),
        enough_memory(device),
        TemporaryDirectory() as folder,
    ):
        scratch = Path(folder)
        fresh = undecoded_files(_decoded_first(resolved, model))
        steps = _some_steps(resolved, model, scratch)
        look = partial(_look_seconds, resolved, model, scratch)
        looks = look(*_select(resolved), vectors=_is_frozen(model)) * math.ceil(resolved.steps / resolved.eval_every)
        memory = gpu_memory(device)
        return Estimate(
            device=str(device), training_h=steps.seconds * resolved.steps / 3600, looks_h=looks / 3600,
            decode_h=(decode_seconds(fresh, scratch) + steps.vectors_s) / 3600, runs=runs,
            scoring_h=look(open_corpus(resolved.corpus, resolved.report_split), 1.0) / 3600,
            steps_made=steps.made, step_s=steps.seconds, samples_per_s=steps.samples / steps.seconds,
            data_wait=steps.waited, checkpoints_gib=runs * (resolved.keep_last + 1) * steps.checkpoint_bytes / GIB,
            memory_gib=_resident() if memory is None else memory,
            memory_of="this process (no GPU)" if memory is None else "the GPU",
            decode_videos=len(fresh), cache_gib=frame_bytes(fresh) / GIB, originals=steps.originals,
        )  # fmt: skip


@dataclass(frozen=True)
class _Steps:
    """Some steps: how many, median time (s), captions of a batch, share of waiting, bytes of a checkpoint; time for all
    vectors of frames (s), why original files are read."""

    made: int
    seconds: float
    samples: int
    waited: float
    checkpoint_bytes: int
    vectors_s: float
    originals: str


def _some_steps(recipe: Recipe, model: Any, scratch: Path) -> _Steps:
    count = min(STEPS, recipe.steps)
    began = time.perf_counter()
    batches = train_batches(recipe, model, rules_of(recipe, model), steps=count, scratch=scratch)
    made_s = time.perf_counter() - began if _is_frozen(model) else 0.0
    optimiser = optimiser_of(model.network, recipe)
    engine = engine_of(model, optimiser, recipe, World(device=model.device))
    taken, waited = np.zeros(count), np.zeros(count)
    ahead = Prefetch(batches, engine.world, count, model, recipe.micro_batch)
    with ahead as coming, meter("Some steps", count, "steps") as bar:
        for step in range(count):
            began = time.perf_counter()
            set_rate(optimiser, recipe, step)
            batch = coming.take(step)
            waited[step] = time.perf_counter() - began
            make_step(model, batch, optimiser, recipe, engine)
            taken[step] = time.perf_counter() - began
            bar.advance()
    save_checkpoint(scratch / "run", count, model, optimiser, {"engine": engine.state()}, best=True)
    first = min(1, count - 1)  # it waits for a batch that nobody could prepare, and warms up
    share = float(waited[first:].sum() / taken[first:].sum())
    return _Steps(
        count, float(np.median(taken[first:])), batches.size, share, bytes_of(scratch / "run"),
        made_s * max(1.0, len(batches.rows) / (count * batches.size)), _why_originals(batches),
    )  # fmt: skip


def _why_originals(batches: Batches) -> str:
    read = {} if batches.clips is None else batches.clips.said.get("rendition", {})
    return read["reason"] if read.get("value") == "original" else ""


def _select(recipe: Recipe) -> tuple[Corpus, float]:
    """The split that chooses, and how much of it there is: where there is none yet, the share of train it will be."""
    corpus = open_corpus(recipe.corpus)
    if (share := share_to_make(corpus, recipe.select_split, recipe.train_split)) is not None:
        return corpus.with_split(recipe.train_split), share
    return corpus.with_split(recipe.select_split), 1.0


def _look_seconds(
    recipe: Recipe, model: Any, scratch: Path, corpus: Corpus, share: float, *, vectors: bool = False
) -> float:
    """Time to score a share of a split (s), its frames decoded (or even looked at: their ``vectors`` made), out of that
    for some of its videos."""
    rules = rules_of(recipe, model)
    n_videos, n_captions = share * len(corpus.videos), share * len(corpus.captions)
    ids = corpus.videos["video_id"].tolist()[: min(LOOK_VIDEOS, math.ceil(n_videos))]
    captions = corpus.captions.loc[corpus.captions["video_id"].isin(ids), "text"].tolist()
    seen = seen_of(corpus, ids, rules, scratch=scratch) if "frames" in model.needs else None
    gallery = gallery_of(corpus, model.needs, rules, videos=ids, seen=seen).gallery
    model.network.eval()
    if vectors:
        gallery = replace(gallery, features=model.frame_features(gallery.frames), frames=None)
    began = time.perf_counter()
    encoded = model.encode(gallery)
    between = time.perf_counter()
    model.similarity(captions, encoded)
    ended = time.perf_counter()
    pairs = n_videos * n_captions / (len(ids) * max(1, len(captions)))
    return (between - began) * n_videos / len(ids) + (ended - between) * pairs


def _decoded_first(recipe: Recipe, model: Any) -> list[tuple[Corpus, InputRules]]:
    """What is decoded before the first step or the first look: splits, and how their frames are made."""
    if "frames" not in model.needs:
        return []
    rules = rules_of(recipe, model)
    train = open_corpus(recipe.corpus, recipe.train_split)
    held = candidate_rules(read_rules(recipe, rules), recipe.frame_choices, rendition_for(train)[0])
    fits = gib_of(held, len(train.videos)) <= recipe.frames_in_memory and not _is_frozen(model)
    others = [(_select(recipe)[0], rules), (open_corpus(recipe.corpus, recipe.report_split), rules)]
    return [(train, held), *others] if fits else others


def _is_frozen(model: Any) -> bool:
    """Whether training takes vectors of frames, which are made before it."""
    return isinstance(model, SeesFrameByFrame) and model.frozen_frames


def _resident() -> float:
    """Most memory that this process has held so far (GiB)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / GIB
