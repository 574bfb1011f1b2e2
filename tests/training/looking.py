"""What the processes of test_looks do: trainings, uninterrupted and interrupted, that tell what was at work when."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.training.reading import TINY
from workbench.evaluation import Run
from workbench.models import encoding
from workbench.models.base import NetworkModel
from workbench.models.world import World, joined
from workbench.pipelines import features
from workbench.pipelines.rules import InputRules
from workbench.training import Recorder, looks, train

TIMEOUT_S = 120.0
RECIPE, HOW = "textvr_fusion_selftest", {**TINY, "keep_last": 9, "ema": 0.8, "threads": 1}


def rules_of_model(run: Run) -> InputRules:
    """How the inputs of a run were made."""
    return InputRules.from_dict(run.info["input_rules"])


def trainings(world: World, home: Path) -> None:
    """Train together. Each process writes down what it did: how many videos were encoded, and that looks were measured,
    beside whether the others knew that it was at work."""
    os.environ["WORKBENCH_HOME"] = str(home)
    entry = sys.modules[train.__module__]
    entry.joined = partial(joined, TIMEOUT_S)
    entry.default_trackers = lambda *_: []
    looks.VIDEOS_AT_ONCE = 4
    did: list[tuple[Any, bool]] = []

    def told(function: Callable, what: Callable) -> Callable:
        def telling(*given: Any, **named: Any) -> Any:
            did.append((what(*given), any(one.name == "at work" for one in threading.enumerate())))
            return function(*given, **named)

        return telling

    Recorder.validation = told(Recorder.validation, lambda *_: "measured")
    NetworkModel.encode = told(NetworkModel.encode, lambda _, gallery: len(gallery.video_ids))
    features.encode_one = told(encoding.encode_one, lambda *_: 1)
    train(RECIPE, name="two", **HOW)
    (home / f"{world.rank}.did").write_text(json.dumps(did))
    train(RECIPE, name="cut", stop_at=5, **HOW)
    train(RECIPE, name="cut", resume=True, **HOW)
