"""Batches: which videos, which caption of each, which frames; drawn from (seed, epoch, video), never from a state."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import StateError
from workbench.core.lookup import pick
from workbench.core.optional import need
from workbench.core.seeds import generator
from workbench.corpus import Corpus, normalise_caption
from workbench.models import Gallery
from workbench.models.augment import AUGMENTS
from workbench.models.world import World
from workbench.pipelines.clips import Clips
from workbench.training.packing import Chunk, Variation, chunk_of

UNVARIED = Variation(AUGMENTS["none"])
MASKS = ("duplicates", "sources")
"""Why a pair is no negative: word-identical captions; videos cut from one recording."""
OF_ANOTHER = "another process cannot read it"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Batch:
    """One caption for each of some videos, or the part of them that one process encodes.

    Attributes:
        captions: The texts.
        gallery: Their videos, in the same order.
        same: bool [n, n] of the whole batch: pairs that are no negatives of each other, for what ``MASKS`` names.
        rows: Which of the n captions and videos are here; None = all.
        variation: How frames are varied on the device.
        lost: Reasons, by video, of those here whose frames cannot be read; ``settled`` takes them out.
        ids: Videos of the whole batch.
        chunks: Captions and videos here as tensors, one after the other; empty until ``packed`` makes them.
    """

    captions: list[str]
    gallery: Gallery
    same: np.ndarray
    rows: slice | None = None
    variation: Variation = UNVARIED
    lost: Mapping[str, str] = field(default_factory=dict)
    ids: Sequence[str] = ()
    chunks: tuple[Chunk, ...] = ()

    def part(self, rows: slice) -> Batch:
        """Some rows of a whole batch."""
        return replace(self.take(range(len(self.captions))[rows]), rows=rows)

    def take(self, rows: Sequence[int]) -> Batch:
        """Some of the captions and videos that are here; what is told of the whole batch stays."""
        captions, variation = [self.captions[row] for row in rows], self.variation.take(rows)
        return replace(self, captions=captions, gallery=self.gallery.take(rows), variation=variation, chunks=())

    def packed(self, model: Any, micro_batch: int | None) -> Batch:
        """The same with its chunks, of ``micro_batch`` videos each (None = one of all).

        Raises:
            DataError: The gallery lacks what the model needs.
        """
        if self.chunks:
            return self
        rows = range(len(self.captions))
        spans = [rows[at : at + micro_batch] for at in rows[::micro_batch]] if micro_batch else [rows]
        parts = [self.take(span) for span in spans] if len(spans) > 1 else [self]
        chunks = [chunk_of(model, one.captions, one.gallery, one.variation) for one in parts]
        return replace(self, chunks=tuple(chunks))


class Batches:
    """All batches of a training run, by step.

    Args:
        corpus: Restricted to the train split.
        gallery: Its videos, without frames.
        batch_videos: Videos per batch.
        seed: The recipe's seed.
        mask: Names of ``MASKS``.
        clips: Where their frames come from; None = the model looks at none.
        augment: How they are varied, a name of ``AUGMENTS``.
        cut: Height and width (pixels) of what is cut out of frames that are read larger; None = all of them.

    Raises:
        StateError: Fewer than two usable videos, or no source is known and ``mask`` asks for them.

    Attributes:
        excluded: Reasons, by video, of those with a caption that take no part; grows where a file breaks meanwhile.
    """

    def __init__(
        self, corpus: Corpus, gallery: Gallery, batch_videos: int, seed: int, mask: Sequence[str] = ("duplicates",),
        clips: Clips | None = None, augment: str = "none", cut: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        self.gallery, self.seed, self.clips, self.cut = gallery, seed, clips, cut
        self.augment = pick(AUGMENTS, augment, "way to vary frames")
        captions = corpus.captions.groupby("video_id", sort=False)["text"].agg(list)
        missing = {**gallery.missing, **({} if clips is None else clips.missing)}
        self.excluded = {video: reason for video, reason in missing.items() if video in captions.index}
        self.rows = [i for i, v in enumerate(gallery.video_ids) if v in captions.index and v not in missing]
        if len(self.rows) < 2:
            raise StateError(
                f"{corpus.name}/{corpus.split} has {len(self.rows)} usable videos; training needs two.",
                f"See: workbench data check {corpus.name}",
            )
        self.captions = [captions[gallery.video_ids[i]] for i in self.rows]
        self._alike = self._codes(corpus, mask)
        self.size = min(batch_videos, len(self.rows))
        self.per_epoch = max(1, len(self.rows) // self.size)
        self._kept: tuple[int, np.ndarray] = (-1, np.zeros(0, int))

    def _codes(self, corpus: Corpus, mask: Sequence[str]) -> list[list[np.ndarray]]:
        """For each mask and usable video, a number of each of its captions; equal ones are no negatives, -1 = none."""
        found = []
        lengths = np.cumsum([len(captions) for captions in self.captions])[:-1]
        if "duplicates" in mask:
            texts = [normalise_caption(caption) for captions in self.captions for caption in captions]
            found.append(np.split(pd.factorize(np.asarray(texts, object))[0], lengths))
        if "sources" in mask:
            known = corpus.videos.dropna(subset=["source_id"])
            source = dict(zip(known["video_id"], known["source_id"], strict=True))
            if not source:
                raise StateError(
                    f"{corpus.name} does not say which videos share a source.", "Take sources out of mask."
                )
            ids = (self.gallery.video_ids[row] for row in self.rows)
            own = [source.get(video) for video, captions in zip(ids, self.captions, strict=True) for _ in captions]
            found.append(np.split(pd.factorize(np.asarray(own, object))[0], lengths))
        return found

    def at(self, step: int, world: World | None = None) -> Batch:
        """The batch of a step, from 0; the same for any process and after any resume.

        Args:
            step: Optimiser steps before it.
            world: Only what this process encodes of it: captions and frames of its share; None = the whole batch.

        Raises:
            StateError: There are more processes than videos in a batch.
        """
        epoch, number = divmod(step, self.per_epoch)
        chosen = self._order(epoch)[number * self.size : (number + 1) * self.size]
        ids = [self.gallery.video_ids[self.rows[at]] for at in chosen]
        draws = [generator(self.seed, "sample", epoch, video) for video in ids]
        told = [int(draw.integers(len(self.captions[at]))) for at, draw in zip(chosen, draws, strict=True)]
        rows = None if world is None or world.size == 1 else world.share(len(chosen))
        own = rows or slice(None)
        captions = [self.captions[at][number] for at, number in zip(chosen[own], told[own], strict=True)]
        batch = Batch(captions, self.gallery.take([self.rows[at] for at in chosen[own]]), self._same(chosen, told),
                      rows, ids=ids)  # fmt: skip
        return batch if self.clips is None else self._with_frames(batch, self.clips, draws[own], chosen[own])

    def _order(self, epoch: int) -> np.ndarray:
        """The usable videos in the order of an epoch; that of the last one asked for is kept."""
        kept, order = self._kept
        if kept != epoch:
            order = generator(self.seed, "order", epoch).permutation(len(self.rows))
            self._kept = (epoch, order)
        return order

    def _with_frames(
        self, batch: Batch, clips: Clips, draws: Sequence[np.random.Generator], chosen: np.ndarray
    ) -> Batch:
        picks = np.stack([draw.integers(0, clips.choices, clips.n_frames) for draw in draws])
        varied = np.stack([self.augment.draw(draw) for draw in draws])
        frames, lost = clips.read([self.rows[at] for at in chosen], picks)
        if clips.vectors:
            return replace(batch, gallery=replace(batch.gallery, features=frames))
        variation = Variation(self.augment, varied if varied.size else None, self.cut)
        return replace(batch, gallery=replace(batch.gallery, frames=frames), variation=variation, lost=lost)

    def settled(self, batch: Batch, world: World) -> Batch:
        """The batch without videos whose frames cannot be read; every process calls it at every step.

        What is left out is named once, and from then on in ``excluded``.

        Raises:
            StateError: No video of this process' share can be read, or another process ended.
        """
        if self.clips is None or not self.clips.may_fail:
            return batch
        own = np.asarray([video not in batch.lost for video in batch.gallery.video_ids])
        there = _of_all(own, world)
        lost = {
            video: batch.lost.get(video, OF_ANOTHER) for video, here in zip(batch.ids, there, strict=True) if not here
        }
        for video in lost.keys() - self.excluded.keys():
            log.warning("%s takes no part in the training: %s", video, lost[video])
        self.excluded |= lost
        return _without(batch, own, there) if lost else batch

    def _same(self, chosen: np.ndarray, told: Sequence[int]) -> np.ndarray:
        """bool [n, n]: the pairs that ``mask`` leaves out, never a right pair."""
        same = np.zeros((len(chosen), len(chosen)), bool)
        for codes in self._alike:
            code = np.asarray([codes[at][number] for at, number in zip(chosen, told, strict=True)])
            same |= (code[:, None] == code) & (code >= 0)
        np.fill_diagonal(same, False)
        return same

    def __iter__(self) -> Iterator[Batch]:
        step = 0
        while True:
            yield self.at(step)
            step += 1


def _of_all(own: np.ndarray, world: World) -> np.ndarray:
    """bool [n] of the whole batch, out of those of each process' share."""
    if world.size == 1:
        return own
    found: np.ndarray = world.gather({"there": need("torch", "Training").from_numpy(own.astype(int))})["there"].numpy()
    return found.astype(bool)


def _without(batch: Batch, own: np.ndarray, there: np.ndarray) -> Batch:
    """A batch without some of its videos: here those for which ``own`` is false, in all those for which ``there`` is.

    Raises:
        StateError: Nothing is left here.
    """
    if not own.any():
        video, reason = next(iter(batch.lost.items()))
        raise StateError(f"No video of a batch can be read, among them {video}: {reason}", "Look at the files.")
    kept = batch.take(np.flatnonzero(own).tolist())
    start = int(there[: batch.rows.start].sum()) if batch.rows else 0
    rows = slice(start, start + len(kept.captions)) if batch.rows else None
    ids = [video for video, here in zip(batch.ids, there, strict=True) if here]
    return replace(kept, same=batch.same[np.ix_(there, there)], rows=rows, ids=ids, lost={})
