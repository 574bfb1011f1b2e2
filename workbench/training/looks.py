"""Looks at the split that chooses, by all processes of a training together; the scores are those of one, bit by bit.

Videos go through the network in tiles and captions in tiles of their own. How they are cut depends on their number
alone, so that it does not matter who computes a tile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from workbench.corpus import Corpus
from workbench.models import Gallery
from workbench.models.base import NetworkModel
from workbench.models.encoding import SeesFrameByFrame, kept_of
from workbench.models.scoring import Tiles
from workbench.models.world import World
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.encoding import Encode
from workbench.pipelines.features import stacked
from workbench.pipelines.frames import none_readable, seen_of_some
from workbench.pipelines.inputs import gallery_of
from workbench.pipelines.rules import InputRules
from workbench.pipelines.scoring import tiles_of
from workbench.pipelines.sharded import in_world, shares_of

LOOK, REPORT = "look", "report"
"""What the first process tells the others in place of the number of a step: share a look; share the report, and end."""
VIDEOS_AT_ONCE = 16
"""Videos of a tile: many enough for a GPU, few enough for a small split to be shared."""
ELSEWHERE = np.zeros((0, 0), np.float32)
"""The scores of a look where the first process has them."""


@dataclass(frozen=True)
class Looks:
    """The split that chooses, ready to be looked at again and again.

    Attributes:
        model: What is trained.
        corpus: Restricted to the split.
        world: The processes that share each look.
        gallery: The videos of this process; None where it has none.
        tiles: Rows of it that go through the network at once.
        missing: Reasons, by video, of all that lack an input.
    """

    model: Any
    corpus: Corpus
    world: World
    gallery: Gallery | None
    tiles: Sequence[range]
    missing: Mapping[str, str]

    def similarity(self) -> np.ndarray:
        """Score the split with the weights as they are; every process of the world calls it.

        Returns:
            float32 [captions, videos], columns of missing videos -inf; ``ELSEWHERE`` where this is not the first one.

        Raises:
            StateError: Another process ended.
        """
        self.model.network.eval()
        if in_tiles(self.model):
            return self._shared()
        with self.world.working():
            return self._scores(self.model.encode(self.gallery)).matrix()[0] if self.world.first else ELSEWHERE

    def _shared(self) -> np.ndarray:
        self.world.copy_first(self.model.network.buffers())
        scores = self._scores(self._encoded())
        with self.world.working():
            own = [_array(scores.rows(block)) for block in shares_of(scores.blocks, self.world.size)[self.world.rank]]
        parts = self.world.collected(own)
        if not self.world.first:
            return ELSEWHERE
        similarity = np.empty(scores.relevance.shape, np.float32)
        for block, rows in zip(scores.blocks, chain.from_iterable(parts), strict=True):
            similarity[block] = rows
        return similarity

    def _scores(self, encoded: Any) -> Tiles:
        return tiles_of(self.model, self.corpus, self.missing, [encoded])

    def _encoded(self) -> list[Any]:
        """All videos in the model's own form, wherever they were encoded."""
        model, gallery = self.model, self.gallery
        with self.world.working():
            own = [] if gallery is None else [one for rows in self.tiles for one in model.encode(gallery.take(rows))]
        if self.world.size == 1:
            return own
        parts = self.world.collected([{name: value.cpu() for name, value in tile.items()} for tile in own])
        every = self.world.told(list(chain.from_iterable(parts)))
        return [{name: value.to(model.device) for name, value in tile.items()} for tile in every]


def in_tiles(model: Any) -> bool:
    """Whether some videos may be encoded without the others: not where a model has a way of its own."""
    if not isinstance(model, NetworkModel):
        return False
    return kept_of(model) is not None or type(model).encode is NetworkModel.encode


def looks_of(model: Any, corpus: Corpus, rules: InputRules, world: World) -> Looks:
    """What looks at a split need: each process makes the inputs of its own videos. Every process calls it.

    Frames of a frozen tower are looked at once; their vectors stand in the cache.

    Args:
        model: What is trained, on its device.
        corpus: Restricted to the split.
        rules: How inputs are made.
        world: The processes; the first one alone looks with a model whose videos must stay together.

    Raises:
        StateError: The corpus lacks an input, none of its videos can be read, or another process ended.
    """
    ids = corpus.videos["video_id"].tolist()
    if not in_tiles(model):
        with world.working():
            alone = gallery_of(corpus, model.needs, rules).gallery if world.first else None
        return Looks(model, corpus, world, alone, [], {} if alone is None else alone.missing)
    spans = [range(at, min(at + VIDEOS_AT_ONCE, len(ids))) for at in range(0, len(ids), VIDEOS_AT_ONCE)]
    own = shares_of(spans, world.size)[world.rank]
    rows = range(own[0].start, own[-1].stop) if own else range(0)
    if isinstance(model, SeesFrameByFrame) and model.frozen_frames:
        whole = _with_vectors(model, corpus, rules, world)
        part, missing = (whole.take(rows) if rows else None), whole.missing
    else:
        with world.working():
            part = _inputs(model, corpus, rules, [ids[row] for row in rows]) if rows else None
        missing = _together(world, {} if part is None else part.missing)
    if "frames" in model.needs and len(missing) == len(ids):
        raise none_readable(corpus, missing)
    tiles = [range(one.start - rows.start, one.stop - rows.start) for one in own]
    return Looks(model, corpus, world, part, tiles, missing)


def shared_report(model: Any, world: World) -> Encode | None:
    """Tell the others that the report split is encoded next, by all, and with these weights.

    Args:
        model: With the chosen weights.
        world: The processes; this is the first.

    Returns:
        Who encodes; None = this process alone, and the others may end.

    Raises:
        StateError: Another process ended.
    """
    if world.size == 1 or kept_of(model) is None:
        world.told(None)
        return None
    world.told(REPORT)
    return _with_first_weights(model, world)


def share_report(model: Any, corpus: Corpus, rules: InputRules, world: World) -> None:
    """Encode a share of the report split for the first process (``shared_report``), with its weights.

    Args:
        model: The same model.
        corpus: Restricted to the split.
        rules: How inputs are made.
        world: The processes; this is not the first.

    Raises:
        StateError: Another process ended.
    """
    model.network.eval()
    _with_first_weights(model, world)(model, corpus, rules, Change())


def _with_first_weights(model: Any, world: World) -> Encode:
    world.copy_first([*model.network.parameters(), *model.network.buffers()])
    return in_world(world)


def _inputs(model: Any, corpus: Corpus, rules: InputRules, ids: Sequence[str]) -> Gallery:
    seen = seen_of_some(corpus, ids, rules) if "frames" in model.needs else None
    return gallery_of(corpus, model.needs, rules, videos=ids, seen=seen).gallery


def _with_vectors(model: Any, corpus: Corpus, rules: InputRules, world: World) -> Gallery:
    """All videos, with vectors of their frames in place of the frames."""
    part = in_world(world)(model, corpus, rules, Change())
    gallery = part.inputs.gallery
    found: Gallery = world.told(replace(gallery, features=stacked(part, corpus)) if world.first else None)
    return found


def _together(world: World, own: Mapping[str, str]) -> dict[str, str]:
    parts = world.collected(dict(own))
    found: dict[str, str] = world.told({video: why for part in parts for video, why in part.items()})
    return found


def _array(scores: Any) -> np.ndarray:
    """A tile, which a GPU may have computed."""
    found: np.ndarray = scores if isinstance(scores, np.ndarray) else scores.cpu().numpy()
    return found
