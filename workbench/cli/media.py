"""Commands about pixels and words: ocr run and import, video probe and compress."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from workbench.cli.common import AsJson, group, say, show_json, show_table
from workbench.core.errors import DataError
from workbench.corpus import open_corpus

ocr = group("ocr", "Text in frames: read it, or import what another engine has read.")
video = group("video", "Video files: look at them, make small ones.")
CorpusName = Annotated[str, typer.Argument(help="A corpus.")]
Workers = Annotated[int | None, typer.Option(help="Processes; none = all cores.")]


@ocr.command("run", epilog="Example: workbench ocr run mine --preset small-text --fps 3")
def run(
    name: CorpusName,
    preset: Annotated[str, typer.Option(help="small-text (real videos) or fast (native size).")] = "small-text",
    fps: Annotated[float, typer.Option(help="Frames per second that are looked at.")] = 3.0,
    frames: Annotated[int | None, typer.Option(help="So many frames per video instead of a rate.")] = None,
    stride: Annotated[int, typer.Option(help="Skip up to so many frames between two that are read.")] = 5,
    threads: Annotated[int, typer.Option(help="Engine threads per process.")] = 1,
    reader: Annotated[str, typer.Option(help="pyav, decord or auto.")] = "pyav",
    engine: Annotated[str, typer.Option("--as", help="Name under which the texts are stored.")] = "rapidocr",
    workers: Workers = None,
    again: Annotated[bool, typer.Option("--again", help="Read again what the cache has.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read the text in every video of a corpus; goes on where an interrupted run ended."""
    from workbench.ocr import Settings
    from workbench.pipelines.ocr import run_ocr

    settings = Settings(preset, fps, frames, stride, threads, reader)
    report = run_ocr(open_corpus(name), settings, engine=engine, workers=workers, again=again)
    _report(report.videos, name, engine, as_json)


@ocr.command("import", epilog="Example: workbench ocr import textvr Kwai_VideoOCR --format kwai")
def import_(
    name: CorpusName,
    source: Annotated[Path, typer.Argument(help="A folder of Kwai JSON files, or a JSON-lines file.")],
    format: Annotated[str, typer.Option(help="kwai or jsonl.")] = "jsonl",
    engine: Annotated[str | None, typer.Option("--as", help="Name under which the texts are stored.")] = None,
    as_json: AsJson = False,
) -> None:
    """Import what another engine has read, with a census of what was found and what was odd."""
    from workbench.pipelines.ocr_import import import_ocr

    report = import_ocr(open_corpus(name), source, format=format, engine=engine)
    if not as_json:
        show_table(report.census, empty="Nothing odd.")
        for note in report.notes:
            say(note)
    _report(report.videos, name, report.engine, as_json)


def _report(table: pd.DataFrame, name: str, engine: str, as_json: bool) -> None:
    if as_json:
        show_json(table.to_dict("records"))
        return
    counts = table["state"].value_counts()
    parts = ", ".join(f"{n:,} {state}" for state, n in counts.items())
    say(f"{name}, engine {engine}: {parts}; {int(table['n_texts'].sum()):,} texts.")
    if "n_sampled" in table and table["n_sampled"].sum():
        say(f"{int(table['n_read'].sum()):,} of {int(table['n_sampled'].sum()):,} sampled frames had to be read.")
    for row in table[table["state"].isin(["failed", "absent"])].head(20).itertuples():
        say(f"  {row.state}: {row.video_id}: {row.reason}")


@video.command("probe", epilog="Example: workbench video probe mine")
def probe(
    name: CorpusName,
    again: Annotated[bool, typer.Option("--again", help="Probe also what was probed.")] = False,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Size, rate, codec, frames and checksum of every file of a corpus; broken ones with their reason."""
    from workbench.pipelines.videos import probe_corpus

    corpus = probe_corpus(open_corpus(name), again=again, workers=workers).with_split(None)
    columns = ["video_id", "rendition", "codec", "width", "height", "rotation", "fps", "n_frames", "n_bytes"]
    show_table(corpus.renditions[columns], as_json, empty=f"{name} has no video on disk.")
    if not as_json:
        for row in corpus.videos.query("status == 'broken'").itertuples():
            say(f"  broken: {row.video_id}: {row.reason}")


@video.command("compress", epilog="Example: workbench video compress clips small --short-side 224 --fps 3")
def compress(
    source: Annotated[Path, typer.Argument(help="Folder of the originals.")],
    target: Annotated[Path, typer.Argument(help="Folder of the new files; the tree is kept.")],
    short_side: Annotated[int | None, typer.Option(help="Pixels of the shorter side; none = 224.")] = None,
    fps: Annotated[float | None, typer.Option(help="Frames per second; 0 = every frame; none = 3.")] = None,
    kind: Annotated[str, typer.Option(help="small (training) or proxy (browser).")] = "small",
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Make small renditions of all videos of a folder; goes on where an interrupted run ended."""
    from workbench.core.lookup import pick
    from workbench.pipelines.videos import compress as make
    from workbench.video.transcode import ENCODINGS

    if not source.is_dir():
        raise DataError(f"{source} is not a folder.", "Check the path.")
    pick(ENCODINGS, kind, "encoding")
    report = make(source, target, short_side=short_side, fps=fps, kind=kind, workers=workers)
    if as_json:
        show_json(report.to_dict("records"))
        return
    counts = ", ".join(f"{n:,} {state}" for state, n in report["state"].value_counts().items())
    before, after = report["source_bytes"].sum() / 2**20, report["target_bytes"].sum() / 2**20
    say(f"{counts}; {before:.1f} MiB became {after:.1f} MiB. Report: {target / 'report.parquet'}")
    for row in report[report["state"] == "failed"].itertuples():
        say(f"  failed: {row.source}: {row.reason}")
