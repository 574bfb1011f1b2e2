"""Commands about models: train, score, demo; index build and search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from workbench.cli.common import AsJson, errors, group, key_values, say, show_json, show_table
from workbench.cli.scores import show_metrics
from workbench.core.errors import DataError
from workbench.corpus import open_corpus

index = group("index", "Search a corpus by words, with or without captions.")


def _show_keys(asked: bool) -> None:
    if asked:
        from workbench.training import recipe_keys

        show_table(recipe_keys())
        raise typer.Exit()


def _show_help(context: typer.Context, asked: bool) -> None:
    if asked:
        say(context.get_help() + "\n\nKeys of a recipe, given as key=value:\n")
        _show_keys(asked)


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe by name, or a YAML file.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="key=value of the recipe, e.g. modality=ocr options.n_frames=8.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Another model, with the recipe's numbers: package.module:builder of one's own.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The run's name; none = corpus and modality.")] = None,
    group: Annotated[str | None, typer.Option(help="Group of runs that differ in their seed alone.")] = None,
    seeds: Annotated[str | None, typer.Option(help="One run per seed as one group, e.g. 0,1,2.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Move a run of that name to the trash.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    background: Annotated[
        bool, typer.Option("--detach", "--background", help="Start it as a job that outlives this terminal.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Make 20 real steps, say hours, memory and disk of all, and stop.")
    ] = False,
    keys: Annotated[
        bool, typer.Option("--keys", help="Every key of a recipe, and stop.", is_eager=True, callback=_show_keys)
    ] = False,
    asked: Annotated[
        bool, typer.Option("--help", help="This, every key of a recipe, and stop.", is_eager=True, callback=_show_help)
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model from a recipe into a run, and score its report split."""
    from workbench.core.jobs import Job
    from workbench.training import train as fit
    from workbench.training import train_seeds

    values = key_values(overrides or [], "modality=ocr seed=1") | ({} if model is None else {"model": model})
    if estimate:
        _show_estimate(recipe, values, as_json)
        return
    options: dict[str, Any] = {"name": name, "group": group, "overwrite": overwrite, "resume": resume}
    options |= {"background": background, **values}
    found = fit(recipe, **options) if seeds is None else train_seeds(recipe, seeds=_numbers(seeds), **options)
    if found is None:  # the first of several processes says it
        return
    if isinstance(found, Job):
        said = "" if seeds else f" {found.name.removeprefix('train-')}"
        say(f"Started job {found.name}. Watch it: workbench runs watch{said}")
    elif isinstance(found, list):
        rows = [{"run": one.name, **{f"{way} R@1": one.metrics[way]["r1"] for way in ("t2v", "v2t")}} for one in found]
        show_table(pd.DataFrame(rows), as_json)
    else:
        show_metrics(found.metrics, found, as_json)


def _show_estimate(recipe: str, values: dict[str, Any], as_json: bool) -> None:
    from workbench.training import estimate

    found = estimate(recipe, **values)
    if as_json:
        show_json(found.to_dict())
        return
    show_table(found.table)
    say(f"Out of {found.steps_made} steps on {found.device}; no run was written.")


def _numbers(text: str) -> list[int]:
    try:
        return [int(one) for one in text.split(",")]
    except ValueError as error:
        raise DataError(f"{text!r} is no list of seeds.", "Write e.g. --seeds 0,1,2") from error


def score(
    checkpoint: Annotated[
        str,
        typer.Argument(help="A run trained here, RUN@STEP, a folder of weights, or an untrained model: bm25_ocr."),
    ],
    corpus: Annotated[str, typer.Option(help="The corpus to score.")],
    name: Annotated[str, typer.Option(help="Name of the new run.")],
    split: Annotated[str | None, typer.Option(help="Its split; none = the default.")] = None,
    engine: Annotated[
        str | None, typer.Option("--ocr", "--engine", help="Whose texts: rapidocr, kwai, truth (perfect OCR), ...")
    ] = None,
    without: Annotated[str | None, typer.Option(help="Counterfactual: an input taken away: ocr.")] = None,
    frames: Annotated[str | None, typer.Option(help="Counterfactual: shuffled.")] = None,
    explain: Annotated[
        str | None,
        typer.Option(help="words: also what each read word does to the rank; pairs: which word fits which frame."),
    ] = None,
    clips: Annotated[
        int, typer.Option(help="Look at each video so many times, at other frames; similarities are averaged.")
    ] = 1,
    processes: Annotated[int, typer.Option(help="Processes on this machine that share the videos.")] = 1,
    reader: Annotated[str | None, typer.Option(help="Who decodes: pyav, decord, auto; none = as trained.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Whose weights a folder holds: package.module:builder of one's own model.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="key=value of a model without training, or of --model; may be repeated.")
    ] = None,
    matrix: Annotated[
        bool | None, typer.Option("--matrix/--no-matrix", help="Store the similarity; none = up to 4 GiB.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Move a run of that name to the trash.")] = False,
    as_json: AsJson = False,
) -> None:
    """Score a corpus with a model that exists; the new run names its parent."""
    from workbench.pipelines.checkpoints import score_checkpoint

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


def demo(
    seed: Annotated[int, typer.Option(help="Another seed, other films.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Make all of it again.")] = False,
    workers: Annotated[int | None, typer.Option(help="Processes; none = all cores.")] = None,
) -> None:
    """Make the demo: 192 drawn videos in eight domains, read by a real OCR, and four models on them."""
    from workbench.training.demo import make_demo

    made = make_demo(seed, overwrite=overwrite, workers=workers)
    rows = [
        {"run": run.name, "t2v R@1": run.metrics["t2v"]["r1"], "v2t R@1": run.metrics["v2t"]["r1"]} for run in made.runs
    ]
    show_table(pd.DataFrame(rows))
    say("Look at it: workbench app")


@index.command("build", epilog="Example: workbench index build mine --of ocr")
def build(
    corpus: Annotated[str, typer.Argument(help="A corpus, with or without captions.")],
    kind: Annotated[str, typer.Option(help="lexical (BM25) or dense (faiss).")] = "lexical",
    of: Annotated[str, typer.Option(help="Words of a lexical index: ocr, captions or all.")] = "ocr",
    vectors: Annotated[Path | None, typer.Option(help="Dense: one vector per video, in the corpus' order.")] = None,
    name: Annotated[str | None, typer.Option(help="The index' name; none = corpus and what it is of.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an index of that name.")] = False,
) -> None:
    """Make an index over the videos of a corpus."""
    from workbench.pipelines.indexes import build_index

    folder = build_index(corpus, kind=kind, of=of, vectors=vectors, name=name, overwrite=overwrite)
    say(f'Index {folder.name} stands. Search it: workbench index search {corpus} "words" --by {folder.name}')


@index.command("search", epilog='Example: workbench index search mine "taxi"')
def search(
    corpus: Annotated[str, typer.Argument(help="A corpus.")],
    query: Annotated[str, typer.Argument(help="What to look for.")],
    by: Annotated[str, typer.Option(help="bm25 (words read in the frames), an index, or a run trained here.")] = "bm25",
    k: Annotated[int, typer.Option(help="How many videos.")] = 10,
    as_json: AsJson = False,
) -> None:
    """The best videos for some words, and the words read in them that match."""
    from workbench.pipelines.search import Searcher

    found = Searcher(open_corpus(corpus), by).search(query, k)
    if as_json:
        show_json(found.videos.to_dict("records"))
        return
    table = found.videos[["video_id", "score", "matched"]]
    show_table(table, empty="No video holds any of these words.")
