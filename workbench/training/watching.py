"""How far a training is, read from its run and its job by anybody at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from workbench.core import jobs
from workbench.core.errors import UnknownNameError
from workbench.core.progress import spoken
from workbench.evaluation import open_run
from workbench.evaluation.runs.monitor import Monitor
from workbench.evaluation.runs.progress import newest, seconds_left, steps_made

PACE: dict[str, tuple[str, str]] = {
    "loss": ("loss", "loss {:.4f}"),
    "samples/s": ("samples_per_s", "{:,.1f} samples/s"),
    "data wait": ("data_wait", "data wait {:.1%}"),
    "GPU memory": ("gpu_gib", "GPU {:.1f} GiB"),
}
"""By the name of a curve: the field of ``Progress`` that holds its newest value, and how that is said."""


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        name: The run.
        state: ``starting``, ``running``, ``finished``, ``failed`` or ``dead``.
        step: Steps made.
        steps: Steps of the recipe; None where it does not say.
        loss: Of the newest step.
        samples_per_s: Captions per second, as last reported.
        data_wait: Share of the time that steps waited for their batch, 0..1, as last reported.
        gpu_gib: Most GPU memory that tensors took (GiB); None without a GPU.
        best: Best value on the select split of what chooses.
        best_of: What that is, e.g. ``MRR``.
        best_digits: Decimals that a reader needs of it.
        seconds_left: None where nothing tells, or it has ended.
        note: Why it failed.
    """

    name: str
    state: str
    step: int = 0
    steps: int | None = None
    loss: float | None = None
    samples_per_s: float | None = None
    data_wait: float | None = None
    gpu_gib: float | None = None
    best: float | None = None
    best_of: str = "MRR"
    best_digits: int = 3
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
        parts += said_of({name: value for name, (key, _) in PACE.items() if (value := getattr(self, key)) is not None})
        parts += [f"best {self.best_of} {self.best:.{self.best_digits}f}"] if self.best is not None else []
        parts += [f"{spoken(self.seconds_left)} left"] if self.seconds_left is not None else []
        return ", ".join(parts) + (f". {self.note}" if self.note else "")

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


def said_of(values: Mapping[str, float]) -> list[str]:
    """The newest values of curves in words, those of ``PACE`` in its order."""
    return [words.format(values[name]) for name, (_, words) in PACE.items() if name in values]


def progress_of(name: str) -> Progress:
    """How far the training of a run is.

    Raises:
        UnknownNameError: No such run, and no job that is about to make it.
    """
    try:
        run = open_run(name)
    except UnknownNameError:
        job = {one.name: one for one in jobs.list_jobs()}.get(jobs.name_for("train", name))
        if job is None:
            raise
        return Progress(name, "starting") if job.state == "running" else Progress(name, job.state, note=job.tail(1))
    steps = (run.info.get("recipe") or {}).get("steps")
    note = str(run.info.get("notes") or "") if run.state == "failed" else ""
    history = run.history
    if history is None:
        return Progress(name, run.state, steps=steps, note=note)
    step, values = steps_made(history), newest(history)
    monitor = Monitor.of_run(run.info)
    looks, chosen = monitor.of_history(history), monitor.best_step(history)
    left = seconds_left(history, steps, step) if run.state == "running" else None
    pace: dict[str, Any] = {key: values.get(name) for name, (key, _) in PACE.items()}
    best = None if chosen is None else float(looks[chosen])
    told: dict[str, Any] = {"best": best, "best_of": monitor.label, "best_digits": monitor.digits}
    return Progress(name, run.state, step, steps, seconds_left=left, note=note, **told, **pace)
