"""Trainings that SIGKILL ends at a named point and that are then resumed; started by ``test_resume``.

``python -m tests.training.killed JOB.json``: every training is a process of its own, forked from one that has imported
everything and trained nothing. Writes ``points.json`` (what an uninterrupted training passes) and ``ends.*.json``: of
each point whether the process was killed there, and in what the resumed run differs from the uninterrupted one.
"""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from tests.training.reading import NAME, TINY
from tests.training.told import content, different
from workbench.core.workspace import workspace
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation import open_run, retrieval_metrics
from workbench.evaluation.runs import info
from workbench.training import building, train
from workbench.training.batches import Batches

entry = sys.modules[train.__module__]
"""The module, whose name the function hides."""
RECIPE = "textvr_fusion_selftest"


class Points:
    """Names what a training passes, numbered, and ends the process at one of them.

    Args:
        at: Where to end; None = nowhere.
    """

    def __init__(self, at: str | None) -> None:
        self.at, self.passed, self._count = at, [], Counter[str]()

    def reach(self, name: str) -> None:
        self._count[name] += 1
        point = f"{name} #{self._count[name]}"  # batches are made by another thread, which passes points of its own
        self.passed.append(point)
        if point == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self, run: str) -> None:
        """Watch this process: optimiser, batches, and everything that takes its place in the run's folder."""
        register_optimizer_step_pre_hook(lambda *_: self.reach("after backward"))
        register_optimizer_step_post_hook(lambda *_: self.reach("after the optimiser"))
        os.replace = self._around(os.replace, workspace().runs / run, -1)
        shutil.rmtree = self._around(shutil.rmtree, workspace().runs / run, 0)
        at, seen = Batches.at, workspace().home / f"{run}.ids"

        def watched(batches: Batches, step: int, *world: Any) -> Any:
            if step and step % batches.per_epoch == 0:
                self.reach("end of epoch")
            batch = at(batches, step, *world)
            with open(seen, "a", encoding="utf-8") as out:
                out.write(json.dumps([step, batch.gallery.video_ids, batch.captions]) + "\n")
            return batch

        Batches.at = watched

    def _around(self, function: Callable, folder: Path, which: int) -> Callable:
        def watched(*paths: Any, **options: Any) -> Any:
            path = Path(paths[which])
            if not path.is_relative_to(folder):
                return function(*paths, **options)
            place = re.sub(r"\.(\d+)\.\w+\.tmp", r"\1 half", str(path.relative_to(folder)))
            self.reach(f"before {function.__name__} {place}")
            found = function(*paths, **options)
            self.reach(f"after {function.__name__} {place}")
            return found

        return watched


def train_as(run: str, at: str | None, how: dict[str, Any]) -> list[str]:
    """Train, or go on where there is something; returns the points passed."""
    points = Points(at)
    points.install(run)
    begun = (workspace().runs / run).exists()
    train(RECIPE, name=run, resume=begun, **TINY, **how)
    return points.passed


def with_dropout(build: Callable) -> Callable:
    """Models that draw random numbers while they are trained."""

    def built(*args: Any, **options: Any) -> Any:
        model = build(*args, **options)
        plain = model.network.caption

        def caption(packed: Any) -> Any:
            found = plain(packed)
            return {**found, "word": torch.nn.functional.dropout(found["word"], 0.1, model.network.training)}

        model.network.caption = caption
        return model

    return built


def forked(function: Callable[[], object]) -> int:
    """Run a function in a process of its own; returns its wait status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    try:
        function()
    except BaseException:  # noqa: BLE001  # a forked process must not go on in its parent's code
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def kept(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value))


def end_at(point: str, run: str, how: dict[str, Any]) -> dict[str, Any]:
    """Kill at a point, resume, compare."""
    killed = forked(lambda: train_as(run, point, how))
    home = workspace().home
    file = home / f"{run}.json"

    def resumed() -> None:
        told = workspace().runs / run / "run.json"  # not there yet where it ended before all else
        if not told.exists() or open_run(run).state != "finished":  # else it is whole; it is compared all the same
            train_as(run, None, how)
        apart = different(content("whole", home), content(run, home))
        kept(file, apart)

    forked(resumed)
    apart = json.loads(file.read_text()) if file.exists() else ["it did not end"]
    shutil.rmtree(workspace().runs / run, ignore_errors=True)
    return {"point": point, "killed": os.WIFSIGNALED(killed) and os.WTERMSIG(killed) == signal.SIGKILL, "apart": apart}


def main() -> None:
    gc.disable()  # in a forked process it may wait for threads of its parent
    retrieval_metrics(np.eye(3, dtype=np.float32), direction="both")  # its compiled code is loaded once for all
    job = json.loads(Path(sys.argv[1]).read_text())
    home, how, wanted = workspace().home, job["how"], re.compile(job["wanted"])
    nothing = open_corpus(NAME).boxes("")
    Corpus.boxes = lambda *_: nothing
    info.git_state = lambda: (None, None)  # ten processes a second ask it
    entry.default_trackers = lambda *_: []
    building.build_model = with_dropout(building.build_model)
    forked(lambda: kept(home / "points.json", train_as("whole", None, how)))
    points = [point for point in json.loads((home / "points.json").read_text()) if wanted.search(point)]
    workers = []
    for worker in range(job["workers"]):
        child = os.fork()
        if not child:
            mine = list(enumerate(points))[worker :: job["workers"]]
            kept(home / f"ends.{worker}.json", [end_at(point, f"killed-{at}", how) for at, point in mine])
            os._exit(0)
        workers.append(child)
    if any([os.waitpid(child, 0)[1] for child in workers]):
        sys.exit("A process ended without its list of points.")


if __name__ == "__main__":
    main()
