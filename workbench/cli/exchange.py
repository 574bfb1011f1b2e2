"""The command that hands runs to others: export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.common import say
from workbench.evaluation import open_run


def export(
    runs: Annotated[list[str], typer.Argument(help="A run; several for latex and csv.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    format: Annotated[
        str | None,
        typer.Option(help="latex, csv, trec, qrels, parquet, codalab, tvr or matrix; none = by the suffix."),
    ] = None,
    top: Annotated[int | None, typer.Option(help="trec, parquet: videos per caption; 0 = all, else 1000.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
) -> None:
    """Write runs as others read them: a table for a paper, ranked lists, a submission, a matrix."""
    from workbench.pipelines.exchange import export as write

    said = write([open_run(name) for name in runs], output, format, top=top, overwrite=overwrite)
    say(f"Wrote {output}: {said}.")
