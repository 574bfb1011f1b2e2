"""What every command shares: consoles, tables, JSON, and errors of one sentence."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workbench.core.errors import DataError
from workbench.core.yaml_text import read_yaml

PIPED_WIDTH = 240
console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else PIPED_WIDTH)
errors = Console(stderr=True, soft_wrap=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Move a run of that name to the trash.")]

# What encodes or scores a corpus, and how: of encode, score, evaluate, sweep-frames.
Checkpoint = Annotated[
    str,
    typer.Argument(help="A run trained here, RUN@STEP, a folder of weights, or a model without training: bm25_ocr."),
]
Split = Annotated[str | None, typer.Option(help="Its split; none = the default.")]
Engine = Annotated[
    str | None, typer.Option("--ocr", "--engine", help="Whose texts: rapidocr, kwai, truth (perfect OCR), ...")
]
Reader = Annotated[str | None, typer.Option(help="Who decodes: pyav, decord, auto; none = as trained.")]
Clips = Annotated[int, typer.Option(help="Look at each video so many times, at other frames; scores are averaged.")]
Processes = Annotated[int, typer.Option(help="Processes on this machine that share the videos.")]
Builder = Annotated[
    str | None, typer.Option(help="Whose weights a folder holds: package.module:builder of one's own model.")
]
ModelOptions = Annotated[
    list[str] | None, typer.Option(help="key=value of a model without training, or of --model; may be repeated.")
]


def group(name: str, help_text: str) -> typer.Typer:
    """A group of sub-commands that shows its help when called alone."""
    return typer.Typer(
        name=name, help=help_text, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
    )


def key_values(pairs: Sequence[str], example: str = "weights=PATH") -> dict[str, Any]:
    """``key=value`` arguments; values are read as YAML: numbers, true, null, lists, else text.

    Raises:
        DataError: One without ``=``, or with a value that is no YAML.
    """
    found = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator:
            raise DataError(f"{pair!r} is no key=value.", f"Write e.g. {example}.")
        found[key] = read_yaml(value, f"The value of {key}", "Put it in quotation marks.")
    return found


def say(text: str) -> None:
    """Print one line as it is: no markup, no wrapping, no highlighting."""
    console.print(Text(text))


def show_json(value: Any) -> None:
    """Print a value as JSON; numbers that JSON lacks become null."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def show_table(frame: pd.DataFrame, as_json: bool = False, digits: int = 2, empty: str = "Nothing to show.") -> None:
    """Print a table, or its rows as JSON.

    Args:
        frame: The table.
        as_json: Print a list of objects instead.
        digits: Decimals of numbers that are not whole.
        empty: The sentence for a table without rows.
    """
    if as_json:
        show_json(frame.to_dict("records"))
        return
    if frame.empty:
        say(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in frame.columns:
        table.add_column(
            str(column), justify="right" if pd.api.types.is_numeric_dtype(frame[column]) else "left", overflow="fold"
        )
    for row in frame.itertuples(index=False):
        table.add_row(*(Text(_cell(value, digits)) for value in row))
    console.print(table, soft_wrap=False)


def _cell(value: Any, digits: int) -> str:
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.{digits}f}"
    if value is None or value is pd.NA or value is pd.NaT:
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return None if value is pd.NA or value is pd.NaT else str(value)
