"""Checkpoints of a run: weights, optimiser, random numbers and step, a folder each; ``last`` and ``best`` name one.

A checkpoint appears whole or not at all, and states which step is the best so far. What ends between its appearance and
the two pointers is mended by ``restore``.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError, StateError
from workbench.core.files import atomic, building, read_json, write_json
from workbench.core.lookup import nearest
from workbench.core.optional import need
from workbench.models.device import chosen_device
from workbench.models.families import WEIGHTS, load, read_header
from workbench.models.registry import RetrievalModel, build_model

RANDOM = "random"
"""First part of the names under which states of random numbers lie among the optimiser's tensors."""


def save_checkpoint(
    run: Path, step: int, model: Any, optimiser: Any, told: dict[str, Any], *, best: bool, keep_last: int = 1
) -> None:
    """Write ``checkpoints/<step>/`` whole or not at all, then point ``last`` (and ``best``) at it; drop old ones.

    Args:
        run: The run's folder.
        step: Steps made.
        model: With ``save(folder)``.
        optimiser: Its state is kept.
        told: What else a resume needs, as JSON.
        best: Whether it is the best one so far.
        keep_last: How many of the newest stay, beside the best one.
    """
    tensors = need("safetensors.torch", "Saving weights")
    folder = run / "checkpoints" / str(step)
    best_step = step if best else _named(run, "best")
    _remove(folder)
    with building(folder) as temporary:
        model.save(temporary)
        kept = {**_flat(optimiser.state_dict()), **_random_states()}
        tensors.save_file(kept, temporary / "trainer.safetensors")
        write_json(temporary / "trainer.json", {"step": step, "best_step": best_step, **told})
    _point(run, "last", step)
    if best:
        _point(run, "best", step)
    prune(run, keep_last)


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

    A model from outside the tree is built by its builder again, as the run's recipe says.

    Raises:
        StateError: The run has no such checkpoint.
        DataError: The weights belong to no model known here.
        UnknownNameError: The builder cannot be imported.
    """
    folder = checkpoint_folder(run, name)
    built = None
    if not read_header(folder).known:
        told = read_json(run / "run.json", f"the description of run {run.name}")
        built = _built(told.get("recipe") or {}, folder)
    return load_folder(folder, built)


def load_folder(folder: Path, built: Any = None, *, fit: bool = False) -> RetrievalModel:
    """The model whose weights a folder holds, on the device of ``chosen_device``; see ``families.load``.

    Raises:
        DataError: As ``families.load``.
    """
    model: Any = load(folder, built, fit=fit)
    model.network.to(chosen_device())
    return model  # type: ignore[no-any-return]  # what is trained scores


def _built(recipe: dict[str, Any], folder: Path) -> RetrievalModel:
    """A model from outside the tree, as it was built for training."""
    if ":" not in str(recipe.get("model")):
        raise DataError(f"{folder} holds the weights of another workbench.", "Update this one: pip install -U.")
    options = {key: recipe[key] for key in ("preset", "modality", "seed") if recipe.get(key) is not None}
    return build_model(recipe["model"], **options, **(recipe.get("options") or {}))


def load_weights(run: Path, name: str, model: Any) -> None:
    """Put the weights of a checkpoint into a model that is built already.

    Raises:
        StateError: The run has no such checkpoint.
    """
    tensors = need("safetensors.torch", "Reading weights")
    model.network.load_state_dict(tensors.load_file(checkpoint_folder(run, name) / WEIGHTS))


def restore(run: Path, optimiser: Any) -> dict[str, Any]:
    """Put the optimiser and the random numbers back to the last checkpoint; returns what it told.

    What a process that ended in the middle of writing left over is mended first.

    Raises:
        StateError: The run has no checkpoint.
    """
    tensors = need("safetensors.torch", "Reading weights")
    folder = checkpoint_folder(run, "last")
    told: dict[str, Any] = read_json(folder / "trainer.json", f"the state of run {run.name}")
    if told["best_step"] is not None:
        _point(run, "best", told["best_step"])
    tidy(run)
    kept = tensors.load_file(folder / "trainer.safetensors")
    state = optimiser.state_dict()
    state["state"] = _nested({name: one for name, one in kept.items() if not name.startswith(RANDOM)})
    optimiser.load_state_dict(state)
    _set_random_states(kept)
    return told


def tidy(run: Path) -> None:
    """Remove half-written files of a run that a killed process left, and checkpoints that no pointer ever reached."""
    for left in [*run.glob(".*.tmp"), *(run / "checkpoints").glob(".*.tmp")]:
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    last = _named(run, "last")
    for step in _steps(run):
        if last is None or step > last:
            _remove(run / "checkpoints" / str(step))


def prune(run: Path, keep_last: int) -> None:
    """Remove all checkpoints but the best one and the newest ``keep_last``."""
    kept = {*sorted(_steps(run))[-keep_last:], _named(run, "last"), _named(run, "best")}
    for step in _steps(run):
        if step not in kept:
            _remove(run / "checkpoints" / str(step))


def _steps(run: Path) -> list[int]:
    folder = run / "checkpoints"
    return [int(one.name) for one in folder.iterdir() if one.name.isdigit()] if folder.is_dir() else []


def _named(run: Path, pointer: str) -> int | None:
    path = run / "checkpoints" / pointer
    return step_of(run, pointer) if path.is_file() else None


def _point(run: Path, pointer: str, step: int) -> None:
    with atomic(run / "checkpoints" / pointer) as temporary:
        temporary.write_text(str(step), encoding="utf-8")


def _remove(folder: Path) -> None:
    """Remove a checkpoint: its name goes first, so that no half of it is ever taken for a whole."""
    if folder.exists():
        gone = folder.with_name(f".{folder.name}.gone.tmp")
        folder.rename(gone)
        shutil.rmtree(gone)


def _random_states() -> dict[str, Any]:
    """States of torch's random numbers, by which dropout goes on after a resume; uint8 tensors."""
    torch = need("torch", "Saving a checkpoint")
    found = {f"{RANDOM}.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        found |= {f"{RANDOM}.cuda.{at}": state for at, state in enumerate(torch.cuda.get_rng_state_all())}
    return found


def _set_random_states(kept: dict[str, Any]) -> None:
    torch = need("torch", "Reading a checkpoint")
    for name, state in kept.items():
        if name == f"{RANDOM}.cpu":
            torch.set_rng_state(state)
        elif name.startswith(f"{RANDOM}.cuda."):
            at = int(name.rpartition(".")[2])
            if at < torch.cuda.device_count():
                torch.cuda.set_rng_state(state, at)


def _flat(state: dict[str, Any]) -> dict[str, Any]:
    return {f"{i}.{key}": value.contiguous() for i, values in state["state"].items() for key, value in values.items()}


def _nested(flat: dict[str, Any]) -> dict[int, dict[str, Any]]:
    nested: dict[int, dict[str, Any]] = {}
    for name, value in flat.items():
        index, _, key = name.partition(".")
        nested.setdefault(int(index), {})[key] = value
    return nested
