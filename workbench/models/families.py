"""Families of networks by the name in a checkpoint's header: one table, so that any folder of weights can be opened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import DataError
from workbench.core.lookup import imported
from workbench.core.optional import need
from workbench.models.options import record_of

if TYPE_CHECKING:
    from workbench.models.base import NetworkModel

WEIGHTS = "model.safetensors"
"""File of a checkpoint that holds the weights, and in its header what they belong to."""


@dataclass(frozen=True)
class Family:
    """One kind of network; its module comes in when it is asked for.

    Attributes:
        model: The name in ``MODELS`` whose builder makes it.
        kind: ``module:class`` of its ``NetworkModel``.
        record: ``module:class`` of the frozen record of its options.
    """

    model: str
    kind: str
    record: str

    def reopened(self, options: dict[str, Any], folder: Path) -> NetworkModel:
        """A network of these options, its weights still to come."""
        record = record_of(imported(self.record, "model"), options, self.model)
        model: NetworkModel = imported(self.kind, "model").reopened(record, folder)
        return model


def _family(model: str, module: str, kind: str, record: str = "Options") -> Family:
    return Family(model, f"workbench.models.{module}:{kind}", f"workbench.models.{module}:{record}")


FAMILIES = {
    "interaction": _family("textvr_fusion", "textvr_fusion.model", "TextvrFusion"),
    "starvr": _family("textvr_fusion", "textvr_fusion.starvr", "Starvr", "StarvrOptions"),
    "dual": _family("dual_encoder", "towers.dual", "DualEncoder"),
    "clip_ocr_window": _family("clip_ocr_window", "clip_ocr_window", "ClipOcrWindow", "ClipOcrWindowOptions"),
}


@dataclass(frozen=True)
class Header:
    """What a file of weights says of itself.

    Attributes:
        model: The model's name in ``MODELS``, or the class from outside the tree.
        family: A name of ``FAMILIES``, or one from outside the tree.
        options: Everything that decides the network's shape, by name.
        lora: Rank, alpha, targets and more where adapters are among the weights (``models.lora``), else None.
    """

    model: str
    family: str
    options: dict[str, Any]
    lora: dict[str, Any] | None

    @property
    def known(self) -> bool:
        """Whether ``load`` can build its network again."""
        return self.family in FAMILIES


def read_header(folder: Path) -> Header:
    """What the weights in a folder belong to.

    Raises:
        DataError: The folder holds no weights, or a damaged file of them.
    """
    path = Path(folder) / WEIGHTS
    if not path.is_file():
        raise DataError(f"{folder} holds no {WEIGHTS}.", "Give a checkpoint, e.g. RUN or RUN@STEP.")
    safe = need("safetensors", "Reading weights")
    try:
        with safe.safe_open(path, framework="pt") as opened:
            told = opened.metadata() or {}
    except safe.SafetensorError as error:
        raise DataError(f"{path} is damaged: {error}.", "Give another checkpoint.") from error
    first = "interaction" if told.get("model") == "textvr_fusion" else ""  # headers named no family while it was alone
    lora = json.loads(told["lora"]) if "lora" in told else None
    return Header(
        told.get("model", "a model that it does not name"),
        told.get("family", first),
        json.loads(told.get("options", "{}")),
        lora,
    )


def read_tensors(folder: Path) -> dict[str, Any]:
    """The weights in a folder by name, on the CPU."""
    tensors = need("safetensors.torch", "Reading weights")
    found: dict[str, Any] = tensors.load_file(Path(folder) / WEIGHTS)
    return found


def load(folder: Path, built: Any = None, *, fit: bool = False) -> Any:
    """A model as ``NetworkModel.save`` wrote it, on the CPU or where its family puts it, ready to score.

    Args:
        folder: With ``model.safetensors``.
        built: The model that the weights are set into, of a family from outside the tree or for other inputs than
            theirs; None = their family makes it.
        fit: Whether it was made for other inputs, which weights are fitted to.

    Raises:
        DataError: No such file, weights of a model from outside the tree that was not built, or weights that do not
            fit what was built.
        MissingExtraError: A package that the model needs is not installed.
    """
    header = read_header(folder)
    if built is None and not header.known:
        raise DataError(
            f"The weights in {folder} belong to {header.model}, which is not part of the workbench.",
            "Name the run that trained it, or its builder: --model package.module:builder",
        )
    model = built or FAMILIES[header.family].reopened(header.options, Path(folder))
    if header.lora is not None:
        from workbench.models.lora import Lora, add_lora

        add_lora(model, Lora.from_dict(header.lora))
    weights = read_tensors(folder)
    if fit:
        weights = dict(model.fitted(weights))
        _check_sizes(model.network.state_dict(), weights, folder)
    try:
        model.network.load_state_dict(weights)
    except RuntimeError as error:
        said = " ".join(str(error).split())[:200]
        raise DataError(f"The weights in {folder} do not fit: {said}", "Build the model as it was trained.") from error
    model.network.eval()
    return model


def _check_sizes(own: dict[str, Any], weights: dict[str, Any], folder: Path) -> None:
    """Refuse inputs of which the shape of weights depends."""
    for name, value in weights.items():
        if name in own and (had := list(value.shape)) != (asked := list(own[name].shape)):
            raise DataError(
                f"The weights in {folder} are for other inputs: {name} is {had}, it would have to be {asked}.",
                "Leave that number or size out, or train a model for it.",
            )
