"""The command that writes a report to mail, and that checks an old one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from workbench.cli.common import AsJson, key_values, say, show_json, show_table
from workbench.core.errors import DataError, ExistsError
from workbench.core.words import counted
from workbench.evaluation import open_run

CHANGED = 3
"""Exit code of a check that finds that something differs."""


def report(
    run: Annotated[str | None, typer.Argument(help="The run that is reported.")] = None,
    other: Annotated[str | None, typer.Argument(help="One that it is compared with; differences are its gain.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The HTML file; the lock file is written beside it.")] = Path(
        "report.html"
    ),
    case: Annotated[
        list[str] | None,
        typer.Option(help="Caption (v2t: video) id to show; may be repeated. None = what changed most."),
    ] = None,
    direction: Annotated[str, typer.Option(help="t2v: queries are captions; v2t: videos.")] = "t2v",
    k: Annotated[int, typer.Option(help="A query fails when its rank is greater than K.")] = 1,
    threshold: Annotated[
        list[str] | None, typer.Option(help="name=value of a threshold of causes; may be repeated.")
    ] = None,
    check: Annotated[Path | None, typer.Option(help="Compute again what this lock file states, and compare.")] = None,
    figures: Annotated[bool, typer.Option("--figures", help="Also each case as a figure of a paper, PDF.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    as_json: AsJson = False,
) -> None:
    """One HTML file about a run, or two, that can be mailed, with a lock file; --check says whether it still holds."""
    if (run is None) == (check is None):
        raise DataError("A report needs a run, or a lock file to check.", "Give RUN, or --check FILE.")
    if check is not None:
        return show_check(check, as_json)
    if figures and direction == "v2t":
        raise DataError("The figure of a paper shows videos found by a caption: v2t has none.", "Leave out --figures.")
    from workbench.figures.report.writing import lock_path, write_figures, write_report

    for path in (out, lock_path(out), *(out.parent.glob(f"{out.stem}.case*.pdf") if figures else ())):
        if path.exists() and not overwrite:
            raise ExistsError(f"{path} exists already.", "Choose another name with --out, or add --overwrite.")
    runs = open_run(str(run)), None if other is None else open_run(other)
    limits = key_values(threshold or [], "near=0.7")
    made = write_report(*runs, out, direction=direction, k=k, cases=case or None, **limits)
    drawn = write_figures(*runs, out, made.lock["options"]["cases"]) if figures else []
    if as_json:
        written = {"report": str(out), "lock": str(lock_path(out)), "figures": [str(one) for one in drawn]}
        return show_json({**written, "bytes": made.n_bytes, "verdict": made.verdict})
    say(made.verdict)
    say(f"Written: {out} ({made.n_bytes / 1e6:.1f} MB) and {lock_path(out)}")
    if drawn:
        say(f"Figures of its cases: {', '.join(map(str, drawn))}")


def show_check(path: Path, as_json: bool) -> None:
    """Name everything that is not as a lock file states it.

    Raises:
        typer.Exit: 3, when numbers, runs or data differ.
    """
    from workbench.analysis.reports.lock import SOFTWARE, check_lock, check_page, read_lock

    lock = read_lock(path)
    page = path.with_name(path.name.removesuffix(".lock.json") + ".html")
    found = check_page(lock, page) + check_lock(lock)
    serious = [one for one in found if one.serious]
    if as_json:
        show_json({"holds": not serious, "differences": [vars(one) for one in found]})
    else:
        for one in found:
            say(one.sentence)
        changed = any(one.kind == SOFTWARE for one in found)
        same = "Every number is as it was reported" + (", though the software is not the same." if changed else ".")
        many = counted(len(serious), "thing is not as it was", "things are not as they were")
        say(same if not serious else f"{many} when the report was made.")
        if not found:
            show_table(pd.DataFrame({"checked": ["runs", "numbers"], "n": [len(lock["runs"]), len(lock["numbers"])]}))
    if serious:
        raise typer.Exit(CHANGED)
