"""What models share that fuse frames with read words: blocks of attention, and modalities dropped in training."""

from __future__ import annotations

from workbench.core.errors import DataError


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
