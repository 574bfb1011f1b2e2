"""Commands about data sets: list, check, fetch, prepare, split, relocate, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from workbench.cli.common import AsJson, group, say, show_json, show_table
from workbench.corpus import list_corpora, open_corpus
from workbench.corpus.formats import FORMATS

app = group("data", "Data sets: what they are, and the corpora made of them.")
Corpus = Annotated[str, typer.Argument(help="A corpus.")]


@app.command("list", epilog="Example: workbench data list --known")
def list_(
    known: Annotated[
        bool, typer.Option("--known", help="The data sets of the manifest instead of your corpora.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Your corpora, or every data set that the manifest knows."""
    from workbench.corpus.manifest import load_manifest

    if known:
        rows = [
            {
                "data set": e.id,
                "title": e.title,
                "licence": e.licence,
                "corpora": ", ".join(e.corpora),
                "origin": e.origin,
            }
            for e in load_manifest().entries.values()
        ]
        show_table(pd.DataFrame(rows), as_json)
        return
    table = list_corpora()
    shown = (
        table if as_json else table[["name", "title", "splits", "n_captions", "n_videos", "format", "place", "note"]]
    )
    show_table(shown, as_json, empty="No corpus yet. See: workbench data list --known, workbench data prepare --help")


@app.command(epilog="Example: workbench data prepare msrvtt-1ka --annotations MSRVTT_JSFUSION_test.csv")
def prepare(
    name: Annotated[str, typer.Argument(help="A corpus of the manifest (data list --known), or your own name.")],
    annotations: Annotated[
        list[Path] | None,
        typer.Option("--annotations", "--captions", help="Annotation file; more than once for several."),
    ] = None,
    root: Annotated[Path | None, typer.Option(help="Folder of the original videos.")] = None,
    small: Annotated[Path | None, typer.Option(help="Folder of the videos made small for training.")] = None,
    format: Annotated[str | None, typer.Option(help=f"{', '.join(FORMATS)} or package.module:function.")] = None,
    rename: Annotated[str | None, typer.Option("--name", help="Another name for the corpus.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Move a corpus of that name to the trash.")] = False,
) -> None:
    """Make a corpus from annotation files, or of a folder of clips (NAME folder); videos stay where they are."""
    from workbench.pipelines.datasets import prepare as make

    roots = {key: path for key, path in (("original", root), ("small", small)) if path is not None}
    corpus = make(name, annotations=annotations or [], roots=roots, format=format, rename=rename, overwrite=overwrite)
    for split, counts in corpus.meta["counts"].items():
        say(f"{corpus.name}/{split}: {counts['captions']:,} captions, {counts['videos']:,} videos")
    for note in corpus.meta["notes"]:
        say(f"Note: {note}")
    if roots:
        videos = corpus.with_split(None).videos
        say("Videos: " + ", ".join(f"{n:,} {status}" for status, n in videos["status"].value_counts().items()))
        for video in videos[videos["status"] == "broken"].itertuples():
            say(f"  broken: {video.video_id}: {video.reason}")
    else:
        say("Annotations only: everything that needs no pictures works. Add videos with --root FOLDER --overwrite.")


@app.command(epilog="Example: workbench data check textvr --level decodability")
def check(
    name: Corpus,
    level: Annotated[str, typer.Option(help="index, existence or decodability.")] = "existence",
    restart: Annotated[bool, typer.Option("--restart", help="Decode again what an earlier check has decoded.")] = False,
    limit: Annotated[int, typer.Option(help="Problems to print; 0 = all.")] = 20,
    as_json: AsJson = False,
) -> None:
    """What is wrong with a corpus on this machine, and what to do; exit code 1 when anything is."""
    from workbench.pipelines import checks

    report = checks.check(open_corpus(name), level=level, resume=not restart)
    if as_json:
        show_json(checks.as_dict(report))
    else:
        say(f"{name}: {len(report.problems)} problems at level {level} in {report.n_videos:,} videos.")
        show_table(report.problems if limit == 0 else report.problems.head(limit), empty="Nothing is wrong.")
    if not report.ok:
        raise typer.Exit(1)


@app.command(epilog="Example: workbench data fetch msrvtt")
def fetch(name: Annotated[str, typer.Argument(help="A data set of the manifest.")], as_json: AsJson = False) -> None:
    """Download what has a public address (resumes, checks sums), and say what must be got by hand."""
    from workbench.pipelines.fetch import fetch as get

    report = get(name)
    if as_json:
        show_json({"files": report.files.to_dict("records"), "manual": report.manual})
        return
    show_table(report.files, empty="Nothing of it has a public address.")
    for step in report.manual:
        say(f"By hand: {step}")


@app.command(epilog="Example: workbench data split textvr --share 0.1 --seed 0")
def split(
    name: Corpus,
    share: Annotated[float, typer.Option(help="About which share of the train videos.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Another seed, another choice.")] = 0,
) -> None:
    """Take a validation split out of train, whole sources together; test is never touched."""
    from workbench.pipelines.datasets import split as divide

    counts = divide(open_corpus(name), share=share, seed=seed).meta["counts"]
    say(
        "; ".join(f"{key}: {value['captions']:,} captions, {value['videos']:,} videos" for key, value in counts.items())
    )


@app.command(epilog="Example: workbench data relocate textvr original ~/videos/TextVR")
def relocate(
    name: Corpus,
    rendition: Annotated[str, typer.Argument(help="original, small or proxy.")],
    root: Annotated[Path, typer.Argument(help="Where its files lie now.")],
) -> None:
    """Say where the videos of a corpus lie now."""
    from workbench.pipelines.datasets import relocate as move

    found, recorded = move(open_corpus(name), rendition, root)
    say(f"{found:,} of {recorded:,} files lie there.")


@app.command(epilog="Example: workbench data remove msrvtt-1ka")
def remove(name: Corpus) -> None:
    """Move a corpus to the trash of the workspace; videos are not touched."""
    from workbench.pipelines.datasets import remove as drop

    say(f"{name} lies now in {drop(open_corpus(name))}.")
