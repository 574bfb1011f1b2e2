"""Weights by exact lists of names: what is missing, unexpected or of another size is named, and nothing is changed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError
from workbench.models.textvr_fusion.starvr.pieces import TEXT_MODEL
from workbench.models.towers.space_time.weights import read_weights

SHOWN = 3
FILES = ("model.safetensors", "pytorch_model.bin")
OTHER_TASKS = re.compile(r"(vocab_transform|vocab_layer_norm|vocab_projector|pre_classifier|classifier|qa_outputs)\.")
"""Beginnings of names that belong to another task than encoding; they are left out."""
SIZES = {
    "dim": "dim", "n_layers": "text_depth", "n_heads": "text_heads", "vocab_size": "vocabulary",
    "max_position_embeddings": "positions",
}  # fmt: skip


def check_names(own: Mapping[str, Any], named: Mapping[str, Any], what: str, *, absent: Sequence[str] = ()) -> None:
    """Raise unless ``named`` holds exactly the weights of ``own``, but for those in ``absent``.

    Args:
        own: The weights to be set, by name.
        named: The weights found, by name.
        what: Where they were found.
        absent: Names that need not be there.

    Raises:
        DataError: Some are missing, unexpected or of another size; the sentence counts and names them.
    """
    missing = [name for name in own if name not in named and name not in absent]
    unexpected = [name for name in named if name not in own]
    other = [
        f"{name!r} is {list(named[name].shape)}, the model has {list(own[name].shape)}"
        for name in named
        if name in own and named[name].shape != own[name].shape
    ]
    kinds = [("missing", [repr(name) for name in missing]), ("unexpected", [repr(name) for name in unexpected])]
    found = [f"{len(names)} {kind} ({_listed(names)})" for kind, names in [*kinds, ("of another size", other)] if names]
    if found:
        raise DataError(
            f"The weights in {what} do not fit: {'; '.join(found)}.",
            "Take the file of the whole model, and build it with the modality and the sizes of the file.",
        )


def load_text_weights(towers: Sequence[Any], folder: Path) -> None:
    """Set DistilBERTs to the weights in a folder of Hugging Face layout.

    Args:
        towers: ``DistilBertModel``, all of the same sizes.
        folder: With ``config.json`` and ``model.safetensors`` or ``pytorch_model.bin``, of a bare model or of one with
            a head, which is left out.

    Raises:
        DataError: A file is absent or damaged, or its sizes are others.
    """
    _check_sizes(towers[0].config, folder)
    path = next((folder / name for name in FILES if (folder / name).is_file()), None)
    if path is None:
        raise DataError(f"{folder} holds no {' or '.join(FILES)}.", f"Put that of {TEXT_MODEL} there.")
    found = {name.removeprefix("distilbert."): value for name, value in read_weights(path).items()}
    named = {name: value for name, value in found.items() if not OTHER_TASKS.match(name)}
    check_names(towers[0].state_dict(), named, str(path))
    for tower in towers:
        tower.load_state_dict(named)


def _check_sizes(config: Any, folder: Path) -> None:
    """Heads are not to be seen in the weights, so the folder's own words on sizes count."""
    path = folder / "config.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read.", f"Put the config.json of {TEXT_MODEL} there.") from error
    for key, option in SIZES.items():
        if key in told and told[key] != getattr(config, key):
            raise DataError(
                f"{path} has {key} {told[key]}, the model {getattr(config, key)}.", f"Give {option}={told[key]}."
            )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
