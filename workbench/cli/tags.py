"""The command that hands on what people said of queries: tags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.common import AsJson, say, show_table
from workbench.core.errors import DataError, ExistsError
from workbench.core.files import atomic, write_table
from workbench.corpus import open_corpus
from workbench.evaluation import list_runs
from workbench.evaluation.runs.notes import damaged_notes, read_tags

SHOWN = ["annotator", "direction", "label", "named_cause", "query_id", "caption_id", "video_id", "run", "cause",
         "sample", "standing"]  # fmt: skip


def tags(
    corpus: Annotated[str, typer.Argument(help="A corpus.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write them: .csv or .parquet.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
    agreement: Annotated[
        bool, typer.Option("--agreement", help="Kappa of the people, and of each with the computed causes.")
    ] = False,
    by_class: Annotated[
        bool, typer.Option("--by-class", help="Kappa of every label and cause by itself, against the rest.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what people said of the queries of a corpus, how far they agree, or write it to a file."""
    from workbench.analysis.agreements import agreement_table, class_agreement
    from workbench.analysis.tags import STANDING, standing

    opened = open_corpus(corpus)
    table, runs = read_tags(opened.name), list_runs()
    for error in [] if as_json else damaged_notes(opened.name):
        say(str(error))
    created = dict(zip(runs["name"], runs["created"].astype("str"), strict=True))
    table = table.assign(standing=standing(table, opened.meta["fingerprint"], created))
    shown = table[SHOWN]
    if agreement or by_class:
        shown = table = class_agreement(table) if by_class else agreement_table(table)
    if output is None:
        show_table(shown, as_json, empty="Nobody has tagged anything here. Tag on the page Failures.")
        changed = 0 if agreement or by_class else int((table["standing"] == "corpus changed").sum())
        if changed and not as_json:
            say(f"{changed} of {len(table)} tags: {STANDING['corpus changed']}.")
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
    say(f"Wrote {output}: {len(table)} {'rows' if agreement or by_class else 'tags'}.")
