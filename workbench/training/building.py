"""The model of a recipe: built, checked for what training needs, started from other weights, with its adapters."""

from __future__ import annotations

from typing import Any

from workbench.core.errors import DataError
from workbench.core.files import sha256_file
from workbench.core.optional import need
from workbench.models import TrainableModel, build_model
from workbench.models.base import NetworkModel
from workbench.models.families import WEIGHTS, read_tensors
from workbench.models.lora import Lora, add_lora
from workbench.models.textvr_fusion.starvr.weights import check_names
from workbench.pipelines.checkpoints import weights_of
from workbench.training.recipes import Recipe


def built(recipe: Recipe, *, begin: bool = False) -> tuple[Any, dict[str, Any] | None]:
    """The recipe's model, and what of its weights was taken from where.

    Args:
        recipe: Says model, options, ``init`` and ``lora``.
        begin: Whether weights start from ``init``; otherwise they are set later, by a checkpoint or another process.

    Raises:
        UnknownNameError: No such model or checkpoint.
        DataError: The model lacks what training needs, or weights do not fit.
        MissingExtraError: A package that the model or its adapters need is not installed.
    """
    torch = need("torch", "Training")
    options = {"modality": recipe.modality, "seed": recipe.seed, **recipe.to_dict()["options"]}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)  # for builders that do not do so themselves, and for adapters
        model = build_model(recipe.model, preset=recipe.preset, **options)
        if not isinstance(model, TrainableModel):
            raise DataError(
                f"The model {recipe.model} cannot be trained: it lacks parts of workbench.models.TrainableModel.",
                "Derive it from workbench.models.NetworkModel; see docs/extending.md.",
            )
        told = start_from(model, recipe.init, recipe.init_strict) if begin and recipe.init is not None else None
        if recipe.lora is not None:
            add_lora(model, Lora.from_dict(recipe.lora))
    return model, told


def start_from(model: Any, init: str, strict: bool = True) -> dict[str, Any]:
    """Set a model's weights to those of a checkpoint.

    Args:
        model: What is trained.
        init: A run, RUN@STEP, or a folder of weights.
        strict: Whether all must be there, and nothing else; otherwise what has the same name and size is taken.

    Returns:
        For ``run.json``: from, sha256, loaded (how many), and names that are missing, unexpected or of another size.

    Raises:
        UnknownNameError: No such run.
        DataError: Weights differ (the sentence counts and names them), or not one of them fits.
    """
    folder = weights_of(init)
    own, found = model.network.state_dict(), read_tensors(folder)
    if isinstance(model, NetworkModel):
        found = dict(model.fitted(found))
    if strict:
        try:
            check_names(own, found, init)
        except DataError as error:
            remedy = "Correct preset and options, or take what fits: init_strict=false"
            raise DataError(error.message, remedy) from error
    fitting = {name: one for name, one in found.items() if name in own and one.shape == own[name].shape}
    if not fitting:
        raise DataError(f"No weight of {init} fits the model.", "Start from a checkpoint of the same model.")
    model.network.load_state_dict(fitting, strict=False)
    return {
        "from": init, "sha256": sha256_file(folder / WEIGHTS), "loaded": len(fitting),
        "missing": [name for name in own if name not in found],
        "unexpected": [name for name in found if name not in own],
        "of another size": [name for name in found if name in own and name not in fitting],
    }  # fmt: skip
