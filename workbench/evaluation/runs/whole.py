"""Whether the files of a finished run can be read: what looks at several runs leaves out those that cannot."""

from __future__ import annotations

from workbench.core.errors import WorkbenchError
from workbench.core.files import read_table
from workbench.evaluation.runs.run import Run

READ = ("queries", "gallery", "relevance", "metrics", "similarity", "modalities")
"""Parts of a run that are read, or mapped, to see whether they can be."""
COLUMNS = {
    "per_query.parquet": ["direction", "id", "n_above", "n_tied", "score_right"],
    "inputs.parquet": [],
    "word_effects.parquet": [],
}
"""Columns of its large tables that are, none: that it is a table; all but the first may be absent."""


def trouble_of(run: Run) -> str:
    """Why the files of a finished run cannot be read, and what to do; empty = they can."""
    try:
        for name, columns in COLUMNS.items():
            if name == "per_query.parquet" or (run.path / name).exists():
                read_table(run.path / name, columns)
        for part in READ:
            getattr(run, part)
    except WorkbenchError as error:
        return str(error)
    return ""
