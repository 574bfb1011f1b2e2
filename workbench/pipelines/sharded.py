"""One gallery encoded by several processes: local ones, or those that torchrun and accelerate start.

Each takes a share of the videos that follow each other. What they hand in is put together only if every video is there
exactly once and in order. A video has the same bits whoever encoded it (``pipelines.features``), and the similarity is
computed by one process in the same tiles, so the scores are those of one process.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import pandas as pd

from workbench.core.errors import DataError, StateError, WorkbenchError
from workbench.core.pool import over
from workbench.corpus import Corpus, open_corpus
from workbench.models.world import World, joined
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.encoding import Encode
from workbench.pipelines.features import Part, part_of
from workbench.pipelines.inputs import Inputs
from workbench.pipelines.rules import InputRules

One = TypeVar("One")


@dataclass(frozen=True)
class Share:
    """The videos of one process.

    Attributes:
        number: Which process, from 0.
        of: How many there are.
        corpus: Folder of the corpus.
        split: Its split.
        model: Arguments of ``pipelines.checkpoints.open_model``.
        rules: How inputs are made.
        change: What is done to them first.
        videos: Their ids.
    """

    number: int
    of: int
    corpus: str
    split: str | None
    model: tuple[Any, ...]
    rules: InputRules
    change: Change
    videos: tuple[str, ...]


@contextmanager
def sharing(processes: int, *model: Any) -> Iterator[tuple[World, Encode | None]]:
    """The processes that encode together, and how; alone, with None, unless several are asked for or were started.

    Args:
        processes: Local processes to start.
        *model: Arguments of ``pipelines.checkpoints.open_model``.

    Raises:
        DataError: Fewer than one process, or local ones where a launcher has started several already.
    """
    if processes < 1:
        raise DataError(f"{processes} processes cannot encode.", "Give 1 or more.")
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield World(), None if processes == 1 else by_processes(processes, *model)
        return
    if processes > 1:
        raise DataError("A launcher has started several processes already.", "Leave --processes out.")
    with joined() as world:
        yield world, in_world(world)


def shares_of(ids: Sequence[One], size: int) -> list[tuple[One, ...]]:
    """Ids cut into as many parts as there are processes, in order; sizes differ by one at most, some may be empty."""
    return [tuple(ids[at * len(ids) // size : (at + 1) * len(ids) // size]) for at in range(size)]


def by_processes(size: int, *model: Any) -> Encode:
    """An ``Encode`` that starts local processes; each opens the model again.

    Args:
        size: How many processes.
        *model: Arguments of ``pipelines.checkpoints.open_model``.
    """
    return partial(_by_processes, size, model)


def _by_processes(
    size: int, opened_as: tuple[Any, ...], model: Any, corpus: Corpus, rules: InputRules, change: Change
) -> Part:
    ids = corpus.videos["video_id"].tolist()
    shares = [
        Share(number, size, str(corpus.path), corpus.split, opened_as, rules, change, videos)
        for number, videos in enumerate(shares_of(ids, size))
        if videos
    ]
    parts: dict[int, Part] = {}
    for share, found in over(shares, encode_share, label="Encoding videos", unit="shares", workers=len(shares)):
        if isinstance(found, WorkbenchError):
            raise StateError(
                f"Process {share.number + 1} of {size}, which encodes {share.videos[0]} to {share.videos[-1]}, ended: "
                f"{found.message}",
                f"{found.remedy} What is encoded already is kept.",
            ) from found
        parts[share.number] = found
    return joined_parts([parts[number] for number in sorted(parts)], ids)


def encode_share(share: Share) -> Part:
    """The videos of one share, in a process of its own."""
    from workbench.pipelines.checkpoints import open_model

    own = {"LOCAL_RANK": share.number, "LOCAL_WORLD_SIZE": share.of}  # a GPU of its own, a share of the cores
    os.environ |= {name: str(value) for name, value in own.items()}
    model, _, _ = open_model(*share.model)
    corpus = open_corpus(share.corpus, share.split)
    return part_of(model, corpus, share.rules, change=share.change, videos=share.videos)


def in_world(world: World) -> Encode:
    """An ``Encode`` of the processes that were started together; all call it, and the first one gets all videos."""
    return partial(_in_world, world)


def _in_world(world: World, model: Any, corpus: Corpus, rules: InputRules, change: Change) -> Part:
    ids = corpus.videos["video_id"].tolist()
    with world.working():
        own = part_of(model, corpus, rules, change=change, videos=shares_of(ids, world.size)[world.rank])
    parts = world.collected(own)
    return joined_parts(parts, ids) if world.first else own


def joined_parts(parts: Sequence[Part], ids: Sequence[str]) -> Part:
    """The parts in one, after a check that they hold every video exactly once and in order.

    Args:
        parts: Of the processes, in order.
        ids: All videos, in order.

    Raises:
        StateError: They do not.
    """
    found = [video for part in parts for video in part.video_ids]
    if found != list(ids):
        counts = Counter(found)
        lost, twice = [one for one in ids if one not in counts], [one for one, n in counts.items() if n > 1]
        what = f"{len(lost)} of {len(ids)} are missing, {len(twice)} are there more than once"
        raise StateError(
            f"The processes did not hand in every video once and in order: {what}.",
            "Score again; if it stays so, use one process.",
        )
    galleries = [part.inputs.gallery for part in parts]
    sentences = [one.sentences for one in galleries]
    gallery = replace(
        galleries[0],
        video_ids=tuple(found),
        words=tuple(words for one in galleries for words in one.words),
        missing={video: why for one in galleries for video, why in one.missing.items()},
        sentences=None if None in sentences else tuple(of for one in sentences for of in one or ()),
    )
    table = pd.concat([part.inputs.table for part in parts if len(part.video_ids)], ignore_index=True)
    return Part(Inputs(gallery, table), tuple(one for part in parts for one in part.kept))
