"""Commands that prepare or vary what a model sees: encode, sweep-frames."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from workbench.cli.common import AsJson, key_values, say, show_json, show_table
from workbench.core.errors import DataError
from workbench.core.files import atomic


def encode(
    checkpoint: Annotated[
        str,
        typer.Argument(help="A run trained here, RUN@STEP, a folder of weights, or a model without training."),
    ],
    corpus: Annotated[str, typer.Option(help="The corpus whose videos are encoded.")],
    split: Annotated[str | None, typer.Option(help="Its split; none = the default.")] = None,
    engine: Annotated[
        str | None, typer.Option("--ocr", "--engine", help="Whose texts: rapidocr, kwai, truth (perfect OCR), ...")
    ] = None,
    reader: Annotated[str | None, typer.Option(help="Who decodes: pyav, decord, auto; none = as trained.")] = None,
    clips: Annotated[int, typer.Option(help="Look at each video so many times, as score --clips does.")] = 1,
    processes: Annotated[int, typer.Option(help="Processes on this machine that share the videos.")] = 1,
    model: Annotated[
        str | None, typer.Option(help="Whose weights a folder holds: package.module:builder of one's own model.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="key=value of a model without training, or of --model; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep what a model makes of each video, so that score need not make it again; see: workbench cache size."""
    from workbench.pipelines.checkpoints import encode_checkpoint

    found = encode_checkpoint(
        checkpoint, corpus, split=split, engine=engine, reader=reader, clips=clips, processes=processes, builder=model,
        options=key_values(option or []) or None,
    )  # fmt: skip
    if found is None:  # the first of several processes says it
        return
    if as_json:
        show_json(vars(found))
        return
    row = {"videos": found.videos, "in the cache before": found.found, "MiB": found.n_bytes / 2**20}
    show_table(pd.DataFrame([row]))
    for video, why in found.missing.items():
        say(f"{video} is left out: {why}")


def sweep_frames(
    checkpoint: Annotated[
        str,
        typer.Argument(help="A run trained here, RUN@STEP, a folder of weights, or a model without training."),
    ],
    corpus: Annotated[str, typer.Option(help="The corpus to score.")],
    n_frames: Annotated[str, typer.Option(help="Frames per video, e.g. 1,2,4,8; none = as the model was made.")] = "",
    resolution: Annotated[
        str, typer.Option(help="Heights of a frame in pixels, e.g. 32,48,64; none = as the model was made.")
    ] = "",
    split: Annotated[str | None, typer.Option(help="Its split; none = the default.")] = None,
    name: Annotated[str | None, typer.Option(help="First part of the runs' names; none = the checkpoint's.")] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="key=value of a model without training; may be repeated.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the table there.")] = None,
    chart: Annotated[Path | None, typer.Option(help="Write a chart there, a page that any browser opens.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Move runs of these names to the trash.")] = False,
    as_json: AsJson = False,
) -> None:
    """What more frames or larger ones are worth: R@1, median rank and seconds of each, as runs without a matrix."""
    from workbench.pipelines.sweeps import sweep_frames as sweep

    found = sweep(
        checkpoint, corpus, name=name or checkpoint.replace("@", "-"), n_frames=_numbers(n_frames),
        heights=_numbers(resolution), split=split, options=key_values(option or []) or None, overwrite=overwrite,
    )  # fmt: skip
    if csv is not None:
        with atomic(csv) as temporary:
            found.to_csv(temporary, index=False)
    if chart is not None:
        from workbench.figures import frame_sweep_curves

        with atomic(chart) as temporary:
            frame_sweep_curves(found).write_html(temporary)
    show_table(found, as_json)


def _numbers(text: str) -> list[int]:
    try:
        return [int(one) for one in text.split(",")] if text else []
    except ValueError as error:
        raise DataError(f"{text!r} is no list of whole numbers.", "Write e.g. 1,2,4") from error
