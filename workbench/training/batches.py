"""Batches: which videos, which caption of each, which frames; drawn from (seed, epoch, video), never from a state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench.core.errors import StateError
from workbench.core.seeds import generator
from workbench.corpus import Corpus, normalise_caption
from workbench.models import Gallery
from workbench.training.world import World

MASKS = ("duplicates", "sources")
"""Why a pair is no negative: word-identical captions; videos cut from one recording."""

SHIFT = 4
"""Pixels by which frames are moved at most; never mirrored, which would mirror the text."""


@dataclass(frozen=True)
class Batch:
    """One caption for each of some videos, or the part of them that one process encodes.

    Attributes:
        captions: The texts.
        gallery: Their videos, in the same order.
        same: bool [n, n] of the whole batch: pairs that are no negatives of each other, for what ``MASKS`` names.
        rows: Which of the n captions and videos are here; None = all.
    """

    captions: list[str]
    gallery: Gallery
    same: np.ndarray
    rows: slice | None = None

    def part(self, rows: slice) -> Batch:
        """Some rows of a whole batch."""
        return Batch(self.captions[rows], self.gallery.take(range(len(self.captions))[rows]), self.same, rows)


class Batches:
    """All batches of a training run, by step.

    Args:
        corpus: Restricted to the train split.
        gallery: Its videos, with twice the frames that the model reads.
        batch_videos: Videos per batch.
        seed: The recipe's seed.
        mask: Names of ``MASKS``.

    Raises:
        StateError: Fewer than two usable videos, or no source is known and ``mask`` asks for them.
    """

    def __init__(
        self, corpus: Corpus, gallery: Gallery, batch_videos: int, seed: int, mask: Sequence[str] = ("duplicates",)
    ) -> None:
        self.gallery, self.seed, self.mask = replace(gallery, frames=None), seed, mask
        known = corpus.videos.dropna(subset=["source_id"])
        self.sources = dict(zip(known["video_id"], known["source_id"], strict=True))
        if "sources" in mask and not self.sources:
            raise StateError(f"{corpus.name} does not say which videos share a source.", "Take sources out of mask.")
        captions = corpus.captions.groupby("video_id", sort=False)["text"].agg(list)
        self.rows = [i for i, v in enumerate(gallery.video_ids) if v in captions.index and v not in gallery.missing]
        if len(self.rows) < 2:
            raise StateError(
                f"{corpus.name}/{corpus.split} has {len(self.rows)} usable videos; training needs two.",
                f"See: workbench data check {corpus.name}",
            )
        self._padded = None if gallery.frames is None else _pad(gallery.frames)
        self.captions = [captions[gallery.video_ids[i]] for i in self.rows]
        self.size = min(batch_videos, len(self.rows))
        self.per_epoch = max(1, len(self.rows) // self.size)

    def at(self, step: int, world: World | None = None) -> Batch:
        """The batch of a step, from 0; the same for any process and after any resume.

        Args:
            step: Optimiser steps before it.
            world: Only what this process encodes of it: captions and frames of its share; None = the whole batch.

        Raises:
            StateError: There are more processes than videos in a batch.
        """
        epoch, number = divmod(step, self.per_epoch)
        order = generator(self.seed, "order", epoch).permutation(len(self.rows))
        chosen = order[number * self.size : (number + 1) * self.size]
        rows = None if world is None or world.size == 1 else world.share(len(chosen))
        own = set(range(len(chosen))[rows or slice(None)])
        captions, frames = [], []
        for place, at in enumerate(chosen):
            draw = generator(self.seed, "sample", epoch, self.gallery.video_ids[self.rows[at]])
            captions.append(self.captions[at][draw.integers(len(self.captions[at]))])
            if self._padded is not None and place in own:
                frames.append(_varied(self._padded[self.rows[at]], draw))
        whole = self.gallery.take([self.rows[at] for at in chosen])
        same = self._same(captions, whole.video_ids)
        part = whole.take(sorted(own))
        gallery = replace(part, frames=np.stack(frames) if frames else None)
        return Batch(captions[rows or slice(None)], gallery, same, rows)

    def _same(self, captions: Sequence[str], video_ids: Sequence[str]) -> np.ndarray:
        """bool [n, n]: the pairs that ``mask`` leaves out, never a right pair."""
        keys: list[list[str | None]] = []
        if "duplicates" in self.mask:
            keys.append([normalise_caption(caption) for caption in captions])
        if "sources" in self.mask:
            keys.append([self.sources.get(video) for video in video_ids])
        same = np.zeros((len(captions), len(captions)), bool)
        for one in keys:
            code, _ = pd.factorize(np.asarray(one, object))  # -1 where it is not known
            same |= (code[:, None] == code) & (code >= 0)
        np.fill_diagonal(same, False)
        return same

    def __iter__(self) -> Iterator[Batch]:
        step = 0
        while True:
            yield self.at(step)
            step += 1


def _pad(frames: np.ndarray) -> np.ndarray:
    return np.pad(frames, ((0, 0), (0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="edge")


def _varied(padded: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """One of every two frames, all moved by the same few pixels."""
    pairs = len(padded) // 2
    height, width = padded.shape[1] - 2 * SHIFT, padded.shape[2] - 2 * SHIFT
    chosen = 2 * np.arange(pairs) + draw.integers(0, 2, pairs)
    down, right = draw.integers(0, 2 * SHIFT + 1, 2)
    return padded[chosen, down : down + height, right : right + width]
