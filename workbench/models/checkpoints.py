"""Checkpoints of a run: weights, optimiser and step in one folder each; ``last`` and ``best`` name a step."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from workbench.core.errors import StateError
from workbench.core.files import atomic, building, read_json, write_json
from workbench.core.lookup import nearest
from workbench.core.optional import need
from workbench.models.device import chosen_device
from workbench.models.registry import RetrievalModel


def save_checkpoint(run: Path, step: int, model: Any, optimiser: Any, told: dict[str, Any], *, best: bool) -> None:
    """Write ``checkpoints/<step>/`` whole or not at all, then point ``last`` (and ``best``) at it; drop the others."""
    tensors = need("safetensors.torch", "Saving weights")
    folder = run / "checkpoints" / str(step)
    if folder.exists():
        shutil.rmtree(folder)
    with building(folder) as temporary:
        model.save(temporary)
        tensors.save_file(_flat(optimiser.state_dict()), temporary / "trainer.safetensors")
        write_json(temporary / "trainer.json", {"step": step, **told})
    for name in ("last", "best") if best else ("last",):
        with atomic(run / "checkpoints" / name) as temporary:
            temporary.write_text(str(step), encoding="utf-8")
    kept = {step_of(run, name) for name in ("last", "best") if (run / "checkpoints" / name).is_file()}
    for old in (run / "checkpoints").iterdir():
        if old.is_dir() and old.name.isdigit() and int(old.name) not in kept:
            shutil.rmtree(old)


def step_of(run: Path, name: str) -> int:
    """The step that ``last``, ``best`` or a number names.

    Raises:
        StateError: The run has no such checkpoint.
    """
    folder = run / "checkpoints"
    pointer = folder / name
    step = pointer.read_text(encoding="utf-8").strip() if pointer.is_file() else name
    if not (folder / step).is_dir():
        known = [one.name for one in folder.iterdir()] if folder.is_dir() else []
        raise StateError(f"Run {run.name} has no checkpoint {name!r}.", nearest(name, known))
    return int(step)


def checkpoint_folder(run: Path, name: str = "best") -> Path:
    """The folder of a checkpoint of a run.

    Raises:
        StateError: The run has no such checkpoint.
    """
    return run / "checkpoints" / str(step_of(run, name))


def load_model(run: Path, name: str = "best") -> RetrievalModel:
    """The model of a checkpoint, on the device of ``chosen_device``.

    Raises:
        StateError: The run has no such checkpoint.
        DataError: The weights belong to no model known here.
    """
    from workbench.models import textvr_fusion

    model = textvr_fusion.load(checkpoint_folder(run, name))
    model.network.to(chosen_device())
    return model


def restore(run: Path, optimiser: Any) -> dict[str, Any]:
    """Put the optimiser back to the last checkpoint; returns what it told."""
    tensors = need("safetensors.torch", "Reading weights")
    folder = checkpoint_folder(run, "last")
    state = optimiser.state_dict()
    state["state"] = _nested(tensors.load_file(folder / "trainer.safetensors"))
    optimiser.load_state_dict(state)
    return read_json(folder / "trainer.json", f"the state of run {run.name}")


def _flat(state: dict[str, Any]) -> dict[str, Any]:
    return {f"{i}.{key}": value.contiguous() for i, values in state["state"].items() for key, value in values.items()}


def _nested(flat: dict[str, Any]) -> dict[int, dict[str, Any]]:
    nested: dict[int, dict[str, Any]] = {}
    for name, value in flat.items():
        index, _, key = name.partition(".")
        nested.setdefault(int(index), {})[key] = value
    return nested
