"""Scores as a long Parquet table: caption_id, video_id, score, rank."""

from __future__ import annotations

from pathlib import Path

from workbench.core.errors import DataError
from workbench.core.files import read_table, write_table
from workbench.corpus import Corpus
from workbench.evaluation.runs.run import Run
from workbench.pipelines.exchange.lists import COLUMNS, Imported, ranked_lists, spread


def write_parquet(run: Run, path: Path, top: int = 1000) -> str:
    """Write the best videos of every caption, one row each."""
    lists = ranked_lists(run, top)
    write_table(path, lists)
    return f"{len(lists):,} rows, at most {top or len(run.gallery):,} videos of each caption"


def read_parquet(path: Path, corpus: Corpus) -> Imported:
    """A long table as scores of the corpus' captions and videos; ranks are not looked at.

    Raises:
        DataError: Not Parquet, a column is missing, an id is unknown, or a pair stands twice.
    """
    table = read_table(path)
    absent = [name for name in COLUMNS[:3] if name not in table.columns]
    if absent:
        raise DataError(
            f"{path} has no column {absent[0]!r}; it has {', '.join(map(str, table.columns)) or 'none'}.",
            f"Name its columns {', '.join(COLUMNS[:3])}.",
        )
    return spread(table, corpus, path.name)
