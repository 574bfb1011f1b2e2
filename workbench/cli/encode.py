"""Commands that let a model look at a corpus: encode, score, sweep-frames."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from workbench.cli.common import (
    AsJson,
    Builder,
    Checkpoint,
    Clips,
    Engine,
    ModelOptions,
    Overwrite,
    Processes,
    Reader,
    Split,
    errors,
    key_values,
    say,
    show_json,
    show_table,
)
from workbench.cli.scores import show_metrics
from workbench.core.errors import DataError
from workbench.core.files import atomic


def encode(
    checkpoint: Checkpoint,
    corpus: Annotated[str, typer.Option(help="The corpus whose videos are encoded.")],
    split: Split = None,
    engine: Engine = None,
    reader: Reader = None,
    clips: Clips = 1,
    processes: Processes = 1,
    model: Builder = None,
    option: ModelOptions = None,
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


def score(
    checkpoint: Checkpoint,
    name: Annotated[str, typer.Option(help="Name of the new run.")],
    corpus: Annotated[
        str | None, typer.Option(help="The corpus to score; none = the one that the run was trained on.")
    ] = None,
    split: Split = None,
    engine: Engine = None,
    without: Annotated[str | None, typer.Option(help="Counterfactual: an input taken away: ocr.")] = None,
    frames: Annotated[str | None, typer.Option(help="Counterfactual: shuffled.")] = None,
    explain: Annotated[
        str | None,
        typer.Option(help="words: also what each read word does to the rank; pairs: which word fits which frame."),
    ] = None,
    clips: Clips = 1,
    processes: Processes = 1,
    reader: Reader = None,
    model: Builder = None,
    option: ModelOptions = None,
    matrix: Annotated[
        bool | None, typer.Option("--matrix/--no-matrix", help="Store the similarity; none = up to 4 GiB.")
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Score a corpus with a model that exists; the new run names its parent."""
    from workbench.pipelines.checkpoints import corpus_of_training, score_checkpoint

    if corpus is None:
        corpus = corpus_of_training(checkpoint)
        errors.print(f"Scores {corpus}, which {checkpoint} was trained on.", markup=False, highlight=False)
    options: dict[str, Any] = {"split": split, "overwrite": overwrite, "keep_matrix": matrix, "reader": reader}
    options |= {"engine": engine, "without": without, "frames": frames, "explain": explain, "builder": model}
    options |= {"options": key_values(option or []) or None, "clips": clips, "processes": processes}
    run = score_checkpoint(checkpoint, corpus, name=name, **options)
    if run is None:  # the first of several processes says it
        return
    show_metrics(run.metrics, run, as_json)
    if (encoding := run.info.get("encoding")) and not as_json:
        say(f"Videos: {encoding['videos']}, out of the cache: {encoding['from_cache']}.")
    if matrix is None and run.similarity is None:
        gigabytes = 4 * len(run.queries) * len(run.gallery) / 1e9
        said = f"The similarity of {gigabytes:.1f} GB was counted and not stored. To store it, add --matrix."
        errors.print(said, markup=False, highlight=False)


def sweep_frames(
    checkpoint: Checkpoint,
    corpus: Annotated[str, typer.Option(help="The corpus to score.")],
    n_frames: Annotated[str, typer.Option(help="Frames per video, e.g. 1,2,4,8; none = as the model was made.")] = "",
    resolution: Annotated[
        str, typer.Option(help="Heights of a frame in pixels, e.g. 32,48,64; none = as the model was made.")
    ] = "",
    split: Split = None,
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
