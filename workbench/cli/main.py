"""The command ``workbench``: the list of its commands, and the one place where errors become sentences."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import typer

from workbench.cli import (
    audit,
    data,
    encode,
    exchange,
    look,
    machine,
    media,
    models,
    report,
    rescore,
    runs,
    scores,
    tags,
)
from workbench.cli.common import errors
from workbench.core.errors import WorkbenchError
from workbench.core.progress import FileSink, fitting_sink, use_sink

app = typer.Typer(
    name="workbench",
    help="Train, evaluate and look into text-to-video retrieval models.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.add_typer(media.ocr, name="ocr")
app.add_typer(media.video, name="video")
app.add_typer(models.index, name="index")
app.add_typer(runs.app, name="runs")
app.add_typer(machine.cache, name="cache")
COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "doctor": (machine.doctor, "workbench doctor"),
    "home": (machine.home, "workbench home ~/retrieval"),
    "app": (machine.open_app, "workbench app --port 8600"),
    "demo": (models.demo, "workbench demo"),
    "train": (models.train, "workbench train textvr_fusion_demo modality=ocr --name my-ocr"),
    "encode": (encode.encode, "workbench encode demo-fusion --corpus demo"),
    "score": (encode.score, "workbench score bm25_ocr --corpus mine --name mine-bm25"),
    "import": (scores.import_scores, "workbench import sim.npy --corpus msrvtt-1ka --name theirs"),
    "export": (exchange.export, "workbench export theirs ours --format latex -o table.tex"),
    "rescore": (rescore.rescore, "workbench rescore theirs --method dsl --name theirs-dsl"),
    "sweep": (rescore.sweep, "workbench sweep ours-val"),
    "sweep-frames": (encode.sweep_frames, "workbench sweep-frames demo-fusion --corpus demo --n-frames 1,2,4"),
    "evaluate": (scores.evaluate, "workbench evaluate theirs --ties pessimistic"),
    "audit": (audit.audit, "workbench audit theirs --corpus msrvtt-1ka"),
    "compare": (look.compare, "workbench compare theirs ours --metric r1"),
    "failures": (look.failures, "workbench failures theirs --k 10 --domain Cooking"),
    "report": (report.report, "workbench report theirs ours --out report.html"),
    "tags": (tags.tags, "workbench tags demo --output tags.parquet"),
}
for name, (function, example) in COMMANDS.items():
    app.command(name, epilog=f"Example: {example}")(function)


def main() -> None:
    """Run the command line: exit code 0 on success, 2 with one sentence on a user's error, 130 when interrupted."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        with _progress():
            app(standalone_mode=True)
    except WorkbenchError as error:
        errors.print(f"error: {error}", style="red", markup=False, highlight=False)
        sys.exit(2)
    except KeyboardInterrupt:
        errors.print("Stopped. What was finished is kept; nothing is half written.", markup=False)
        sys.exit(130)


def _progress() -> AbstractContextManager[None]:
    """The state file of a job; else a bar on a terminal, lines in a log."""
    folder = os.environ.get("WORKBENCH_JOB")
    return use_sink(FileSink(Path(folder) / "progress.json") if folder else fitting_sink())
