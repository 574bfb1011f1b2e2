"""A gallery in a model's own form: out of the cache, by this process, or shared among several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench.core.errors import StateError
from workbench.corpus import Corpus
from workbench.models import RetrievalModel
from workbench.models.encoding import VECTORS, in_tiles, kept_of
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.features import Part, check_some, part_of, stacked
from workbench.pipelines.inputs import Inputs, gallery_of
from workbench.pipelines.rules import InputRules

Encode = Callable[[Any, Corpus, InputRules, Change], Part]
"""Who encodes all videos of a corpus, one by one."""


@dataclass(frozen=True)
class Look:
    """The videos of a corpus, looked at once.

    Attributes:
        inputs: What the model was given; without frames where something is kept of each video.
        encoded: As ``RetrievalModel.encode`` gives it.
        found: Videos that stood in the cache; None where nothing is kept of each.
    """

    inputs: Inputs
    encoded: Any
    found: int | None


def look(
    model: RetrievalModel,
    corpus: Corpus,
    rules: InputRules,
    *,
    change: Change | None = None,
    workers: int | None = None,
    encode: Encode | None = None,
) -> Look:
    """Encode the videos of a corpus.

    Args:
        model: The model.
        corpus: Restricted to the split.
        rules: How inputs are made.
        change: What is done to them first.
        workers: Processes that decode; None = all cores.
        encode: Who encodes the videos one by one; None = this process.

    Raises:
        StateError: The corpus lacks an input that the model needs, or ``encode`` is given for a model that looks at all
            videos together.
    """
    change = change or Change()
    kind = kept_of(model)
    if kind is None:
        if encode is not None:
            raise StateError(
                "This model looks at all videos together, so processes cannot share them.", "Score with one process."
            )
        inputs = change.apply(gallery_of(corpus, model.needs, rules, workers=workers))
        return Look(inputs, model.encode(inputs.gallery), None)
    part = (
        encode(model, corpus, rules, change)
        if encode
        else part_of(model, corpus, rules, change=change, workers=workers)
    )
    check_some(part, corpus)
    found = sum(one.found for one in part.here)
    if kind == VECTORS:
        gallery = part.inputs.gallery
        seen = zip(gallery.video_ids, stacked(part, corpus), strict=True)
        features = np.stack([change.turned(video, vectors) for video, vectors in seen])
        return Look(part.inputs, model.encode(replace(gallery, features=features)), found)
    tensors = [None if one is None else one.tensors for one in part.kept]
    return Look(part.inputs, in_tiles(model, tensors), found)
