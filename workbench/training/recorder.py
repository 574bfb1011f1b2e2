"""Write the run of a training, our own loop or somebody else's: curves while it trains, the chosen score at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import WorkbenchError
from workbench.core.files import read_json, write_json
from workbench.corpus import Corpus
from workbench.evaluation import Run
from workbench.evaluation.runs.info import check_info
from workbench.evaluation.runs.monitor import USUAL, Monitor
from workbench.evaluation.runs.saving import complete_run, fail_run, open_split, start_run
from workbench.pipelines.scoring import check_free
from workbench.training.curves import Curves
from workbench.training.selection import Selection, SelectSplit, select_corpus
from workbench.training.step import check_loss
from workbench.training.trackers import Tracker, default_trackers


class Recorder:
    """Follows a training loop and writes its run; the run is listed, and can be watched, from the first step on.

    ``with`` it, and the run says why it ended where an error or an interruption ends the loop::

        with Recorder("mine", corpus="textvr") as recorder:
            for batch in loader:
                recorder.step(loss, samples=len(batch), learning_rate=rate)
                if recorder.steps % 100 == 0 and recorder.validation(similarity_on_val()):
                    save_weights()
            run = recorder.finish(similarity_on_test())

    Args:
        name: The run's name.
        corpus: Its name.
        split: The split that is reported; None = the corpus' default.
        select_split: The split that chooses weights; never the reported one, nor a test split. An absent ``val`` is
            made out of train, as ``train`` does.
        patience: Looks at it without a gain after which ``exhausted`` is true; None = never.
        monitor: What chooses weights: metric and direction, e.g. ``t2v mrr``, ``v2t r10``, ``mean r1``.
        report_every: Steps between numbers other than the loss.
        group: Runs that differ in their seed alone.
        overwrite: Move an existing run of that name to the trash.
        tracker: Who else follows, beside TensorBoard.
        **info: More entries of ``run.json``: model, recipe (a dict; ``steps`` tells how many there will be), seed, ...

    Raises:
        DataError: An entry that the run itself writes.
        ExistsError: A run of that name exists.
        StateError: Weights would be chosen on what is reported.

    Attributes:
        folder: The run's folder.
        steps: Steps made so far.
        selection: The best score so far.
        last: The newest value of each curve, by name.
    """

    def __init__(
        self, name: str, *, corpus: str, split: str | None = None, select_split: str = "val",
        patience: int | None = None, monitor: str = USUAL, report_every: int = 1, group: str | None = None,
        overwrite: bool = False, tracker: Tracker | None = None, **info: Any,
    ) -> None:  # fmt: skip
        check_info(info)
        report, chooses = open_split(corpus, split), Selection(patience, Monitor.parse(monitor))
        check_free(name, overwrite)
        select = SelectSplit(select_corpus(corpus, select_split, "train"), report)
        folder = start_run(name, report, overwrite=overwrite, group=group, monitor=monitor, **info)
        trackers = [*default_trackers(folder), *([tracker] if tracker else [])]
        self._begin(folder, report, select, chooses, report_every, trackers)

    @classmethod
    def into(
        cls, folder: Path, report: Corpus, select: SelectSplit, *, selection: Selection, report_every: int,
        trackers: Sequence[Tracker] = (), told: Mapping[str, Any] | None = None,
    ) -> Recorder:  # fmt: skip
        """A recorder of a run that was started already; ``told`` is what ``state`` gave at its last checkpoint."""
        recorder = cls.__new__(cls)
        recorder._begin(folder, report, select, selection, report_every, trackers)
        if told:
            recorder._go_on(told)
        return recorder

    def _begin(
        self, folder: Path, report: Corpus, select: SelectSplit, selection: Selection, report_every: int,
        trackers: Sequence[Tracker],
    ) -> None:  # fmt: skip
        self.folder, self.report, self.select = folder, report, select
        self.steps, self.report_every = 0, report_every
        self.selection = selection
        self.curves = Curves(folder, trackers)
        self.last: dict[str, float] = {}
        self._before = 0.0  # seconds of the processes before this one
        self._began = self._mark = time.perf_counter()
        self._window = {"seconds": 0.0, "samples": 0.0, "waited": 0.0}

    def _go_on(self, told: Mapping[str, Any]) -> None:
        self.steps, self._before = told["step"], told["seconds"]
        self.selection.go_on(told["selection"])
        self.curves.go_on(told["lengths"])

    def state(self) -> dict[str, Any]:
        """What a resume needs beside weights, optimiser and random numbers, as JSON."""
        return {
            "seconds": self.seconds, "selection": self.selection.state(), "lengths": self.curves.lengths(),
        }  # fmt: skip

    @property
    def seconds(self) -> float:
        """Training so far, validation included, over all processes that took part one after the other."""
        return self._before + time.perf_counter() - self._began

    @property
    def exhausted(self) -> bool:
        """Whether ``patience`` is at its end."""
        return self.selection.exhausted

    def step(
        self, loss: float, *, epoch: int = 0, learning_rate: float | None = None, samples: int | None = None,
        wait_s: float = 0.0, seconds: float | None = None, **others: float | None,
    ) -> int:  # fmt: skip
        """Write down one step of the optimiser.

        Args:
            loss: Before the step.
            epoch: From 0.
            learning_rate: Of the step.
            samples: Captions in its batch.
            wait_s: Seconds that it waited for its batch.
            seconds: That it took in all; None = since the last call.
            **others: More numbers by name; None is left out.

        Returns:
            How many steps were made.

        Raises:
            StateError: The loss is not a number: the training has diverged.
        """
        check_loss(loss, self.steps)
        taken = time.perf_counter() - self._mark if seconds is None else seconds
        for key, value in (("seconds", taken), ("samples", samples or 0), ("waited", wait_s)):
            self._window[key] += value
        values: dict[str, float | None] = {"loss": loss}
        if self.steps % self.report_every == 0:
            values |= {"learning rate": learning_rate, **self._pace(samples is not None), **others}
        self.curves.add(self.steps, epoch, values)
        self.last |= {name: float(value) for name, value in values.items() if value is not None}
        self.steps += 1
        self.curves.write(due=False)
        self._mark = time.perf_counter()
        return self.steps

    def _pace(self, counted: bool) -> dict[str, float | None]:
        """How fast it went since the last report."""
        seconds = max(self._window["seconds"], 1e-9)
        found = {
            "samples/s": self._window["samples"] / seconds if counted else None,
            "data wait": min(1.0, self._window["waited"] / seconds) if counted else None,
            "elapsed": self.seconds,
        }  # fmt: skip
        self._window = dict.fromkeys(self._window, 0.0)
        return found

    def validation(self, similarity: np.ndarray, *, epoch: int = 0) -> bool:
        """Look at the select split.

        Args:
            similarity: [captions, videos] of it, in the corpus' order; columns of videos without a score are -inf.
            epoch: From 0.

        Returns:
            Whether these weights are the best so far.

        Raises:
            DataError: A similarity of another shape, or with NaN.
        """
        score = self.select.score(similarity)
        self.curves.add(self.steps, epoch, score.curves())
        self.curves.add_ranks(self.steps, self.select.ranks(score.metrics))
        better = self.selection.take(score, self.steps)
        self.curves.write()
        self._mark = time.perf_counter()
        return better

    @property
    def protocol(self) -> dict[str, Any]:
        """For ``run.json``: on what weights were chosen; null where nobody has looked at it."""
        return {"selected_on": None if self.selection.best_step is None else self.select.said}

    def close(self) -> None:
        """Training is over: write how long it took."""
        self.curves.add(self.steps, 0, {"seconds": self.seconds})
        self.curves.close()

    def finish(
        self, similarity: np.ndarray, *, modalities: Mapping[str, np.ndarray] | None = None,
        inputs: pd.DataFrame | None = None, missing: Mapping[str, str] | None = None, **info: Any,
    ) -> Run:  # fmt: skip
        """Finish the run with the score of the chosen weights on the reported split.

        Args:
            similarity: [captions, videos] of it, in the corpus' order.
            modalities: The similarities that were fused, by name.
            inputs: What the model saw per video.
            missing: Videos that could not be scored, with the reason.
            **info: More entries of ``run.json``.

        Raises:
            DataError: A wrong shape, NaN or +inf.
        """
        self.close()
        given: dict[str, Any] = {"modalities": modalities, "inputs": inputs, "missing": missing}
        given |= {"monitor": str(self.selection.monitor), **info}
        return complete_run(self.folder, similarity, corpus=self.report, protocol=self.protocol, **given)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.curves.close()
        if error is not None:
            fail_run(self.folder, reason_of(error))


def tell(folder: Path, **info: Any) -> None:
    """Add entries to the ``run.json`` of a run that is being made."""
    path = folder / "run.json"
    write_json(path, {**read_json(path, f"the description of run {folder.name}"), **info})


@contextmanager
def failing(folder: Path) -> Iterator[None]:
    """A run whose block ends with an error, or is interrupted, is failed and says why."""
    try:
        yield
    finally:
        if (error := sys.exception()) is not None:
            fail_run(folder, reason_of(error))


def reason_of(error: BaseException) -> str:
    """One sentence for the run."""
    if isinstance(error, WorkbenchError):
        return error.message
    if isinstance(error, KeyboardInterrupt):
        return "It was interrupted."
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"
