"""Which frames of a video are looked at: the index rules of the field, chosen before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import pick

RULES = {  # rule: what it takes
    "uniform": "the middle frame of each of n equal segments, or another one at the same place in each",
    "random": "one frame of each of n equal segments, any of them",
    "linspace": "n frames from the first to the last, both included",
    "head": "the first n frames",
    "tail": "the last n frames",
    "fps": "one frame per 1 / fps seconds of presentation time",
    "all": "every frame",
}


@dataclass(frozen=True)
class Sampler:
    """How frames are chosen.

    Attributes:
        rule: One of ``RULES``.
        n: How many; ignored by ``fps`` and ``all``.
        fps: First thin the video to so many frames per second of presentation, then apply the rule; None = do not.
        source: The paper or code base whose rule this is.
        offset: Place of the frame in its segment, 0..1 (``uniform``): 0 = the first, 0.5 = the middle, 1 = the last.
    """

    rule: str
    n: int = 12
    fps: float | None = None
    source: str = ""
    offset: float = 0.5


SAMPLERS = {  # presets named after the systems whose numbers depend on them
    "textvr-test": Sampler("uniform", 4, source="StarVR / Frozen-in-Time: segment mid-points, 4 frames"),
    "textvr-train": Sampler("random", 4, source="StarVR / Frozen-in-Time, its two defects repaired (spec D4)"),
    "clip4clip": Sampler("linspace", 12, fps=1.0, source="CLIP4Clip, slice_framepos 2: 1 frame per second, then 12"),
    "clip4clip-head": Sampler("head", 12, fps=1.0, source="CLIP4Clip, slice_framepos 0"),
    "clip4clip-tail": Sampler("tail", 12, fps=1.0, source="CLIP4Clip, slice_framepos 1"),
    "drl": Sampler("linspace", 12, fps=1.0, source="DRL / HBI: uniform of the 1 fps frames"),
    "uniform-12": Sampler("uniform", 12, source="segment mid-points, 12 frames"),
}


def sampler_named(name: str) -> Sampler:
    """A preset by name.

    Raises:
        UnknownNameError: There is no such preset.
    """
    return pick(SAMPLERS, name, "frame sampler")


def clips_of(sampler: Sampler, clips: int) -> list[Sampler]:
    """Samplers of several looks at a video, spread evenly over the segments; one look is the sampler itself.

    Raises:
        DataError: Fewer than one look, or several by a rule that has no places to move.
    """
    if clips < 1:
        raise DataError(f"{clips} clips are no look at a video.", "Ask for 1 or more.")
    if clips == 1:
        return [sampler]
    if sampler.rule != "uniform":
        raise DataError(f"The rule {sampler.rule} always gives the same frames.", "Clips need the rule uniform.")
    return [replace(sampler, offset=(2 * number + 1) / (2 * clips)) for number in range(clips)]


def sample_frames(sampler: Sampler, times: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
    """Indices of the frames to look at; a video of fewer frames than asked gives each of them once.

    Args:
        sampler: The rule.
        times: Seconds, ascending, [n_frames].
        rng: Needed by ``random``; drawn from (seed, epoch, sample) by the caller.

    Returns:
        int64, ascending, without repeats.

    Raises:
        DataError: No frame, a count below 1, a rate that is not positive, or ``random`` without a generator.
        UnknownNameError: An unknown rule.

    Source: spec/textvr.md 2 (segments: e = floor(linspace(0, V, n + 1)), middle floor((e_k + e_k+1 - 1) / 2)),
    spec/clip_retrieval.md 2.2 (linspace truncated to whole numbers). Other offsets than 0.5 keep the middle's rule.
    """
    pick(RULES, sampler.rule, "sampling rule")
    if len(times) == 0:
        raise DataError("There is no frame to sample from.", "Probe the video first.")
    if not 0 <= sampler.offset <= 1:
        raise DataError(f"The offset {sampler.offset} lies outside of its segment.", "Give 0 to 1; 0.5 is the middle.")
    if sampler.n < 1:
        raise DataError(f"{sampler.n} frames cannot be sampled.", "Ask for 1 or more.")
    pool = np.arange(len(times))
    rate = sampler.fps if sampler.fps is not None else None
    if sampler.rule == "fps" and rate is None:
        raise DataError("The rule fps states no rate.", "Give fps, e.g. 3.")
    if rate is not None:
        pool = thinned(times, rate)
    return pool[_positions(sampler, len(pool), rng)]


def thinned(times: np.ndarray, fps: float) -> np.ndarray:
    """The frame that is on screen at every multiple of 1 / fps seconds after the first frame; each at most once.

    Raises:
        DataError: The rate is not positive.
    """
    if not fps > 0:
        raise DataError(f"A rate of {fps} frames per second is not positive.", "Give e.g. 3.")
    span = float(times[-1] - times[0])
    asked = times[0] + np.arange(int(np.floor(span * fps + 1e-9)) + 1) / fps
    return np.unique(np.searchsorted(times, asked + 1e-6, side="right") - 1)


def stretched(n_frames: int, n: int) -> np.ndarray:
    """Places among ``n_frames`` frames for n of them, each as often as the others, give or take one; int64 [n]."""
    return (2 * np.arange(n) + 1) * n_frames // (2 * n)


def _positions(sampler: Sampler, n_frames: int, rng: np.random.Generator | None) -> np.ndarray:
    n = min(sampler.n, n_frames)
    if sampler.rule in ("fps", "all"):
        return np.arange(n_frames)
    if sampler.rule == "head":
        return np.arange(n)
    if sampler.rule == "tail":
        return np.arange(n_frames - n, n_frames)
    if sampler.rule == "linspace":
        return np.linspace(0, n_frames - 1, n).astype(np.int64)
    edges = np.floor(np.linspace(0, n_frames, n + 1)).astype(np.int64)
    if sampler.rule == "uniform":
        return edges[:-1] + np.floor((np.diff(edges) - 1) * sampler.offset).astype(np.int64)
    if rng is None:
        raise DataError("Random sampling needs a generator.", "Pass rng=core.seeds.generator(seed, epoch, sample).")
    return rng.integers(edges[:-1], edges[1:])
