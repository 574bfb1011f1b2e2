"""Commands about models: train, demo; index build and search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from workbench.cli.common import AsJson, Overwrite, group, key_values, say, show_json, show_table
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
        from workbench.training import recipe_list

        say(context.get_help() + "\n\nRecipes:\n")
        show_table(recipe_list())
        say("\nKeys of a recipe, given as key=value:\n")
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
    overwrite: Overwrite = False,
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
        bool,
        typer.Option("--help", help="This, recipes and their keys, and stop.", is_eager=True, callback=_show_help),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model from a recipe into a run, and score its report split."""
    from workbench.core.jobs import Job
    from workbench.training import check_keys, train_seeds
    from workbench.training import train as fit

    values = key_values(overrides or [], "modality=ocr seed=1") | ({} if model is None else {"model": model})
    check_keys(key for key in values if not key.startswith("options."))
    if estimate:
        if background:
            raise DataError("An estimate is no job: it takes as long as 20 steps.", "Leave --detach out.")
        _show_estimate(recipe, values, 1 if seeds is None else len(_numbers(seeds)), as_json)
        return
    options: dict[str, Any] = {"name": name, "group": group, "overwrite": overwrite, "resume": resume}
    options |= {"background": background, **values}
    found = fit(recipe, **options) if seeds is None else train_seeds(recipe, seeds=_numbers(seeds), **options)
    if found is None:  # the first of several processes says it
        return
    if isinstance(found, Job):
        said = "" if seeds else f" {name or found.name.removeprefix('train-')}"
        say(f"Started job {found.name}. Watch it: workbench runs watch{said}")
    elif isinstance(found, list):
        rows = [{"run": one.name, **{f"{way} R@1": one.metrics[way]["r1"] for way in ("t2v", "v2t")}} for one in found]
        show_table(pd.DataFrame(rows), as_json)
    else:
        show_metrics(found.metrics, found, as_json)


def _show_estimate(recipe: str, values: dict[str, Any], runs: int, as_json: bool) -> None:
    from workbench.training import estimate

    found = estimate(recipe, runs=runs, **values)
    if as_json:
        show_json(found.to_dict())
        return
    show_table(found.table)
    if found.originals:
        say(f"Original videos are read: {found.originals}.")
    say(f"Out of {found.steps_made} steps on {found.device}; no run was written.")


def _numbers(text: str) -> list[int]:
    try:
        return [int(one) for one in text.split(",")]
    except ValueError as error:
        raise DataError(f"{text!r} is no list of seeds.", "Write e.g. --seeds 0,1,2") from error


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
    query: Annotated[str, typer.Argument(help="What to look for; none with --clip.")] = "",
    by: Annotated[str, typer.Option(help="bm25 (words read in the frames), an index, or a run trained here.")] = "bm25",
    k: Annotated[int, typer.Option(help="How many videos.")] = 10,
    clip: Annotated[Path | None, typer.Option(help="A video file as the query; several: --by a,b.")] = None,
    as_json: AsJson = False,
) -> None:
    """The best videos for some words, and the words read in them that match; or what runs find for a clip."""
    from workbench.pipelines.search import Searcher

    if clip is not None:
        show_table(_of_clip(corpus, clip, by.split(","), k), as_json)
        return
    found = Searcher(open_corpus(corpus), by).search(query, k)
    if as_json:
        show_json(found.videos.to_dict("records"))
        return
    table = found.videos[["video_id", "score", "matched"]]
    show_table(table, empty="No video holds any of these words.")


def _of_clip(corpus: str, clip: Path, by: list[str], k: int) -> pd.DataFrame:
    """The fittest captions of every run for a clip and the videos that score alike, or videos by the words read in it.

    Raises:
        DataError: The file cannot be read, or a run belongs to another corpus or cannot look at it.
    """
    from workbench.analysis.structure.like_video import fitting_captions, like_video
    from workbench.evaluation import list_runs, open_run
    from workbench.pipelines.own_clip import keep_clip, look_at
    from workbench.pipelines.search import Searcher

    try:
        with open(clip, "rb") as source:
            kept = keep_clip(source, clip.name)
    except OSError as error:
        raise DataError(f"{clip} cannot be read ({error.strerror}).", "Check the path.") from error
    names = set(list_runs(corpus)["name"])
    runs = [open_run(one) for one in by if one in names]
    kept = look_at(kept, runs, read=len(runs) < len(by))
    parts = []
    for one in by:
        if one not in names:
            if kept.words:
                videos = Searcher(open_corpus(corpus), one).search(kept.words, k).videos
                parts.append(videos[["video_id", "score"]].assign(by=one, found="videos with words read in it"))
            continue
        run = open_run(one)
        if (scores := kept.scores(run)) is None:
            raise DataError(f"Run {one} cannot look at a clip: {kept.refused.get(one)}", "Ask another run.")
        captions = fitting_captions(run, scores, k).rename(columns={"text": "caption"})
        parts.append(captions[["caption", "score"]].assign(by=one, found="captions"))
        alike = like_video(run, scores, k).rename(columns={"correlation": "score"})
        parts.append(alike.assign(by=one, found="videos that score alike"))
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return found.reindex(columns=["by", "found", "score", "video_id", "caption"])
