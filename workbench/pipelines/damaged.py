"""Small files of the workspace that cannot be read: lists leave them out, and this names them."""

from __future__ import annotations

from workbench.core.errors import DataError
from workbench.core.jobs import damaged_jobs
from workbench.core.listing import readable
from workbench.corpus import list_corpora
from workbench.evaluation.runs.notes import damaged_notes
from workbench.pipelines.calibration import damaged_calibrations
from workbench.pipelines.indexes import damaged_indexes


def damaged() -> list[DataError]:
    """Damaged calibrations, indexes, jobs, and notes on the corpora of the workspace; each with its remedy."""
    notes = readable(list_corpora()["name"], damaged_notes)
    lines = [error for own in notes.found for error in own]
    return [*damaged_calibrations(), *damaged_indexes(), *damaged_jobs(), *notes.damaged, *lines]
