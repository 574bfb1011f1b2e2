"""Checkpoints that others released, as folders of weights in the workspace's ``models/``, which score and train."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench.core.errors import ExistsError
from workbench.core.files import building, sha256_file, write_json
from workbench.core.lookup import pick
from workbench.core.workspace import check_name, workspace
from workbench.models.textvr_fusion.starvr.checkpoint import Imported, import_checkpoint

MODEL_FORMATS: dict[str, Callable[..., Imported]] = {"starvr": import_checkpoint}
"""What ``workbench import --format`` reads as weights; other formats are scores."""


@dataclass(frozen=True)
class ImportedModel:
    """A checkpoint that became a folder of weights.

    Attributes:
        folder: With ``model.safetensors``, what belongs beside it, and ``import.json``.
        told: What ``import.json`` says: source and its sha256, how many weights were set, which names were left out or
            set otherwise, and its config in the workbench's words.
    """

    folder: Path
    told: dict[str, Any]


def import_model(
    path: Path | str, name: str, *, format: str = "starvr", config: Path | str | None = None,
    tokenizer: Path | str | None = None, modality: str = "fusion", options: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> ImportedModel:  # fmt: skip
    """Make a folder of weights of a released checkpoint; it is scored by its name, and recipes start from it.

    Args:
        path: The file, e.g. ``textvr.pth``.
        name: Of the folder below the workspace's ``models/``.
        format: A name of ``MODEL_FORMATS``.
        config: The release's description of the model; None = the published sizes.
        tokenizer: Folder of the vocabulary; None = as the model finds it.
        modality: What it was trained as.
        options: Of the model, where they differ from the config's.
        overwrite: Move a model of that name to the trash.

    Raises:
        UnknownNameError: No such format or modality.
        ExistsError: A model or run of that name exists.
        DataError: A file cannot be read, or its weights do not fit.
        MissingExtraError: torch or transformers is not installed.
    """
    read = pick(MODEL_FORMATS, format, "format of weights")
    space = workspace()
    if space.find("runs", check_name(name, "model")) is not None:
        raise ExistsError(f"A run called {name!r} exists already.", "Choose another name.")
    with building(space.models / name, overwrite=overwrite, trash=space.models / ".trash") as folder:
        found = read(path, config, modality=modality, tokenizer=tokenizer, into=folder, **(options or {}))
        told = {
            "source": Path(path).name, "sha256": sha256_file(Path(path)), "format": format,
            "loaded": len(found.loaded), "set otherwise": list(found.missing), "left out": list(found.left_out),
            "beside the weights": found.told, "config": None if found.config is None else asdict(found.config),
        }  # fmt: skip
        write_json(folder / "import.json", told)
    return ImportedModel(space.models / name, told)
