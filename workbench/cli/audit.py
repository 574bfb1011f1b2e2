"""The command audit: what is wrong with a run, a corpus or a model, and what to do."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.common import AsJson, say, show_json
from workbench.core.errors import DataError
from workbench.corpus import open_corpus

WRONG = 3
"""Exit code when something is wrong."""
SHOWN = 3
"""Rows that a line names."""


def audit(
    run: Annotated[str | None, typer.Argument(help="A run.")] = None,
    corpus: Annotated[str | None, typer.Option(help="A corpus.")] = None,
    split: Annotated[str | None, typer.Option(help="Only this split of the corpus.")] = None,
    model: Annotated[str | None, typer.Option(help="A run trained here, RUN@STEP, or bm25_ocr.")] = None,
    hashes: Annotated[bool, typer.Option("--hashes", help="Read every file and compare its sha256.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Also list the checks that found nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """What is wrong with a run, a corpus or a model, and what to do; exit code 3 when anything is."""
    from workbench.pipelines.audit import SEVERITIES
    from workbench.pipelines.audit import audit as look

    if split is not None and corpus is None:
        raise DataError(f"{split!r} is a split of no corpus.", "Add --corpus NAME.")
    opened = None if corpus is None else open_corpus(corpus, split)
    findings = look(run, opened, model, hashes=hashes)
    if as_json:
        show_json(findings.table.to_dict("records"))
    else:
        table = findings.table if every else findings.table[findings.table["severity"] != "ok"]
        for row in table.to_dict("records"):
            said = f"{row['severity']}: {row['about']}: {row['check']}: {row['sentence']}"
            say(said + _concerned(row["rows"], row["n_rows"]))
            if row["fix"]:
                say(f"  → {row['fix']}")
        counts = ", ".join(f"{findings.count(name)} {name}" for name in SEVERITIES)
        say(f"{len(findings)} checks: {counts}.")
    if not findings.ok:
        raise typer.Exit(WRONG)


def _concerned(rows: list[str], n: int) -> str:
    """The first rows that a finding is about, and how many there are."""
    return f" [{n:,}: {', '.join(rows[:SHOWN])}{', …' if n > SHOWN else ''}]" if rows else ""
