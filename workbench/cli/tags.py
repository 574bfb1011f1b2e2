"""The command that hands on what people said of queries: tags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.common import AsJson, say, show_table
from workbench.core.errors import DataError, ExistsError
from workbench.core.files import atomic, write_table
from workbench.corpus import open_corpus
from workbench.evaluation.runs.notes import read_tags

SHOWN = ["annotator", "direction", "label", "named_cause", "query_id", "caption_id", "video_id", "run", "cause",
         "sample"]  # fmt: skip


def tags(
    corpus: Annotated[str, typer.Argument(help="A corpus.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write them: .csv or .parquet.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
    agreement: Annotated[
        bool, typer.Option("--agreement", help="Kappa of the people, and of each with the computed causes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what people said of the queries of a corpus, how far they agree, or write it to a file."""
    from workbench.analysis.agreements import agreement_table

    table = read_tags(open_corpus(corpus).name)
    shown = table[SHOWN]
    if agreement:
        shown = table = agreement_table(table)
    if output is None:
        show_table(shown, as_json, empty="Nobody has tagged anything here. Tag on the page Failures.")
        return
    if output.suffix not in (".csv", ".parquet"):
        raise DataError(f"{output.name} is neither .csv nor .parquet.", "Choose one of these.")
    if output.exists() and not overwrite:
        raise ExistsError(f"{output} exists already.", "Choose another name, or add --overwrite.")
    if output.suffix == ".csv":
        with atomic(output) as temporary:
            table.to_csv(temporary, index=False)
    else:
        write_table(output, table)
    say(f"Wrote {output}: {len(table)} {'rows' if agreement else 'tags'}.")
