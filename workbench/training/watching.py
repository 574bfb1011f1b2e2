"""How far a training is, read from its run and its job by anybody at any time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from workbench.core import jobs
from workbench.core.errors import UnknownNameError
from workbench.evaluation import open_run
from workbench.evaluation.runs.progress import seconds_left, steps_made


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        name: The run.
        state: ``starting``, ``running``, ``finished``, ``failed`` or ``dead``.
        step: Steps made.
        steps: Steps of the recipe; None where it does not say.
        loss: Of the newest step.
        best: Best MRR on the select split, 0..1.
        seconds_left: None where nothing tells, or it has ended.
        note: Why it failed.
    """

    name: str
    state: str
    step: int = 0
    steps: int | None = None
    loss: float | None = None
    best: float | None = None
    seconds_left: float | None = None
    note: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state not in ("starting", "running")

    @property
    def sentence(self) -> str:
        """One line for a terminal."""
        parts = [f"{self.name}: {self.state}, step {self.step}" + (f" of {self.steps}" if self.steps else "")]
        parts += [f"loss {self.loss:.4f}"] if self.loss is not None else []
        parts += [f"best MRR {self.best:.3f}"] if self.best is not None else []
        parts += [f"{_duration(self.seconds_left)} left"] if self.seconds_left is not None else []
        return ", ".join(parts) + (f". {self.note}" if self.note else "")

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


def progress_of(name: str) -> Progress:
    """How far the training of a run is.

    Raises:
        UnknownNameError: No such run, and no job that is about to make it.
    """
    try:
        run = open_run(name)
    except UnknownNameError:
        job = {one.name: one for one in jobs.list_jobs()}.get(f"train-{name}")
        if job is None:
            raise
        return Progress(name, "starting") if job.state == "running" else Progress(name, job.state, note=job.tail(1))
    steps = (run.info.get("recipe") or {}).get("steps")
    note = str(run.info.get("notes") or "") if run.state == "failed" else ""
    history = run.history
    if history is None:
        return Progress(name, run.state, steps=steps, note=note)
    values = {key: part for key, part in history.groupby("name")}
    losses = values.get("loss", history[:0])
    step = steps_made(history)
    loss = float(losses["value"].iloc[-1]) if len(losses) else None
    looks = [part["value"].max() for key, part in values.items() if str(key).endswith(" mrr")]
    left = seconds_left(history, steps, step) if run.state == "running" else None
    return Progress(name, run.state, step, steps, loss, float(max(looks)) if looks else None, left, note)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
