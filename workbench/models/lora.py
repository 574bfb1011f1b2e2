"""Low-rank adapters: a few small weights beside large frozen ones, by the library peft.

Source: Hu et al. 2022 (LoRA, arXiv 2106.09685).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.core.errors import DataError
from workbench.core.optional import need
from workbench.models.options import record_of

MARK = "lora_"
"""In the names of the weights that peft adds."""


@dataclass(frozen=True)
class Lora:
    """What is adapted, and how.

    Attributes:
        rank: Columns of each small matrix.
        alpha: Their product is multiplied by alpha / rank.
        targets: Last parts of the names of the layers that are adapted, e.g. ``q_proj``.
        trained: Beginnings of the names of further weights that are trained as they are, e.g. ``scale``.
    """

    rank: int = 8
    alpha: float = 16.0
    targets: tuple[str, ...] = ("q_proj", "v_proj")
    trained: tuple[str, ...] = ("scale",)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Lora:
        """From a recipe or the header of a checkpoint.

        Raises:
            DataError: An unknown name, a value of another kind, or a rank below 1.
        """
        found = record_of(cls, values, "lora")
        if found.rank < 1 or not found.targets:
            raise DataError(f"lora has rank {found.rank} and {len(found.targets)} targets.", "Give at least 1 of both.")
        return found


def add_lora(model: Any, lora: Lora) -> None:
    """Put adapters into a model's network; they and what ``trained`` names are all that is trained from now on.

    As they start, they change no score.

    Args:
        model: A ``NetworkModel``; it keeps ``lora``, so that its checkpoints say so.
        lora: What is adapted.

    Raises:
        DataError: No layer, or no weight, is called so.
        MissingExtraError: peft is not installed.
    """
    peft = need("peft", "LoRA")
    network = model.network
    layers = {name.rpartition(".")[2] for name, _ in network.named_modules()}
    if wrong := [name for name in lora.targets if name not in layers]:
        raise DataError(f"lora targets {wrong[0]!r}, and no layer of the network ends in it.", "See docs/models.md.")
    config = peft.LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=list(lora.targets), lora_dropout=0.0)
    peft.inject_adapter_in_model(config, network)
    names = [name for name, _ in network.named_parameters()]
    if wrong := [start for start in lora.trained if not any(name.startswith(start) for name in names)]:
        raise DataError(f"lora trains {wrong[0]!r} too, and no weight begins so.", "Correct trained.")
    for name, weight in network.named_parameters():
        weight.requires_grad_(MARK in name or name.startswith(lora.trained))
    model.lora = lora
