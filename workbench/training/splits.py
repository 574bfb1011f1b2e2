"""The splits of a training: three different ones, test for the report alone, no video in two of them."""

from __future__ import annotations

import logging

from workbench.core.errors import DataError, StateError
from workbench.corpus import Corpus
from workbench.pipelines.overlaps import shared_sources, shared_videos

log = logging.getLogger(__name__)


def is_test(split: str | None) -> bool:
    """Whether a split is one to be reported on alone, by its name: ``test``, ``test_public``, ``Test-1k``."""
    return (split or "").lower().startswith("test")


def check_names(train: str, select: str, report: str) -> None:
    """Refuse splits of a recipe of which two are one, and a test split that is more than reported.

    Raises:
        DataError: The sentence says what would happen.
    """
    if train == report:
        raise DataError(f"Recipe: it would train on {train!r}, the split that is reported.", "Set another train_split.")
    if select == report:
        raise DataError(
            f"Recipe: checkpoints would be chosen on {select!r}, the split that is reported.",
            "Choose them on another split: workbench data split CORPUS makes a val split.",
        )
    if train == select:
        raise DataError(
            f"Recipe: checkpoints would be chosen on {select!r}, the split that is trained on.",
            "Set another select_split, e.g. select_split=val",
        )
    for key, split in (("train_split", train), ("select_split", select)):
        if is_test(split):
            raise DataError(f"Recipe: {key} is {split!r}.", "A test split is only reported on: report_split=")


def check_apart(train: Corpus, *others: Corpus) -> None:
    """Refuse to train on videos of another split; name sources that stand in both.

    Args:
        train: The corpus restricted to what is trained on.
        *others: Restricted to what chooses the checkpoint, and to what is reported.

    Raises:
        StateError: A video stands in both.
    """
    for other in others:
        if videos := shared_videos(train, other):
            raise StateError(
                f"{len(videos)} videos of {other.name}/{other.split} would be trained on, the first is {videos[0]}.",
                f"Give every video one split; see: workbench audit --corpus {other.name}",
            )
        if sources := shared_sources(train, other):
            log.warning(
                "%d sources of %s/%s are trained on too, so its numbers are too good; the first is %s. See: workbench "
                "audit --corpus %s", len(sources), other.name, other.split, sources[0], other.name,
            )  # fmt: skip
