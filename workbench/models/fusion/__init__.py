"""How frames and read text meet, for every model that fuses them: kinds of fusion, and modalities dropped in training.

The parts of networks stand in ``fusion.network``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.core.errors import DataError
from workbench.core.lookup import pick

FUSIONS = {
    "bare": "a query asks frames and texts by one attention without output projection, norm or residual (StarVR)",
    "block": "transformer blocks with masks over frames and texts",
    "score": "no joint vector: a learned weighted sum of the similarities with frames and with texts",
}
"""The option ``fusion``."""


def check_fusion(options: Any, acts: Mapping[str, Sequence[str]]) -> None:
    """Refuse an unknown kind of fusion, and one without effect.

    Args:
        options: A record with ``modality`` and ``fusion``.
        acts: The modalities for which each kind of ``FUSIONS`` makes a difference, or is what the record has by itself.

    Raises:
        UnknownNameError: No such kind.
        DataError: It changes nothing for this modality.
    """
    pick(FUSIONS, options.fusion, "kind of fusion")
    if options.modality not in acts[options.fusion]:
        raise DataError(
            f"The modality {options.modality} leaves the fusion {options.fusion} nothing to do.",
            f"Use fusion={type(options).fusion}.",
        )


def check_dropout(share: float, modality: str) -> None:
    """Refuse a share of videos that cannot lose one of two modalities (``network.ModalityDropout``).

    Raises:
        DataError: It is no share, or the model has one modality only.
    """
    if not 0 <= share <= 1:
        raise DataError(f"modality_dropout is {share}.", "Give a share of the videos, between 0 and 1.")
    if share and modality != "fusion":
        raise DataError(
            f"modality_dropout drops one of two modalities, the model has {modality} only.",
            "Leave it out, or choose the modality fusion.",
        )
