"""Who sees frames and who reads texts: the one table of what can be chosen, and what lies in a chosen folder.

The towers stand in ``towers.frames`` and ``towers.texts``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError
from workbench.models.towers.dual.opened import Opened, Pictured, pictured, worded

OWN, SPACE_TIME, SMALL, DISTILBERT = "own", "space_time", "small", "distilbert"
VISION = {
    OWN: "the tower that lies in one folder with the one that reads",
    SPACE_TIME: "the space-time transformer of Frozen in Time, random or from a file of weights",
    SMALL: "a small convolution, random",
}
"""The option ``vision``; any other value is a folder of CLIP, SigLIP or SigLIP 2, by its path or bare name."""
TEXT = {
    DISTILBERT: "DistilBERT, random or from a folder of its weights",
    SMALL: "the mean of a text's hashed n-grams, random",
}
"""The option ``text``; any other value is a folder as of ``VISION``."""

Acts = Mapping[str, Mapping[str, Sequence[str]]]
"""By option (``vision``, ``text``) and value: the names of further options that matter with it; others have none."""


def check_vision(options: Any) -> None:
    """Refuse a tower for frames that the model has no use for.

    Args:
        options: A record with ``modality`` and ``vision``.

    Raises:
        DataError: It looks at no frames, or has no folder of its own.
    """
    usual = type(options).vision
    if options.modality == "ocr" and options.vision != usual:
        raise DataError("The modality ocr has no video tower.", "Leave vision out.")
    if options.vision == OWN != usual:
        raise DataError("The model has no tower for frames of its own.", f"Use vision={SPACE_TIME}, {SMALL} or FOLDER.")


def check_idle(given: Iterable[str], options: Any, acts: Acts) -> None:
    """Refuse the first option, given by name, that belongs to a tower which the model does not have.

    Args:
        given: Names.
        options: The record that was made of them.
        acts: What matters when.

    Raises:
        DataError: There is one.
    """
    for choice, by_value in acts.items():
        chosen = getattr(options, choice)
        idle = {name for names in by_value.values() for name in names}.difference(by_value.get(chosen, ()))
        if wrong := next((name for name in given if name in idle), None):
            raise DataError(
                f"With {choice}={chosen} the option {wrong} has no effect.",
                f"Leave it out; where a recipe has it: options.{wrong}=null",
            )


def sight_of(vision: str, checkpoint: Path | None) -> Pictured | None:
    """The tower for pictures of a folder; None where ``vision`` names no folder.

    Args:
        vision: As the option.
        checkpoint: A folder that ``NetworkModel.save`` wrote, whose description is taken; its weights are set next.

    Raises:
        StateError: The weights are not on this machine.
        DataError: They cannot be read.
    """
    return None if vision in VISION else pictured(vision, _described(checkpoint, "vision"))


def reader_of(text: str, checkpoint: Path | None) -> Opened | None:
    """The tower for texts of a folder; None where ``text`` names no folder. Args and errors as of ``sight_of``."""
    return None if text in TEXT else worded(text, _described(checkpoint, "text"))


def beside(part: str, opened: Opened | Pictured | None) -> dict[str, str]:
    """The files of a folder as a checkpoint keeps them, beside those of others: ``vision/...`` or ``text/...``."""
    return {} if opened is None else {f"{part}/{name}": text for name, text in opened.files.items()}


def _described(checkpoint: Path | None, part: str) -> Path | None:
    """Where a checkpoint describes a part; older ones had but one, beside their weights."""
    if checkpoint is None or not (checkpoint / part).is_dir():
        return checkpoint
    return checkpoint / part
